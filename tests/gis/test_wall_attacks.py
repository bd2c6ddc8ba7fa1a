"""Whoever speaks SQL as the reader's role, the plan set aside, sees nothing that a signed scope does not open."""

import hashlib
import hmac
import time
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors

from gis.access import OWNER, PUBLIC
from gis.access.scope import scope, signed
from gis.store.cluster import Cluster
from gis.store.wall_roles import reader
from tests.conftest import copied_database
from tests.gis.walled_city import CATALOGUE, CLERK, HERE, Walled, walled

#: As the reader's role reads them exactly; the plan names the table.
PERSONS, NAMES = "SELECT fid FROM base.persons_exact", 'SELECT fid FROM "base"."persons"'
NAMED = frozenset({"base.persons"})
SOON = int(time.time()) + 3600


@pytest.fixture(scope="module")
def city(cluster: Cluster, template: str) -> Iterator[Walled]:
    """A city that nobody can change."""
    with copied_database(cluster, template, "walled") as url:
        yield _city(url)


def _city(url: str) -> Walled:
    """Sixteen persons, ten of them where the clerk has a duty, and what is nobody's business beside them."""
    with psycopg.connect(url) as conn:
        conn.execute(
            "INSERT INTO base.persons_identifier (fid, citizen_id, name) VALUES (1, '341502199005061234', '张三丰')"
        )
        conn.execute("SELECT lo_from_bytea(4711, 'secret')")
    return walled(url)


def _count(conn: psycopg.Connection, sql: str = PERSONS) -> int:
    return len(conn.execute(sql).fetchall())


def _stated(conn: psycopg.Connection, text: str) -> psycopg.Connection:
    conn.execute("SELECT set_config('onemap.scope', %s, false)", (text,))
    return conn


def test_a_signed_scope_opens_what_it_says(city: Walled) -> None:
    assert {fid for (fid,) in city.rows(CLERK, NAMES)} == set(range(1, 11))


def _scopes(key: bytes) -> Iterator[tuple[str, str]]:
    """Scopes that somebody might try who knows how they are made, but not the key."""
    opened = scope(CATALOGUE, CLERK, NAMED)
    whole = scope(CATALOGUE, OWNER, NAMED)
    good = signed(key, opened, SOON)
    yield "stale", signed(key, opened, int(time.time()) - 1)
    yield "signed by another key", signed(b"x" * 32, whole, SOON)
    yield "signed by no key", signed(b"", whole, SOON)
    yield "hashed without a key", hashlib.sha256(f"{SOON}{whole};".encode()).hexdigest() + f"{SOON}{whole};"
    yield "widened", good.replace(str(HERE)[:6], "110000").replace("[341502000000", "[1")
    yield "added to", good + "base.persons={(,)};"
    yield "put before", "0" * 64 + good
    yield "for longer", good[:64] + good[64:].replace(str(SOON), str(SOON * 2), 1)
    yield "cut short", good[:-1]
    yield "without a signature", good[64:]
    yield "of another form", hmac.new(key, b"", hashlib.sha256).hexdigest() + ";" * 40
    yield "no number", signed(key, ";base.pois={(,)}", SOON).replace(str(SOON), "now")
    yield "other words", signed(key, ";base.personsx={(,)};base.person={(,)};xbase.persons={(,)}", SOON)
    yield "signed nonsense", signed(key, ";base.persons=", SOON)
    yield "a text with quotes", "'; SELECT 1; --" * 20
    yield "empty", ""


CASES = [name for name, _ in _scopes(b"k" * 32)]


@pytest.mark.parametrize("name", CASES)
def test_no_other_scope_opens_anything(city: Walled, name: str) -> None:
    text = dict(_scopes(city.reader.key))[name]
    with city.connected(text) as conn:
        assert _count(conn) == 0
        assert _count(conn, PERSONS + " WHERE geom && ST_MakeEnvelope(116, 31, 117, 32, 4326)") == 0


