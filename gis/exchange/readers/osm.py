"""OpenStreetMap files, .osm and .pbf: one layer a reading, assembled by osmium.

Node locations are kept in memory for files up to `MEMORY_FILE_BYTES`, past that in a temporary file, so that memory
stays bounded. OSM coordinates are WGS 84; the objects keep their ids as `n1`, `w1`, `r1`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from gis.catalog import Geometry
from gis.errors import BadInput
from gis.exchange.readers.osm_tags import LAYERS, OsmLayer, Values
from gis.exchange.readers.source import Batch, Findings, ReadOptions
from gis.text import Text

MEMORY_FILE_BYTES = 256 << 20

_INCOMPLETE = Text("道路的节点不在文件中,或不足两个", "the way's nodes are not in the file, or are fewer than two")
_NO_RING = Text(
    "不能围成面:未闭合、成员缺失或自相交", "it encloses no area: not closed, members missing, or crossing itself"
)
_NOT_AREA = Text("关系不是 multipolygon,不围成面", "the relation is no multipolygon and encloses no area")
_BAD_TEXT = Text("标签文字不是 UTF-8", "its tags are not UTF-8")


@dataclass(slots=True)
class _Rows:
    """The rows of the batch that is being filled."""

    rows: list[int] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    values: list[Values] = field(default_factory=list)
    geometries: list[Any] = field(default_factory=list)


class OsmSource:
    """One layer of an OSM file; `rows` count the objects of the layer, refused ones included, as they complete."""

    crs: str | None = "EPSG:4326"
    total_rows: int | None = None

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self.path = path
        self.findings = Findings()
        self._options = options
        name = options.layer or options.prefer or ""
        self._layer = _choose_layer(path, name)
        self._check_header()
        zh, en = ("由用户指定", "named by the user") if options.layer else ("与数据集同名", "named as the collection")
        rule = self._layer.rule
        self.findings.decide("layer", name, f"{zh};规则:{rule}", f"{en}; the rule: {rule}")
        self.findings.decide("crs", "EPSG:4326", "OSM 坐标均为 WGS 84", "OSM coordinates are WGS 84")
        self.findings.decide("encoding", "utf-8", "OSM 文件均为 UTF-8", "OSM files are UTF-8")
        self.findings.decide_columns(["osm_id", *self._layer.columns])

    def batches(self) -> Iterator[Batch]:
        """The layer's objects, areas as soon as they are complete. Raises BadInput where the file breaks off."""
        self.findings.begin()
        found = _Rows()
        for row, osm_id, values, geometry in self._objects():
            found.rows.append(row)
            found.ids.append(osm_id)
            found.values.append(values)
            found.geometries.append(geometry)
            if len(found.rows) >= self._options.batch_rows:
                yield self._batch(found)
                found = _Rows()
        if found.rows:
            yield self._batch(found)

    def _objects(self) -> Iterator[tuple[int, str, Values, Any]]:
        wkb = osmium.geom.WKBFactory()
        open_areas: dict[str, Text] = {}
        closed: set[str] = set()  # relations follow their areas: these are done when they come
        row = 0
        for thing in self._raw_objects():
            osm_id, kind = _id_and_kind(thing)
            try:
                tags = {t.k: t.v for t in thing.tags}
            except UnicodeDecodeError:
                row += 1
                self.findings.reject(row, "bad-text", _BAD_TEXT, osm_id)
                continue
            if not self._layer.wanted(tags):
                continue
            if self._layer.geometry is Geometry.POLYGON and kind != "a":
                if osm_id not in closed:
                    open_areas[osm_id] = _why_open(kind, tags)
                continue
            row += 1
            geometry = _geometry(thing, kind, wkb)
            if geometry is None:
                if kind == "w":
                    self.findings.reject(row, "bad-geometry", _INCOMPLETE, osm_id)
                    continue
                row -= 1  # an area without rings stays open and is listed at the end
                continue
            if open_areas.pop(osm_id, None) is None:
                closed.add(osm_id)
            yield row, osm_id, self._layer.values(tags), geometry
        for osm_id, text in open_areas.items():
            row += 1
            self.findings.reject(row, "bad-geometry", text, osm_id)

    def _raw_objects(self) -> Iterator[Any]:
        keys = osmium.filter.KeyFilter(*self._layer.keys)
        if self._layer.geometry is Geometry.POINT:
            processor = osmium.FileProcessor(str(self.path), osmium.osm.NODE)
        else:
            storage = "flex_mem" if self.path.stat().st_size <= MEMORY_FILE_BYTES else "sparse_file_array"
            processor = osmium.FileProcessor(str(self.path)).with_locations(storage)
            if self._layer.geometry is Geometry.POLYGON:
                processor = processor.with_areas(osmium.filter.KeyFilter(*self._layer.keys))
            else:
                processor = processor.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
        objects: Iterator[Any] = iter(processor.with_filter(keys))
        while True:
            try:
                thing = next(objects, None)
            except (RuntimeError, OSError, ValueError, osmium.InvalidLocationError) as error:
                raise _unreadable(self.path, error) from error
            if thing is None:
                return
            if self._layer.geometry is Geometry.POINT or not thing.is_node():
                yield thing

    def _batch(self, found: _Rows) -> Batch:
        columns = {"osm_id": pa.array(found.ids, pa.string())}
        for name, kind in self._layer.columns.items():
            columns[name] = pa.array([v[name] for v in found.values], kind)
        rows = np.array(found.rows, dtype=np.int64)
        if self._layer.geometry is Geometry.POINT:
            return Batch(rows=rows, table=pa.table(columns), points=np.array(found.geometries, dtype=np.float64))
        return Batch(rows=rows, table=pa.table(columns), shapes=_single_parts(shapely.from_wkb(found.geometries)))

    def _check_header(self) -> None:
        try:
            with osmium.io.Reader(str(self.path), osmium.osm.NOTHING) as reader:
                stamp = reader.header().get("osmosis_replication_timestamp", "")
        except (RuntimeError, OSError) as error:
            raise _unreadable(self.path, error) from error
        if stamp:
            self.findings.decide("date", stamp, "文件头中的数据日期", "the date of the data in the file's header")


