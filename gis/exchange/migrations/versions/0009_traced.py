"""Whether the trace has what became of a delivery, so that a worker that dies between the two leaves nothing untold."""

from alembic import op

revision = "exchange_0009"
down_revision = "exchange_0008"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE exchange.delivery ADD COLUMN traced_at timestamptz",
    "UPDATE exchange.delivery SET traced_at = now() WHERE state NOT IN ('received', 'working')",
    "CREATE INDEX ON exchange.delivery (id) WHERE traced_at IS NULL",
)


def upgrade() -> None:
    """What ended before counts as told."""
    for statement in STATEMENTS:
        op.execute(statement)
