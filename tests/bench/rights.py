"""What rights cost: the same tiles and pages with them and without, in turn, and the pages that statements read.

With rights: a caller with a key, whose duty is three divisions, through the plan's conditions and the second wall.
Without: nobody signs in, everything is open to everybody, and statements run as the database's owner, with no wall.
Both are answered the same features.
"""

import tempfile
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psycopg

from gis.access import OWNER, Identity, keys
from gis.access.keys import Scope
from gis.catalog import Catalogue, Grant, Layer, Policy, Rows
from gis.geo.area import Box
from gis.query import geojson
from gis.query.plan import Plan, rounded
from gis.query.query import Page, Query
from gis.query.statement import Statement
from gis.store.reading import Reading
from gis.store.wall_roles import reader
from gis.text import Text
from layers import LAYERS
from tests.bench import serving_data
from tests.bench import serving_peers as peers
from tests.bench.load_generator import Load, wrk
from tests.bench.pairs import Comparison
from tests.bench.serving_compared import SECONDS, compared
from tests.bench.serving_data import CENTRE, trace
from tiles import mvt
from tiles.grid import WEB_MERCATOR, Tile

#: Throughput with rights as a share of that without, and pages read as a multiple.
GOAL, BUFFERS_GOAL = 0.85, 1.1
_DATABASE = "onemap_bench_rights"
_DIVISIONS = (341502000000, 341503000000, 341504000000)
_DUTY = tuple((code, code + 999_999) for code in _DIVISIONS)
_CLERK = Identity("clerk", "staff", _DUTY)
_ZOOMS, _TILES, _BOXES, _BOX = range(14, 17), 252, 3_000, 0.006
_POINTS = replace(
    serving_data.CATALOGUE["bench.points"],
    policy=Policy((Grant(roles=("public",)), Grant(roles=("staff",), rows=Rows.DUTY))),
)
CATALOGUE = Catalogue([*LAYERS, Layer(name="bench", title=Text("测试", "Bench"), collections=(_POINTS,))])


@dataclass(frozen=True)
class Buffers:
    """Pages that some statements read, with rights and without."""

    name: str
    behind: int
    bare: int

    @property
    def ratio(self) -> float:
        """With rights over without."""
        return self.behind / self.bare


def bench(server: str, folder: Path, rows: int, pairs: int) -> tuple[list[Comparison], list[Buffers]]:
    """Tiles and pages with rights and without, and the pages that they read."""
    url = serving_data.prepared(server, folder, rows, _DATABASE)
    key = _keyed(url)
    tiles = [f"/collections/bench.points/tiles/WebMercatorQuad/{z}/{y}/{x}" for z, x, y in trace(_ZOOMS, _TILES)]
    boxes = [f"/collections/bench.points/items?limit=100&bbox={','.join(map(str, box))}" for box in _boxes()]
    pages = [f"/collections/bench.points/items?limit=100&{_nothing(number)}" for number in range(_BOXES)]
    with (
        tempfile.TemporaryDirectory() as home,
        _served(url, home, "unwalled") as bare,
        _served(url, home, "walled") as walled,
    ):
        who = {"Authorization": f"Bearer {key}"}
        _check_same(walled, bare, who, [tiles[0], boxes[0]])
        asked = {"warm tile": tiles[:1], "items, box after box": boxes, "items, the first page": pages}
        found = [_compared(name, paths, walled, bare, who, pairs) for name, paths in asked.items()]
    with (
        tempfile.TemporaryDirectory() as home,
        _served(url, home, "unwalled", ONEMAP_TILE_CACHE_MB="0") as bare,
        _served(url, home, "walled", ONEMAP_TILE_CACHE_MB="0") as walled,
    ):
        found.append(_compared("cold tile", tiles, walled, bare, who, pairs))
    return found, _buffers(url)


def _served(url: str, home: str, app: str, **settings: str) -> AbstractContextManager[str]:
    return peers.ours(url, Path(home) / app, app=app, **settings)