def test_a_scope_does_not_stay_when_the_next_one_is_narrower(city: Walled) -> None:
    with city.connected(city.prepared(CLERK, NAMES)[1]) as conn:
        assert _count(conn) == 10
        assert _count(_stated(conn, city.prepared(PUBLIC, NAMES)[1])) == 0


def test_a_scope_opens_persons_to_the_statement_that_names_them_alone(city: Walled) -> None:
    _, text = city.prepared(CLERK, 'SELECT 1 FROM "base"."pois"')
    with city.connected(text) as conn:
        assert _count(conn) == 0 and _count(conn, "SELECT fid FROM base.pois") == 16


def test_a_scope_of_one_database_opens_nothing_in_a_copy(city: Walled, cluster: Cluster) -> None:
    name = psycopg.conninfo.conninfo_to_dict(city.url)["dbname"]
    text = signed(city.reader.key, scope(CATALOGUE, OWNER, NAMED), SOON)
    with copied_database(cluster, str(name), "walled_copy") as url:
        other = reader(url)
        assert other.key != city.reader.key
        with psycopg.connect(other.url) as conn:
            assert _count(_stated(conn, text)) == 0
            assert _count(_stated(conn, signed(other.key, scope(CATALOGUE, OWNER, NAMED), SOON))) == 16


REFUSED = [
    "SELECT key FROM access.wall",
    "SELECT * FROM access.wall",
    "SELECT inner_block FROM access.wall",
    "TABLE base.persons_identifier",
    "TABLE base.persons_id",
    "TABLE base.persons_link",
    "TABLE core.load_reject",
    "SELECT file_sha256 FROM core.load",
    "TABLE core.page_key",
    "TABLE core.change",
    "TABLE access.policy",
    "TABLE access.account",
    "TABLE access.secret",
    "TABLE access.trace",
    "TABLE access.release",
    "TABLE access.released",
    "TABLE exchange.department",
    "TABLE exchange.base_persons_claim",
    "TABLE exchange.returned",
    "TABLE pg_statistic",
    "TABLE pg_authid",
    "SELECT lo_get(4711)",
    "SET ROLE onemap",
    "SET SESSION AUTHORIZATION onemap",
    "SELECT set_config('role', 'onemap', false)",
    "SET ROLE onemap_maskers",
    "TABLE base.persons",
    "SELECT pg_read_file('postgresql.conf')",
    "COPY (SELECT 1) TO PROGRAM 'cat'",
    "COPY base.persons_identifier TO STDOUT",
    "CREATE TEMP TABLE t (x text)",
    "CREATE TABLE base.t (x text)",
    "CREATE TABLE public.t (x text)",
    "CREATE SCHEMA t",
    "CREATE FUNCTION pg_temp.leak(x text) RETURNS boolean LANGUAGE sql AS"
    " $$ SELECT true $$",
    "DO LANGUAGE plpgsql $$ BEGIN EXECUTE 'CREATE TEMP VIEW v AS SELECT 1';"
    " END $$",
    "INSERT INTO base.pois (fid, rec_from, digest, load) VALUES (99, 1, 1, 1)",
    "UPDATE base.pois SET name = 'x'",
    "DELETE FROM base.pois",
    "TRUNCATE base.pois",
    "ALTER TABLE base.persons DISABLE ROW LEVEL SECURITY",
    "DROP POLICY wall ON base.persons",
    "GRANT onemap TO CURRENT_USER",
    "ALTER ROLE CURRENT_USER BYPASSRLS",
    "ALTER FUNCTION access.opened(text) COST 1",
    "UPDATE access.wall SET key = NULL",
    "SELECT core.renew_incarnation(true)",
    "SELECT core.stamp('base.pois', 9, 1)",
]  # fmt: skip


