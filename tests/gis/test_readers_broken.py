"""Broken files, for every format that is not a table: one clear sentence or listed rows, never a stack trace."""

import os
import sqlite3
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from gis.errors import BadInput
from gis.exchange.readers import Batch, ReadOptions, Source, open_source
from tests.gis.broken_files import KINDS, NAMES, WRONG_ENCODING, Kind, zip_of

every = pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.suffix)
with_shapes = pytest.mark.parametrize("kind", [k for k in KINDS if k.layer is None], ids=lambda k: k.suffix)


def read(source: Source) -> int:
    return sum(len(batch) for batch in source.batches())


def _shapes(batch: Batch) -> list[shapely.Geometry]:
    assert batch.shapes is not None
    return list(batch.shapes)


def sentence(caught: pytest.ExceptionInfo[BadInput]) -> None:
    """Both languages, naming the input, without what only a programmer understands."""
    error = caught.value
    assert error.subject
    assert error.text.zh != error.text.en
    assert "Traceback" not in error.text.en
    assert len(error.text.en) < 600


@every
def test_the_whole_file_is_read(tmp_path: Path, kind: Kind) -> None:
    source = kind.open(kind.make(tmp_path))
    names = [v for b in source.batches() for v in b.table["name"].to_pylist()]
    assert names == NAMES
    assert source.findings.rejects == []
    assert {d.about for d in source.findings.decisions} >= {"crs", "columns"}


@every
def test_missing_folder_and_empty_file(tmp_path: Path, kind: Kind) -> None:
    with pytest.raises(BadInput, match="there is no file") as caught:
        kind.open(tmp_path / f"none{kind.suffix}")
    sentence(caught)
    folder = tmp_path / f"folder{kind.suffix}"
    folder.mkdir()
    with pytest.raises(BadInput, match="is a folder") as caught:
        kind.open(folder)
    sentence(caught)
    empty = tmp_path / f"empty{kind.suffix}"
    empty.touch()
    with pytest.raises(BadInput, match="is empty") as caught:
        kind.open(empty)
    sentence(caught)


@every
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_cut_off(tmp_path: Path, kind: Kind, part: float) -> None:
    path = kind.make(tmp_path, [shapely.Point(116.5, 31.7 + i / 1e4) for i in range(400)])
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    if kind.suffix == ".geojsonl":
        source = kind.open(path)
        assert read(source) == source.total_rows
        assert source.findings.rejected.get("bad-json", 0) <= 1
        return
    with pytest.raises(BadInput) as caught:
        read(kind.open(path))
    sentence(caught)


@every
@pytest.mark.parametrize("content", [b"hello, world\n" * 20, bytes(range(256)) * 20, b"\0" * 4096])
def test_something_else_under_the_right_name(tmp_path: Path, kind: Kind, content: bytes) -> None:
    path = tmp_path / f"a{kind.suffix}"
    path.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        read(kind.open(path))
    sentence(caught)


@every
def test_the_magic_bytes_followed_by_noise(tmp_path: Path, kind: Kind) -> None:
    path = kind.make(tmp_path)
    whole = path.read_bytes()
    noise = np.random.default_rng(3).integers(0, 256, len(whole), dtype=np.uint8).tobytes()
    path.write_bytes(whole[:64] + noise[64:])
    try:
        source = kind.open(path)
        rows = read(source)
    except BadInput as error:
        assert error.subject
    else:
        assert rows <= 400
        assert source.findings.rejects


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = KINDS[2].make(tmp_path)
    path.chmod(0)
    with pytest.raises(BadInput, match="cannot be opened"):
        open_source(path)


@with_shapes
def test_no_rows(tmp_path: Path, kind: Kind) -> None:
    path = kind.make(tmp_path, [])
    if kind.suffix == ".geojsonl":
        path.write_text("\n\n")
    source = kind.open(path)
    assert (read(source), source.findings.rejects) == (0, [])


@with_shapes
def test_rows_without_geometry_are_listed(tmp_path: Path, kind: Kind) -> None:
    source = kind.open(kind.make(tmp_path, [shapely.Point(1, 2), None, shapely.Point(3, 4)]))
    assert read(source) == 2
    assert [(r.row, r.reason) for r in source.findings.rejects] == [(2, "no-geometry")]


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".geojsonl", ".parquet", ".kml", ".kmz"])
def test_mixed_types_are_handed_on_to_be_judged(tmp_path: Path, suffix: str) -> None:
    kind = next(k for k in KINDS if k.suffix == suffix)
    shapes: list[object] = [shapely.Point(1, 2), shapely.LineString([(0, 0), (1, 1)]), shapely.box(0, 0, 1, 1)]
    found = [s.geom_type for b in kind.open(kind.make(tmp_path, shapes)).batches() for s in _shapes(b)]
    assert found == ["Point", "LineString", "Polygon"]


