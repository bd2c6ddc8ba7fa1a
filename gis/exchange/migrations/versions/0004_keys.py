"""Keys of departments: digests, never the keys."""

from alembic import op

revision = "exchange_0004"
down_revision = "exchange_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.execute(
        """
        CREATE TABLE exchange.key (
            id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            department text NOT NULL,
            digest bytea NOT NULL UNIQUE CHECK (length(digest) = 32),
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            expires_at timestamptz,
            revoked_at timestamptz
        )
        """
    )
