"""Each standard question finds its rows by an index: shown by the planner on a register of some size."""

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from gis.access import OWNER, Identity
from gis.catalog import Catalogue
from gis.geo.area import Box, Cells, Circle, Division, Within
from gis.query import answers
from gis.query.filters import Filter
from gis.query.plan import Plan
from gis.query.query import After, ByCell, Page, Query, Sort
from gis.query.span import Span
from gis.query.statement import Statement
from layers import LAYERS
from tests.policies import by_duty

CATALOGUE = by_duty(Catalogue(LAYERS))
NOW = datetime(2026, 1, 1, tzinfo=UTC)
BOX = Box(116.5, 31.7, 116.51, 31.71)
ROWS = 20_000


@pytest.fixture
def pois(conn: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A register of points with a past, analysed."""
    columns = "fid, scenario, valid_from, valid_to, rec_from, digest, load, src_row, cell, division, geom, geom_3857"
    values = """
        i, 0, '-infinity', 'infinity', %s, i, 1, i, (8::bigint << 56) | (11::bigint << 52) | (i * 7919),
        341502000000 + i %% 900000, p, ST_Transform(p, 3857)
    """
    source = "FROM (SELECT i, ST_SetSRID(ST_MakePoint(116 + random(), 31 + random()), 4326) p"
    series = f"{source} FROM generate_series(1, {ROWS}) i) s"
    conn.execute(f"INSERT INTO base.pois ({columns}, code, name) SELECT {values}, i::text, 'n' || i {series}", ("2",))
    conn.execute("CREATE TABLE base.pois_past_202606 PARTITION OF base.pois_past"
                 " FOR VALUES FROM ('2026-06-01') TO ('2026-07-01')")  # fmt: skip
    conn.execute(
        f"INSERT INTO base.pois_past ({columns}, code, name, rec_to, closed_on)"
        f" SELECT {values}, i::text, 'n' || i, 2, '2026-06-01' {series}",
        ("1",),
    )
    conn.execute("INSERT INTO core.epoch VALUES ('base.pois', 1, '2026-01-01Z'), ('base.pois', 2, '2026-06-01Z')")
    conn.execute("ANALYZE base.pois")
    conn.execute("ANALYZE base.pois_past")
    conn.execute("SET max_parallel_workers_per_gather = 0")
    yield conn


def _plan(query: Query, identity: Identity = OWNER) -> Plan:
    return Plan(query, CATALOGUE, identity, NOW)


def _explain(conn: psycopg.Connection, statement: Statement) -> str:
    return "\n".join(row[0] for row in conn.execute(f"EXPLAIN {statement.sql}", statement.args))


CELL = (8 << 56) | (9 << 52) | (5 << 40) | ((1 << 18) - 1)
POIS = "base.pois"
INSIDE = Filter.parse("S_INTERSECTS(geometry, BBOX(116.5,31.7,116.51,31.71))")
QUESTIONS = [
    ("box", Query(collection=POIS, area=BOX), "pois_geom"),
    ("box across the antimeridian", Query(collection=POIS, area=Box(179.9, -1, -179.9, 1)), "pois_geom"),
    ("circle", Query(collection=POIS, area=Circle(116.5, 31.7, 500)), "pois_geom"),
    ("cells", Query(collection=POIS, area=Cells((CELL,))), "pois_cell"),
    ("division", Query(collection=POIS, area=Division(341502001000)), "pois_division"),
    ("box at a time", Query(collection=POIS, area=BOX, time=Span.parse("2020-01-01")), "pois_geom"),
    ("box in a scenario", Query(collection=POIS, area=BOX, scenario="new-town"), "pois_geom"),
    ("another's extent", Query(collection=POIS, area=Within("base.divisions", 7)), "pois_geom"),
    ("spatial filter", Query(collection=POIS, where=INSIDE), "pois_geom"),
    ("first page", Query(collection=POIS, page=Page(limit=10)), "pois_pkey"),
    ("later page", Query(collection=POIS, page=Page(limit=10, after=After(10_000, NOW))), "pois_pkey"),
    ("sorted page", Query(collection=POIS, sort=(Sort("name"),), page=Page(limit=10)), "pois_by_name"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "index"), [q[1:] for q in QUESTIONS], ids=[q[0] for q in QUESTIONS])
def test_a_standard_question_uses_its_index(pois: psycopg.Connection, query: Query, index: str) -> None:
    explained = _explain(pois, answers.features(_plan(query)))
    assert index in explained
    assert "Seq Scan on pois" not in explained


@pytest.mark.parametrize("as_of", [datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)])
def test_what_was_known_is_found_by_when_it_was_on_record(pois: psycopg.Connection, as_of: datetime) -> None:
    where = Filter.parse("telephone = '12345'")
    explained = _explain(pois, answers.features(_plan(Query(collection=POIS, where=where, as_of=as_of))))
    assert "pois_past_202606_rec_to_rec_from_idx" in explained
    assert "Seq Scan on pois_past" not in explained


def test_one_feature_is_found_by_its_key(pois: psycopg.Connection) -> None:
    explained = _explain(pois, _plan(Query(collection=POIS)).relation(also=Statement("fid = %s", (77,))))
    assert "pois_pkey" in explained


def test_a_tile_reads_the_spatial_index(pois: psycopg.Connection) -> None:
    box = Statement("geom && ST_MakeEnvelope(%s, %s, %s, %s, 4326)", (116.5, 31.7, 116.51, 31.71))
    explained = _explain(pois, _plan(Query(collection=POIS)).relation(geometry="geom_3857", also=box))
    assert "pois_geom" in explained
    assert "Seq Scan on pois" not in explained


def test_cells_of_a_box_are_grouped_from_the_spatial_index(pois: psycopg.Connection) -> None:
    explained = _explain(pois, answers.groups(_plan(Query(collection=POIS, area=BOX, by=(ByCell(8),)))))
    assert "pois_geom" in explained
    assert "Seq Scan on pois " not in explained


def test_the_past_is_read_by_the_spatial_index_of_open_and_past_rows(pois: psycopg.Connection) -> None:
    explained = _explain(pois, answers.features(_plan(Query(collection=POIS, area=BOX, as_of=NOW))))
    assert "pois_geom" in explained
    assert "pois_past_202606_geom_idx" in explained
    assert "Seq Scan on pois" not in explained


def test_months_closed_before_the_asked_time_are_not_read(pois: psycopg.Connection) -> None:
    late = datetime(2026, 9, 1, tzinfo=UTC)
    explained = _explain(pois, answers.features(_plan(Query(collection=POIS, area=BOX, as_of=late))))
    assert "pois_past_202606" not in explained


def test_rights_by_division_keep_the_spatial_index(pois: psycopg.Connection) -> None:
    clerk = Identity("clerk", "staff", ((341502000000, 341502999999),))
    explained = _explain(pois, answers.features(_plan(Query(collection=POIS, area=BOX), clerk)))
    assert "pois_geom" in explained
    assert "division >=" in explained
