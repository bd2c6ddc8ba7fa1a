"""No way round: each collection, for each role, on each surface, told as an oracle says that knows policies alone."""

from collections import Counter
from typing import Any
from urllib.parse import quote

import h3
import mapbox_vector_tile
import morecantile
import pytest
import shapely

from gis.catalog import Collection
from tests.contract import rights_oracle as oracle
from tests.contract.rights_city import EACH, WHO, RuledCity, exported, plain, same, shape_of
from tests.contract.small_city import SOUTH, WEST, WIDTH
from tiles.cells import has_cells, last_zoom, near_zoom

_GRID = morecantile.tms.get("WebMercatorQuad")
_FORMS = ("csv", "parquet", "geojsonseq", "arrow", "fgb")


@EACH
def test_items_and_exports_tell_the_rows_that_the_oracle_tells(ruled: RuledCity, name: str) -> None:
    collection, place = ruled.catalogue[name], f"/collections/{name}/items"
    for turn, who in enumerate(WHO):
        if not oracle.sees_rows(WHO[who], collection):
            for form in ("", "?f=csv", "?f=arrow", "?f=html"):
                assert ruled.get(who, f"{place}{form}").status_code == 403, (who, form)
            continue
        expected = ruled.rows(who, collection)
        page = ruled.told(who, f"{place}?limit=1000").json()
        assert page["numberMatched"] == page["numberReturned"] == len(expected), (who, name)
        same(collection, expected, {f["id"]: (f["properties"], shape_of(f["geometry"])) for f in page["features"]}, who)
        form = _FORMS[turn % len(_FORMS)]
        exported(collection, expected, ruled.told(who, f"{place}?f={form}").content, form, who)


@EACH
def test_single_items_are_there_for_whom_the_oracle_has_them(ruled: RuledCity, name: str) -> None:
    collection = ruled.catalogue[name]
    everything = ruled.rows("owner", collection)
    for who in WHO:
        if not oracle.sees_rows(WHO[who], collection):
            assert ruled.get(who, f"/collections/{name}/items/1").status_code == 403
            continue
        expected = ruled.rows(who, collection)
        for fid in sorted(everything)[::5]:
            answer = ruled.get(who, f"/collections/{name}/items/{fid}")
            assert answer.status_code == (200 if fid in expected else 404), (who, fid)
            if fid in expected:
                feature = answer.json()
                told = {fid: (feature["properties"], shape_of(feature["geometry"]))}
                same(collection, {fid: expected[fid]}, told, who)


@EACH
def test_tiles_and_groups_tell_the_same(ruled: RuledCity, name: str) -> None:
    collection = ruled.catalogue[name]
    for who in WHO:
        grant = oracle.grant_of(WHO[who], collection)
        place = f"/collections/{name}"
        if grant is not None and grant.anonymous is not None:
            # how safe the figures are is another test's matter
            said = ruled.told(who, f"{place}/cells?res=6").json()["features"]
            assert all(group["properties"]["count"] >= grant.anonymous.k for group in said), who
            continue
        if grant is None:
            assert ruled.get(who, f"{place}/cells").status_code == 403
            assert ruled.get(who, f"{place}/tiles/WebMercatorQuad/14/6706/13493").status_code == 403
            continue
        expected = ruled.rows(who, collection)
        _groups(ruled, who, collection, expected)
        if not collection.tiled or grant.precision == "division":
            assert ruled.get(who, f"{place}/tiles/WebMercatorQuad/14/6706/13493").status_code == 404
            continue
        drawn = _drawn(ruled, who, collection, 16)
        assert drawn.keys() == {fid for fid, row in expected.items() if row.shape is not None}, (who, name)
        for fid, values in drawn.items():
            own = {n: plain(v) for n, v in expected[fid].values.items() if v is not None}
            assert values == pytest.approx(own), (who, name, fid)


def _groups(ruled: RuledCity, who: str, collection: Collection, expected: dict[int, oracle.Told]) -> None:
    place = f"/collections/{collection.id}/cells"
    grant = oracle.grant_of(WHO[who], collection)
    assert grant is not None
    finest = min(collection.cell_resolution, grant.precision if isinstance(grant.precision, int) else 15)
    for res in (finest, 6):
        said = ruled.told(who, f"{place}?res={res}").json()["features"]
        counts = Counter(row.cell and h3.cell_to_parent(row.cell, res) for row in expected.values())
        assert {f["properties"]["cell"]: f["properties"]["count"] for f in said} == counts, (who, collection.id, res)
    assert ruled.get(who, f"{place}?res={finest + 1}").status_code == 400
    said = ruled.told(who, f"{place}?by=division:5").json()["groups"]
    counts = Counter(row.division for row in expected.values())
    assert {group["division"]: group["count"] for group in said} == counts, (who, collection.id)
    for name in sorted(oracle.exact_fields(WHO[who], collection)):
        if collection.rollup and name in (*collection.rollup.dimensions, *collection.rollup.measures):
            said = ruled.told(who, f"{place}?by=field:{name}").json()["groups"]
            counts = Counter(plain(row.values[name]) for row in expected.values())
            assert {group[name]: group["count"] for group in said} == counts, (who, collection.id, name)


