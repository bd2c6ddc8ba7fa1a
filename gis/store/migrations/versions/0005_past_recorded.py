"""Closed rows are found by when they were on record: questions as of a past moment read those alone."""

from alembic import op

revision = "core_0005"
down_revision = "core_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the past of every register that is there; those made from now on bring it with them."""
    op.execute(
        r"""
        DO $$
        DECLARE past regclass;
        BEGIN
            FOR past IN SELECT c.oid FROM pg_class c
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'rec_to' AND NOT a.attisdropped
                WHERE c.relkind = 'p' AND c.relname LIKE '%\_past'
            LOOP
                EXECUTE format('CREATE INDEX ON %s (rec_to, rec_from)', past);
            END LOOP;
        END $$
        """
    )
