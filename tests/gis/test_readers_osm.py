"""OpenStreetMap: which objects make which layer, what their tags become, and what is listed instead of guessed."""

from pathlib import Path
from typing import Any

import osmium
import pytest

from gis.base.buildings import USES
from gis.base.land import USES as LAND_USES
from gis.base.land import WATER_KINDS
from gis.base.pois import KINDS
from gis.base.roads import CLASSES
from gis.errors import BadInput
from gis.exchange.readers import ReadOptions, Source, open_source
from gis.exchange.readers.osm_tags import LAYERS, number_of

OSM = """<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6">
 <node id="1" lon="0" lat="0"/><node id="2" lon="1" lat="0"/><node id="3" lon="1" lat="1"/>
 <node id="4" lon="0" lat="1"/>
 <node id="5" lon="0.2" lat="0.2"/><node id="6" lon="0.4" lat="0.2"/><node id="7" lon="0.4" lat="0.4"/>
 <node id="8" lon="116.5" lat="31.7"><tag k="amenity" v="school"/><tag k="name" v="一小"/></node>
 <node id="9" lon="116.6" lat="31.8"><tag k="shop" v="books"/><tag k="addr:street" v="皖西路"/>
  <tag k="addr:housenumber" v="1号"/></node>
 <way id="10"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="primary_link"/><tag k="maxspeed" v="30 mph"/>
  <tag k="oneway" v="-1"/><tag k="lanes" v="2"/><tag k="width" v="7.5 m"/></way>
 <way id="11"><nd ref="1"/><nd ref="99"/><tag k="highway" v="service"/></way>
 <way id="12"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/><tag k="building" v="yes"/>
  <tag k="amenity" v="hospital"/><tag k="building:levels" v="12"/><tag k="height" v="40"/>
  <tag k="start_date" v="1998-05"/></way>
 <way id="13"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/></way>
 <way id="14"><nd ref="5"/><nd ref="6"/><nd ref="7"/><nd ref="5"/></way>
 <way id="15"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="building" v="house"/></way>
 <way id="16"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/><tag k="building" v="no"/></way>
 <way id="17"><nd ref="5"/><nd ref="6"/><nd ref="7"/><nd ref="5"/><tag k="landuse" v="orchard"/></way>
 <relation id="20"><member type="way" ref="13" role="outer"/><member type="way" ref="14" role="inner"/>
  <tag k="type" v="multipolygon"/><tag k="building" v="apartments"/></relation>
 <relation id="21"><member type="way" ref="13" role="outer"/><member type="way" ref="98" role="inner"/>
  <tag k="type" v="multipolygon"/><tag k="natural" v="water"/><tag k="water" v="lake"/></relation>
 <relation id="22"><member type="way" ref="13" role="outer"/><tag k="type" v="site"/><tag k="building" v="yes"/>
 </relation>
 <relation id="23"><member type="way" ref="13" role="outer"/><tag k="type" v="multipolygon"/>
  <tag k="landuse" v="basin"/></relation>
</osm>"""


@pytest.fixture
def osm(tmp_path: Path) -> Path:
    path = tmp_path / "a.osm"
    path.write_text(OSM, encoding="utf-8")
    return path


def read(path: Path, layer: str) -> tuple[dict[str, dict[str, Any]], dict[str, Any], Source]:
    source = open_source(path, ReadOptions(layer=layer))
    rows: dict[str, dict[str, Any]] = {}
    shapes: dict[str, Any] = {}
    for batch in source.batches():
        ids = batch.table["osm_id"].to_pylist()
        rows |= dict(zip(ids, batch.table.drop_columns(["osm_id"]).to_pylist(), strict=True))
        geometry = batch.points.tolist() if batch.points is not None else batch.shapes
        assert geometry is not None
        shapes |= dict(zip(ids, geometry, strict=True))
    return rows, shapes, source


def refused(source: Source) -> set[str]:
    return {r.value for r in source.findings.rejects}


def test_roads(osm: Path) -> None:
    rows, shapes, source = read(osm, "roads")
    assert rows == {
        "w10": {"name": None, "class": "primary", "highway": "primary_link", "lanes": 2, "width_m": 7.5,
                "speed_limit_kmh": 48, "oneway": "reverse"},
    }  # fmt: skip
    assert shapes["w10"].wkt == "LINESTRING (0 0, 1 0, 1 1)"
    assert refused(source) == {"w11"}, "a way whose nodes are not in the file is listed"
    assert source.crs == "EPSG:4326"


def test_buildings_from_ways_and_relations(osm: Path) -> None:
    rows, shapes, source = read(osm, "buildings")
    assert set(rows) == {"w12", "r20"}
    assert rows["w12"] == {"name": None, "use": "hospital", "building": "yes", "storeys": 12, "height_m": 40.0,
                           "built_year": 1998, "address": None}  # fmt: skip
    assert rows["r20"]["use"] == "residential"
    assert shapes["w12"].geom_type == "Polygon"
    assert len(shapes["r20"].interiors) == 1
    assert refused(source) == {"w15", "r22"}, "not closed, and no multipolygon; building=no is no building"


def test_pois_land_and_water(osm: Path) -> None:
    rows, points, _ = read(osm, "pois")
    assert rows["n8"] == {"name": "一小", "kind": "school", "category": "school", "address": None, "telephone": None}
    assert (rows["n9"]["kind"], rows["n9"]["address"]) == ("shop", "皖西路1号")
    assert points["n8"] == [116.5, 31.7]
    assert {i: r["use"] for i, r in read(osm, "land")[0].items()} == {"w17": "farmland"}
    rows, _, source = read(osm, "water")
    assert {i: r["kind"] for i, r in rows.items()} == {"r23": "reservoir"}
    assert refused(source) == {"r21"}


