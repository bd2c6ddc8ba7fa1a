"""Where a table keeps its geometry: two coordinate columns, one "x,y" column, or one of shapes; found and read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from gis.errors import BadInput
from gis.exchange.readers.angles import MISSING_WORDS, Readings, read_coordinates
from gis.exchange.readers.axes import (
    CHINA_LATITUDES,
    CHINA_LONGITUDES,
    NORTHINGS_M,
    ZONED_EASTINGS_M,
    Axes,
    settle_axes,
    share_within,
)
from gis.exchange.readers.coordinate_names import PARTNER, Role, datum_of, declared_crs, role_of
from gis.exchange.readers.shape_text import looks_like_shapes, read_shapes, srid_of
from gis.exchange.readers.source import Batch, Findings, ReadOptions
from gis.text import Text

_READABLE = 0.5
_BETWEEN = ",;、|\uff0c\uff1b"
_OPEN, _CLOSE = r"^[\s\[(\x{ff08}]*", r"[\s\])\x{ff09}]*$"
#: Angles hold spaces, so that a space separates only where nothing else does.
_PAIRS = (
    rf"{_OPEN}(?P<a>[^{_BETWEEN}]+?)\s*[{_BETWEEN}\t]\s*(?P<b>[^{_BETWEEN}]+?){_CLOSE}",
    rf"{_OPEN}(?P<a>[^\s{_BETWEEN}]+)\s+(?P<b>[^\s{_BETWEEN}]+?){_CLOSE}",
)
#: Of several pairs, the one in the datum that needs no conversion is taken.
_DATUM_ORDER = ("WGS 84", "CGCS2000", None, "Xian 1980", "Beijing 1954", "GCJ-02", "BD-09")
_CRS_COLUMNS = frozenset({"坐标系", "坐标系统", "坐标系名称", "空间参考", "crs", "srs", "datum", "epsg"})

NO_GEOMETRY = Text("没有坐标", "no coordinates")
BAD_COORDINATE = Text("坐标无法识别或超出范围", "coordinates that cannot be read or are out of range")


@dataclass(frozen=True, slots=True)
class Coordinates:
    """The geometry columns of a table: x then y for "xy", one column for "pair" and "shape"; and the CRS they declare.

    `axes` says whether first and second change places; it has no meaning for shapes.
    """

    kind: Literal["xy", "pair", "shape"]
    columns: tuple[str, ...]
    axes: Axes
    crs: str | None = None

    def read(self, rows: NDArray[np.int64], table: pa.Table, findings: Findings) -> Batch:
        """A batch whose geometry columns have become geometry; rows without a usable one are refused.

        Reasons: "no-geometry" (empty, or 0,0) and "bad-coordinate" (unreadable, not finite, degrees out of range).
        """
        written = [table[name].combine_chunks() for name in self.columns]
        rest = table.drop_columns(list(self.columns))
        if self.kind == "shape":
            shapes, missing = read_shapes(written[0])
            bad = shapely.is_missing(shapes) & ~missing
            batch = Batch(rows, rest, shapes=shapes)
        else:
            first, second = (read_coordinates(c) for c in (written if self.kind == "xy" else split_pairs(written[0])))
            points, missing, bad = self._points(first, second)
            batch = Batch(rows, rest, points=points)
        for at in np.flatnonzero(missing | bad):
            reason, text = ("no-geometry", NO_GEOMETRY) if missing[at] else ("bad-coordinate", BAD_COORDINATE)
            findings.reject(rows[at], reason, text, " / ".join(str(c[int(at)].as_py() or "") for c in written))
        return batch.take(~(missing | bad))

    def _points(
        self, first: Readings, second: Readings
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
        x, y = (second.values, first.values) if self.axes.swapped else (first.values, second.values)
        missing = (first.missing & second.missing) | ((x == 0) & (y == 0))
        limit_x, limit_y = (1e8, 1e8) if self.axes.metres else (180.0, 90.0)
        with np.errstate(invalid="ignore"):
            good = (np.abs(x) <= limit_x) & (np.abs(y) <= limit_y)
        return np.column_stack((x, y)), missing, ~good & ~missing


def find_coordinates(sample: pa.Table, title: str, options: ReadOptions, findings: Findings) -> Coordinates | None:
    """The geometry columns of a table of texts, judged by names and by the first rows; None when there are none.

    `title` is what stands above the header. What was settled is noted as decisions "geometry", "axes" and "crs".
    Raises BadInput when the columns that the user named are not there.
    """
    if not options.geometry:
        return None
    found = _as_asked(sample, options) or _shape(sample) or _xy_by_name(sample, findings) or _pair(sample)
    found = found or _xy_by_value(sample, findings)
    if found is None:
        names = ", ".join(sample.column_names[:20])
        findings.decide("geometry", "none", f"没有找到坐标列(列:{names})", f"no column of coordinates among: {names}",
                        sure=False)  # fmt: skip
        return None
    value = ", ".join(found.columns)
    findings.decide("geometry", value, f"坐标取自 {value}", f"coordinates are in {value}")
    if found.axes.evidence is not None:
        x, y = ("second", "first") if found.axes.swapped else ("first", "second")
        findings.decide("axes", f"x={x} y={y}", *found.axes.evidence, sure=found.axes.sure)
    return Coordinates(found.kind, found.columns, found.axes, _crs(found, sample, title, options, findings))


def split_pairs(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The two halves of texts like "116.5,31.7", "(116.5 31.7)", "116°30′E;31°42′N"; empty where there are not two."""
    whole = pc.fill_null(column, "")
    first = second = pa.nulls(len(column), pa.string())
    for pattern in _PAIRS:
        parts = pc.extract_regex(whole, pattern)
        first = pc.coalesce(first, pc.struct_field(parts, "a"))
        second = pc.coalesce(second, pc.struct_field(parts, "b"))
    # a text that is no pair must be refused as unreadable, not pass as empty
    nothing = pc.is_in(whole, value_set=pa.array(MISSING_WORDS))
    return pc.coalesce(first, whole), pc.coalesce(second, pc.if_else(nothing, "", "?"))


