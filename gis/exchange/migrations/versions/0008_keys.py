"""Keys of departments are kept with those of all systems, under the numbers that they had."""

from alembic import op

revision = "exchange_0008"
down_revision = "exchange_0007"
branch_labels = None
depends_on = None

STATEMENTS = (
    "INSERT INTO access.key (id, department, digest, created_at, expires_at, revoked_at)"
    " OVERRIDING SYSTEM VALUE SELECT id, department, digest, created_at, expires_at, revoked_at FROM exchange.key",
    "SELECT setval(pg_get_serial_sequence('access.key', 'id'), max(id)) FROM access.key HAVING max(id) > 0",
    "DROP TABLE exchange.key",
)


def upgrade() -> None:
    """Move what is there."""
    for statement in STATEMENTS:
        op.execute(statement)
