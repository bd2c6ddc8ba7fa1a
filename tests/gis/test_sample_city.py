"""The sample city: repeatable, without gaps or overlaps, with codes that a second implementation accepts."""

import hashlib
import json
import sqlite3
import struct
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from python_calamine import CalamineWorkbook, SheetVisibleEnum

from gis.codes.finding import Verdict
from gis.codes.grid_code import check

SAMPLES = Path(__file__).resolve().parents[2] / "data-samples"
COMMITTED = SAMPLES / "luan"
DAYS = ("2018-06-01", "2020-06-01", "2025-06-01")


@pytest.fixture(scope="module")
def generator() -> Iterator[Any]:
    sys.path.insert(0, str(SAMPLES))
    import sample_city

    yield sample_city
    sys.path.remove(str(SAMPLES))


@pytest.fixture(scope="module")
def remade(generator: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The committed city, made again."""
    folder: Path = tmp_path_factory.mktemp("luan")
    manifest = json.loads((COMMITTED / "manifest.json").read_text(encoding="utf-8"))
    generator.write_city(folder, manifest["people"], manifest["seed"])
    return folder


@pytest.fixture(scope="module")
def key() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((COMMITTED / "answer_key.json").read_text(encoding="utf-8"))["files"]
    return found


def vector(name: str, **options: Any) -> gpd.GeoDataFrame:
    return pyogrio.read_dataframe(COMMITTED / name, **options)


@pytest.fixture(scope="module")
def divisions() -> gpd.GeoDataFrame:
    return vector("divisions.gpkg").to_crs(4548)


@pytest.fixture(scope="module")
def buildings(key: dict[str, Any]) -> gpd.GeoDataFrame:
    """The buildings as they stand: without the rows that the answer key calls broken."""
    found = vector("buildings.shp", encoding="GBK")
    crossed = {n["row"] for n in key["buildings.shp"]["notes"] if n["what"] == "self-crossing outline"}
    sound = [n + 1 not in crossed for n in range(len(found))]
    return found[np.array(sound) & found.geometry.notna().to_numpy()].reset_index(drop=True)


def files(folder: Path) -> dict[str, Path]:
    """All files below a folder by their paths within it."""
    return {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}


def content(path: Path) -> bytes:
    """A file's bytes; of a GeoPackage its rows, since SQLite's pages differ from version to version."""
    if path.suffix != ".gpkg":
        return path.read_bytes()
    with sqlite3.connect(path) as base:
        tables = [r[0] for r in base.execute("SELECT table_name FROM gpkg_contents ORDER BY 1")]
        rows = [row for table in tables for row in base.execute(f'SELECT * FROM "{table}"')]
    base.close()
    return repr(rows).encode()


@pytest.mark.parametrize("kind", ["城管单元网格", "综治网格", "警务区"])
def test_grids_of_a_kind_do_not_overlap(divisions: gpd.GeoDataFrame, kind: str) -> None:
    grids = vector("grids.gpkg").to_crs(4548)
    found = grids[grids["网格类型"] == kind]
    assert found["网格编码"].is_unique and len(found) > 50
    assert shapely.coverage_is_valid(found.geometry.to_numpy())
    if kind == "警务区":
        return
    assert all(check(code).verdict is Verdict.OK for code in found["网格编码"])
    assert list(found["所属单位"]) == [code[:12] for code in found["网格编码"]]
    communities = divisions[divisions["停用日期"].isna()].set_index("区划代码").geometry
    within = communities.loc[found["所属单位"]].to_numpy()
    assert shapely.area(shapely.difference(found.geometry.to_numpy(), within)).max() < 1.0
    for _, grids_of in found.groupby("所属单位"):
        serial = [int(code[12:]) for code in grids_of["网格编码"]]
        assert serial == list(range(1, len(serial) + 1))


def test_the_same_seed_gives_the_same_bytes(generator: Any, tmp_path: Path) -> None:
    digests = []
    for name in ("a", "b"):
        generator.write_city(tmp_path / name, 300, seed=5)
        digests.append({n: hashlib.sha256(p.read_bytes()).digest() for n, p in files(tmp_path / name).items()})
    assert digests[0] == digests[1]
    assert len(digests[0]) > 15


def test_another_seed_gives_another_city(generator: Any, tmp_path: Path) -> None:
    for seed in (1, 2):
        generator.write_city(tmp_path / str(seed), 300, seed=seed)
    assert (tmp_path / "1" / "persons.csv").read_bytes() != (tmp_path / "2" / "persons.csv").read_bytes()


@pytest.mark.parametrize("people", [0, -1, 10_000_001])
def test_a_size_out_of_range_is_refused(generator: Any, tmp_path: Path, people: int) -> None:
    with pytest.raises(ValueError, match="people must be from 1"):
        generator.write_city(tmp_path, people)


def test_the_committed_files_are_what_the_generator_makes(remade: Path) -> None:
    assert sorted(files(remade)) == sorted(files(COMMITTED))
    for name, path in files(COMMITTED).items():
        if name != "manifest.json":
            assert content(remade / name) == content(path), name


def test_the_manifest_names_every_file_with_its_digest() -> None:
    manifest = json.loads((COMMITTED / "manifest.json").read_text(encoding="utf-8"))
    listed = {name: digest for entry in manifest["files"] for name, digest in entry["sha256"].items()}
    actual = {name: hashlib.sha256(p.read_bytes()).hexdigest() for name, p in files(COMMITTED).items()}
    assert listed == {name: actual[name] for name in listed}
    assert sum(p.stat().st_size for p in files(COMMITTED).values()) < 9_000_000
    assert [e["collection"] for e in manifest["files"]][:2] == ["base.divisions", "base.roads"]
    assert {e["licence"] for e in manifest["files"]} == {"CC0-1.0"}


def valid_on(divisions: gpd.GeoDataFrame, day: str) -> gpd.GeoDataFrame:
    ended = divisions["停用日期"].fillna("9999")
    return divisions[(divisions["启用日期"] <= day) & (ended > day)]


@pytest.mark.parametrize("day", DAYS)
def test_divisions_nest_without_gaps_or_overlaps(divisions: gpd.GeoDataFrame, key: dict[str, Any], day: str) -> None:
    now = valid_on(divisions, day)
    assert now["区划代码"].is_unique
    counts = Counter(str(level) for level in now["级别"])
    assert dict(counts) == key["divisions.gpkg"]["counts"][f"valid on {day}"]
    area = dict(zip(now["区划代码"], now.geometry.area, strict=True))
    for level in (3, 4, 5):
        rows = now[now["级别"] == level]
        assert shapely.coverage_is_valid(rows.geometry.to_numpy())
        for parent, children in rows.groupby("上级代码"):
            assert children.geometry.area.sum() == pytest.approx(area[parent], rel=1e-9)


def test_a_street_is_split_and_a_village_renamed(divisions: gpd.GeoDataFrame) -> None:
    before, after = valid_on(divisions, "2020-06-01"), valid_on(divisions, "2025-06-01")
    assert "341502005000" not in set(before["区划代码"])
    old = before[before["区划代码"] == "341502003000"].geometry.area.sum()
    new = after[after["区划代码"].isin(["341502003000", "341502005000"])].geometry.area.sum()
    assert new == pytest.approx(old)
    names = divisions[divisions["区划代码"] == "341502001008"].sort_values("启用日期")["名称"].tolist()
    assert names == ["卫生巷居委会", "健康苑社区"]


def test_a_partition_keeps_every_label_where_it_was(generator: Any) -> None:
    from sample_city.lattice import LINES, make_lattice, smooth_noise
    from sample_city.partition import polygons

    lattice = make_lattice(3)
    middle = lattice.centres()
    noise = smooth_noise(middle[..., 0], middle[..., 1], 9000, np.random.default_rng(3))
    labels = np.digitize(noise, [-0.4, 0.0, 0.4]).astype(np.int64)
    areas = polygons(lattice, labels, np.zeros((2 * LINES + 1,) * 2, dtype=bool))
    raster_m2 = np.bincount(labels.ravel(), lattice.areas_ha().ravel() * 1e4)
    assert [shape.area for shape in areas.values()] == pytest.approx(raster_m2.tolist(), rel=0.05)
    assert shapely.coverage_is_valid(list(areas.values()))


def overlaps(shapes: Any, others: Any, tolerance_m2: float = 0.05) -> list[tuple[int, int]]:
    tree = shapely.STRtree(others)
    found = []
    for a, b in zip(*tree.query(shapes, predicate="intersects"), strict=True):
        if (shapes is not others or a < b) and shapes[a].intersection(others[b]).area > tolerance_m2:
            found.append((int(a), int(b)))
    return found


def test_buildings_stand_clear_of_each_other_of_streets_and_of_water(buildings: gpd.GeoDataFrame) -> None:
    shapes = buildings.geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    roads = vector("roads.gpkg").to_crs(4548)
    half_m = np.minimum(roads["路宽m"].to_numpy(), 36.0) / 2
    assert overlaps(shapes, shapes) == []
    assert overlaps(shapes, shapely.buffer(roads.geometry.to_numpy(), half_m, cap_style="flat")) == []
    assert overlaps(shapes, vector("water.shp", encoding="GBK").to_crs(4548).geometry.to_numpy()) == []


def test_only_bridges_cross_the_water() -> None:
    roads, water = vector("roads.gpkg").to_crs(4548), vector("water.shp", encoding="GBK").to_crs(4548)
    wet = shapely.STRtree(water.geometry.to_numpy()).query(roads.geometry.to_numpy(), predicate="intersects")
    names = {str(roads["道路名称"].iloc[a]) for a, b in zip(*wet, strict=True)
             if roads.geometry.iloc[a].intersection(water.geometry.iloc[b]).length > 1}  # fmt: skip
    assert names
    assert {n for n in names if not n.endswith("大桥")} == set()


def test_land_does_not_overlap_land_or_water() -> None:
    land, water = vector("land.kml").to_crs(4548), vector("water.shp", encoding="GBK").to_crs(4548)
    shapes = land.geometry.to_numpy()
    assert overlaps(shapes, shapes, 5.0) == []
    assert overlaps(shapes, water.geometry.to_numpy(), 5.0) == []


def test_buildings_lie_in_the_division_of_their_code(divisions: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame) -> None:
    villages = valid_on(divisions, "2025-06-01").query("级别 == 5").reset_index(drop=True)
    points = buildings.geometry.representative_point().to_numpy()
    row, village = shapely.STRtree(villages.geometry.to_numpy()).query(points, predicate="within")
    found = villages["区划代码"].to_numpy()[village]
    assert (found == buildings["建筑编码"].str[:12].to_numpy()[row]).all()
    assert len(row) == len(buildings)


def id_fault(number: str) -> str:
    """GB 11643-1999, once more: "" when the number is right."""
    weights = [2 ** (17 - k) % 11 for k in range(17)]
    if len(number) != 18 or not number[:17].isdigit():
        return "form"
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return "date"
    rest = sum(int(c) * w for c, w in zip(number, weights, strict=False)) % 11
    return "" if number[17].upper() == "0X"[rest == 2] or number[17] == str((12 - rest) % 11) else "check"


def test_persons_are_valid_but_for_the_rows_in_the_key(key: dict[str, Any]) -> None:
    lines = (COMMITTED / "persons.csv").read_text(encoding="gb18030").splitlines()
    rejects = {r["row"]: r["reason"] for r in key["persons.csv"]["rejects"]}
    seen: set[str] = set()
    found: dict[int, str] = {}
    for line, text in enumerate(lines[1:], start=2):
        name, sex, number, born, *_ = text.split(",")
        fault = id_fault(number) or ("twice" if number in seen else "")
        if fault:
            found[line] = fault
            continue
        seen.add(number)
        assert number[6:14] == born.replace("-", "")
        assert (int(number[16]) % 2 == 1) == (sex == "男"), name
    words = {"form": "damaged by Excel", "date": "impossible date", "check": "wrong check", "twice": "given twice"}
    assert found.keys() == rejects.keys()
    assert all(words[fault] in rejects[row] for row, fault in found.items())
    assert len(lines) - 1 == key["persons.csv"]["rows"]


def credit_code_is_right(code: str) -> bool:
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    body = sum(int(c, 36) * w for c, w in zip(code[8:16], (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    organisation = "0123456789X"[(11 - body % 11) % 11]
    total = sum(alphabet.index(c) * 3**k for k, c in enumerate(code[:17]))
    return len(code) == 18 and code[16] == organisation and code[17] == alphabet[(31 - total % 31) % 31]


def test_entities_have_right_codes_and_the_damage_in_the_key(key: dict[str, Any]) -> None:
    book = CalamineWorkbook.from_path(str(COMMITTED / "entities.xlsx"))
    assert [s.name for s in book.sheets_metadata] == ["法人单位", "字典"]
    assert [s.visible for s in book.sheets_metadata] == [SheetVisibleEnum.Visible, SheetVisibleEnum.Hidden]
    rows = book.get_sheet_by_name("法人单位").to_python()
    codes = [str(row[0]) for row in rows[2:]]
    assert all(credit_code_is_right(c) for c in codes)
    assert len(set(codes)) == len(codes) == key["entities.xlsx"]["rows"]
    damaged = [n for n, row in enumerate(rows, start=1) if isinstance(row[8], float)]
    assert damaged == [n["row"] for n in key["entities.xlsx"]["notes"]]


def test_files_have_the_faults_that_the_key_names(key: dict[str, Any]) -> None:
    assert not (COMMITTED / "buildings.cpg").exists()
    assert (COMMITTED / "water.cpg").read_text(encoding="ascii") == "UTF-8"
    with pytest.raises(UnicodeDecodeError):
        (COMMITTED / "water.dbf").read_bytes().decode("utf-8")
    addresses = (COMMITTED / "addresses.csv").read_text(encoding="gbk").splitlines()
    assert addresses[1].startswith("地址编码,标准地址")
    assert len(addresses) - 2 == key["addresses.csv"]["rows"]
    for reject in key["addresses.csv"]["rejects"]:
        assert addresses[reject["row"] - 1].startswith(reject["code"])
    empty = np.flatnonzero(vector("buildings.shp", encoding="GBK").geometry.isna().to_numpy()) + 1
    assert empty.tolist() == [r["row"] for r in key["buildings.shp"]["rejects"]]
    with (COMMITTED / "buildings.dbf").open("rb") as file:
        assert struct.unpack("<I", file.read(8)[4:])[0] == key["buildings.shp"]["rows"]


def test_no_address_is_given_twice() -> None:
    main = (COMMITTED / "addresses.csv").read_text(encoding="gbk").splitlines()[2:]
    supplement = (COMMITTED / "addresses_supplement.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
    texts = [unicodedata.normalize("NFKC", line.split(",")[1]) for line in main + supplement]
    assert [text for text, times in Counter(texts).items() if times > 1] == []


@pytest.mark.parametrize(("name", "least_m", "most_m"), [("pois.geojson", 450, 620), ("roads.gpkg", 0, 0.2)])
def test_samples_tell_the_true_place(key: dict[str, Any], name: str, least_m: float, most_m: float) -> None:
    frame = vector(name).to_crs(4548)
    for sample in key[name]["samples"]:
        true = gpd.GeoSeries.from_xy([sample["lon"]], [sample["lat"]], crs=4326).to_crs(4548).iloc[0]
        assert least_m <= frame.geometry.iloc[sample["row"] - 1].distance(true) <= most_m


def test_counts_by_village_are_those_in_the_files(key: dict[str, Any], buildings: gpd.GeoDataFrame) -> None:
    counts = key["buildings.shp"]["counts"]["village"]
    assert sum(counts.values()) == key["buildings.shp"]["rows"] - len(key["buildings.shp"]["rejects"])
    people = key["persons.csv"]["counts"]["village"]
    assert sum(people.values()) == json.loads((COMMITTED / "manifest.json").read_text(encoding="utf-8"))["people"]
    assert set(people) <= set(counts)


def test_hamlets_of_one_name_in_a_village_are_told_apart(generator: Any) -> None:
    from sample_city.places import Surveyor

    surveyor = Surveyor(SimpleNamespace(lattice=SimpleNamespace(seed=1)))
    named = [surveyor.distinct(village, "郝家岗大井组") for village in ("341502004011", "341502004012", "341502004011")]
    assert named == ["郝家岗大井组", "郝家岗大井组", "郝家岗大井东组"]
