"""Behind the wall each standard question finds its rows by the same index, and reads no more than without it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import h3
import psycopg
import pytest

from gis.access import OWNER, Identity
from gis.access.scope import scope, signed
from gis.catalog import Catalogue, Grant, Policy
from gis.geo.area import Box
from gis.query import answers, geojson
from gis.query.plan import Plan
from gis.query.query import After, ByCell, Page, Query
from gis.query.span import Span
from gis.query.statement import Statement
from gis.store.derived import ensure
from gis.store.reading import Reading
from gis.store.wall import READERS
from gis.store.wall_roles import Reader, own_key
from tests.gis.test_plan_index import BOX, CATALOGUE, NOW, POIS, QUESTIONS, pois
from tests.policies import with_policies
from tiles.grid import WEB_MERCATOR, Tile
from tiles.mvt import quick

__all__ = ["pois"]

CLERK = Identity("clerk", "staff", ((341502000000, 341502999999),))


@dataclass(frozen=True)
class Sides:
    """The register from both sides of the wall, in one transaction."""

    conn: psycopg.Connection
    key: bytes

    def explained(self, statement: Statement, identity: Identity | None, how: str) -> list[tuple[Any, ...]]:
        """EXPLAIN a statement, as the reader's role on behalf of somebody or as the owner."""
        explain = f"EXPLAIN ({how}) {statement.sql}"
        if identity is None:
            return self.conn.execute(explain, statement.args).fetchall()
        text = signed(self.key, scope(CATALOGUE, identity, frozenset({POIS})), 99_999_999_999)
        self.conn.execute("SELECT set_config('onemap.scope', %s, false)", (text,))
        self.conn.execute(f"SET ROLE {READERS}")
        try:
            return self.conn.execute(explain, statement.args).fetchall()
        finally:
            self.conn.execute("RESET ROLE")

    def text(self, statement: Statement, identity: Identity | None) -> str:
        """The plan as PostgreSQL writes it."""
        return "\n".join(row[0] for row in self.explained(statement, identity, "COSTS OFF"))

    def pages(self, statement: Statement, identity: Identity | None) -> int:
        """Pages that a statement reads when it runs the second time."""
        for _ in range(2):
            plan = self.explained(statement, identity, "ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON")[0][0][0]["Plan"]
        return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


@pytest.fixture
def walled(pois: psycopg.Connection) -> Sides:
    """The register of standard questions, with a key."""
    return Sides(pois, own_key(pois))


def _plan(query: Query, identity: Identity) -> Plan:
    return Plan(query, CATALOGUE, identity, NOW)


@pytest.mark.parametrize("identity", [OWNER, CLERK], ids=["everywhere", "one division"])
@pytest.mark.parametrize(("query", "index"), [q[1:] for q in QUESTIONS], ids=[q[0] for q in QUESTIONS])
def test_a_standard_question_uses_its_index(walled: Sides, query: Query, index: str, identity: Identity) -> None:
    statement = answers.features(_plan(query, identity))
    explained = walled.text(statement, identity)
    assert index in explained or (index in {"pois_by_name", "pois_pkey"} and "pois_division" in explained)
    assert "Seq Scan on pois" not in explained
    assert "<@ $" in explained


def _tile(identity: Identity) -> Statement:
    tile = Tile(14, 13495, 6668, WEB_MERCATOR)
    found = quick(_plan(Query(collection=POIS, time=Span.parse("2020-01-01")), identity), tile)
    assert found is not None
    return found


def _blurred(**precisions: int) -> Catalogue:
    """A catalogue in which roles are told cells in the place of places."""
    grants = tuple(Grant(roles=(role,), precision=precision) for role, precision in precisions.items())
    return with_policies(CATALOGUE, {POIS: Policy(grants)})


WIDE = Box(116.45, 31.65, 116.55, 31.75)


