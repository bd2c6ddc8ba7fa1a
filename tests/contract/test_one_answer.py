"""One answer everywhere: a question means the same rows on every surface, whoever asks it, in every collection.

What each surface says is compared with plain SQL over the register's tables.
"""

import csv
import io
import json
import operator
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import mapbox_vector_tile
import morecantile
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest

from api.app import create_app
from gis.access import OWNER, PUBLIC, Identity
from gis.catalog import Collection, Sensitivity
from gis.store.cluster import Cluster
from gis.store.tables import Register
from tests.api.conftest import served
from tests.conftest import copied_database
from tests.contract import small_city
from tests.contract.small_city import BETWEEN, PLAN, SOUTH, WEST, WIDTH, fill
from tests.policies import by_duty
from tiles.cells import has_cells, last_zoom, layer_name, near_zoom

CATALOGUE = by_duty(small_city.CATALOGUE)
STAFF = Identity("clerk", "staff")
CONFINED = Identity("district clerk", "staff", ((341502000000, 341502999999),))
IDENTITIES = (PUBLIC, STAFF, CONFINED, OWNER)
MAY = {
    Sensitivity.OPEN: IDENTITIES,
    Sensitivity.INTERNAL: (STAFF, CONFINED, OWNER),
    Sensitivity.PERSONAL: (OWNER,),
}
BOX = (WEST, SOUTH, WEST + WIDTH / 2, SOUTH + WIDTH)

#: (fid, when it became valid): a row as every surface can name it.
Key = tuple[int, datetime | None]


@dataclass(frozen=True)
class Case:
    """A question as the parameters of an address, and what it means as SQL over a register's rows."""

    name: str
    parameters: str = ""
    rows: str = "scenario = 0 AND {now}"
    timed: bool = True
    placed: bool = False
    past: bool = False


_GRID = morecantile.tms.get("WebMercatorQuad")
FORMS = ("csv", "parquet", "geojsonseq", "arrow", "fgb")
NOW = "valid_from <= date_trunc('minute', now()) AND valid_to > date_trunc('minute', now())"
_VARIANT = "EXISTS (SELECT 1 FROM {table} o WHERE o.fid = r.fid AND o.scenario = 1)"
CASES = (
    Case("now"),
    Case("instant", "datetime=2021-06-01T00:00:00Z",
         "scenario = 0 AND valid_from <= '2021-06-01Z' AND valid_to > '2021-06-01Z'"),
    Case("span", "datetime=2021-06-01T00:00:00Z/2021-07-01T00:00:00Z",
         "scenario = 0 AND valid_from <= '2021-07-01Z' AND valid_to > '2021-06-01Z'"),
    Case("ever", "datetime=../..", "scenario = 0"),
    Case("as-of", f"as-of={BETWEEN:%Y-%m-%dT%H:%M:%SZ}", "scenario = 0 AND rec_from <= 1 AND rec_to > 1 AND {now}",
         timed=False, past=True),
    Case("filter", "filter=fid%20%3E%2010%20AND%20NOT%20fid%20IN%20(12,13)",
         "scenario = 0 AND {now} AND fid > 10 AND fid NOT IN (12, 13)", timed=False),
    Case("ids", "ids=3,4,5,6,40,99", "scenario = 0 AND {now} AND fid IN (3, 4, 5, 6, 40)", timed=False),
    Case("scenario", f"scenario={PLAN}", f"(scenario = 1 OR (scenario = 0 AND NOT {_VARIANT})) AND {{now}}",
         timed=False),
    Case("bbox", f"bbox={','.join(map(str, BOX))}",
         f"scenario = 0 AND {{now}} AND ST_Intersects(geom, ST_MakeEnvelope({','.join(map(str, BOX))}, 4326))",
         timed=False, placed=True),
    Case("division", "division=341502", "scenario = 0 AND {now} AND division / 1000000 = 341502", timed=False),
    Case("another's feature", "area=base.divisions/2",
         "scenario = 0 AND {now} AND ST_Intersects(geom, (SELECT d.geom FROM base.divisions d WHERE d.fid = 2"
         " AND scenario = 0))", timed=False, placed=True),
)  # fmt: skip


