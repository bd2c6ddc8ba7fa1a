"""Loads, recorded epochs, scenarios."""

from alembic import op

revision = "core_0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE EXTENSION IF NOT EXISTS postgis",
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE SCHEMA IF NOT EXISTS core",
    # one row a file taken in: where rows come from, and what was decided about the file
    """
    CREATE TABLE core.load (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        collection text NOT NULL,
        dataset text NOT NULL,
        scenario integer NOT NULL DEFAULT 0,
        file text NOT NULL,
        file_sha256 text NOT NULL,
        source jsonb NOT NULL,
        licence text NOT NULL,
        source_crs text,
        findings jsonb NOT NULL DEFAULT '{}',
        counts jsonb NOT NULL DEFAULT '{}',
        loaded_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX ON core.load (collection, dataset, id)",
    # every row that was not taken, so that nothing is dropped in silence
    """
    CREATE TABLE core.load_reject (
        load integer NOT NULL REFERENCES core.load,
        src_row bigint NOT NULL,
        reason text NOT NULL,
        text_zh text NOT NULL,
        text_en text NOT NULL,
        value text NOT NULL
    )
    """,
    "CREATE INDEX ON core.load_reject (load, src_row)",
    # recorded time: an epoch a change of a register, stamped just before its commit under the register's stamp lock
    """
    CREATE TABLE core.epoch (
        register text NOT NULL,
        epoch bigint NOT NULL,
        recorded_at timestamptz NOT NULL,
        load integer REFERENCES core.load,
        PRIMARY KEY (register, epoch)
    )
    """,
    "CREATE INDEX ON core.epoch (register, recorded_at)",
    "CREATE FUNCTION core.lock_key(purpose text, register text) RETURNS bigint LANGUAGE sql IMMUTABLE"
    " AS $$ SELECT hashtextextended(purpose || ':' || register, 1) $$",
    """
    CREATE FUNCTION core.stamp(register_ text, epoch_ bigint, load_ integer) RETURNS timestamptz
    LANGUAGE plpgsql AS $$
    DECLARE stamped timestamptz;
    BEGIN
        PERFORM pg_advisory_xact_lock(core.lock_key('stamp', register_));
        INSERT INTO core.epoch VALUES (register_, epoch_, clock_timestamp(), load_) RETURNING recorded_at INTO stamped;
        RETURN stamped;
    END $$
    """,
    # An answer as of a time must never change: an epoch stamped before that time but not yet visible to the asking
    # statement would change it. Waiting for the stamp lock, then looking afresh, finds every such epoch; the caller
    # asks again where there was one.
    """
    CREATE FUNCTION core.settled_epoch(register_ text, as_of timestamptz, seen bigint) RETURNS bigint
    LANGUAGE plpgsql VOLATILE AS $$
    DECLARE fresh bigint;
    BEGIN
        PERFORM pg_advisory_lock_shared(core.lock_key('stamp', register_));
        PERFORM pg_advisory_unlock_shared(core.lock_key('stamp', register_));
        SELECT coalesce(max(epoch), 0) INTO fresh FROM core.epoch WHERE register = register_ AND recorded_at <= as_of;
        IF fresh <> coalesce(seen, 0) THEN
            RAISE EXCEPTION 'the register was being recorded' USING ERRCODE = 'serialization_failure';
        END IF;
        RETURN fresh;
    END $$
    """,
    """
    CREATE TABLE core.scenario (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text NOT NULL UNIQUE CHECK (name ~ '^[a-z][a-z0-9_-]*$'),
        title jsonb NOT NULL
    )
    """,
    "CREATE FUNCTION core.scenario_id(name_ text) RETURNS integer LANGUAGE sql STABLE"
    " AS $$ SELECT id FROM core.scenario WHERE name = name_ $$",
)


def upgrade() -> None:
    """Make the core."""
    for statement in STATEMENTS:
        op.execute(statement)
