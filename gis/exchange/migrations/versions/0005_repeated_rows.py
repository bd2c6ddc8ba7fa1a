"""Rows that repeat what was said keep their number in the file, so that who has to look into one is told where."""

from alembic import op

revision = "exchange_0005"
down_revision = "exchange_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Numbers of 4 bytes, big-endian, in the order of `fids`; null where a delivery came before they were kept."""
    op.execute("ALTER TABLE exchange.repeated ADD COLUMN rows bytea")