class City:
    """The small city, served to whom a test wants, and its tables."""

    def __init__(self, app: Any, request: Callable[..., Any], conn: psycopg.Connection[Any]) -> None:
        self.app, self.request, self.conn = app, request, conn
        while not hasattr(self.app, "router"):
            self.app = self.app.inner

    def get(self, who: Identity, path: str, **headers: str) -> Any:
        if self.app.state.served.anonymous != who:
            self.app.state.served = replace(self.app.state.served, anonymous=who)
        return self.request(path, headers=headers)

    def told(self, who: Identity, path: str) -> Any:
        answer = self.get(who, path)
        assert answer.status_code in (200, 204), (path, answer.status_code, answer.text[:500])
        return answer

    def expected(self, collection: Collection, case: Case, who: Identity) -> list[tuple[Any, ...]]:
        """(fid, valid_from, cell, whether it has a place) of each row, sorted."""
        table = Register.of(collection).table("_all" if case.past else "")
        now = NOW if collection.timed else "true"
        condition = case.rows.format(now=now, table=table)
        if who.divisions is not None:
            condition += " AND (" + " OR ".join(f"division BETWEEN {a} AND {b}" for a, b in who.divisions) + ")"
            # what they may not see takes nothing's place
            condition = condition.replace("o.scenario = 1", "o.scenario = 1 AND o.division / 1000000 = 341502")
            condition = condition.replace("d.fid = 2", "d.fid = 2 AND d.division / 1000000 = 341502")
        return self.conn.execute(
            "SELECT fid, nullif(valid_from, '-infinity'), cell, geom IS NOT NULL, division FROM"
            f" {table} r WHERE {condition} ORDER BY 1, 2 NULLS FIRST"
        ).fetchall()