def _as_asked(sample: pa.Table, options: ReadOptions) -> Coordinates | None:
    if options.x is None and options.y is None:
        return None
    for name in (options.x, options.y):
        if name is None or name not in sample.column_names:
            raise BadInput(
                f"there is no coordinate column {name!r}: name both x and y among {', '.join(sample.column_names)}",
                f"没有坐标列 {name!r}:请同时指定 x 与 y,可用列:{'、'.join(sample.column_names)}",
                subject=str(name),
            )
    assert options.x is not None and options.y is not None
    first, second = _readings(sample, options.x), _readings(sample, options.y)
    settled = settle_axes(first, second, Role.LONGITUDE)
    return Coordinates("xy", (options.x, options.y), Axes(False, settled.metres, settled.easting_m))


def _shape(sample: pa.Table) -> Coordinates | None:
    names = [n for n in sample.column_names if role_of(n) is Role.SHAPE]
    names += [n for n in sample.column_names if n not in names]
    for name in names:
        if looks_like_shapes(sample[name]):
            return Coordinates("shape", (name,), Axes(False, False))
    return None


def _xy_by_name(sample: pa.Table, findings: Findings) -> Coordinates | None:
    roles = {name: role_of(name) for name in sample.column_names}
    candidates = [
        (_DATUM_ORDER.index(datum_of(x)), rank, x, y)
        for rank, (east, north) in enumerate(PARTNER.items())
        for x, y in _partners(roles, east, north)
        if _is_readable(sample, x) and _is_readable(sample, y)
    ]
    if not candidates:
        return None
    candidates.sort(key=lambda c: c[:2])
    _, _, x, y = candidates[0]
    if len(candidates) > 1:
        others = "; ".join(f"{c[2]}, {c[3]}" for c in candidates[1:])
        findings.decide("geometry", f"{x}, {y}", f"另有坐标列:{others}", f"there are other coordinates too: {others}",
                        sure=False)  # fmt: skip
    role = roles[x]
    assert role is not None
    return Coordinates("xy", (x, y), settle_axes(_readings(sample, x), _readings(sample, y), role))


