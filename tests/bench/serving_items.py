"""How fast pages of features are: beside the bare statement, tipg and pygeoapi, on the same rows in the same run.

Every address is asked once, save in the line that says otherwise: a page that is asked again comes from memory, which
no statement and no peer has.
"""

import random
import subprocess
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import psycopg

from gis.query.plan import rounded
from gis.query.query import After, Query
from gis.query.span import now
from gis.query.url import identity
from gis.settings import Settings
from gis.store.database import Database
from gis.store.page_key import seal
from tests.bench import serving_peers as peers
from tests.bench.load_generator import Load, pgbench, wrk
from tests.bench.pairs import Comparison
from tests.bench.serving_compared import SECONDS, compared, each_once
from tests.bench.serving_data import CENTRE, prepared

#: Goals: share of the bare statement, and multiples of tipg and pygeoapi.
ITEMS_GOAL, TIPG_GOAL, FILTER_GOAL, FEW_GOAL = 0.25, 35.0, 5.0, 3.0
_FEW, _PAGES = 10_000, 30_000
#: Boxes of about 140 points, and of about 2 000 of which the filter leaves some 80; degrees.
_BOX, _FILTERED_BOX = 0.006, 0.025
_FILTER = "filter=value%20%3E%201%20AND%20kind%3D%27school%27&filter-lang=cql2-text"
_OURS, _THEIRS = "/collections/bench.points/items", "/collections/peer.points/items"

_ROWS = """SELECT fid, code, name, kind, floor, value, ST_AsGeoJSON(geom) FROM bench.points
 WHERE scenario = 0 AND valid_from < now() AND valid_to > now() {more} ORDER BY fid, valid_from LIMIT 100;
"""
_ONE_OF = f"\\set i random(1, {_PAGES})\n"
_WALK_SQL = _ONE_OF + _ROWS.format(
    more="AND (fid, valid_from) > ((SELECT fid FROM peer.starts WHERE i = :i), '-infinity')"
)
_BOX_SQL = _ONE_OF + _ROWS.replace("FROM bench.points", "FROM bench.points, peer.boxes b").format(
    more="AND b.i = :i AND ST_Intersects(geom, b.box)"
)


def bench(server: str, folder: Path, rows: int, pairs: int) -> list[Comparison]:
    """Pages of a million rows beside the bare statement and tipg, and of ten thousand beside tipg and pygeoapi."""
    url = prepared(server, folder, rows)
    boxes = _boxes(_BOX)
    starts = _keep(url, boxes)
    with tempfile.TemporaryDirectory() as home:
        # the statement has all cores of the machine, and so has a server as it is started
        with peers.ours(url, Path(home), processes=Settings().processes) as base:
            found = _beside_statements(url, base, _walk(url, starts), boxes, pairs)
        with peers.tipg(url) as tipg, peers.ours(url, Path(home)) as base:
            found += _beside_tipg(base, tipg, _walk(url, starts), pairs)
    return found + _few(server, folder, pairs)


def _beside_statements(
    url: str, base: str, walk: list[str], boxes: list[tuple[float, ...]], pairs: int
) -> list[Comparison]:
    inside = [f"{_OURS}?limit=100&{_said(box)}" for box in boxes]

    def bare(sql: str) -> partial[Load]:
        return partial(pgbench, url, sql, 8, SECONDS)

    again = partial(wrk, base, [f"{_OURS}?limit=100"], 8, SECONDS)
    return [
        compared("items, limit 100, the same asked again", "bare statement", ITEMS_GOAL, again,
                 bare(_ROWS.format(more="")), pairs),
        compared("items, limit 100, page after page", "bare statement", ITEMS_GOAL, each_once(base, walk),
                 bare(_WALK_SQL), pairs),
        compared("items, limit 100, box after box", "bare statement", ITEMS_GOAL, each_once(base, inside),
                 bare(_BOX_SQL), pairs),
    ]  # fmt: skip


