"""The second wall: the key that signs scopes, and the function that reads what a signed scope opens."""

from alembic import op

revision = "core_0007"
down_revision = "core_0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE SCHEMA IF NOT EXISTS access",
    # the key of this very database (a copy of it makes one of its own), its two blocks of HMAC (RFC 2104), and which
    # wall was built; `mode` is "rows" (row-level security), "views" (predicate views) or "none"
    """
    CREATE TABLE access.wall (
        single boolean PRIMARY KEY DEFAULT true CHECK (single),
        mode text NOT NULL DEFAULT 'none',
        system bigint NOT NULL DEFAULT 0,
        database oid NOT NULL DEFAULT 0,
        key bytea,
        inner_block bytea,
        outer_block bytea
    )
    """,
    "REVOKE ALL ON access.wall FROM PUBLIC",
    "INSERT INTO access.wall DEFAULT VALUES",
    # what the connection's scope says of a name; NULL without a scope, or where it is not signed, stale or silent.
    # It raises nothing: an error after the index was read would tell that there was something.
    """
    CREATE FUNCTION access.opened(name text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        stated CONSTANT text := current_setting('onemap.scope', true);
        opened text;
    BEGIN
        IF stated IS NULL OR octet_length(stated) < 80 THEN
            RETURN NULL;
        END IF;
        SELECT substr(stated, 65) INTO opened FROM access.wall
        WHERE encode(sha256(outer_block || sha256(inner_block || convert_to(substr(stated, 65), 'UTF8'))), 'hex')
            = left(stated, 64);
        IF opened IS NULL OR split_part(opened, ';', 1)::bigint < extract(epoch FROM clock_timestamp()) THEN
            RETURN NULL;
        END IF;
        RETURN nullif(split_part(split_part(opened, ';' || name || '=', 2), ';', 1), '');
    END $$
    """,
    "REVOKE ALL ON FUNCTION access.opened(text) FROM PUBLIC",
)


def upgrade() -> None:
    """Make the key's table and the function; roles, policies and views follow from what is declared."""
    for statement in STATEMENTS:
        # a colon begins no parameter here
        op.execute(statement.replace(":", "\\:"))