def test_a_second_reading_and_small_batches_give_the_same(osm: Path) -> None:
    source = open_source(osm, ReadOptions(layer="buildings", batch_rows=1))
    first = [b.table.to_pylist() for b in source.batches()]
    assert len(first) == 2
    assert [b.table.to_pylist() for b in source.batches()] == first
    assert source.findings.rejected == {"bad-geometry": 2}


@pytest.mark.parametrize("layer", [None, "trees"])
def test_the_layer_must_be_named(osm: Path, layer: str | None) -> None:
    with pytest.raises(BadInput, match="--layer: roads, buildings, pois, land, water"):
        open_source(osm, ReadOptions(layer=layer))


SAMPLES: list[tuple[str, dict[str, str], str, object]] = [
    ("roads", {"highway": "living_street"}, "class", "residential"),
    ("roads", {"highway": "track"}, "class", "other"),
    ("roads", {"highway": "motorway"}, "oneway", "yes"),
    ("roads", {"highway": "primary"}, "oneway", None),
    ("roads", {"highway": "primary", "maxspeed": "CN:urban"}, "speed_limit_kmh", None),
    ("roads", {"highway": "primary", "maxspeed": "60"}, "speed_limit_kmh", 60),
    ("buildings", {"building": "yes"}, "use", None),
    ("buildings", {"building": "roof"}, "use", "other"),
    ("buildings", {"building": "yes", "height": "12 m"}, "height_m", 12.0),
    ("buildings", {"building": "yes", "building:levels": "2-3"}, "storeys", None),
    ("pois", {"office": "government"}, "kind", "government"),
    ("pois", {"amenity": "bench"}, "kind", "other"),
    ("pois", {"healthcare": "laboratory"}, "kind", "hospital"),
    ("land", {"leisure": "park"}, "use", "green"),
    ("land", {"landuse": "military"}, "use", "other"),
    ("water", {"natural": "water", "water": "pond"}, "kind", "pond"),
    ("water", {"natural": "water"}, "kind", "other"),
]


@pytest.mark.parametrize(("layer", "tags", "column", "value"), SAMPLES)
def test_what_tags_become(layer: str, tags: dict[str, str], column: str, value: object) -> None:
    assert LAYERS[layer].wanted(tags)
    assert LAYERS[layer].values(tags)[column] == value


@pytest.mark.parametrize(
    ("text", "value"), [("3.5", 3.5), ("50 mph", 80.4672), ("12'6\"", None), ("", None), (None, None), ("-3", None)]
)
def test_measures(text: str | None, value: float | None) -> None:
    assert number_of(text) == value


def test_every_class_is_one_that_the_base_register_declares() -> None:
    from gis.exchange.readers import osm_tags

    assert set(osm_tags._ROAD_CLASSES.values()) < set(CLASSES)
    assert set(osm_tags._BUILDING_USES.values()) < set(USES)
    assert set(osm_tags._LAND_USES.values()) < set(LAND_USES)
    assert set(osm_tags._WATER_KINDS.values()) < set(WATER_KINDS)
    assert set(osm_tags._POI_KINDS.values()) < set(KINDS)


def tagged_ways(path: Path, key: str) -> dict[str, dict[str, str]]:
    return {
        f"w{way.id}": {t.k: t.v for t in way.tags}
        for way in osmium.FileProcessor(str(path), osmium.osm.WAY).with_filter(osmium.filter.KeyFilter(key))
    }


REAL = [
    # file, ways with highway=*, read as roads, ways with building=*
    ("beijing_haidian.osm", 684, 684, 520),
    ("liechtenstein.osm.pbf", 4660, 4660, 8992),
    ("helsinki.osm.pbf", 2650, 2510, 433),
]
#: Relations with building=*: assembled, and listed because a member is missing or it is no multipolygon.
RELATIONS = {"beijing_haidian.osm": (1, 0), "liechtenstein.osm.pbf": (5, 1), "helsinki.osm.pbf": (61, 6)}


@pytest.mark.realdata
@pytest.mark.parametrize(("name", "tagged", "taken", "_"), REAL)
def test_real_roads_are_all_ways_with_a_highway_tag(realdata: Path, name: str, tagged: int, taken: int, _: int) -> None:
    """In the Helsinki cut-out 140 ways run out of the file: their nodes are missing, and they are listed."""
    path = realdata / "osm" / name
    rows, _shapes, source = read(path, "roads")
    ways = tagged_ways(path, "highway")
    assert (len(ways), len(rows)) == (tagged, taken)
    assert set(rows) | refused(source) == set(ways)
    assert source.findings.rejected_rows == tagged - taken


@pytest.mark.realdata
@pytest.mark.parametrize(("name", "_roads", "_taken", "tagged"), REAL)
def test_real_buildings_are_the_tagged_ways_and_multipolygons(
    realdata: Path, name: str, _roads: int, _taken: int, tagged: int
) -> None:
    """Every way with building=* is a row, or is listed because it encloses nothing, or says building=no.

    Relations with building=* (a building with a courtyard) come on top.
    """
    path = realdata / "osm" / name
    rows, _, source = read(path, "buildings")
    ways = tagged_ways(path, "building")
    assert len(ways) == tagged
    says_no = {i for i, tags in ways.items() if tags["building"] == "no"}
    from_ways = {i for i in rows if i.startswith("w")}
    listed = {i for i in refused(source) if i.startswith("w")}
    assert from_ways | listed | says_no == set(ways)
    assert len(from_ways) + len(listed) + len(says_no) == tagged
    assert (len(rows) - len(from_ways), len(refused(source)) - len(listed)) == RELATIONS[name]