def _beside_tipg(base: str, tipg: str, walk: list[str], pairs: int) -> list[Comparison]:
    """tipg has no places to go on from, so it is asked for the first of its pages, which are its fastest."""
    theirs = [f"{_THEIRS}?limit=100&offset={offset}" for offset in _shuffled(_PAGES)]
    boxes = _boxes(_FILTERED_BOX)
    at = "datetime=2026-01-01T00:00:00Z"
    some = [f"{_OURS}?limit=100&{_said(box)}&{at}&{_FILTER}" for box in boxes]
    peer = [f"{_THEIRS}?limit=100&{_said(box)}&{_FILTER}" for box in boxes]
    return [
        compared("items, limit 100, page after page", "tipg", TIPG_GOAL, each_once(base, walk),
                 each_once(tipg, theirs), pairs),
        compared("items, bbox + datetime + filter, each once", "tipg, without datetime", FILTER_GOAL,
                 each_once(base, some), each_once(tipg, peer), pairs),
    ]  # fmt: skip


def _few(server: str, folder: Path, pairs: int) -> list[Comparison]:
    """Ten thousand rows, page after page by offset, which all three know."""
    url = prepared(server, folder, _FEW, "onemap_bench_few")
    pages = [f"?limit=100&offset={offset}" for offset in _shuffled(_FEW - 100)]
    ours, theirs = ([f"{place}{page}" for page in pages] for place in (_OURS, _THEIRS))
    with tempfile.TemporaryDirectory() as home, peers.ours(url, Path(home)) as base:
        with peers.tipg(url) as tipg:
            found = [compared("items, limit 100 of 10 000 rows", "tipg", FEW_GOAL, each_once(base, ours),
                              each_once(tipg, theirs), pairs)]  # fmt: skip
        with peers.pygeoapi(url, Path(home)) as pygeoapi:
            found.append(
                compared("items, limit 100 of 10 000 rows", "pygeoapi", FEW_GOAL, each_once(base, ours),
                         each_once(pygeoapi, theirs), pairs)
            )  # fmt: skip
    return found


def _shuffled(count: int) -> list[int]:
    offsets = list(range(count))
    random.Random(1).shuffle(offsets)
    return offsets


def _boxes(size: float) -> list[tuple[float, ...]]:
    """West, south, east, north of many boxes where the points are dense, in degrees; the same in every run."""
    draw = random.Random(2)
    corners = ((CENTRE[0] + draw.gauss(0, 0.1), CENTRE[1] + draw.gauss(0, 0.1)) for _ in range(_PAGES))
    return [(round(x, 6), round(y, 6), round(x + size, 6), round(y + size, 6)) for x, y in corners]


def _said(box: Sequence[float]) -> str:
    return f"bbox={','.join(map(str, box))}"


def _walk(url: str, starts: list[int]) -> list[str]:
    """The addresses of later pages of one walk, as the links of the pages before them say them."""
    with psycopg.connect(url) as conn:
        row = conn.execute("SELECT coalesce(max(epoch), 0) FROM core.epoch WHERE register = 'bench.points'").fetchone()
    database = Database(url)
    signs = seal(database)
    database.close()
    question, begun, epoch = identity(Query(collection="bench.points")), rounded(now()), int(row[0] if row else 0)
    return [f"{_OURS}?limit=100&after={signs.token(After(fid, None, (), begun, epoch), question)}" for fid in starts]


def _keep(url: str, boxes: list[tuple[float, ...]]) -> list[int]:
    """What the bare statements ask: pages that begin behind these features, and these boxes. Returns the features."""
    values = ",".join(f"({i},ST_MakeEnvelope({','.join(map(str, box))},4326))" for i, box in enumerate(boxes, 1))
    sql = (
        "DROP TABLE IF EXISTS peer.starts, peer.boxes; CREATE TABLE peer.starts AS SELECT row_number() OVER () AS i,"
        f" fid FROM (SELECT fid FROM bench.points ORDER BY md5(fid::text) LIMIT {_PAGES}) f;"
        f"CREATE TABLE peer.boxes AS SELECT i, box FROM (VALUES {values}) b (i, box);"
        "ALTER TABLE peer.starts ADD PRIMARY KEY (i); ALTER TABLE peer.boxes ADD PRIMARY KEY (i);"
        "ANALYZE peer.starts; ANALYZE peer.boxes"
    )
    subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", url], input=sql, text=True, check=True, capture_output=True)
    with psycopg.connect(url) as conn:
        return [int(row[0]) for row in conn.execute("SELECT fid FROM peer.starts ORDER BY i")]
