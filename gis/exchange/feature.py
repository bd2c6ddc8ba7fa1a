"""A GeoJSON feature as one typed row of its collection: checked as files are, each fault told with its field."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from gis.catalog import Collection, Field, FieldType
from gis.errors import BadInput
from gis.exchange import columns
from gis.exchange.columns import VALID_FROM, VALID_TO, Typed
from gis.exchange.readers.source import Batch, Findings
from gis.exchange.shape_checks import Repairs, of_type, on_globe, sound, with_numbers
from gis.exchange.values import convert

#: What a feature tells beside its fields, and what follows from its geometry.
_READ_ONLY = ("division", "cell")
_JSON_TYPES: dict[FieldType, tuple[type, ...]] = {
    FieldType.TEXT: (str,),
    FieldType.INTEGER: (int,),
    FieldType.NUMBER: (int, float),
    FieldType.BOOLEAN: (bool,),
    FieldType.DATE: (str,),
    FieldType.INSTANT: (str,),
}
_ARROW_TYPES = {FieldType.INTEGER: pa.int64(), FieldType.NUMBER: pa.float64(), FieldType.BOOLEAN: pa.bool_()}
_LARGEST = 2**63


def typed(feature: Mapping[str, Any], collection: Collection) -> Typed:
    """The feature as a row in its collection's types. Raises BadInput naming the member or the field at fault."""
    if feature.get("type") != "Feature" or not isinstance(feature.get("properties", {}), dict | None):
        raise BadInput("the body is not a GeoJSON Feature", "内容不是 GeoJSON Feature", subject="type")
    table = _table(feature.get("properties") or {}, collection)
    findings = Findings()
    batch = _placed(Batch(rows=np.ones(1, np.int64), table=table), feature.get("geometry"), collection, findings)
    _refuse(findings, "geometry")
    matching = columns.match(table.column_names, collection, table)
    found = convert(batch, matching, findings, strict=True)
    _refuse(findings, VALID_FROM)
    return found if collection.derive is None else replace(found, table=collection.derive(found.table))


def _table(properties: Mapping[str, Any], collection: Collection) -> pa.Table:
    times = (VALID_FROM, VALID_TO) if collection.timed else ()
    for name in properties:
        if name not in collection.by_name and name not in (*times, *_READ_ONLY):
            known = ", ".join((*collection.by_name, *times))
            raise BadInput(f"{collection.id} has no field {name[:40]!r}; it has {known}",
                           f"{collection.id} 没有字段 {name[:40]!r};可用字段:{known}", subject=name[:40])  # fmt: skip
    arrays = {f.name: _value(properties.get(f.name), f) for f in collection.fields}
    for name in times:
        value = properties.get(name)
        if value is not None and not isinstance(value, str):
            raise _wrong(name, "RFC 3339")
        arrays[name] = pa.array([value], pa.string())
    return pa.table(arrays)


def _value(value: Any, field: Field) -> pa.Array:
    kind = _ARROW_TYPES.get(field.type, pa.string())
    if field.values and field.type is FieldType.INTEGER:
        kind = pa.string()
        value = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    elif value is not None:
        is_whole = isinstance(value, float) and field.type is FieldType.INTEGER and value.is_integer()
        value = int(value) if is_whole else value
        allowed = isinstance(value, _JSON_TYPES[field.type])
        if not allowed or (isinstance(value, bool) and field.type is not FieldType.BOOLEAN) or _is_beyond(value):
            raise _wrong(field.name, field.type.value)
    try:
        return pa.array([value], kind)
    except (pa.ArrowException, UnicodeError):
        raise _wrong(field.name, field.type.value) from None


def _is_beyond(value: Any) -> bool:
    return isinstance(value, int | float) and (not math.isfinite(value) or abs(value) >= _LARGEST)


def _placed(batch: Batch, geometry: Any, collection: Collection, findings: Findings) -> Batch:
    """The row with its geometry: longitude and latitude (WGS 84), checked and repaired as a file's is."""
    if collection.geometry is None:
        if geometry is not None:
            raise BadInput(f"features of {collection.id} have no geometry", f"{collection.id} 的要素没有几何",
                           subject="geometry")  # fmt: skip
        return batch
    try:
        shape = None if geometry is None else shapely.from_geojson(json.dumps(geometry))
    except (shapely.errors.GEOSException, TypeError, ValueError, RecursionError):
        raise BadInput("the geometry is not GeoJSON", "几何不是有效的 GeoJSON", subject="geometry") from None
    batch = Batch(rows=batch.rows, table=batch.table, shapes=np.array([shape], object))
    with np.errstate(invalid="ignore"):
        batch = with_numbers(of_type(batch, collection.geometry, findings), findings)
    if len(batch) == 0:
        return batch
    flat = shapely.force_2d(batch.shapes)
    if (shapely.get_type_id(flat) == 0).all():
        batch = Batch(rows=batch.rows, table=batch.table, points=shapely.get_coordinates(flat))
    else:
        batch = Batch(rows=batch.rows, table=batch.table, shapes=flat)
    return sound(on_globe(batch, batch, findings), findings, Repairs())


def _refuse(findings: Findings, otherwise: str) -> None:
    if findings.rejects:
        found = findings.rejects[0]
        raise BadInput(found.text.en, found.text.zh, subject=found.field or otherwise)


def _wrong(name: str, kind: str) -> BadInput:
    return BadInput(f"{name} is not of type {kind}", f"字段 {name} 的类型应为 {kind}", subject=name)
