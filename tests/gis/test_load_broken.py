"""Broken files on their way into a register: all that can be taken is taken and the rest listed, or nothing changes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

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
    KINDS,
    frame,
)  # fmt: skip
from tests.gis.broken_loads import (
    CASES,
    NAMELESS,
    PLACE,
    REFUSED,
    Case,
    a_folder,
    bomb,
    cut_off,
    written,
)
from tests.gis.register_state import State, assert_adds_up, bring_back, empty, keep, state


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
