"""The key that signs where a page ended: one of the city, so that each of its servers knows the others' pages."""

from alembic import op

revision = "core_0004"
down_revision = "core_0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE TABLE core.page_key (single boolean PRIMARY KEY DEFAULT true CHECK (single), key bytea NOT NULL)",
    # 244 random bits, without an extension
    "INSERT INTO core.page_key (key) VALUES (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))",
)


def upgrade() -> None:
    """Make the key."""
    for statement in STATEMENTS:
        op.execute(statement)