@pytest.mark.parametrize("sql", REFUSED)
def test_all_else_is_refused(city: Walled, sql: str) -> None:
    """With the widest scope that there is."""
    with city.connected(city.prepared(OWNER, NAMES)[1]) as conn:
        conn.execute("SET default_transaction_read_only = off")
        with pytest.raises((errors.InsufficientPrivilege, errors.UndefinedTable, errors.InvalidParameterValue)) as told:
            conn.execute(sql)
        assert not isinstance(told.value, errors.UndefinedTable), sql


def test_what_is_no_table_of_a_plan_holds_no_rights(city: Walled) -> None:
    """Whatever is made one day, in whatever schema: the role has what the wall gave it, and no more."""
    with city.connected() as conn:
        found = conn.execute(
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_|^information_schema$'"
            " AND has_any_column_privilege(c.oid, 'SELECT') AND NOT c.relrowsecurity AND NOT (c.relkind = 'v' AND"
            " (c.relowner = 'onemap_maskers'::regrole OR 'security_invoker=true' = ANY(coalesce(c.reloptions, '{}'))))"
        ).fetchall()
        writable = conn.execute(
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname !~ '^pg_|^information_schema$' AND c.relkind IN ('r', 'p', 'v')"
            " AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')"
        ).fetchall()
    shared = {"core.epoch", "core.load", "core.rollup", "core.scenario", "access.release_told", "access.released_told"}
    of_postgis = {"spatial_ref_sys", "geometry_columns", "geography_columns"}
    assert {name.removeprefix("public.") for (name,) in found} <= shared | of_postgis
    assert writable == []


def test_functions_that_act_as_their_owner_are_not_the_readers(city: Walled) -> None:
    with city.connected() as conn:
        found = conn.execute(
            "SELECT p.oid::regprocedure::text FROM pg_proc p WHERE prosecdef AND prorettype <> 'trigger'::regtype"
            " AND has_function_privilege(p.oid, 'EXECUTE')"
            " AND has_schema_privilege(p.pronamespace, 'USAGE')"
        ).fetchall()
    assert found == [("access.opened(text)",)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT fid FROM base.persons_exact WHERE 1 / (fid - 12) > -5",
        "SELECT fid FROM base.persons_exact WHERE (CASE WHEN fid = 12 THEN '-' ELSE '1' END)::integer = 1",
        "SELECT fid FROM base.persons_exact"
        " WHERE ST_GeomFromText(CASE WHEN fid = 12 THEN 'x' ELSE 'POINT(1 1)' END) IS NOT NULL",
        "SELECT fid FROM base.persons_exact ORDER BY 1 / (fid - 12)",
        "SELECT (birth_date::text || sex)::integer FROM base.persons_exact WHERE division > 341503000000",
    ],
)
def test_errors_tell_nothing_of_rows_that_are_not_opened(city: Walled, sql: str) -> None:
    with city.connected(city.prepared(CLERK, NAMES)[1]) as conn:
        assert set(conn.execute(sql).fetchall()) <= {(fid,) for fid in range(1, 11)}


def test_statistics_tell_nothing(city: Walled) -> None:
    with city.connected(city.prepared(OWNER, NAMES)[1]) as conn:
        assert (
            _count(conn, "SELECT 1 FROM pg_stats WHERE schemaname = 'base' AND tablename IN ('persons', 'pois')") == 0
        )
        assert _count(conn, "SELECT 1 FROM pg_stats_ext") == 0


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT query_to_xml('EXPLAIN SELECT FROM base.persons_exact', false, false, '')",
        "SELECT query_to_xml('SELECT * FROM base.persons', false, false, '')",
        "SELECT table_to_xml('base.persons_identifier', false, false, '')",
        "SELECT * FROM ST_EstimatedExtent('base', 'persons', 'geom') e",
        "SELECT pg_ls_dir('.')",
        "SELECT * FROM pg_stat_file('base')",
        "SELECT lo_export(4711, '/tmp/x')",
        "SELECT pg_logical_emit_message(true, 'x', 'y') FROM pg_create_physical_replication_slot('x')",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'onemap'",
    ],
)
def test_what_slips_into_a_statement_tells_no_more(city: Walled, sql: str) -> None:
    """From within a SELECT nobody comes at plans, files, other sessions or what stands behind the views."""
    with city.connected() as conn, pytest.raises(psycopg.Error) as told:
        conn.execute(sql)
    assert isinstance(told.value, (errors.InsufficientPrivilege, errors.FeatureNotSupported))


