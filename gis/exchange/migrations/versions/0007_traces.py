"""What a row without a sound identifier tells of whom it is about, as keyed numbers; null for most rows."""

from alembic import op

revision = "exchange_0007"
down_revision = "exchange_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; an index of the few rows that have any."""
    op.execute("ALTER TABLE exchange.returned ADD COLUMN traces bigint[]")
    op.execute("CREATE INDEX returned_traces ON exchange.returned (delivery) WHERE traces IS NOT NULL")
