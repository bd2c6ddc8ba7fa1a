"""Accounts, their sessions and second factors, keys of systems; the three administrators kept apart by the tables."""

from alembic import op

revision = "core_0008"
down_revision = "core_0007"
branch_labels = None
depends_on = None

ADMINISTRATORS = "('system_admin', 'security_admin', 'audit_admin')"
WORKING = "('staff', 'analyst', 'duty', 'command')"

TABLES = (
    "CREATE SCHEMA IF NOT EXISTS access",
    # what second factors are encrypted with: 244 random bits, without an extension
    "CREATE TABLE access.secret (single boolean PRIMARY KEY DEFAULT true CHECK (single), key bytea NOT NULL)",
    "INSERT INTO access.secret (key) VALUES (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))",
    # rises with every change that may take a right away; servers compare it with the one that they know
    "CREATE TABLE access.state (single boolean PRIMARY KEY DEFAULT true CHECK (single), version bigint NOT NULL)",
    "INSERT INTO access.state (version) VALUES (1)",
    # `divisions` are [[low, high], …] of division codes, null everywhere; a role `public` has no rights yet
    f"""
    CREATE TABLE access.account (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text NOT NULL UNIQUE CHECK (name = lower(name) AND name ~ '^\\w[\\w.-]{{1,62}}$'),
        person text NOT NULL CHECK (person = btrim(person) AND length(person) BETWEEN 1 AND 100),
        role text NOT NULL DEFAULT 'public'
            CHECK (role = 'public' OR role IN {WORKING} OR role IN {ADMINISTRATORS}),
        divisions jsonb DEFAULT '[]' CHECK (jsonb_typeof(divisions) = 'array'),
        department text,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        created_by text NOT NULL,
        expires_at timestamptz,
        enabled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        disabled_at timestamptz,
        password text,
        password_set_at timestamptz,
        one_time_until timestamptz,
        factor bytea,
        factor_confirmed boolean NOT NULL DEFAULT false,
        factor_step bigint NOT NULL DEFAULT 0,
        signed_in_at timestamptz,
        CONSTRAINT administrators_see_no_division
            CHECK (role NOT IN {ADMINISTRATORS} OR coalesce(divisions, 'null') = '[]'),
        CONSTRAINT a_factor_is_confirmed_when_there_is_one CHECK (factor IS NOT NULL OR NOT factor_confirmed)
    )
    """,
    # nobody holds two of the offices that watch each other, not with two accounts either
    f"CREATE UNIQUE INDEX one_office_a_person ON access.account (person) WHERE role IN {ADMINISTRATORS}",
    """
    CREATE TABLE access.recovery_code (
        account integer NOT NULL REFERENCES access.account,
        digest bytea NOT NULL CHECK (length(digest) = 32),
        PRIMARY KEY (account, digest)
    )
    """,
    # only the token's digest; a restricted session may do nothing but set up its second factor
    """
    CREATE TABLE access.session (
        digest bytea PRIMARY KEY CHECK (length(digest) = 32),
        account integer NOT NULL REFERENCES access.account,
        begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        origin text NOT NULL,
        restricted boolean NOT NULL
    )
    """,
    "CREATE INDEX ON access.session (account)",
    # failures to sign in, by a digest of the name (whether there is such an account or not) or of the address
    """
    CREATE TABLE access.failure (
        subject bytea PRIMARY KEY CHECK (length(subject) = 32),
        failures integer NOT NULL,
        last_at timestamptz NOT NULL,
        locked_until timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ON access.failure (last_at)",
    f"""
    CREATE TABLE access.key (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text NOT NULL DEFAULT '',
        department text,
        role text NOT NULL DEFAULT 'staff' CHECK (role IN {WORKING}),
        divisions jsonb CHECK (jsonb_typeof(divisions) = 'array'),
        collections text[],
        writes boolean NOT NULL DEFAULT true,
        per_minute integer CHECK (per_minute > 0),
        digest bytea NOT NULL UNIQUE CHECK (length(digest) = 32),
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        created_by text NOT NULL DEFAULT 'owner',
        expires_at timestamptz,
        revoked_at timestamptz,
        used_at timestamptz
    )
    """,
)

#: Who may change what of an account. The setting `onemap.actor` names the account that acts, `owner` whoever works at
#: the machine, `self` the account itself while it signs in; without it nothing can be changed.
_GUARD = r"""
    CREATE FUNCTION access.guard_account() RETURNS trigger LANGUAGE plpgsql SET search_path = access, pg_temp AS $$
    DECLARE
        actor text := coalesce(current_setting('onemap.actor', true), '');
        office text;
        is_self boolean;
    BEGIN
        IF actor = 'owner' THEN
            RETURN NEW;
        END IF;
        is_self := TG_OP = 'UPDATE' AND (actor = 'self' OR actor = NEW.id::text);
        IF actor ~ '^\d+$' THEN
            SELECT role INTO office FROM access.account WHERE id = actor::integer AND disabled_at IS NULL;
        END IF;
        IF TG_OP = 'INSERT' THEN
            IF office IS DISTINCT FROM 'system_admin' OR NEW.role <> 'public' OR NEW.divisions IS DISTINCT FROM '[]'
                OR NEW.department IS NOT NULL OR NEW.factor IS NOT NULL THEN
                RAISE EXCEPTION 'accounts are made by the system administrator, without rights'
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NEW;
        END IF;
        IF (NEW.role, NEW.divisions, NEW.department) IS DISTINCT FROM (OLD.role, OLD.divisions, OLD.department)
            AND (is_self OR office IS DISTINCT FROM 'security_admin') THEN
            RAISE EXCEPTION 'rights are given by the security administrator, and never to oneself'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF (NEW.name, NEW.person, NEW.expires_at, NEW.enabled_at, NEW.disabled_at)
            IS DISTINCT FROM (OLD.name, OLD.person, OLD.expires_at, OLD.enabled_at, OLD.disabled_at)
            AND (is_self OR office IS DISTINCT FROM 'system_admin') THEN
            RAISE EXCEPTION 'accounts are kept by the system administrator, and never one''s own'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF NEW.password IS DISTINCT FROM OLD.password AND NOT is_self AND office IS DISTINCT FROM 'system_admin' THEN
            RAISE EXCEPTION 'passwords are reset by the system administrator' USING ERRCODE = 'insufficient_privilege';
        END IF;
        -- who can reset a password cannot take the second factor away, so that neither alone can become another
        IF NEW.factor IS DISTINCT FROM OLD.factor AND NOT is_self
            AND (office IS DISTINCT FROM 'security_admin' OR NEW.factor IS NOT NULL) THEN
            RAISE EXCEPTION 'second factors are taken away by the security administrator'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END $$
    """

TRIGGERS = (
    _GUARD,
    "CREATE TRIGGER guard BEFORE INSERT OR UPDATE OF id, name, person, role, divisions, department, expires_at,"
    " enabled_at, disabled_at, password, factor ON access.account FOR EACH ROW EXECUTE FUNCTION access.guard_account()",
    "CREATE FUNCTION access.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION"
    " 'an account is disabled, never deleted' USING ERRCODE = 'insufficient_privilege'; END $$",
    "CREATE TRIGGER stays BEFORE DELETE OR TRUNCATE ON access.account EXECUTE FUNCTION access.refuse()",
    "CREATE FUNCTION access.changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = access,"
    " pg_temp AS $$ BEGIN UPDATE access.state SET version = version + 1; RETURN NULL; END $$",
    "CREATE TRIGGER changed AFTER UPDATE OF role, divisions, department, expires_at, disabled_at, password, factor,"
    " factor_confirmed ON access.account FOR EACH STATEMENT EXECUTE FUNCTION access.changed()",
    "CREATE TRIGGER changed AFTER DELETE OR TRUNCATE OR UPDATE OF restricted, begun_at ON access.session"
    " FOR EACH STATEMENT EXECUTE FUNCTION access.changed()",
    "CREATE TRIGGER changed AFTER DELETE OR TRUNCATE OR UPDATE OF revoked_at, expires_at, role, divisions, department,"
    " collections, writes, per_minute ON access.key FOR EACH STATEMENT EXECUTE FUNCTION access.changed()",
)


def upgrade() -> None:
    """Make the tables and what guards them."""
    for statement in (*TABLES, *TRIGGERS):
        op.execute(statement)