@pytest.fixture(scope="module")
def city(cluster: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with copied_database(cluster, template, "one_answer") as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEMAP_HOME", str(tmp_path_factory.mktemp("home")))
        fill(url)
        app = create_app(url, CATALOGUE, tmp_path_factory.mktemp("dist"))
        with psycopg.connect(url, autocommit=True, options="-c timezone=UTC") as conn, served(app) as request:
            yield City(app, request, conn)


def _cases(collection: Collection) -> list[Case]:
    return [
        case
        for case in CASES
        if (collection.timed or not case.timed) and (collection.geometry is not None or not case.placed)
    ]


_ID, _NAME = operator.attrgetter("id"), operator.attrgetter("name")


@pytest.mark.torture
@pytest.mark.parametrize("collection", list(CATALOGUE), ids=_ID)
def test_every_surface_tells_the_same_rows(city: City, collection: Collection, torture_scale: float) -> None:
    """In a long run everybody is asked everything, in a short one of each three questions one, of somebody."""
    number, allowed = list(CATALOGUE).index(collection), MAY[collection.sensitivity]
    for turn, case in enumerate(_cases(collection), number):
        for who in allowed:
            if torture_scale < 0.1 and (turn % 3 or who is not allowed[turn // 3 % len(allowed)]):
                continue
            expected, place = city.expected(collection, case, who), f"/collections/{collection.id}"
            keys = Counter(row[:2] for row in expected)
            form = FORMS[(turn + IDENTITIES.index(who)) % len(FORMS)]
            assert _items(city, who, place, case) == keys, (who.name, case.name)
            assert _export(city, who, place, case, form) == keys, (who.name, case.name, form)
            _groups(city, who, collection, case, expected)
            if collection.tiled:
                _tiles(city, who, collection, case, expected)


@pytest.mark.parametrize("collection", [c for c in CATALOGUE if c.sensitivity is not Sensitivity.OPEN], ids=_ID)
def test_nobody_is_told_what_they_may_not_see_on_any_surface(city: City, collection: Collection) -> None:
    tile = "tiles/WebMercatorQuad/14/6706/13493"
    rows, about = ("items", "items/1", "items?f=csv"), ("cells", "schema", "queryables", tile)
    # of persons counts are told to everybody
    surfaces = rows if collection.sensitivity is Sensitivity.PERSONAL else (*rows, *about)
    for who in set(IDENTITIES) - set(MAY[collection.sensitivity]):
        for surface in surfaces:
            # whoever may comes first, so that what is kept for them is there to be given to others
            city.get(OWNER, f"/collections/{collection.id}/{surface}")
            answer = city.get(who, f"/collections/{collection.id}/{surface}")
            assert answer.status_code == 403, surface


def _items(city: City, who: Identity, place: str, case: Case) -> Counter[Key]:
    """By pages of fifteen; each says how many there are."""
    path, found, said = f"{place}/items?limit=15&{case.parameters}", Counter[Key](), set()
    while path:
        page = city.told(who, path).json()
        said.add(page["numberMatched"])
        found.update((f["id"], _instant(f["properties"].get("valid_from"))) for f in page["features"])
        path = next((link["href"] for link in page["links"] if link["rel"] == "next"), "").removeprefix(
            "http://city.test"
        )
    assert said == {found.total()}
    return found


def _export(city: City, who: Identity, place: str, case: Case, form: str) -> Counter[Key]:
    content = city.told(who, f"{place}/items?f={form}&{case.parameters}").content
    rows: list[dict[str, Any]]
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    elif form == "geojsonseq":
        rows = [{**(f := json.loads(line))["properties"], "fid": f["id"]} for line in content.split(b"\x1e")[1:]]
    elif form == "parquet":
        rows = pq.read_table(io.BytesIO(content)).to_pylist()
    elif form == "arrow":
        rows = pa.ipc.open_stream(content).read_all().to_pylist()
    else:
        with pyogrio.open_arrow(io.BytesIO(content), columns=["fid", "valid_from"], read_geometry=False) as (_, read):
            rows = pa.RecordBatchReader.from_stream(read).read_all().to_pylist()
    return Counter((int(row["fid"]), _instant(row.get("valid_from"))) for row in rows)


def _instant(value: Any) -> datetime | None:
    if value is None or value == "":
        return None
    when = datetime.fromisoformat(value) if isinstance(value, str) else value
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _groups(city: City, who: Identity, collection: Collection, case: Case, expected: list[tuple[Any, ...]]) -> None:
    place = f"/collections/{collection.id}/cells"
    said = city.told(who, f"{place}?res=9&{case.parameters}").json()["features"]
    where = (collection.id, who.name, case.name)
    by_cell = Counter(row[2] and (row[2] & ~(15 << 52) | 9 << 52 | (1 << 18) - 1) for row in expected)
    assert {f["properties"]["cell"]: f["properties"]["count"] for f in said} == {
        cell and f"{cell:x}": count for cell, count in by_cell.items()
    }, where
    said = city.told(who, f"{place}?by=division:3&{case.parameters}").json()["groups"]
    by_division = Counter(row[4] and f"{row[4] // 1_000_000}000000" for row in expected)
    assert {group["division"]: group["count"] for group in said} == dict(by_division), where


def _tiles(city: City, who: Identity, collection: Collection, case: Case, expected: list[tuple[Any, ...]]) -> None:
    zoom = max(14, near_zoom(collection))
    fids = {
        feature["id"]
        for tile in _decoded(city, who, collection, case, zoom)
        for feature in tile.get(collection.id, {"features": []})["features"]
    }
    assert fids == {row[0] for row in expected if row[3]}, (who.name, case.name)
    if not has_cells(collection) or collection.rollup is None:
        return
    zoom = min(near_zoom(collection) - 1, last_zoom(collection.rollup))
    if zoom >= collection.min_zoom:
        counts = {
            feature["id"]: feature["properties"]["n"]
            for tile in _decoded(city, who, collection, case, zoom)
            for feature in tile.get(layer_name(collection), {"features": []})["features"]
        }
        assert sum(counts.values()) == sum(row[3] for row in expected), (who.name, case.name)


def _decoded(city: City, who: Identity, collection: Collection, case: Case, zoom: int) -> Iterator[dict[str, Any]]:
    # a margin for shapes and cells that reach out of the quarter
    box = (WEST - 2e-5, SOUTH - 2e-5, WEST + WIDTH + 2e-5, SOUTH + WIDTH + 2e-5)
    for tile in _GRID.tiles(*box, zooms=[zoom]):
        path = f"/collections/{collection.id}/tiles/WebMercatorQuad/{zoom}/{tile.y}/{tile.x}?{case.parameters}"
        content = city.told(who, path).content
        yield mapbox_vector_tile.decode(content) if content else {}


@pytest.mark.parametrize("case", [c for c in CASES if c.name in ("now", "instant", "span", "as-of")], ids=_NAME)
def test_what_is_here_is_what_lies_there(city: City, case: Case) -> None:
    box = f"{WEST - 0.01} {SOUTH - 0.01}, {WEST + 0.02} {SOUTH - 0.01}, {WEST + 0.02} {SOUTH + 0.02}"
    path = f"/here?area=POLYGON(({box}, {WEST - 0.01} {SOUTH + 0.02}, {WEST - 0.01} {SOUTH - 0.01}))&{case.parameters}"
    for who in IDENTITIES:
        layers = city.told(who, path).json()["layers"]
        said = {part["id"]: part["count"] for layer in layers for part in layer["collections"]}
        allowed = [c for c in CATALOGUE if c.geometry is not None and who in MAY[c.sensitivity]]
        assert set(said) == {c.id for c in allowed}
        for collection in allowed:
            own = case if collection.timed or not case.timed else CASES[0]
            own = replace(own, past=case.past)
            expected = [row for row in city.expected(collection, own, who) if row[3]]
            assert said[collection.id] == len(expected), (who.name, collection.id)


def test_a_copy_of_one_caller_is_not_confirmed_to_another_with_other_rules(city: City) -> None:
    roads = CATALOGUE["base.roads"]
    fid = next(row[0] for row in city.expected(roads, CASES[0], CONFINED) if row[3])
    for surface in ("items", f"items/{fid}", "tiles/WebMercatorQuad/12/1666/3373"):
        path = f"/collections/base.roads/{surface}"
        tag = city.told(STAFF, path).headers["etag"]
        assert city.get(CONFINED, path, **{"if-none-match": tag}).status_code in (200, 204), surface
        again = city.get(STAFF, path, **{"if-none-match": tag})
        assert again.status_code == 304 or again.headers["etag"] != tag, surface  # a minute may have passed