def _partners(roles: dict[str, Role | None], east: Role, north: Role) -> Iterator[tuple[str, str]]:
    """Columns of the two roles that declare the same datum, in the order of the table."""
    free = [name for name, role in roles.items() if role is north]
    for x in (name for name, role in roles.items() if role is east):
        y = next((name for name in free if datum_of(name) == datum_of(x)), None)
        y = y if y is not None or len(free) != 1 else free[0]
        if y is not None:
            free.remove(y)
            yield x, y


def _pair(sample: pa.Table) -> Coordinates | None:
    for name in sample.column_names:
        if role_of(name) is not Role.PAIR:
            continue
        first, second = (read_coordinates(half) for half in split_pairs(sample[name].combine_chunks()))
        if _share_read(first) >= _READABLE and _share_read(second) >= _READABLE:
            return Coordinates("pair", (name,), settle_axes(first, second, Role.X))
    return None


def _xy_by_value(sample: pa.Table, findings: Findings) -> Coordinates | None:
    """The only column of Chinese longitudes (eastings) and the only one of latitudes (northings), with fractions."""
    fractions = {n: _readings(sample, n).values for n in sample.column_names if _has_fractions(sample[n])}
    for (low_x, high_x), (low_y, high_y) in (
        (CHINA_LONGITUDES, CHINA_LATITUDES),
        (ZONED_EASTINGS_M, NORTHINGS_M),
        ((100_000.0, 900_000.0), NORTHINGS_M),
    ):
        xs = [n for n, values in fractions.items() if share_within(values, low_x, high_x) >= 0.95]
        ys = [n for n, values in fractions.items() if share_within(values, low_y, high_y) >= 0.95]
        if len(xs) == 1 and len(ys) == 1 and xs != ys:
            findings.decide("geometry", f"{xs[0]}, {ys[0]}", "列名未说明,按数值范围判断",
                            "the names do not say so; judged by the range of the values", sure=False)  # fmt: skip
            axes = settle_axes(_readings(sample, xs[0]), _readings(sample, ys[0]), Role.X)
            return Coordinates("xy", (xs[0], ys[0]), axes)
    return None


def _crs(found: Coordinates, sample: pa.Table, title: str, options: ReadOptions, findings: Findings) -> str | None:
    if options.crs is not None:
        findings.decide("crs", options.crs, "由使用者指定", "as the user said")
        return options.crs
    easting_m = found.axes.easting_m if found.axes.metres else None
    told: dict[str, str] = {}
    for text in (*found.columns, title, *_crs_values(sample)):
        crs = declared_crs(text, easting_m=easting_m)
        if crs is not None:
            told.setdefault(crs, text)
    srid = srid_of(sample[found.columns[0]]) if found.kind == "shape" else None
    if srid is not None:
        told.setdefault(f"EPSG:{srid}", f"SRID={srid}")
    if len(told) > 1:
        value = ", ".join(told)
        findings.decide("crs", "undecided", f"声明互相矛盾:{value}", f"contrary declarations: {value}", sure=False)
        return None
    for name, text in told.items():
        findings.decide("crs", name, f"文件写明“{text[:60]}”", f"the file says {text[:60]!r}")
        return name
    return None


def _crs_values(sample: pa.Table) -> Sequence[str]:
    """The values of columns that tell the CRS, where every row tells the same."""
    names = [n for n in sample.column_names if n.strip().casefold() in _CRS_COLUMNS]
    single = [pc.unique(sample[n]).to_pylist() for n in names]
    return [values[0] if not values[0].isdigit() else f"EPSG:{values[0]}" for values in single if len(values) == 1]


def _readings(sample: pa.Table, name: str) -> Readings:
    return read_coordinates(sample[name].combine_chunks())


def _is_readable(sample: pa.Table, name: str) -> bool:
    readings = _readings(sample, name)
    return bool(readings.missing.all()) or _share_read(readings) >= _READABLE


def _share_read(readings: Readings) -> float:
    present = ~readings.missing
    return float(np.mean(~np.isnan(readings.values[present]))) if present.any() else 0.0


def _has_fractions(column: pa.ChunkedArray) -> bool:
    written = pc.sum(pc.match_substring_regex(column, r"^\s*\d+\.\d{2,}\s*$")).as_py() or 0
    return bool(written >= 0.9 * len(column)) and len(column) > 0
