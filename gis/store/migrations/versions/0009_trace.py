"""The trace: entries that seal one another, a partition a month, which nobody can change or take away unseen."""

from alembic import op

revision = "core_0009"
down_revision = "core_0008"
branch_labels = None
depends_on = None

#: Of these columns a batch of entries is made, in this order.
_COLUMNS = (
    ("number", "bigint"), ("at", "timestamptz"), ("event", "text"), ("outcome", "text"), ("who", "text"),
    ("role", "text"), ("origin", "text"), ("purpose", "text"), ("collection", "text"), ("query", "text"),
    ("rows", "bigint"), ("request", "text"), ("mark", "text"), ("detail", "text"), ("seal", "bytea"),
)  # fmt: skip
_NAMES = ", ".join(name for name, _ in _COLUMNS)
_ARRAYS = ", ".join(f"the_{name} {kind}[]" for name, kind in _COLUMNS)
_UNNESTED = ", ".join(f"the_{name}" for name, _ in _COLUMNS)

TABLES = (
    "CREATE SCHEMA IF NOT EXISTS access",
    # which chain this is, drawn when its first entry is made: a copy of an empty database has another
    "CREATE TABLE access.trace_chain (single boolean PRIMARY KEY DEFAULT true CHECK (single), id uuid NOT NULL)",
    # `recorded_at` rises along the chain and names the partition; `key_id` names the key that made the seal
    """
    CREATE TABLE access.trace (
        number bigint NOT NULL,
        recorded_at timestamptz NOT NULL,
        at timestamptz NOT NULL,
        event text NOT NULL,
        outcome text NOT NULL CHECK (outcome IN ('success', 'refused', 'failed')),
        who text NOT NULL,
        role text NOT NULL,
        origin text NOT NULL,
        purpose text NOT NULL,
        collection text NOT NULL,
        query text NOT NULL,
        rows bigint,
        request text NOT NULL,
        mark text NOT NULL,
        detail text NOT NULL,
        key_id text NOT NULL,
        seal bytea NOT NULL,
        PRIMARY KEY (number, recorded_at)
    ) PARTITION BY RANGE (recorded_at)
    """,
    "CREATE INDEX ON access.trace (who, number)",
    "CREATE INDEX ON access.trace (collection, number) WHERE collection <> ''",
    "CREATE INDEX ON access.trace (mark) WHERE mark <> ''",
    "CREATE INDEX ON access.trace USING brin (recorded_at)",
    # what is left of a month that was dropped: how its entries joined those before and those after
    """
    CREATE TABLE access.trace_closed (
        month date PRIMARY KEY,
        first bigint NOT NULL,
        last bigint NOT NULL CHECK (last >= first),
        before bytea NOT NULL,
        after bytea NOT NULL,
        closed_at timestamptz NOT NULL,
        closed_by text NOT NULL,
        key_id text NOT NULL,
        seal bytea NOT NULL
    )
    """,
)

