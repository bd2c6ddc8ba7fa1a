"""Tiles over HTTP: what is in them is what the database holds, nothing cut, nothing twice, nothing sent again."""

from datetime import UTC, datetime
from typing import Any

import httpx
import mapbox_vector_tile
import morecantile
import pytest
import shapely

from gis.geo.mercator import to_mercator
from tests.api.served_city import Row, SampleCity
from tiles import budget
from tiles.grid import EXTENT, MARGIN, Tile
from tiles.mvt import MEDIA_TYPE

GRID = morecantile.tms.get("WebMercatorQuad")


def address(collection: str, tile: Tile, question: str = "") -> str:
    return f"/collections/{collection}/tiles/WebMercatorQuad/{tile.text}{question and '?'}{question}"


def around(lon: float, lat: float, zoom: int) -> Tile:
    found = GRID.tile(lon, lat, zoom)
    return Tile(zoom, found.x, found.y)


def decoded(answer: httpx.Response) -> dict[str, list[dict[str, Any]]]:
    if answer.status_code == 204:
        return {}
    assert answer.status_code == 200, answer.text
    layers = mapbox_vector_tile.decode(answer.content, default_options={"y_coord_down": True})
    assert all(layer["extent"] == EXTENT for layer in layers.values())
    return {name: layer["features"] for name, layer in layers.items()}


def in_tile_units(shape: shapely.Geometry, tile: Tile) -> shapely.Geometry:
    west, _, _, north = tile.bounds_3857
    unit_m = tile.side_m / EXTENT

    def move(lonlat: Any) -> Any:
        x, y = to_mercator(lonlat[:, 0], lonlat[:, 1])
        lonlat[:, 0], lonlat[:, 1] = (x - west) / unit_m, (north - y) / unit_m
        return lonlat

    return shapely.transform(shape, move)


def valid_now(row: Row) -> bool:
    now = datetime.now(UTC)
    return (row.start is None or row.start <= now) and (row.end is None or row.end > now)


@pytest.mark.parametrize("zoom", [10, 12, 14])
@pytest.mark.parametrize("collection", ["base.pois", "base.roads", "base.buildings"])
def test_a_tile_holds_what_the_database_holds(city: SampleCity, collection: str, zoom: int) -> None:
    tile = around(116.5, 31.75, zoom)
    answer = city.get(address(collection, tile))
    if zoom < 12 and collection == "base.buildings":
        assert answer.status_code == 204
        return
    features = decoded(answer)[collection]
    reach = shapely.box(-MARGIN, -MARGIN, EXTENT + MARGIN, EXTENT + MARGIN)
    wanted, whole = {}, {}
    for row in city.rows[collection]:
        if row.shape is not None and valid_now(row):
            shape = in_tile_units(row.shape, tile)
            if shape.intersects(reach.buffer(-1)):
                wanted[row.fid] = shape.intersection(reach)
            whole[row.fid] = shape
    found = {f["id"]: shapely.geometry.shape(f["geometry"]) for f in features}
    assert len(found) == len(features)
    if collection != "base.buildings":
        assert set(found) >= set(wanted)
    else:  # a footprint below a unit vanishes
        assert {fid for fid, shape in wanted.items() if shape.area > 4} <= set(found)
    for fid, shape in found.items():
        # no vertex is off by more than a unit, and nothing is missing inside the tile
        assert shape.difference(whole[fid].buffer(1.5)).is_empty
        assert whole[fid].intersection(shapely.box(0, 0, EXTENT, EXTENT)).difference(shape.buffer(1.5)).is_empty


def test_features_carry_their_fields_and_numbers(city: SampleCity) -> None:
    features = decoded(city.get(address("base.buildings", around(116.5, 31.75, 14))))["base.buildings"]
    rows = {row.fid: row for row in city.rows["base.buildings"]}
    for feature in features:
        wanted = {name: value for name, value in rows[feature["id"]].fields.items() if value is not None}
        assert feature["properties"] == pytest.approx(wanted)
    only = decoded(city.get(address("base.buildings", around(116.5, 31.75, 14), "properties=use")))["base.buildings"]
    assert all(set(f["properties"]) == {"use"} for f in only)


def test_neighbours_share_the_margin(city: SampleCity) -> None:
    """A point near the edge is in both tiles, so that its symbol is not cut."""
    tile = around(116.5, 31.75, 14)
    right = Tile(tile.z, tile.x + 1, tile.y)
    edge_lon = tile.bounds[2]
    unit_deg = 360 / 2**14 / EXTENT
    near = [r.fid for r in city.rows["base.pois"] if r.shape and abs(r.shape.x - edge_lon) < (MARGIN - 1) * unit_deg
            and valid_now(r) and tile.bounds[1] < r.shape.y < tile.bounds[3]]  # fmt: skip
    here, there = (
        {f["id"] for f in decoded(city.get(address("base.pois", t))).get("base.pois", [])} for t in (tile, right)
    )
    assert set(near) <= here & there


@pytest.mark.parametrize("zoom", [10, 12, 13])
def test_the_antimeridian_is_no_edge(city: SampleCity, zoom: int) -> None:
    """Points 20 metres apart on both sides of 180 degrees are in both tiles, one unit scale apart."""
    west, east = around(-179.9999, 10.0, zoom), around(179.9999, 10.0, zoom)
    assert (west.x, east.x) == (0, 2**zoom - 1)
    unit_deg = 360 / 2**zoom / EXTENT
    assert MARGIN * unit_deg > 0.0001
    left, right = (decoded(city.get(address("base.pois", t)))["base.pois"] for t in (west, east))
    assert {f["id"] for f in left} == {f["id"] for f in right} == {9001, 9002}
    at = {f["id"]: f["geometry"]["coordinates"][0] for f in left}
    assert at[9001] == pytest.approx(-0.0001 / unit_deg, abs=1) and at[9002] == pytest.approx(0.0001 / unit_deg, abs=1)