def _drawn(ruled: RuledCity, who: str, collection: Collection, zoom: int) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    grant = oracle.grant_of(WHO[who], collection)
    assert grant is not None
    if grant.precision == "exact":
        box = (WEST - 2e-5, SOUTH - 2e-5, WEST + WIDTH + 8e-4, SOUTH + WIDTH + 8e-4)
        zoom = max(zoom, near_zoom(collection))
        if has_cells(collection) and collection.rollup:
            zoom = max(zoom, last_zoom(collection.rollup) + 1)
    else:
        zoom = max(12, collection.min_zoom)
        shapes = [r.shape for r in ruled.rows(who, collection).values() if r.shape is not None]
        if not shapes:
            return {}
        box = shapely.buffer(shapely.MultiPoint(shapes), 1e-5).bounds
    for tile in _GRID.tiles(*box, zooms=[zoom]):
        path = f"/collections/{collection.id}/tiles/WebMercatorQuad/{zoom}/{tile.y}/{tile.x}"
        content = ruled.told(who, path).content
        if content:
            for feature in mapbox_vector_tile.decode(content).get(collection.id, {"features": []})["features"]:
                found[feature["id"]] = feature["properties"]
    return found


def test_here_counts_and_names_what_the_oracle_tells(ruled: RuledCity) -> None:
    area = shapely.box(WEST - 0.05, SOUTH - 0.05, WEST + 0.05, SOUTH + 0.05)
    path = f"/here?area={quote(shapely.to_wkt(area, rounding_precision=6))}&limit=20"
    for who in WHO:
        said = {part["id"]: part for layer in ruled.told(who, path).json()["layers"] for part in layer["collections"]}
        for collection in ruled.catalogue:
            grant = oracle.grant_of(WHO[who], collection)
            if grant is None or collection.geometry is None or grant.precision == "division" or grant.anonymous:
                assert collection.id not in said, (who, collection.id)
                continue
            expected = {
                f: r for f, r in ruled.rows(who, collection).items() if r.shape is not None and area.intersects(r.shape)
            }
            assert said[collection.id]["count"] == len(expected), (who, collection.id)
            for one in said[collection.id]["nearest"]:
                own = expected[one["fid"]]
                assert one["properties"] == {n: plain(v) for n, v in own.values.items()}, (who, collection.id)
                if grant.precision != "exact":
                    assert oracle.same_shape(shapely.Point(one["lon"], one["lat"]), own.shape)


def test_areas_are_compared_with_the_place_that_is_told(ruled: RuledCity) -> None:
    """A box around the very place finds a row only where its cell's middle lies in it."""
    for name in ("base.pois", "base.buildings", "base.roads"):
        collection = ruled.catalogue[name]
        exact = ruled.rows("owner", collection)
        for who in WHO:
            grant = oracle.grant_of(WHO[who], collection)
            if grant is None or grant.precision == "division":
                continue
            told = ruled.rows(who, collection)
            for fid in sorted(told)[::7]:
                shape = exact[fid].shape
                if shape is None:
                    continue
                box = shapely.buffer(shape, 1e-5).bounds
                expected = {f for f, r in told.items() if r.shape is not None and r.shape.intersects(shapely.box(*box))}
                text = ",".join(map(str, box))
                lon, lat = shape.centroid.x, shape.centroid.y
                ring = quote(shapely.to_wkt(shapely.box(*box), rounding_precision=9))
                for asked in (f"bbox={text}", f"filter=S_INTERSECTS(geometry,{ring})"):
                    found = ruled.told(who, f"/collections/{name}/items?limit=1000&{asked}").json()
                    assert {f["id"] for f in found["features"]} == expected, (who, name, asked)
                near = ruled.told(who, f"/here?lon={lon}&lat={lat}&radius=5&collections={name}").json()
                counted = sum(part["count"] for layer in near["layers"] for part in layer["collections"])
                if grant.precision != "exact":
                    away = [shapely.Point(lon, lat).distance(r.shape) for r in told.values() if r.shape is not None]
                    # five metres are between 4.5e-5 and 5.4e-5 degrees here
                    assert sum(d < 4e-5 for d in away) <= counted <= sum(d < 6e-5 for d in away), (who, name, fid)