FUNCTIONS = (
    """
    CREATE FUNCTION access.trace_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE insufficient_privilege USING MESSAGE = 'the trace is only added to';
    END $$
    """,
    # the newest entry, or the last one of those that were dropped; held still until the transaction ends
    """
    CREATE FUNCTION access.trace_head(
        OUT chain uuid, OUT number bigint, OUT seal bytea, OUT recorded_at timestamptz
    ) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ BEGIN
        PERFORM pg_advisory_xact_lock(8083611012340115301);
        SELECT c.id INTO chain FROM access.trace_chain c;
        IF chain IS NULL THEN
            chain := gen_random_uuid();
            INSERT INTO access.trace_chain (id) VALUES (chain);
        END IF;
        SELECT t.number, t.seal, t.recorded_at INTO number, seal, recorded_at
        FROM access.trace t ORDER BY t.number DESC LIMIT 1;
        IF number IS NULL THEN
            SELECT c.last, c.after, c.closed_at INTO number, seal, recorded_at
            FROM access.trace_closed c ORDER BY c.last DESC LIMIT 1;
        END IF;
        number := coalesce(number, 0);
        recorded_at := greatest(recorded_at, clock_timestamp());
    END $$
    """,
    """
    CREATE FUNCTION access.trace_month(month date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        name text := to_char(month, '"trace_"YYYY_MM');
    BEGIN
        IF to_regclass('access.' || name) IS NULL THEN
            EXECUTE format('CREATE TABLE access.%I PARTITION OF access.trace FOR VALUES FROM (%L) TO (%L)', name,
                month::timestamp AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
            EXECUTE format('CREATE TRIGGER trace_kept_whole BEFORE TRUNCATE ON access.%I'
                ' FOR EACH STATEMENT EXECUTE FUNCTION access.trace_kept()', name);
            EXECUTE format('REVOKE ALL ON access.%I FROM PUBLIC', name);
        END IF;
    END $$
    """,
    # the only way in: what does not follow the newest entry is refused
    f"""
    CREATE FUNCTION access.trace_append(the_recorded_at timestamptz, the_key_id text, {_ARRAYS}) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        head record;
        many integer := cardinality(the_number);
        month date := date_trunc('month', the_recorded_at AT TIME ZONE 'UTC')::date;
    BEGIN
        SELECT * INTO head FROM access.trace_head();
        IF many IS DISTINCT FROM (SELECT count(*) FROM unnest(the_number) WITH ORDINALITY AS n (number, place)
                                  WHERE n.number = head.number + n.place)
            OR the_recorded_at > head.recorded_at
            OR the_recorded_at < coalesce((SELECT max(t.recorded_at) FROM access.trace t WHERE t.number = head.number),
                                          '-infinity') THEN
            RAISE serialization_failure USING MESSAGE = 'these entries do not follow the newest one';
        END IF;
        PERFORM access.trace_month(month);
        INSERT INTO access.trace (recorded_at, key_id, {_NAMES})
        SELECT the_recorded_at, the_key_id, * FROM unnest({_UNNESTED});
    END $$
    """,
    # whether an entry was written of which its writer was never told
    """
    CREATE FUNCTION access.trace_holds(the_number bigint, the_seal bytea) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        SELECT EXISTS (SELECT FROM access.trace t WHERE t.number = the_number AND t.seal = the_seal)
    $$
    """,
    # the routine of retention: the oldest month alone, and none of the last six
    """
    CREATE FUNCTION access.trace_close(the_month date, the_first bigint, the_last bigint, the_before bytea,
        the_after bytea, the_closed_at timestamptz, the_closed_by text, the_key_id text, the_seal bytea) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(8083611012340115301);
        IF the_month <> date_trunc('month', the_month)::date
            OR the_month + interval '7 months' > clock_timestamp() AT TIME ZONE 'UTC' THEN
            RAISE check_violation USING MESSAGE = 'the trace of the last six months is kept';
        END IF;
        IF EXISTS (SELECT FROM access.trace t WHERE t.recorded_at < the_month::timestamp AT TIME ZONE 'UTC') THEN
            RAISE check_violation USING MESSAGE = 'an older month is kept still';
        END IF;
        EXECUTE format('DROP TABLE access.%I', to_char(the_month, '"trace_"YYYY_MM'));
        INSERT INTO access.trace_closed VALUES (the_month, the_first, the_last, the_before, the_after, the_closed_at,
            the_closed_by, the_key_id, the_seal);
    END $$
    """,
)

GUARDS = (
    "CREATE TRIGGER trace_kept BEFORE UPDATE OR DELETE ON access.trace"
    " FOR EACH ROW EXECUTE FUNCTION access.trace_kept()",
    "CREATE TRIGGER trace_kept_whole BEFORE TRUNCATE ON access.trace"
    " FOR EACH STATEMENT EXECUTE FUNCTION access.trace_kept()",
    *(
        f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON access.{table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION access.trace_kept()"
        for table in ("trace_closed", "trace_chain")
    ),
    "REVOKE ALL ON access.trace, access.trace_closed, access.trace_chain FROM PUBLIC",
    # whoever serves adds to the trace by functions alone; months are closed by the owner of the database
    "REVOKE ALL ON FUNCTION access.trace_month, access.trace_close, access.trace_head, access.trace_append,"
    " access.trace_holds FROM PUBLIC",
)


def upgrade() -> None:
    """Make the trace."""
    for statement in (*TABLES, *FUNCTIONS, *GUARDS):
        op.execute(statement)
