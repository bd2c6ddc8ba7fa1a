"""Pages by key: every row once and in order, whatever the directions, missing values, and changes between the pages."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from gis.access import OWNER
from gis.catalog import Catalogue
from gis.errors import BadQuery
from gis.query import features, geojson
from gis.query.filters import Filter
from gis.query.plan import Plan
from gis.query.query import After, Page, Query, Sort
from gis.query.statement import Statement
from gis.store.cluster import Cluster
from layers import LAYERS
from tests.conftest import copied_database

CATALOGUE = Catalogue(LAYERS)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = "fid, scenario, valid_from, valid_to, rec_from, digest, load, geom, code, name, kind"
KINDS = ["a", "b", "c", None]
COUNT = 120
OPTIONS = "-c timezone=UTC -c max_parallel_workers_per_gather=0"
PAST = "CREATE TABLE base.pois_past_202601 PARTITION OF base.pois_past FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')"


def _insert(
    conn: psycopg.Connection, fid: int, words: tuple[str | None, ...], epoch: int, start: datetime | None = None
) -> None:
    conn.execute(
        f"INSERT INTO base.pois ({COLUMNS}) VALUES (%s, 0, coalesce(%s, '-infinity'::timestamptz), 'infinity', %s, 0,"
        " 1, ST_SetSRID(ST_MakePoint(116, 31), 4326), %s, %s, %s)",
        (fid, start, epoch, f"P{fid}", *words),
    )


@pytest.fixture(scope="module")
def empty(cluster: Cluster, template: str) -> Iterator[psycopg.Connection]:
    """One migrated database for all tests here; each takes back what it did."""
    with copied_database(cluster, template, "paging") as url, psycopg.connect(url, options=OPTIONS) as conn:
        conn.execute(PAST)
        conn.execute("INSERT INTO core.epoch VALUES ('base.pois', 1, '2025-01-01Z')")
        conn.commit()
        yield conn
        conn.rollback()


@pytest.fixture
def pois(empty: psycopg.Connection) -> Iterator[psycopg.Connection]:
    rng = random.Random(3)
    for fid in range(1, COUNT + 1):
        name = None if fid % 5 == 0 else rng.choice("abcdefg") * 2
        _insert(empty, fid, (name, rng.choice(KINDS)), 1)
        if fid % 10 == 0:
            _insert(empty, fid, (name, "later"), 1, NOW - timedelta(days=1))
    yield empty
    empty.rollback()


def _rows(conn: psycopg.Connection, query: Query) -> list[dict[str, Any]]:
    plan = Plan(query, CATALOGUE, OWNER, NOW)
    epoch = features.epoch_seen(plan)
    found = features.features(plan, "NULL", keyed=True)
    cursor = conn.execute(f"SELECT f.*, ({epoch.sql}) AS epoch FROM ({found.sql}) f", (*epoch.args, *found.args))
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _paged(conn: psycopg.Connection, query: Query, size: int, between: Any = None) -> list[dict[str, Any]]:
    """All pages, one after the other; `between` changes the register after each."""
    whole: list[dict[str, Any]] = []
    after = None
    for number in range(200):
        page = _rows(conn, query.but(page=Page(size, after=after)))
        whole += page
        if len(page) < size:
            return whole
        epoch = after.epoch if after else page[-1]["epoch"]
        after = After(page[-1]["fid"], page[-1]["valid_from"], tuple(page[-1]["key"]), NOW, epoch)
        if between:
            between(number)
    raise AssertionError("paging does not end")


def _keys(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(row["fid"], row["valid_from"], row["name"], row["kind"]) for row in rows]


def _in_order(rows: list[dict[str, Any]], sorts: tuple[Sort, ...]) -> bool:
    """Missing values last, whatever the direction."""
    for a, b in pairwise(rows):
        for sort in sorts:
            left, right = a[sort.field], b[sort.field]
            if left == right:
                continue
            if left is None or (right is not None and (left < right) == sort.descending):
                return False
            break
    return True


ORDERS = [
    (), (Sort("name"),), (Sort("name", True),), (Sort("kind"), Sort("name", True)), (Sort("kind", True), Sort("name")),
    (Sort("kind", True), Sort("name", True)), (Sort("code"),), (Sort("code", True),),
]  # fmt: skip


@pytest.mark.parametrize("sorts", ORDERS, ids=lambda s: ",".join(("-" if k.descending else "") + k.field for k in s))
@pytest.mark.parametrize("size", [5, 50])
def test_pages_are_the_whole_in_order(pois: psycopg.Connection, sorts: tuple[Sort, ...], size: int) -> None:
    query = Query(collection="base.pois", sort=sorts)
    whole = _rows(pois, query)
    assert len(whole) == COUNT + COUNT // 10 and _in_order(whole, sorts)
    assert _keys(_paged(pois, query, size)) == _keys(whole)
    assert _keys(_rows(pois, query.but(page=Page(20, offset=15)))) == _keys(whole[15:35])


def test_a_page_is_sorted_by_what_it_does_not_show(pois: psycopg.Connection) -> None:
    rows = _rows(pois, Query(collection="base.pois", fields=("code",), sort=(Sort("name"),), page=Page(5)))
    assert [row["key"] for row in rows] == [["aa"]] * 5 and "name" not in rows[0]


@pytest.mark.parametrize("sorts", ORDERS[:5], ids=str)
def test_changes_between_the_pages_neither_skip_nor_repeat(pois: psycopg.Connection, sorts: tuple[Sort, ...]) -> None:
    rng = random.Random(9)

    def change(number: int) -> None:
        """Each page meets rows renamed, taken away and added."""
        epoch, fids = number + 2, rng.sample(range(1, COUNT + 1), 8)
        pois.execute(
            f"WITH closed AS (DELETE FROM base.pois WHERE fid = ANY(%s) RETURNING {COLUMNS}, geom_3857)"
            f" INSERT INTO base.pois_past ({COLUMNS}, rec_to, closed_on)"
            f" SELECT {COLUMNS}, %s, '2026-01-01' FROM closed",
            (fids, epoch),
        )
        for fid in fids[:4]:
            _insert(pois, fid, (rng.choice(["aa", "zz", None]), rng.choice(KINDS)), epoch)
        _insert(pois, 1000 + number, ("aa", "a"), epoch)
        pois.execute("INSERT INTO core.epoch VALUES ('base.pois', %s, '2026-01-01Z')", (epoch,))

    query = Query(collection="base.pois", sort=sorts)
    before = _keys(_rows(pois, query))
    assert _keys(_paged(pois, query, 11, change)) == before
    assert _keys(_rows(pois, query)) != before


@pytest.fixture(scope="module")
def many(cluster: Cluster, template: str) -> Iterator[psycopg.Connection]:
    with copied_database(cluster, template, "pages") as url, psycopg.connect(url, options=OPTIONS) as conn:
        conn.execute(PAST)
        conn.execute(
            f"INSERT INTO base.pois ({COLUMNS}) SELECT i, 0, '-infinity', 'infinity', 1, 0, 1,"
            " ST_SetSRID(ST_MakePoint(116 + random(), 31 + random()), 4326), 'P' || i,"
            " CASE WHEN i % 10 > 0 THEN 'n' || i END, 'k' FROM generate_series(1, 12000) i"
        )
        conn.execute("INSERT INTO core.epoch VALUES ('base.pois', 1, '2025-01-01Z')")
        conn.execute(
            f"INSERT INTO base.pois_past ({COLUMNS}, rec_to, closed_on) SELECT {COLUMNS.replace('rec_from', '0')}, 1,"
            " '2026-01-01' FROM base.pois"
        )
        conn.execute("ANALYZE base.pois")
        conn.execute("ANALYZE base.pois_past")
        yield conn
        conn.rollback()


def _explained(conn: psycopg.Connection, statement: Statement) -> tuple[str, int]:
    """The plan as it ran, and the blocks that it read."""
    rows = conn.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement.sql}", statement.args).fetchall()
    text = "\n".join(row[0] for row in rows)
    hit = [int(word.removeprefix("hit=")) for word in text.split() if word.startswith("hit=")]
    return text, max(hit, default=0)


MIDDLE = [
    ((), After(6_000)),
    ((Sort("name"),), After(6_000, None, ("n6001",))),
    ((Sort("name", True),), After(6_000, None, ("n6001",))),
    ((Sort("name", True),), None),
    ((Sort("name"),), After(6_000, None, (None,))),
    ((Sort("name"), Sort("kind", True)), After(6_000, None, ("n6001", "k"))),
]  # fmt: skip


@pytest.mark.parametrize("epoch", [None, 1])
@pytest.mark.parametrize(("sorts", "after"), MIDDLE, ids=str)
def test_a_page_in_the_middle_reads_little(
    many: psycopg.Connection, sorts: tuple[Sort, ...], after: After | None, epoch: int | None
) -> None:
    page = Page(100, after=after and replace(after, epoch=epoch))
    plan = Plan(Query(collection="base.pois", sort=sorts, page=page), CATALOGUE, OWNER, NOW)
    text, blocks = _explained(many, features.features(plan))
    assert ("pois_by_name" if sorts else "pois_pkey") in text
    assert "Seq Scan on pois " not in text and blocks < 500, text
    # nothing was recorded since the first page, so nothing is looked for in the past
    assert "Seq Scan on pois_past_202601" not in text or "never executed" in text


FILTERED = [
    ("name = 'n77'", "pois_by_name"), ("name > 'n77' AND name < 'n78'", "pois_by_name"), ("fid = 77", "pois_pkey"),
    ("fid IN (7, 77, 777)", "pois_pkey"), ("fid BETWEEN 70 AND 80", "pois_pkey"),
    ("S_INTERSECTS(geometry, POLYGON((116.5 31.5, 116.51 31.5, 116.51 31.51, 116.5 31.5)))", "pois_geom"),
    ("S_WITHIN(geometry, BBOX(116.5, 31.5, 116.51, 31.51))", "pois_geom"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "index"), FILTERED)
def test_a_filter_uses_its_index(many: psycopg.Connection, text: str, index: str) -> None:
    plan = Plan(Query(collection="base.pois", where=Filter.parse(text)), CATALOGUE, OWNER, NOW)
    explained, _ = _explained(many, plan.relation())
    assert index in explained and "Seq Scan" not in explained


def test_many_rows_are_not_sorted_without_an_index() -> None:
    plan = Plan(Query(collection="base.pois", sort=(Sort("kind"),)), CATALOGUE, OWNER, NOW)
    assert features.unindexed(plan) == ("kind",)
    features.check_unindexed(plan, features.UNINDEXED_TO)
    with pytest.raises(BadQuery, match="sorted by name"):
        features.check_unindexed(plan, features.UNINDEXED_TO + 1)
    indexed = Plan(plan.query.but(sort=(Sort("name", True),)), CATALOGUE, OWNER, NOW)
    features.check_unindexed(indexed, 10**9)


def test_what_a_page_skips_is_not_written_out(many: psycopg.Connection) -> None:
    plan = Plan(Query(collection="base.pois", page=Page(10, offset=5_000)), CATALOGUE, OWNER, NOW)
    statement = features.features(plan, "ST_AsGeoJSON(geom)", beyond=1)
    rows = many.execute(f"EXPLAIN (VERBOSE) {statement.sql}", statement.args).fetchall()
    above, limit, below = "\n".join(row[0] for row in rows).partition("Limit")
    assert limit and "st_asgeojson" in above and "st_asgeojson" not in below
    found = many.execute(statement.sql, statement.args).fetchall()
    assert [row[0] for row in found] == list(range(5_001, 5_012))


@pytest.mark.parametrize("start", [None, datetime(2025, 1, 1, tzinfo=UTC)])
def test_the_plan_of_a_walk_by_number_is_kept(many: psycopg.Connection, start: datetime | None) -> None:
    many.execute("DEALLOCATE ALL")
    for fid in range(0, 10_000, 1_000):
        page = Page(10, after=After(fid, start))
        plan = Plan(Query(collection="base.pois", page=page), CATALOGUE, OWNER, NOW)
        statement = geojson.page(plan)
        row = many.execute(statement.sql, statement.args, prepare=True).fetchone()
        assert row is not None
        features_there = json.loads(b"[" + geojson.without_next(row[0], row[1], 10) + b"]")
        assert [f["id"] for f in features_there] == list(range(fid + 1, fid + 11)) and row[1:3] == (11, fid + 10)
    text, blocks = _explained(many, statement)
    assert "pois_pkey" in text and "Seq Scan on pois " not in text and blocks < 100, text
    kept = many.execute("SELECT generic_plans FROM pg_prepared_statements WHERE generic_plans > 0").fetchall()
    assert len(kept) == 1