@pytest.mark.parametrize("as_of", [None, NOW], ids=["now", "the past"])
@pytest.mark.parametrize(("role", "resolution"), [("staff", 9), ("analyst", 7)])
def test_blurred_places_are_found_by_their_cells(
    walled: Sides, role: str, resolution: int, as_of: datetime | None
) -> None:
    catalogue, conn, who = _blurred(staff=9, analyst=7), walled.conn, Identity("someone", role)
    for table in ("pois", "pois_past"):
        rows = conn.execute(f"SELECT fid, ST_X(geom), ST_Y(geom) FROM base.{table} WHERE geom && ST_Expand("
                            "ST_MakeEnvelope(116.45, 31.65, 116.55, 31.75, 4326), 0.02)").fetchall()  # fmt: skip
        cells = [int(h3.latlng_to_cell(lat, lon, 11), 16) for _, lon, lat in rows]
        conn.execute(f"UPDATE base.{table} t SET cell = u.cell FROM unnest(%s::bigint[], %s::bigint[]) u (fid, cell)"
                     " WHERE t.fid = u.fid", ([fid for fid, *_ in rows], cells))  # fmt: skip
    ensure(conn, catalogue[POIS])
    statement = answers.features(Plan(Query(collection=POIS, area=WIDE, as_of=as_of), catalogue, who, NOW))
    reading = Reading(Reader("", "rows", walled.key), lambda: catalogue, lambda: who)
    prepared, text = reading.prepared(statement)
    whole = conn.execute(statement.sql, statement.args).fetchall()
    conn.execute("SELECT set_config('onemap.scope', %s, false)", (text,))
    conn.execute(f"SET ROLE {READERS}")
    explained = "\n".join(row[0] for row in conn.execute(f"EXPLAIN {prepared.sql}", prepared.args))
    assert "Seq Scan on pois" not in explained
    assert f"pois_told{resolution}" in explained
    # one of a month has the name that PostgreSQL gives it
    assert as_of is None or "pois_past_202606_blurred_idx" in explained
    told = conn.execute(prepared.sql, prepared.args).fetchall()
    assert len(told) > 50
    assert sorted(told) == sorted(whole)


def test_what_is_told_of_places_no_more_is_not_indexed(walled: Sides) -> None:
    sql = "SELECT array_agg(relname::text ORDER BY relname) FROM pg_class WHERE relname ~ '^pois(_past)?_told'"
    for precision, found in ((9, ["pois_past_told9", "pois_told9"]), (7, ["pois_past_told7", "pois_told7"])):
        ensure(walled.conn, _blurred(staff=precision)[POIS])
        assert walled.conn.execute(sql).fetchone() == (found,)
    ensure(walled.conn, CATALOGUE[POIS])
    assert walled.conn.execute(sql).fetchone() == (None,)


MORE = [
    ("page", lambda who: geojson.page(_plan(Query(collection=POIS, area=BOX, page=Page(limit=10)), who))),
    (
        "next page",
        lambda who: geojson.page(_plan(Query(collection=POIS, page=Page(limit=10, after=After(19_000, now=NOW))), who)),
    ),
    ("one feature", lambda who: _plan(Query(collection=POIS), who).relation(also=Statement("fid = %s", (77,)))),
    ("the past", lambda who: answers.features(_plan(Query(collection=POIS, area=BOX, as_of=NOW), who))),
    ("cells", lambda who: answers.groups(_plan(Query(collection=POIS, area=BOX, by=(ByCell(8),)), who))),
    (
        "count",
        lambda who: answers.count(_plan(Query(collection=POIS, area=Box(116.2, 31.2, 116.6, 31.6)), who), 10_001),
    ),
    ("tile", _tile),
]


@pytest.mark.parametrize("identity", [OWNER, CLERK], ids=["everywhere", "one division"])
def test_the_wall_costs_no_pages(walled: Sides, identity: Identity) -> None:
    asked = {name: answers.features(_plan(query, identity)) for name, query, _ in QUESTIONS}
    asked |= {name: make(identity) for name, make in MORE}
    open_, behind = {}, {}
    for name, statement in asked.items():
        open_[name], behind[name] = walled.pages(statement, None), walled.pages(statement, identity)
    # the key of scopes is a page, read once a table
    more = {name: (open_[name], behind[name]) for name in asked if behind[name] > 1.1 * open_[name] + 6}
    assert not more
    assert sum(behind.values()) <= 1.1 * sum(open_.values())
