"""The log of changes: for each transaction that wrote to a register, the squares of the map where it did."""

from alembic import op

revision = "core_0003"
down_revision = "core_0002"
branch_labels = None
depends_on = None

TABLES = (
    # `key` is a tile of WebMercatorQuad, 4^z + morton(x, y); 1 is the whole register
    """
    CREATE TABLE core.change (
        register text NOT NULL,
        key bigint NOT NULL,
        xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (xid, register, key)
    )
    """,
    "CREATE INDEX ON core.change USING brin (at)",
    # what was pruned, as the sum modulo 2^64 of core.change_hash
    """
    CREATE TABLE core.change_digest (
        register text NOT NULL,
        key bigint NOT NULL,
        digest numeric NOT NULL,
        PRIMARY KEY (register, key)
    )
    """,
    "CREATE FUNCTION core.change_hash(key bigint, xid xid8) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE"
    " AS $$ SELECT hashint8extended(key, xid::text::bigint) $$",
    # which database this is: transaction numbers mean something only in it; all up to `pruned` are in change_digest
    """
    CREATE TABLE core.incarnation (
        only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
        system bigint NOT NULL,
        database oid NOT NULL,
        mark uuid NOT NULL DEFAULT gen_random_uuid(),
        pruned xid8 NOT NULL DEFAULT '0'
    )
    """,
    "INSERT INTO core.incarnation (system, database) SELECT system_identifier, d.oid"
    " FROM pg_control_system(), pg_database d WHERE datname = current_database()",
    # after a restore the log is about transactions of another life
    """
    CREATE FUNCTION core.renew_incarnation(always boolean) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE core.incarnation i SET system = s.system_identifier, database = d.oid, mark = gen_random_uuid(),
            pruned = '0'
        FROM pg_control_system() s, pg_database d
        WHERE d.datname = current_database()
            AND (always OR (i.system, i.database) IS DISTINCT FROM (s.system_identifier, d.oid));
        IF FOUND THEN
            TRUNCATE core.change, core.change_digest;
        END IF;
        RETURN FOUND;
    END $$
    """,
    "CREATE FUNCTION core.timeline() RETURNS integer LANGUAGE plpgsql STABLE AS $$ BEGIN"
    " IF pg_is_in_recovery() THEN RETURN (SELECT timeline_id FROM pg_control_checkpoint()); END IF;"
    " RETURN ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer; END $$",
)

#: Column and row of the z12 tile of a longitude and a latitude; what lies beyond the square counts to its edge.
_X = "least(greatest(floor(({} + 180) * (4096 / 360.0::float8)), 0), 4095)::int"
_Y = (
    "least(greatest(floor(2048 - asinh(tan(radians(least(greatest({}, -85.06), 85.06)))) * (2048 / pi())), 0),"
    " 4095)::int"
)


def _spread(value: str) -> str:
    """The bits of a number below 2^12, each with a zero before it."""
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        value = f"(({value} | ({value} << {shift})) & {mask})"
    return value


_MANY = f"""
    INSERT INTO core.change (register, key)
    SELECT DISTINCT TG_ARGV[0],
        coalesce((1::bigint << (2 * (12 - s))) + {_spread("column_")} + 2 * {_spread("row_")}, 1)
    FROM (
        SELECT DISTINCT CASE WHEN box IS NOT NULL THEN {_X.format("ST_XMin(box)")} END AS x0,
            {_X.format("ST_XMax(box)")} AS x1, {_Y.format("ST_YMax(box)")} AS y0, {_Y.format("ST_YMin(box)")} AS y1
        FROM (SELECT box3d(geom) AS box FROM ({{rows}}) AS written OFFSET 0) AS boxes
    ) AS squares
    CROSS JOIN LATERAL (
        SELECT CASE WHEN x0 = x1 AND y0 = y1 THEN 0 ELSE (
            SELECT min(shift) FROM generate_series(0, 12) AS shift
            WHERE ((x1 >> shift) - (x0 >> shift) + 1) * ((y1 >> shift) - (y0 >> shift) + 1) <= 4) END AS s
    ) AS fitting
    LEFT JOIN LATERAL (
        SELECT column_, row_
        FROM generate_series(x0 >> s, x1 >> s) AS column_, generate_series(y0 >> s, y1 >> s) AS row_
    ) AS tiles ON true
    ON CONFLICT DO NOTHING;
"""


def _recorder(name: str, rows: str) -> str:
    """A trigger's function; `rows` selects the geometry of what was written.

    A box gets the at most four tiles that cover it on the deepest zoom where four are enough; a row without geometry,
    or with an empty one, counts as the whole. Mostly a statement writes a row or a few in one tile, which needs none of
    the machinery; of many, boxes that are alike are taken once before anything else is asked of them.
    """
    return f"""
    CREATE FUNCTION core.{name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ DECLARE
        few record;
        x integer;
        y integer;
    BEGIN
        SELECT count(*) AS n, count(box) AS placed, min(ST_XMin(box)) AS x0, max(ST_XMax(box)) AS x1,
            max(ST_YMax(box)) AS y0, min(ST_YMin(box)) AS y1 INTO few
        FROM (SELECT box3d(geom) AS box FROM ({rows}) AS written LIMIT 20) AS boxes;
        IF few.n = 0 THEN
            RETURN NULL;
        END IF;
        IF few.n < 20 AND few.n = few.placed THEN
            x := {_X.format("few.x0")};
            y := {_Y.format("few.y0")};
            IF x = {_X.format("few.x1")} AND y = {_Y.format("few.y1")} THEN
                INSERT INTO core.change (register, key)
                VALUES (TG_ARGV[0], (1 << 24) + {_spread("x")} + 2 * {_spread("y")}) ON CONFLICT DO NOTHING;
                RETURN NULL;
            END IF;
        END IF;
        {_MANY.format(rows=rows)}
        RETURN NULL;
    END $$
    """


FUNCTIONS = (
    _recorder("record_insert", "SELECT geom FROM new_rows"),
    _recorder("record_delete", "SELECT geom FROM old_rows"),
    _recorder("record_update", "SELECT geom FROM old_rows UNION ALL SELECT geom FROM new_rows"),
    "CREATE FUNCTION core.record_whole() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public,"
    " pg_temp AS $$ BEGIN INSERT INTO core.change (register, key) VALUES (TG_ARGV[0], 1) ON CONFLICT DO NOTHING;"
    " RETURN NULL; END $$",
)


def upgrade() -> None:
    """Make the log and what writes to it; the triggers come with each register."""
    for statement in (*TABLES, *FUNCTIONS):
        op.execute(statement)
