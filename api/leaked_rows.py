"""The numbers of the rows in a file that somebody may have made of one of our exports, in the file's order."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gis.access.watermark_order import Fids
from gis.errors import BadInput
from gis.exchange.readers import ReadOptions, open_source

_NAMES = ("fid", "id", "number")


def fids_in(path: Path) -> Fids:
    """The fids in a table (a column `fid`) or in GeoJSON (each feature's id); none where it has no such.

    Raises BadInput for a file that cannot be read.
    """
    found = _features(path) if path.suffix.lower() in (".geojson", ".geojsonl", ".json") else _column(path)
    return np.fromiter((number for one in found if (number := _number(one)) is not None), np.int64)


def _column(path: Path) -> Iterator[Any]:
    for batch in open_source(path, ReadOptions(geometry=False)).batches():
        names = {name.lower(): name for name in batch.table.column_names}
        named = next((names[name] for name in _NAMES if name in names), None)
        if named is None:
            return
        yield from batch.table.column(named).to_pylist()


def _features(path: Path) -> Iterator[Any]:
    try:
        text = path.read_text("utf-8-sig").replace("\x1e", "")
        try:
            found = json.loads(text)
            features = found.get("features", [found]) if isinstance(found, dict) else found
        except json.JSONDecodeError:
            features = [json.loads(line) for line in text.splitlines() if line.strip()]
        yield from (feature.get("id", feature.get("properties", {}).get("fid")) for feature in features)
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise BadInput(f"{path} is no GeoJSON: {error}", f"{path} 不是 GeoJSON:{error}", subject=str(path)) from None


def _number(value: Any) -> int | None:
    """A fid as files carry it: a number, or its digits."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 17 else None
