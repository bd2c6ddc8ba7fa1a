"""GeoJSON collections and GeoJSON lines: read twice, first for the columns, then for the rows.

RFC 7946 fixes WGS 84, so the declaration proves little: Chinese web maps export GCJ-02 in it.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from gis.errors import BadInput
from gis.exchange.readers.declared_crs import crs_name
from gis.exchange.readers.json_stream import JsonStream, features, lines, parse
from gis.exchange.readers.source import Batch, Findings, ReadOptions
from gis.exchange.readers.text import BROKEN
from gis.exchange.readers.text_stream import characters, settle_text_encoding
from gis.text import Text

_TYPES = frozenset(
    {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"}
)
_INT64 = 1 << 63

_NOT_A_FEATURE = Text("这一项不是 GeoJSON 要素", "this item is not a GeoJSON feature")
_BAD_LINE = Text("这一行不是 JSON", "this line is not JSON")
_NO_GEOMETRY = Text("要素没有几何", "the feature has no geometry")
_BAD_GEOMETRY = Text(
    "几何不完整或坐标不合规范", "the geometry is incomplete or its coordinates are not as they should be"
)
_BAD_TYPE = Text("未知的几何类型", "an unknown type of geometry")
_NAN = Text("坐标不是数值", "a coordinate is not a number")
_BAD_TEXT = Text("文字不符合文件的编码", "the text does not fit the file's encoding")


class GeoJsonSource:
    """A GeoJSON file; `rows` are the ordinals of the features, or the numbers of the lines of a text sequence."""

    def __init__(self, path: Path, options: ReadOptions, *, by_line: bool) -> None:
        self.path = path
        self.findings = Findings()
        self._options = options
        self._by_line = by_line
        self._encoding = settle_text_encoding(path, options.encoding, self.findings)
        self._types: dict[str, set[type]] = {}
        self._head: dict[str, Any] = {}
        self.total_rows: int | None = self._survey()
        self.crs: str | None = self._declared_crs()
        self.findings.decide_columns(list(self._types))

    def batches(self) -> Iterator[Batch]:
        """The features in the file's order; what is no feature or has no readable geometry is refused."""
        self.findings.begin()
        found = self._features(self.findings)
        while chunk := list(islice(found, self._options.batch_rows)):
            yield self._batch(chunk)

    def _features(self, findings: Findings | None) -> Iterator[tuple[int, dict[str, Any]]]:
        items = self._lines(findings) if self._by_line else self._collection()
        for row, item in items:
            if isinstance(item, dict) and item.get("type") in _TYPES:
                yield row, {"properties": {}, "geometry": item}
            elif isinstance(item, dict) and item.get("type") == "Feature":
                yield row, item
            elif findings is not None:
                findings.reject(row, "not-a-feature", _NOT_A_FEATURE, json.dumps(item)[:80])

    def _collection(self) -> Iterator[tuple[int, Any]]:
        stream = JsonStream(characters(self.path, self._encoding), self.path.name)
        self._head = {}
        return enumerate(features(stream, self._head), 1)

    def _lines(self, findings: Findings | None) -> Iterator[tuple[int, Any]]:
        for number, line in lines(characters(self.path, self._encoding)):
            try:
                yield number, parse(line)
            except (json.JSONDecodeError, RecursionError):
                if findings is not None:
                    findings.reject(number, "bad-json", _BAD_LINE, line[:80])

    def _survey(self) -> int:
        """Learn every property and its types, and how many features there are; a text that breaks off is found here."""
        count = 0
        for _, feature in self._features(None):
            count += 1
            for name, value in _properties(feature).items():
                self._types.setdefault(name, set()).add(_type_of(value))
        if count == 0 and self._by_line and not any(True for _ in self._lines_that_parse()):
            self._refuse_unless_empty()
        return count

    def _lines_that_parse(self) -> Iterator[Any]:
        return (item for _, item in self._lines(None))

    def _refuse_unless_empty(self) -> None:
        if any(True for _ in lines(characters(self.path, self._encoding))):
            raise BadInput(
                f"{self.path.name} holds no line of GeoJSON",
                f"{self.path.name} 中没有一行是 GeoJSON",
                subject=str(self.path),
            )

    def _declared_crs(self) -> str:
        declared = self._head.get("crs")
        name = declared.get("properties", {}).get("name") if isinstance(declared, dict) else None
        named = crs_name(name)
        if named is not None and "CRS84" not in str(name):
            self.findings.decide("crs", named, f"文件的 crs 成员(2008 版 GeoJSON):{name}",
                                 f"the file's crs member (GeoJSON 2008): {name}")  # fmt: skip
            return named
        self.findings.decide("crs", "EPSG:4326", "RFC 7946 规定为 WGS 84,但国内网站导出的常为 GCJ-02",
                             "RFC 7946 fixes WGS 84, but Chinese web exports are often GCJ-02",
                             sure=False)  # fmt: skip
        return "EPSG:4326"

    def _batch(self, chunk: Sequence[tuple[int, dict[str, Any]]]) -> Batch:
        rows = np.array([row for row, _ in chunk], dtype=np.int64)
        properties = [_properties(feature) for _, feature in chunk]
        columns = {name: _column(properties, name, types) for name, types in self._types.items()}
        table = pa.table(columns) if columns else pa.table({"none": pa.nulls(len(rows))}).select([])
        geometries = [feature.get("geometry") for _, feature in chunk]
        keep = np.ones(len(rows), dtype=bool)
        for index, held in enumerate(properties):
            if any(isinstance(v, str) and BROKEN in v for v in held.values()):
                keep[index] = False
                self.findings.reject(int(rows[index]), "bad-text", _BAD_TEXT, str(held)[:80])
        points = _points(geometries)
        if points is not None:
            return Batch(rows=rows, table=table, points=points).take(keep)
        shapes = _shapes(geometries)
        for at in np.flatnonzero(shapely.is_missing(shapes) & keep):
            keep[at] = False
            reason, text = _fault(geometries[at])
            self.findings.reject(rows[at], reason, text, json.dumps(geometries[at])[:80])
        return Batch(rows=rows, table=table, shapes=shapes).take(keep)