@with_shapes
def test_a_scribble_of_20_000_vertices_is_read_quickly(tmp_path: Path, kind: Kind) -> None:
    scribble = shapely.polygons(np.random.default_rng(5).random((20_000, 2)))
    (batch,) = kind.open(kind.make(tmp_path, [scribble])).batches()
    assert batch.shapes is not None
    assert shapely.get_num_coordinates(batch.shapes[0]) == 20_001


@pytest.mark.parametrize("suffix", WRONG_ENCODING)
def test_text_that_lies_about_its_encoding(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes((WRONG_ENCODING[suffix] % "六安市金安区东市街道").encode("gbk"))
    source = open_source(path)
    assert [v for b in source.batches() for v in b.table["name"].to_pylist()] == ["六安市金安区东市街道"]
    path.write_bytes((WRONG_ENCODING[suffix] % "六安市金安区东市街道皖西大道").encode().replace("六".encode(), b"\xff"))
    source = open_source(path)
    assert (read(source), source.findings.rejected) == (0, {"bad-text": 1})
    assert not next(d.sure for d in source.findings.decisions if d.about == "encoding")
    with pytest.raises(BadInput, match="--encoding"):
        open_source(path, ReadOptions(encoding="ascii"))


def test_gbk_in_formats_that_are_utf8_by_definition(tmp_path: Path) -> None:
    path = tmp_path / "a.osm"
    tags = '<tag k="amenity" v="school"/><tag k="name" v="六安"/>'
    text = f'<osm version="0.6"><node id="1" lon="1" lat="2">{tags}</node></osm>'
    path.write_bytes(text.encode("gbk"))
    with pytest.raises(BadInput, match="cannot be read as OpenStreetMap data"):
        read(open_source(path, ReadOptions(layer="pois")))
    gpkg = KINDS[2].make(tmp_path)
    with sqlite3.connect(gpkg) as base:
        base.execute("DROP TRIGGER IF EXISTS rtree_a_geom_update1")
        for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            base.execute(f'DROP TRIGGER "{name}"')
        base.execute("UPDATE a SET name = CAST(? AS TEXT) WHERE fid = 2", ("六安".encode("gbk"),))
    base.close()
    source = open_source(gpkg)
    assert read(source) == 2
    assert [(r.row, r.reason) for r in source.findings.rejects] == [(2, "bad-text")]


BILLION = "".join(f'<!ENTITY x{i} "{f"&x{i - 1};" * 10}">' for i in range(1, 12))


@pytest.mark.parametrize(
    ("suffix", "body"),
    [
        (".kml", "<kml><Placemark><name>&x11;</name></Placemark></kml>"),
        (".osm", '<osm version="0.6"><node id="1" lon="1" lat="2"><tag k="name" v="&x11;"/></node></osm>'),
    ],
)
@pytest.mark.parametrize("external", [False, True])
def test_entities_are_not_expanded(tmp_path: Path, suffix: str, body: str, external: bool) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    first = f'<!ENTITY x0 SYSTEM "file://{secret}">' if external else '<!ENTITY x0 "xxxxxxxxxx">'
    path = tmp_path / f"a{suffix}"
    root = suffix.removeprefix(".")
    path.write_text(f'<?xml version="1.0"?><!DOCTYPE {root} [{first}{BILLION}]>{body}')
    with pytest.raises(BadInput) as caught:
        read(open_source(path, ReadOptions(layer="pois" if suffix == ".osm" else None)))
    sentence(caught)


@pytest.mark.parametrize(("suffix", "inside"), [(".kmz", "doc.kml"), (".zip", "a.shp")])
class TestZip:
    def test_bomb(self, tmp_path: Path, suffix: str, inside: str) -> None:
        path = zip_of(tmp_path / f"a{suffix}", **{inside: b"\0" * (80 << 20)})
        with pytest.raises(BadInput, match="looks like a zip bomb"):
            open_source(path)

    def test_a_bomb_that_hides_its_size(self, tmp_path: Path, suffix: str, inside: str) -> None:
        path = zip_of(tmp_path / f"a{suffix}", **{inside: b"\0" * (4 << 20)})
        raw = path.read_bytes()
        path.write_bytes(raw.replace(struct.pack("<I", 4 << 20), struct.pack("<I", 1000)))
        with pytest.raises(BadInput):
            open_source(path)

    @pytest.mark.parametrize("prefix", ["../../", "/tmp/", "..\\", "C:\\"])
    def test_paths_that_lead_outside(self, tmp_path: Path, suffix: str, inside: str, prefix: str) -> None:
        path = zip_of(tmp_path / f"a{suffix}", **{prefix + inside: b"x"})
        with pytest.raises(BadInput, match="a path that leads outside it"):
            open_source(path)
        assert [p.name for p in tmp_path.iterdir()] == [path.name]

    def test_too_many_files(self, tmp_path: Path, suffix: str, inside: str) -> None:
        path = zip_of(tmp_path / f"a{suffix}", **{f"{i}{inside}": b"" for i in range(10_001)})
        with pytest.raises(BadInput, match="10001 files"):
            open_source(path)

    def test_damaged_and_encrypted(self, tmp_path: Path, suffix: str, inside: str) -> None:
        path = zip_of(tmp_path / f"a{suffix}", **{inside: b"hello" * 1000})
        raw = bytearray(path.read_bytes())
        for start in (raw.index(b"PK\x03\x04") + 6, raw.index(b"PK\x01\x02") + 8):
            raw[start] |= 1
        path.write_bytes(raw)
        with pytest.raises(BadInput, match="is encrypted"):
            open_source(path)
        path.write_bytes(b"PK\x03\x04" + b"\xff" * 200)
        with pytest.raises(BadInput, match="damaged zip"):
            open_source(path)


def test_a_zip_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="neither a Shapefile nor a KML"):
        open_source(zip_of(tmp_path / "a.zip", **{"photo.jpg": b"x"}))


