"""Broken files on their way into a register: all that can be taken is taken and the rest listed, or nothing changes."""

import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from gis.catalog import Catalogue
from gis.city import City
from gis.errors import BadInput
from gis.exchange.load import _Intake
from gis.exchange.readers import ReadOptions
from gis.settings import CHECKOUT
from gis.store.database import Database
from gis.store.tables import Register
from layers import LAYERS
from tests.gis.broken_files import (
    BROKEN_TABLES,
    HEAD,
    KINDS,
    ROWS,
    SHEET,
    WRONG_ENCODING,
    Kind,
    book,
    frame,
    with_sheet,
    zip_of,
)  # fmt: skip
from tests.gis.register_state import State, assert_adds_up, bring_back, empty, keep, state

REFUSED = "refused"
PLACE = shapely.Point(116.5, 31.7)


@dataclass(frozen=True)
class Case:
    """A broken file, where it is to go, and what comes of it: REFUSED, or the numbers of rows taken and listed."""

    name: str
    make: Callable[[Path], Path]
    expected: str | tuple[int, dict[str, int]] | None
    into: str = "base.pois"
    read: dict[str, Any] = field(default_factory=dict)


def written(name: str, content: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def a_folder(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).mkdir()
        return folder / name

    return make


def cut_off(kind: Kind, share: float) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = kind.make(folder, [shapely.Point(116.5, 31.7 + i / 1e4) for i in range(400)])
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
        return path

    return make


def noisy(kind: Kind) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = kind.make(folder)
        whole = path.read_bytes()
        noise = np.random.default_rng(3).integers(0, 256, len(whole), dtype=np.uint8).tobytes()
        path.write_bytes(whole[:64] + noise[64:])
        return path

    return make


def not_finite(kind: Kind) -> Callable[[Path], Path]:
    """Two places whose longitude is no number: set in the bytes, since writers refuse to."""

    def make(folder: Path) -> Path:
        path = kind.make(folder, [PLACE, shapely.Point(116.125, 31.5), shapely.Point(116.25, 31.5), PLACE])
        content = path.read_bytes()
        for known, odd in ((116.125, np.nan), (116.25, np.inf)):
            assert struct.pack("<d", known) in content
            content = content.replace(struct.pack("<d", known), struct.pack("<d", odd))
        path.write_bytes(content)
        return path

    return make


def shaped(kind: Kind, *shapes: object) -> Callable[[Path], Path]:
    return lambda folder: kind.make(folder, list(shapes))


def of_kind(kind: Kind) -> Iterator[Case]:
    """What every format that is not a table is tried with."""
    suffix = kind.suffix
    read = {"layer": kind.layer} if kind.layer else {}
    yield Case(f"no file {suffix}", lambda folder: folder / f"a{suffix}", REFUSED, read=read)
    yield Case(f"a folder {suffix}", a_folder(f"a{suffix}"), REFUSED, read=read)
    yield Case(f"no bytes {suffix}", written(f"a{suffix}", b""), REFUSED, read=read)
    yield Case(f"something else {suffix}", written(f"a{suffix}", bytes(range(256)) * 20), REFUSED, read=read)
    yield Case(f"noise {suffix}", noisy(kind), None, read=read)
    for share in (0.5, 0.95):
        expected = None if suffix == ".geojsonl" else REFUSED
        yield Case(f"cut at {share} {suffix}", cut_off(kind, share), expected, read=read)


def shapes_of(kind: Kind) -> Iterator[Case]:
    """Geometries that cannot be taken, in the formats that can hold them."""
    suffix = kind.suffix
    line, area = shapely.LineString([(116, 31), (117, 32)]), shapely.box(116, 31, 116.1, 31.1)
    scribble = shapely.polygons(np.random.default_rng(5).random((20_000, 2)) / 10 + (116.5, 31.7))
    yield Case(f"no geometry {suffix}", shaped(kind, PLACE, None, PLACE), (2, {"no-geometry": 1}))
    yield Case(f"a scribble {suffix}", shaped(kind, area, scribble), (1, {"bad-geometry": 1}), into="base.land")
    if suffix not in (".shp", ".zip"):
        yield Case(f"mixed types {suffix}", shaped(kind, PLACE, line, area), (1, {"wrong-type": 2}))
    if suffix != ".kml":
        far = shaped(kind, PLACE, shapely.Point(1e9, 31.7), shapely.Point(116.5, 91), PLACE)
        yield Case(f"out of range {suffix}", far, None)
    if suffix in (".gpkg", ".shp"):
        yield Case(f"NaN {suffix}", not_finite(kind), (2, {"nan-coordinate": 2}))
    if suffix == ".parquet":
        infinite = shaped(kind, PLACE, shapely.Point(np.inf, 31.7), PLACE)
        yield Case(f"NaN {suffix}", infinite, (2, {"nan-coordinate": 1}))


NAMELESS = "编码,经度,纬度\nA1,116.5,31.7\n".encode()
PLACES = "编码,名称,经度,纬度\nA1,甲,116.5,31.7\nA2,乙,%s,%s\nA3,丙,116.6,31.8\n"
WKT = "code,name,wkt\nA1,甲,POINT (116.5 31.7)\nA2,乙,%s\nA3,丙,POINT (116.6 31.8)\n"


def tables() -> Iterator[Case]:
    """What tables are tried with."""
    for name, path, content, _ in BROKEN_TABLES:
        yield Case(f"{name} ({path})", written(path, content), None if "header only" in name else REFUSED)
    yield Case("table, no file", lambda folder: folder / "t.csv", REFUSED)
    yield Case("table, a folder", a_folder("t.csv"), REFUSED)
    yield Case("table, a folder of Excel", a_folder("t.xlsx"), REFUSED)
    for x, y in (("nan", "31.7"), ("999", "31.7"), ("1e308", "-1e308"), ("", ""), ("甲", "31.7"), ("inf", "-inf")):
        yield Case(f"place {x},{y}", written("t.csv", (PLACES % (x, y)).encode()), None, read={"crs": "EPSG:4326"})
    for shape in ("LINESTRING (1 2, 3 4)", "POINT (1", "POINT EMPTY", "POINT (nan 31)", "POINT Z (1 2)", "甲"):
        yield Case(f"shape {shape}", written("t.csv", (WKT % f'"{shape}"').encode()), None, read={"crs": "EPSG:4326"})
    ring = ", ".join(f"{x} {y}" for x, y in np.random.default_rng(5).random((20_000, 2)) / 10 + (116.5, 31.7))
    area = "POLYGON ((116 31, 116.1 31, 116.1 31.1, 116 31))"
    scribble = f'code,wkt\nA1,"{area}"\nA2,"POLYGON (({ring}, {ring.partition(",")[0]}))"\n'
    yield Case("table, a scribble", written("t.csv", scribble.encode()), None, "base.land", {"crs": "EPSG:4326"})
    for encoding in ("utf-8", "gb18030", "utf-16"):
        half = (HEAD + ROWS).encode(encoding)[:2501]
        yield Case(f"half a table in {encoding}", written("t.csv", half), None, read={"crs": "EPSG:4326"})
    wrong = {"encoding": "utf-8"}
    yield Case("table in another encoding", written("t.csv", (HEAD + ROWS).encode("gbk")), REFUSED, read=wrong)
    yield Case("half a workbook", lambda folder: halved(book(folder / "t.xlsx")), REFUSED)
    yield Case("a workbook without rows", lambda folder: book(folder / "t.xlsx", rows=0), REFUSED)
    bomb = SHEET % (b" " * (100 << 20))
    yield Case("a bomb in a workbook", lambda folder: with_sheet(folder / "t.xlsx", bomb), REFUSED)
    far = SHEET % b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    yield Case("cells far apart", lambda folder: with_sheet(folder / "t.xlsx", far), REFUSED)
    yield Case("a table without names", written("t.csv", NAMELESS), REFUSED, read={"crs": "EPSG:4326"})
    yield Case("a table without places", written("t.csv", "编码,名称\nA1,甲\n".encode()), REFUSED)


def others() -> Iterator[Case]:
    """Zips, texts that lie about their encoding, endless nesting, and what is no format at all."""
    for suffix, inside in ((".kmz", "doc.kml"), (".zip", "a.shp")):
        yield Case(f"a bomb {suffix}", bomb(f"a{suffix}", inside), REFUSED)
        yield Case(f"a path that leads outside {suffix}", zipped(f"a{suffix}", f"../../{inside}"), REFUSED)
        yield Case(f"a damaged zip {suffix}", written(f"a{suffix}", b"PK\x03\x04" + b"\xff" * 200), REFUSED)
    for suffix, text in WRONG_ENCODING.items():
        broken = (text % "六安市金安区东市街道皖西大道").encode().replace("六".encode(), b"\xff")
        yield Case(f"broken text {suffix}", written(f"a{suffix}", broken), None)
    yield Case("nested without end", written("a.geojson", b"[" * 200_000), REFUSED)
    yield Case("no known format", written("a.dwg", b"AC1027" + b"\0" * 100), REFUSED)
    yield Case("part of a Shapefile", written("a.dbf", b"\x03" + b"\0" * 100), REFUSED)


def bomb(name: str, inside: str) -> Callable[[Path], Path]:
    return lambda folder: zip_of(folder / name, **{inside: b"\0" * (80 << 20)})


def zipped(name: str, inside: str) -> Callable[[Path], Path]:
    return lambda folder: zip_of(folder / name, **{inside: b"x"})


def halved(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


CASES = [
    *(case for kind in KINDS for case in of_kind(kind)),
    *(case for kind in KINDS if kind.layer is None for case in shapes_of(kind)),
    *tables(),
    *others(),
]


class Registers:
    """The registers of a city, empty or filled, and their state when nothing was changed since."""

    def __init__(self, city: City, folder: Path) -> None:
        self.city, self.url = city, city.database.url
        self.known = {False: state(self.url)}
        areas = frame([shapely.box(116 + i / 10, 31, 116.05 + i / 10, 31.05) for i in range(3)])
        areas.to_file(folder / "land.gpkg")
        frame().to_file(folder / "pois.gpkg")
        city.load(folder / "land.gpkg", "base.land")
        city.load(folder / "pois.gpkg", "base.pois")
        self.known[True] = state(self.url)
        keep(self.url)
        self.now: bool | None = True

    def bring(self, filled: bool) -> State:
        """Bring them to one of the two states where they are not in it, and say what it is."""
        if self.now is not filled:
            empty(self.url)
            if filled:
                bring_back(self.url)
        self.now = None
        return self.known[filled]

    def unchanged(self, filled: bool) -> bool:
        """Whether they are still in that state."""
        same = state(self.url) == self.known[filled]
        self.now = filled if same else None
        return same


@pytest.fixture(scope="module")
def registers(module_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registers]:
    with City(Database(module_url), Catalogue(LAYERS)) as city:
        yield Registers(city, tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("filled", [False, True], ids=["empty", "filled"])
def test_all_or_nothing(registers: Registers, tmp_path: Path, case: Case, filled: bool) -> None:
    before = registers.bring(filled)
    path = case.make(tmp_path)
    try:
        report = registers.city.load(path, case.into, read=ReadOptions(**case.read))
    except BadInput as error:
        assert case.expected in (REFUSED, None), error
        assert_one_sentence(error)
        assert registers.unchanged(filled)
        return
    assert_adds_up(registers.url, report)
    after = state(registers.url)
    assert (after.relations, after.held) == (before.relations, ())
    if case.expected is not None:
        assert (report.rows - report.rejected, report.findings.rejected) == case.expected


def assert_one_sentence(error: BadInput) -> None:
    """In both languages, naming the file or the part at fault, without what only a programmer understands."""
    assert error.subject
    assert error.text.zh != error.text.en
    for text in error.text:
        assert not any(word in text for word in ("Traceback", "psycopg", "Error(", "0x", "\n"))
        assert len(text) < 600


@pytest.mark.parametrize("name", ["新城", "New", "", "a b", "x' OR 1", "a\n", "\0"])
def test_a_scenario_that_cannot_be_named_so(registers: Registers, tmp_path: Path, name: str) -> None:
    registers.bring(filled=True)
    with pytest.raises(BadInput, match="cannot name a scenario") as caught:
        registers.city.load(KINDS[3].make(tmp_path), "base.pois", scenario=name)
    assert caught.value.text.zh
    assert registers.unchanged(filled=True)


def test_a_load_that_fails_makes_no_scenario(registers: Registers, tmp_path: Path) -> None:
    registers.bring(filled=True)
    path = written("a.csv", NAMELESS)(tmp_path)
    with pytest.raises(BadInput, match="name"):
        registers.city.load(path, "base.pois", scenario="new-town", read=ReadOptions(crs="EPSG:4326"))
    assert registers.unchanged(filled=True)


ENDS = [(Register, "index_identity", False), (Register, "replace_by", False), (_Intake, "_record", False),
        (_Intake, "_record", True)]  # fmt: skip


@pytest.mark.parametrize(("part", "step", "filled"), ENDS)
def test_a_failure_at_the_end_leaves_nothing(
    registers: Registers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: type, step: str, filled: bool
) -> None:
    registers.bring(filled)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(part, step, fail)
    with pytest.raises(KeyboardInterrupt):
        registers.city.load(KINDS[3].make(tmp_path, [PLACE]), "base.pois")
    assert registers.unchanged(filled)


ODD_NAMES = ["a'b.geojson", "%s{}.geojson", "a\nb.geojson", "六安 市.geojson", "\udcc1\udcf9.geojson", "-.geojson"]


@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_names_of_files(registers: Registers, tmp_path: Path, name: str) -> None:
    registers.bring(filled=False)
    report = registers.city.load(KINDS[3].make(tmp_path).rename(tmp_path / name), "base.pois")
    assert_adds_up(registers.url, report)
    assert registers.city.has_loaded(tmp_path / name, "base.pois")
    assert report.file.encode()
    assert report.dataset + ".geojson" == report.file


ODD_COLUMNS = ["a\0b", "\\u0000", "\\\0", "''; --", '"', "\ud7ff", "x" * 100_000]


@pytest.mark.parametrize("name", ODD_COLUMNS, ids=lambda name: ascii(name[:12]))
def test_names_of_columns(registers: Registers, tmp_path: Path, name: str) -> None:
    registers.bring(filled=False)
    place = {"type": "Point", "coordinates": [116.5, 31.7]}
    rows = [{"type": "Feature", "geometry": place, "properties": {"编码": "A", "名称": "甲", name: name}}]
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": rows}))
    report = registers.city.load(tmp_path / "a.geojson", "base.pois")
    assert_adds_up(registers.url, report)
    assert report.changes.new == 1


COMMANDS = [
    ("no bytes", written("a.geojson", b""), [], "is empty (0 bytes)"),
    ("a folder", a_folder("a.gpkg"), ["--json"], "is a folder"),
    ("a bomb", bomb("a.kmz", "doc.kml"), ["--json"], "zip bomb"),
    ("half a file", cut_off(KINDS[2], 0.5), [], "a.gpkg"),
    (
        "no names",
        written("t.csv", "编码,经度,纬度\nA1,116.5,31.7\n".encode()),
        ["--json", "--crs", "EPSG:4326"],
        "name (Name)",
    ),
]


@pytest.mark.parametrize(("make", "more", "says"), [c[1:] for c in COMMANDS], ids=[c[0] for c in COMMANDS])
def test_the_command_says_one_sentence(
    registers: Registers, tmp_path: Path, make: Callable[[Path], Path], more: list[str], says: str
) -> None:
    registers.bring(filled=True)
    ran = onemap_load(registers.url, make(tmp_path), more)
    assert ran.returncode == 1
    assert ran.stdout.strip() == ""
    (line,) = ran.stderr.strip().splitlines()
    if more:
        told = json.loads(line)
        assert told["kind"] == "BadInput"
        assert told["subject"]
        assert told["error"]["zh"] != told["error"]["en"]
        line = told["error"]["en"]
    assert says in line
    assert registers.unchanged(filled=True)


def onemap_load(url: str, path: Path, more: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "api.cli", "load", str(path), "--into", "base.pois", *more],
        cwd=CHECKOUT,
        env=os.environ | {"ONEMAP_DATABASE_URL": url, "LANG": "en_US.UTF-8", "LC_ALL": "en_US.UTF-8"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
