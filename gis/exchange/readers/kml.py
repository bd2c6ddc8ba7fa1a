"""KML and KMZ: every Placemark a row (OGC 12-007r2).

Coordinates are WGS 84 by the standard; exports of Chinese map
programs may be GCJ-02 all the same.
"""

import re
import shutil
import weakref
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely

from gis.errors import BadInput
from gis.exchange.readers.archive import unpack
from gis.exchange.readers.geometry import note_height
from gis.exchange.readers.placemarks import Placemark, Shape, broken_kml, parse_kml
from gis.exchange.readers.source import Batch, Findings, ReadOptions
from gis.exchange.readers.text import BROKEN
from gis.exchange.readers.text_stream import characters, settle_text_encoding
from gis.text import Text

_COMMA = re.compile(r"\s*,\s*")

_NO_GEOMETRY = Text("地标没有几何", "the Placemark has no geometry")
_BAD_GEOMETRY = Text("坐标不完整或不是数值", "the coordinates are incomplete or not numbers")
_BAD_TEXT = Text("文字不符合文件的编码", "the text does not fit the file's encoding")


class KmlSource:
    """A KML file; `rows` are the ordinals of its Placemarks, all values are text, `folder` tells where each stood."""

    crs: str | None = "EPSG:4326"

    def __init__(self, path: Path, kml: Path, options: ReadOptions) -> None:
        self.path = path
        self.findings = Findings()
        self._kml = kml
        self._options = options
        self._encoding = settle_text_encoding(kml, options.encoding, self.findings)
        names, count = dict.fromkeys(["name", "folder"]), 0
        for _, placemark in self._placemarks():
            names.update(dict.fromkeys(placemark.values))
            count += 1
        if options.layer is not None and count == 0:
            raise BadInput(f"{path.name} has no folder {options.layer!r}",
                           f"{path.name} 中没有名为 {options.layer!r} 的文件夹", subject=options.layer)  # fmt: skip
        self.total_rows: int | None = count
        self._names = list(names)
        self.findings.decide("crs", "EPSG:4326", "KML 规定为 WGS 84,但国内地图软件导出的可能是 GCJ-02",
                             "KML fixes WGS 84, but exports of Chinese map programs may be GCJ-02",
                             sure=False)  # fmt: skip
        self.findings.decide_columns(self._names)

    def batches(self) -> Iterator[Batch]:
        """The Placemarks in the file's order; those without readable coordinates are refused."""
        self.findings.begin()
        found = self._placemarks()
        while chunk := list(islice(found, self._options.batch_rows)):
            yield self._batch(chunk)

    def _placemarks(self) -> Iterator[tuple[int, Placemark]]:
        found = parse_kml(self.path.name, characters(self._kml, self._encoding), self.findings)
        layer = self._options.layer
        return ((row, p) for row, p in enumerate(found, 1) if layer is None or layer in p.folders)

    def _batch(self, chunk: Sequence[tuple[int, Placemark]]) -> Batch:
        rows = np.array([row for row, _ in chunk], dtype=np.int64)
        shapes = np.full(len(rows), None, dtype=object)
        keep = np.zeros(len(rows), dtype=bool)
        for at, (row, placemark) in enumerate(chunk):
            if any(BROKEN in v for v in placemark.values.values()):
                self.findings.reject(row, "bad-text", _BAD_TEXT, placemark.values.get("name", ""))
            elif placemark.shape is None:
                self.findings.reject(row, "no-geometry", _NO_GEOMETRY, placemark.values.get("name", ""))
            else:
                try:
                    with np.errstate(invalid="ignore"):  # NaN is found, and listed, when the row is placed
                        shapes[at] = _geometry(placemark.shape)
                    keep[at] = True
                except (ValueError, shapely.errors.GEOSException, RecursionError):
                    said = " ".join(placemark.shape.coordinates)[:80]
                    self.findings.reject(row, "bad-geometry", _BAD_GEOMETRY, said)
        if shapely.has_z(shapes[keep]).any():
            note_height(self.findings)
            shapes = shapely.force_2d(shapes)
        columns = {name: pa.array([_value(p, name) for _, p in chunk], pa.string()) for name in self._names}
        return Batch(rows=rows, table=pa.table(columns), shapes=shapes).take(keep)


def open_kml(path: Path, options: ReadOptions) -> KmlSource:
    """A .kml, or the first .kml inside a .kmz. Raises BadInput when it is no XML, cut off, or declares entities."""
    if path.suffix.lower() not in (".kmz", ".zip"):
        return KmlSource(path, path, options)
    folder, members = unpack(path, frozenset({".kml"}))
    try:
        if not members:
            raise broken_kml(path.name, "there is no .kml inside", "其中没有 .kml")
        source = KmlSource(path, members[0].path, options)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(source, shutil.rmtree, folder, ignore_errors=True)
    return source


def _geometry(shape: Shape) -> shapely.Geometry:
    if shape.kind in ("MultiGeometry", "MultiTrack"):
        return _joined([_geometry(part) for part in shape.parts])
    rings = [_positions(text) for text in shape.coordinates]
    if shape.kind == "Track":
        return shapely.linestrings(np.concatenate([p[:1] for p in rings]))
    if not rings or not len(rings[0]):
        raise ValueError("no coordinates")
    if shape.kind == "Point":
        return shapely.points(rings[0][0])
    if shape.kind == "Polygon":
        holes = [shapely.linearrings(ring) for ring in rings[1:]]
        return shapely.polygons(shapely.linearrings(rings[0]), holes or None)
    return shapely.linestrings(rings[0])


def _joined(parts: list[shapely.Geometry]) -> shapely.Geometry:
    joined = shapely.geometrycollections(parts)
    kinds = {shapely.get_type_id(part) for part in parts}
    if len(kinds) != 1:
        return joined
    multi = {0: shapely.multipoints, 1: shapely.multilinestrings, 3: shapely.multipolygons}.get(kinds.pop())
    return joined if multi is None else multi(parts)


def _positions(text: str) -> np.typing.NDArray[np.float64]:
    """ "lon,lat[,height]" tuples between blanks; gx:coord has blanks between the numbers."""
    tuples = [t.split(",") for t in _COMMA.sub(",", text).split()]
    if tuples and all(len(t) == 1 for t in tuples):
        tuples = [[t[0] for t in tuples]]
    width = min((len(t) for t in tuples), default=0)
    if width < 2:
        raise ValueError(text[:80])
    return np.array([[float(n) for n in t[: min(width, 3)]] for t in tuples])


def _value(placemark: Placemark, name: str) -> str | None:
    if name == "folder":
        return placemark.values.get(name) or "/".join(placemark.folders) or None
    return placemark.values.get(name)