def test_names_of_areas_hang_on_one_point(city: SampleCity) -> None:
    found = []
    for x in (0, 1):
        for y in (0, 1):
            tile = around(116.45, 31.75, 9)
            layers = decoded(city.get(address("base.divisions", Tile(10, tile.x * 2 + x, tile.y * 2 + y))))
            found += [f for f in layers.get("base.divisions:label", []) if f["id"] == 123]
    assert len(found) == 1 and found[0]["geometry"]["type"] == "Point"
    assert found[0]["properties"] == {"name": "金安区", "level": 3}
    far = decoded(city.get(address("base.buildings", around(116.5, 31.75, 14))))
    near = decoded(city.get(address("base.buildings", around(116.5, 31.75, 16))))
    assert "base.buildings:label" not in far
    assert all(f["properties"]["name"] for f in near["base.buildings:label"])


def test_the_question_is_the_same_as_for_items(city: SampleCity) -> None:
    tile = around(116.5, 31.75, 10)
    for question in ("kind=school", "filter=kind%20IN%20('shop','food')", "datetime=2022-01-01", "division=341503",
                     "area=base.divisions/123"):  # fmt: skip
        in_tile = {f["id"] for f in decoded(city.get(address("base.pois", tile, question)))["base.pois"]}
        west, south, east, north = tile.bounds
        box = f"&filter=S_INTERSECTS(geometry,BBOX({west},{south},{east},{north}))"
        if "filter" in question:
            box = ""
        items = city.get(f"/collections/base.pois/items?limit=10000&{question}{box}").json()["features"]
        near = {f["id"] for f in items if f["geometry"] and f["geometry"]["coordinates"][0] > 116 and
                f["geometry"]["coordinates"][0] < 117}  # fmt: skip
        assert near and near <= in_tile


def test_a_copy_is_not_sent_again(city: SampleCity) -> None:
    url = address("base.pois", around(116.5, 31.75, 12))
    first = city.get(url, headers={"accept-encoding": "identity"})
    assert first.headers["content-type"] == MEDIA_TYPE and "content-encoding" not in first.headers
    tag = first.headers["etag"]
    again = city.get(url, headers={"accept-encoding": "identity", "if-none-match": f'"x", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    packed = city.get(url, headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip" and packed.headers["etag"] != tag
    assert packed.content == first.content and int(packed.headers["content-length"]) < len(first.content)
    assert (
        city.get(url, headers={"accept-encoding": "gzip", "if-none-match": packed.headers["etag"]}).status_code == 304
    )
    head = city.get(url, "HEAD", headers={"accept-encoding": "identity"})
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", tag)
    assert int(head.headers["content-length"]) == len(first.content)


def test_tiles_without_content(city: SampleCity) -> None:
    empty = city.get(address("base.pois", around(0.0, 0.0, 12)))
    assert (empty.status_code, empty.content) == (204, b"")
    below = city.get(address("base.buildings", Tile(5, 26, 12)))
    assert below.status_code == 204
    assert city.get("/collections/base.buildings/tiles/WebMercatorQuad?f=tilejson").json()["minzoom"] == 12


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/collections/base.pois/tiles/WebMercatorQuad/25/0/0", 404),
        ("/collections/base.pois/tiles/WebMercatorQuad/3/8/0", 404),
        ("/collections/base.pois/tiles/WebMercatorQuad/3/0/99999999", 404),
        ("/collections/base.pois/tiles/WebMercatorQuad/3/0/999999999", 404),
        ("/collections/base.pois/tiles/WebMercatorQuad/a/0/0", 404),
        ("/collections/base.pois/tiles/WorldCRS84Quad/3/0/0", 404),
        ("/collections/base.cats/tiles/WebMercatorQuad/3/0/0", 404),
        ("/collections/base.pois/tiles/WebMercatorQuad/3/0/0?colour=red", 400),
        ("/collections/base.pois/tiles/WebMercatorQuad/3/0/0?limit=5", 400),
        ("/collections/base.pois/tiles/WebMercatorQuad/12/0/0?filter=cats", 400),
        ("/collections/base.pois/tiles/WebMercatorQuad/3/0/0?f=png", 400),
    ],
)
def test_tiles_that_are_not_there(city: SampleCity, path: str, status: int) -> None:
    answer = city.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_too_many_features_are_cut_and_said(city: SampleCity, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = city.get(address("base.buildings", around(116.5, 31.75, 13), "properties=code"))
    assert "OneMap-Truncated" not in whole.headers and len(decoded(whole)["base.buildings"]) > 100
    monkeypatch.setattr(budget, "BYTES", 4_000)
    tile = around(116.5, 31.75, 13)
    answer = city.get(address("base.buildings", tile, "properties=code,use"))
    assert answer.headers["OneMap-Truncated"] == "true"
    kept = {f["id"] for f in decoded(answer)["base.buildings"]}
    reach, sides = shapely.box(0, 0, EXTENT, EXTENT), {}
    for row in city.rows["base.buildings"]:
        assert row.shape is not None
        west, south, east, north = in_tile_units(row.shape, tile).bounds
        sides[row.fid] = max(east - west, north - south) if reach.contains(shapely.Point(west, south)) else 0
    largest = sorted(sides, key=lambda fid: -sides[fid])
    assert 20 < len(kept) < 150 and set(largest[:10]) <= kept and len(answer.content) <= 4_000