def open_osm(path: Path, options: ReadOptions) -> OsmSource:
    """One layer (`options.layer`: roads, buildings, pois, land or water) of a .osm or .osm.pbf.

    Raises BadInput when no layer is named, or the file is no OSM file or cut off.
    """
    return OsmSource(path, options)


def _choose_layer(path: Path, name: str | None) -> OsmLayer:
    found = LAYERS.get(name or "")
    if found is None:
        raise BadInput(
            f"{path.name} is an OpenStreetMap file: name what to read from it with --layer: {', '.join(LAYERS)}",
            f"{path.name} 是 OpenStreetMap 文件:请用 --layer 指定要读取的图层:{'、'.join(LAYERS)}",
            subject=name or str(path),
        )
    return found


def _id_and_kind(thing: Any) -> tuple[str, str]:
    kind = str(thing.type_str())
    if kind == "a":
        return f"{'w' if thing.from_way() else 'r'}{thing.orig_id()}", kind
    return f"{kind}{thing.id}", kind


def _why_open(kind: str, tags: dict[str, str]) -> Text:
    return _NOT_AREA if kind == "r" and tags.get("type") not in ("multipolygon", "boundary") else _NO_RING


def _geometry(thing: Any, kind: str, wkb: Any) -> Any:
    if kind == "n":
        return (thing.location.lon, thing.location.lat) if thing.location.valid() else (np.nan, np.nan)
    try:
        return wkb.create_multipolygon(thing) if kind == "a" else wkb.create_linestring(thing)
    except (RuntimeError, osmium.InvalidLocationError):
        return None


def _single_parts(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Multipolygons of one part as plain polygons: osmium writes every area as a multipolygon."""
    single = shapely.get_num_geometries(shapes) == 1
    shapes[single] = shapely.get_geometry(shapes[single], 0)
    return shapes


def _unreadable(path: Path, error: Exception) -> BadInput:
    return BadInput(
        f"{path.name} cannot be read as OpenStreetMap data: {error}; download it again",
        f"{path.name} 无法按 OpenStreetMap 数据读取:{error};请重新下载",
        subject=str(path),
    )
