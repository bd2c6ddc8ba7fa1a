"""Measurements as coverages: OGC CoverageJSON 1.0 (21-069r2), EDR GeoJSON (OGC 19-086r6, 7.3) and CSV."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gis.catalog import Field, FieldType
from gis.query.series import Series, parameters
from gis.query.span import instant_text

UCUM = "http://www.opengis.net/def/uom/UCUM/"
_CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_DATA_TYPES = {FieldType.INTEGER: "integer", FieldType.NUMBER: "float"}


@dataclass(slots=True)
class Measurements:
    """What was measured at one feature: degrees, times in order, and for each column a value or null a time."""

    fid: int
    lon: float
    lat: float
    told: dict[str, Any]
    times: list[datetime] = field(default_factory=list)
    values: dict[str, list[Any]] = field(default_factory=dict)

    def name(self, series: Series) -> str:
        """The feature's key, else its number."""
        key = series.features.collection.key
        return str(self.told.get(key[0], self.fid)) if len(key) == 1 else str(self.fid)


def read(series: Series, rows: Iterable[Sequence[Any]]) -> list[Measurements]:
    """The rows of `gis.query.series.over_time`, by feature."""
    found: list[Measurements] = []
    told = series.features.fields
    for fid, lon, lat, *rest in rows:
        if not found or found[-1].fid != fid:
            values: dict[str, list[Any]] = {name: [] for name in series.columns}
            found.append(Measurements(fid, lon, lat, dict(zip(told, rest, strict=False)), [], values))
        found[-1].times.append(rest[len(told)])
        for name, value in zip(series.columns, rest[len(told) + 1 :], strict=True):
            found[-1].values[name].append(value)
    return found


def described(fields: Iterable[Field], base: str = "") -> dict[str, Any]:
    """Parameters as CoverageJSON and EDR describe them; labels in both languages."""
    return {one.name: _parameter(one, base) for one in fields}


def _parameter(one: Field, base: str) -> dict[str, Any]:
    title = one.title.as_dict()
    found: dict[str, Any] = {
        "type": "Parameter",
        "id": one.name,
        "data-type": _DATA_TYPES.get(one.type, "string"),
        "observedProperty": {"id": f"{base}#{one.name}", "label": title},
    }
    if one.description:
        found["description"] = one.description.as_dict()
    if one.unit:
        found["unit"] = {"label": {"en": one.unit}, "symbol": {"value": one.unit, "type": UCUM}}
    return found


def coverage_json(series: Series, found: Sequence[Measurements], *, alone: bool = False) -> dict[str, Any]:
    """One PointSeries a feature; `alone` gives a single Coverage where there is just one."""
    collection = series.values.collection
    columns = [parameters(collection)[name] for name in series.columns]
    parts = [_coverage(series, one, columns) for one in found]
    shared = {"parameters": _for_coverage(columns), "referencing": _referencing(series)}
    if alone and len(parts) == 1:
        domain = {**parts[0]["domain"], "domainType": "PointSeries", "referencing": shared["referencing"]}
        return {**parts[0], "domain": domain, "parameters": shared["parameters"]}
    return {"type": "CoverageCollection", "domainType": "PointSeries", **shared, "coverages": parts}


def _for_coverage(columns: Iterable[Field]) -> dict[str, Any]:
    """Without the members that EDR's documents have beside CoverageJSON's."""
    return {n: {k: v for k, v in p.items() if k != "data-type"} for n, p in described(columns).items()}


def _coverage(series: Series, one: Measurements, columns: Sequence[Field]) -> dict[str, Any]:
    axes: dict[str, Any] = {"x": {"values": [one.lon]}, "y": {"values": [one.lat]}}
    height = series.measured.height
    if height:
        axes["z"] = {"values": [one.told.get(height)]}
    axes["t"] = {"values": [instant_text(t) for t in one.times]}
    ranges = {
        c.name: {
            "type": "NdArray",
            "dataType": _DATA_TYPES.get(c.type, "string"),
            "axisNames": ["t"],
            "shape": [len(one.times)],
            "values": one.values[c.name],
        }
        for c in columns
    }
    return {
        "type": "Coverage",
        "id": one.name(series),
        "domain": {"type": "Domain", "axes": axes},
        "ranges": ranges,
    }


def _referencing(series: Series) -> list[dict[str, Any]]:
    systems: list[dict[str, Any]] = [
        {"coordinates": ["x", "y"], "system": {"type": "GeographicCRS", "id": _CRS84}},
        {"coordinates": ["t"], "system": {"type": "TemporalRS", "calendar": "Gregorian"}},
    ]
    if series.measured.height:
        axis = {"name": {"en": "Height above ground", "zh": "离地高度"}, "direction": "up", "unit": {"symbol": "m"}}
        systems.insert(1, {"coordinates": ["z"], "system": {"type": "VerticalCRS", "cs": {"csAxes": [axis]}}})
    return systems


def features(series: Series, found: Sequence[Measurements], base: str = "") -> dict[str, Any]:
    """One feature a measurement."""
    place = series.features.collection.id
    listed = [
        {
            "type": "Feature",
            "id": f"{one.fid}/{instant_text(time)}",
            "geometry": {"type": "Point", "coordinates": _position(series, one)},
            "properties": {
                "label": one.name(series),
                "datetime": instant_text(time),
                "parameter-name": list(series.columns),
                "edrqueryendpoint": f"{base}/collections/{place}/items/{one.fid}",
                **{name: one.values[name][n] for name in series.columns},
            },
        }
        for one in found
        for n, time in enumerate(one.times)
    ]
    columns = [parameters(series.values.collection)[name] for name in series.columns]
    return {
        "type": "FeatureCollection",
        "numberReturned": len(listed),
        "parameters": list(described(columns).values()),
        "features": listed,
    }


def _position(series: Series, one: Measurements) -> list[float]:
    height = one.told.get(series.measured.height) if series.measured.height else None
    return [one.lon, one.lat] if height is None else [one.lon, one.lat, height]


def table(series: Series, found: Sequence[Measurements]) -> str:
    """One line a measurement: id, lon, lat, what is told of the feature, time, values. RFC 4180, UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    told = series.features.fields
    writer.writerow(["fid", "lon", "lat", *told, "datetime", *series.columns])
    for one in found:
        for n, time in enumerate(one.times):
            values = (one.values[name][n] for name in series.columns)
            writer.writerow(
                [one.fid, one.lon, one.lat, *(one.told[name] for name in told), instant_text(time), *values]
            )
    return text.getvalue()
