"""What was made for each register beside its own tables: rollups, generalised shapes, the log of its changes."""

from alembic import op

revision = "core_0002"
down_revision = "core_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; `digest` is that of the declaration which the thing was made from."""
    op.execute(
        "CREATE TABLE core.derived (register text NOT NULL, kind text NOT NULL, digest text NOT NULL,"
        " made_at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (register, kind))"
    )