def _compared(name: str, paths: list[str], walled: str, bare: str, who: dict[str, str], pairs: int) -> Comparison:
    def load(base: str, headers: dict[str, str]) -> Callable[[], Load]:
        return partial(wrk, base, paths, 8, SECONDS, headers)

    return compared(f"{name}, with rights", "without rights", GOAL, load(walled, who), load(bare, {}), pairs)


def _nothing(number: int) -> str:
    """A condition that holds for every feature, another one each time, so that no page is in memory."""
    return f"filter=floor%20%3E%20-{number + 1}&filter-lang=cql2-text"


def _boxes() -> list[tuple[float, ...]]:
    step = 0.0001
    corners = ((CENTRE[0] + i % 55 * step * 20, CENTRE[1] + i // 55 * step * 20) for i in range(_BOXES))
    return [(round(x, 6), round(y, 6), round(x + _BOX, 6), round(y + _BOX, 6)) for x, y in corners]


def _keyed(url: str) -> str:
    """A key of somebody whose duty is where all points are."""
    with psycopg.connect(url, autocommit=True) as conn:
        first = "SELECT division FROM bench.points LIMIT 9"
        done = conn.execute(f"SELECT bool_and(division IS NOT NULL) FROM ({first}) p").fetchone()
        if done != (True,):
            codes = "(ARRAY[%s, %s, %s]::bigint[])[1 + fid %% 3]"
            conn.execute(f"UPDATE bench.points SET division = {codes} + fid %% 999", _DIVISIONS)
            conn.execute("VACUUM FULL ANALYZE bench.points")
        _, key = keys.issue(conn, Scope("staff", _DUTY, writes=False), name=f"bench {datetime.now(UTC):%Y%m%dT%H%M%S}")
    return str(key)


def _check_same(walled: str, bare: str, who: dict[str, str], paths: list[str]) -> None:
    """That both tell the same, and with rights nothing where nobody signs in is no part of it."""
    for path in paths:
        with urllib.request.urlopen(urllib.request.Request(walled + path, headers=who)) as one:
            with_rights = one.read()
        with urllib.request.urlopen(bare + path) as other:
            without = other.read()
        if path.endswith(".pbf") or "/tiles/" in path:
            same = with_rights == without
        else:
            same = with_rights.partition(b'"features"')[2] == without.partition(b'"features"')[2]
        if not same:
            raise RuntimeError(f"{path} is not answered alike: {len(with_rights)} and {len(without)} bytes")


def _buffers(url: str) -> list[Buffers]:
    """What the statements of tiles and pages read, as the reader's role for the clerk and as the owner for anybody."""
    found = reader(url)
    wall = Reading(found, lambda: CATALOGUE, lambda: _CLERK)
    sums: list[Buffers] = []
    with psycopg.connect(found.url, autocommit=True) as walled, psycopg.connect(url, autocommit=True) as bare:
        for name, make in {"tiles": _tiles, "pages": _pages}.items():
            behind = before = 0
            for mine, theirs in zip(make(_CLERK), make(OWNER), strict=True):
                statement, scope = wall.prepared(mine)
                walled.execute("SELECT set_config('onemap.scope', %s, false)", (scope,))
                behind += _read(walled, statement)
                before += _read(bare, theirs)
            sums.append(Buffers(name, behind, before))
    return sums


def _tiles(identity: Identity) -> list[Statement]:
    plan = Plan(Query(collection="bench.points"), CATALOGUE, identity, rounded(datetime.now(UTC)))
    asked = (mvt.quick(plan, Tile(z, x, y, WEB_MERCATOR)) for z, x, y in trace(_ZOOMS, 60))
    return [statement for statement in asked if statement is not None]


def _pages(identity: Identity) -> list[Statement]:
    queries = (Query(collection="bench.points", area=Box(*box), page=Page(limit=100)) for box in _boxes()[:60])
    return [geojson.page(Plan(q, CATALOGUE, identity, rounded(datetime.now(UTC)))) for q in queries]


def _read(conn: psycopg.Connection, statement: Statement) -> int:
    for _ in range(2):
        explain = f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {statement.sql}"
        plan = conn.execute(explain, statement.args).fetchall()[0][0][0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
