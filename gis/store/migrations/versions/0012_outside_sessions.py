"""Passwords that were used before, and sessions of those who signed in at a provider of identities."""

from alembic import op

revision = "core_0012"
down_revision = "core_0011"
branch_labels = None
depends_on = None

STATEMENTS = (
    # what was kept of passwords that people chose, the newest ones; one-time passwords are nobody's choice
    """
    CREATE TABLE access.former_password (
        account integer NOT NULL REFERENCES access.account,
        password text NOT NULL,
        until timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX ON access.former_password (account, until)",
    # by whatever way a password goes, it is kept; not where the same one is only hashed anew
    """
    CREATE FUNCTION access.keep_password() RETURNS trigger LANGUAGE plpgsql SET search_path = access, pg_temp AS $$
    BEGIN
        INSERT INTO access.former_password (account, password) VALUES (OLD.id, OLD.password);
        DELETE FROM access.former_password WHERE ctid IN (
            SELECT ctid FROM access.former_password WHERE account = OLD.id ORDER BY until DESC OFFSET 24);
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER keep_password AFTER UPDATE OF password ON access.account FOR EACH ROW
    WHEN (OLD.password IS NOT NULL AND OLD.password IS DISTINCT FROM NEW.password AND OLD.one_time_until IS NULL
        AND (NEW.one_time_until IS NOT NULL OR NEW.password_set_at IS DISTINCT FROM OLD.password_set_at))
    EXECUTE FUNCTION access.keep_password()
    """,
    # a session is that of an account, or of whom a provider told: then `identity` says all that it told
    "ALTER TABLE access.session ALTER account DROP NOT NULL, ADD issuer text, ADD identity jsonb,"
    " ADD CONSTRAINT of_an_account_or_a_provider CHECK ((account IS NULL) = (identity IS NOT NULL)"
    " AND (account IS NULL) = (issuer IS NOT NULL))",
)


def upgrade() -> None:
    """Make the tables and what fills them."""
    for statement in STATEMENTS:
        op.execute(statement)