def test_a_shapefile_read_on_two_threads_leaves_the_driver_as_it_was(tmp_path: Path) -> None:
    """GDAL has settings of each thread; a reader that sets one on the first thread cannot reset it on the second."""
    before = pyogrio.get_gdal_config_option("SHAPE_ENCODING")
    batches = open_source(KINDS[0].make(tmp_path), ReadOptions(batch_rows=1)).batches()
    next(batches)
    with ThreadPoolExecutor(1) as other:
        assert len(other.submit(list, batches).result()) == 2
    assert pyogrio.get_gdal_config_option("SHAPE_ENCODING") == before


def test_an_unknown_format_lists_the_known_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.dwg"
    path.write_bytes(b"AC1027" + b"\0" * 100)
    with pytest.raises(BadInput, match="Shapefile, GeoPackage") as caught:
        open_source(path)
    sentence(caught)


@pytest.mark.parametrize("text", ["[" * 200_000, '{"features": [' + '{"a":' * 200_000])
def test_json_nested_without_end(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.geojson"
    path.write_text(text)
    with pytest.raises(BadInput):
        open_source(path)


HALF = '{"type": "Feature", "geometry": %s, "properties": {%s}}'
POINT = '{"type": "Point", "coordinates": [1, 2]}'
HALVES = [
    ("a value", HALF % (POINT, '"a": "\\ud800", "b": "x"'), {"bad-text": 1}),
    ("a name", HALF % (POINT, '"a\\udfff": "x"'), {}),
    ("a value within", HALF % (POINT, '"a": {"b": ["\\ud83d"]}'), {}),
    ("a whole character", HALF % (POINT, '"a": "\\ud83d\\ude00"'), {}),
    ("a type", HALF % (POINT.replace("Point", "Poi\\ud800"), '"a": 1'), {"bad-geometry": 1}),
    ("a coordinate", HALF % (POINT.replace("1", '"\\ud800"'), '"a": 1'), {"bad-geometry": 1}),
]


@pytest.mark.parametrize("suffix", [".geojson", ".geojsonl"])
@pytest.mark.parametrize(("feature", "rejected"), [c[1:] for c in HALVES], ids=[c[0] for c in HALVES])
def test_half_a_character_in_json(tmp_path: Path, suffix: str, feature: str, rejected: dict[str, int]) -> None:
    """JSON can escape one half of a character beyond U+FFFF; programs that cut texts write such."""
    path = tmp_path / f"a{suffix}"
    whole = HALF % (POINT, '"a": "x"')
    path.write_text(f"{feature}\n{whole}" if suffix == ".geojsonl" else f'{{"features": [{feature}, {whole}]}}')
    source = open_source(path)
    assert read(source) == 2 - sum(rejected.values())
    assert source.findings.rejected == rejected


def test_the_content_counts_more_than_the_name(tmp_path: Path) -> None:
    path = KINDS[3].make(tmp_path).rename(tmp_path / "a.gpkg")
    source = open_source(path)
    assert read(source) == 3
    assert ("format", "GeoJSON") in {(d.about, d.value) for d in source.findings.decisions}


def test_a_number_too_long_to_be_one_is_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "long.geojson"
    path.write_text('{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"a": '
                    + "9" * 5000 + '}, "geometry": null}]}')  # fmt: skip
    with pytest.raises(BadInput, match="too long"):
        list(open_source(path).batches())