def open_geojson(path: Path, options: ReadOptions) -> GeoJsonSource:
    """A GeoJSON text. Raises BadInput when it is no GeoJSON or cut off."""
    return GeoJsonSource(path, options, by_line=False)


def open_geojson_lines(path: Path, options: ReadOptions) -> GeoJsonSource:
    """One feature a line (RFC 8142 or newline-delimited). Raises BadInput when no line is JSON."""
    return GeoJsonSource(path, options, by_line=True)


def _properties(feature: dict[str, Any]) -> dict[str, Any]:
    held = feature.get("properties")
    properties = held if isinstance(held, dict) else {}
    if "id" in feature and "id" not in properties:
        return {"id": feature["id"], **properties}
    return properties


def _type_of(value: Any) -> type:
    if isinstance(value, int) and not isinstance(value, bool) and not -_INT64 <= value < _INT64:
        return str
    return type(value)


def _column(properties: Sequence[dict[str, Any]], name: str, types: set[type]) -> pa.Array:
    values = [held.get(name) for held in properties]
    known = types - {type(None)}
    if known and known <= {bool}:
        return pa.array(values, pa.bool_())
    if known and known <= {int}:
        return pa.array(values, pa.int64())
    if known and known <= {int, float}:
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    return pa.array(
        [v if v is None or isinstance(v, str) else json.dumps(v, ensure_ascii=False) for v in values], pa.string()
    )


def _points(geometries: Sequence[Any]) -> NDArray[np.float64] | None:
    """All points at once; None when one of them is anything else than a point of plain numbers."""
    try:
        if any(g["type"] != "Point" for g in geometries):
            return None
        xy = np.array([g["coordinates"][:2] for g in geometries])
    except (TypeError, KeyError, ValueError):
        return None
    if xy.shape != (len(geometries), 2) or xy.dtype.kind not in "if":
        return None
    return xy.astype(np.float64)


def _shapes(geometries: Sequence[Any]) -> NDArray[np.object_]:
    texts = [orjson.dumps(g).decode() if isinstance(g, dict) else None for g in geometries]
    shapes: NDArray[np.object_] = shapely.from_geojson(np.array(texts, dtype=object), on_invalid="ignore")
    return shapes


def _fault(geometry: Any) -> tuple[str, Text]:
    if geometry is None:
        return "no-geometry", _NO_GEOMETRY
    if not isinstance(geometry, dict) or geometry.get("type") not in _TYPES:
        return "bad-geometry", _BAD_TYPE
    if "NaN" in (said := json.dumps(geometry)) or "Infinity" in said:
        return "nan-coordinate", _NAN
    return "bad-geometry", _BAD_GEOMETRY
