"""Shapes written in a text column: WKT, EWKT, hexadecimal WKB and GeoJSON geometries."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from gis.exchange.readers.angles import MISSING_WORDS

_WKT = r"(?i)^\s*(SRID=\d+;\s*)?(MULTI)?(POINT|LINESTRING|POLYGON|GEOMETRYCOLLECTION)\s*(Z|M|ZM)?\s*(\(|EMPTY)"
_WKB = r"(?i)^\s*(\\x)?0[01][0-9A-F]{16,}\s*$"
_GEOJSON = r'^\s*\{.*"coordinates"\s*:'
_SRID = re.compile(r"\s*SRID=(\d+);", re.IGNORECASE)


def looks_like_shapes(column: pa.ChunkedArray) -> bool:
    """Whether most filled values of a column are shapes."""
    filled = pc.invert(pc.is_in(column, value_set=pa.array(MISSING_WORDS)))
    total = pc.sum(filled).as_py() or 0
    shaped = pc.match_substring_regex(column, f"{_WKT}|{_WKB}|{_GEOJSON}")
    return total > 0 and (pc.sum(shaped).as_py() or 0) * 2 >= total


def srid_of(column: pa.ChunkedArray) -> int | None:
    """The SRID that every EWKT value of a column carries; None where they carry none or several."""
    found = {match[1] for text in column.to_pylist() if text and (match := _SRID.match(text))}
    return int(found.pop()) if len(found) == 1 else None


def read_shapes(column: pa.Array) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """The shapes of a column, None where a text is none or has a coordinate that is not finite; and which are missing.

    Missing are empty texts, words for "nothing" and empty geometries.
    """
    nothing = pc.or_(pc.is_null(column), pc.is_in(column, value_set=pa.array(MISSING_WORDS)))
    missing = nothing.to_numpy(zero_copy_only=False).copy()
    texts = pc.replace_substring_regex(pc.utf8_trim_whitespace(column), r"(?i)^SRID=\d+;\s*|^\\x", "")
    written = np.asarray(texts.to_numpy(zero_copy_only=False), dtype=object)
    shapes: NDArray[np.object_] = np.full(len(written), None, dtype=object)
    for pattern, read in ((_WKT, shapely.from_wkt), (_WKB, shapely.from_wkb), (_GEOJSON, shapely.from_geojson)):
        at = pc.fill_null(pc.match_substring_regex(texts, pattern), False).to_numpy(zero_copy_only=False) & ~missing
        if at.any():
            with np.errstate(over="ignore", invalid="ignore"):
                shapes[at] = read(written[at], on_invalid="ignore")
    present = ~shapely.is_missing(shapes)
    empty = shapely.is_empty(shapes)
    missing |= present & empty
    finite = np.ones(len(shapes), dtype=bool)
    finite[present & ~empty] = np.isfinite(_extremes(shapes[present & ~empty])).all(axis=1)
    shapes[~finite | empty] = None
    return shapes, missing


def _extremes(shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    """Sums of each shape's coordinates: not finite as soon as one of them is not (bounds pass over NaN)."""
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    sums = np.zeros((len(shapes), 2))
    with np.errstate(invalid="ignore", over="ignore"):
        np.add.at(sums, owner, coordinates)
    return sums
