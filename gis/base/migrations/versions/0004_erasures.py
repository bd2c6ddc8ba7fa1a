"""Whom a register has been told to forget: their numbers alone, so that nobody brings their names back unasked."""

from alembic import op

revision = "base_0004"
down_revision = "base_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table. An erasure that was lifted stays on record."""
    op.execute(
        """
        CREATE TABLE base.erasure (
            register text NOT NULL,
            fid bigint NOT NULL,
            request text NOT NULL CHECK (request <> ''),
            basis text NOT NULL CHECK (basis <> ''),
            erased_by text NOT NULL,
            erased_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            certificate jsonb NOT NULL,
            lifted_at timestamptz,
            lifted_basis text,
            PRIMARY KEY (register, fid, erased_at)
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX erasure_in_force ON base.erasure (register, fid) WHERE lifted_at IS NULL")