def test_who_sets_policies_aside_is_refused(city: Walled) -> None:
    with city.connected() as conn:
        conn.execute("SELECT set_config('row_security', 'off', false)")
        with pytest.raises(errors.InsufficientPrivilege):
            conn.execute("SELECT count(*) FROM base.pois")


def test_no_second_statement_slips_in(city: Walled) -> None:
    """Statements with values are sent one at a time, as all those of plans are."""
    with city.connected() as conn, pytest.raises(errors.SyntaxError):
        conn.execute("SELECT %s; EXPLAIN SELECT FROM base.persons_exact", (1,))


def test_without_a_scope_nothing_of_persons_is_even_passed_over(city: Walled) -> None:
    """EXPLAIN ANALYZE counts the rows that a condition passed over; behind the gate there are none."""
    explain = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT FROM base.persons_exact WHERE sex = 'f'"
    with city.connected() as conn:
        told = "\n".join(row[0] for row in conn.execute(explain))
    assert "One-Time Filter" in told and "never executed" in told and "Removed" not in told


@pytest.mark.parametrize(
    "how",
    [
        "PREPARE p AS {0}; EXECUTE p",
        "SELECT count(*) FROM ({0}) q HAVING count(*) > 0",
        "DECLARE c CURSOR WITH HOLD FOR {0}; FETCH ALL c",
        "COPY ({0}) TO STDOUT",
    ],
)
def test_no_other_way_of_asking_tells_more(city: Walled, how: str) -> None:
    with city.connected() as conn:
        *before, last = how.format(PERSONS).split("; ")
        for statement in before:
            conn.execute(statement)
        if last.startswith("COPY"):
            with conn.cursor().copy(last) as copy:
                assert list(copy.rows()) == []
        else:
            assert conn.execute(last).fetchall() == []


def test_a_plan_made_with_a_scope_tells_nothing_without_it(city: Walled) -> None:
    with city.connected(city.prepared(OWNER, NAMES)[1]) as conn:
        conn.execute(f"PREPARE p AS {PERSONS}")
        assert [_count(conn, "EXECUTE p") for _ in range(7)] == [16] * 7
        _stated(conn, "")
        assert _count(conn, "EXECUTE p") == 0


def test_a_scope_put_in_while_the_statement_runs_is_checked_too(city: Walled) -> None:
    """Whatever order the parts of a statement are run in, each reads its scope's signature."""
    good = city.prepared(CLERK, NAMES)[1]
    forged = signed(b"x" * 32, scope(CATALOGUE, OWNER, NAMED), SOON)
    stating = "SELECT set_config('onemap.scope', %s, false) OFFSET 0"
    sql = f"SELECT p.fid FROM ({stating}) s, LATERAL (SELECT * FROM base.persons_exact) p"
    with city.connected(good) as conn:
        assert conn.execute(sql, (forged,)).fetchall() in ([], [(fid,) for fid in range(1, 11)])


def test_the_tests_see_a_hole_in_the_wall(database_url: str) -> None:
    """Mutants: without the policy, rows show that the scope did not open."""
    city = _city(database_url)
    with psycopg.connect(city.url, autocommit=True) as conn:
        conn.execute("ALTER TABLE base.persons DISABLE ROW LEVEL SECURITY")
        conn.execute("ALTER TABLE base.pois DISABLE ROW LEVEL SECURITY")
    assert len(city.rows(CLERK, NAMES)) == 16
    with city.connected() as conn:
        assert _count(conn, "SELECT fid FROM base.pois") == 16
