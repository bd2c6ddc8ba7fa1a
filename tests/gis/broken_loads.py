"""Broken files with what is to come of them: refused, or so many rows taken and so many listed."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from tests.gis.broken_files import (
    BROKEN_TABLES,
    HEAD,
    KINDS,
    ROWS,
    SHEET,
    WRONG_ENCODING,
    Kind,
    book,
    with_sheet,
    zip_of,
)  # fmt: skip

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
