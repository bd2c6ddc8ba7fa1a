"""What each caller may be told, computed from policies by brute force over the owner's rows: without any plan."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import h3
import psycopg
import shapely

from gis.access import Identity
from gis.access.masking import masked
from gis.access.roles import INSIDE, ROLES
from gis.catalog import Anonymous, Collection, FieldType, Grant, Rows, Sensitivity
from gis.store.tables import Register

NOW = "valid_from <= date_trunc('minute', now()) AND valid_to > date_trunc('minute', now())"
#: The grants of what declares no policy, written out again.
_USUAL = {
    Sensitivity.OPEN: [Grant(roles=tuple(r for r in ROLES if r != "owner"))],
    Sensitivity.INTERNAL: [Grant(roles=INSIDE, rows=Rows.DUTY)],
    Sensitivity.PERSONAL: [
        Grant(roles=("command",), rows=Rows.EMERGENCY),
        Grant(roles=("duty",), rows=Rows.DUTY),
        Grant(roles=("staff", "analyst", "command"), anonymous=Anonymous(9, 5, 2)),
        Grant(roles=("public",), anonymous=Anonymous(7, 10, 2)),
    ],
}


@dataclass(frozen=True)
class Told:
    """One row as a caller may be told it; `shape` is None where none is told."""

    fid: int
    values: dict[str, Any]
    cell: str | None
    division: str | None
    shape: shapely.Geometry | None


def grant_of(who: Identity, collection: Collection) -> Grant | None:
    """The first grant that fits; None where nothing is told."""
    if who.role == "owner":
        return Grant(roles=("owner",))
    declared = collection.policy.grants if collection.policy is not None else _USUAL[collection.sensitivity]
    for grant in declared:
        if who.role not in grant.roles or (grant.departments and who.department not in grant.departments):
            continue
        if grant.purposes and who.purpose not in grant.purposes:
            continue
        if grant.rows is Rows.EMERGENCY and not who.emergency:
            continue
        return grant
    return None


def sees_rows(who: Identity, collection: Collection) -> bool:
    """Whether somebody is told rows, not counts alone."""
    grant = grant_of(who, collection)
    return grant is not None and grant.anonymous is None


def exact_fields(who: Identity, collection: Collection) -> set[str]:
    """The fields that somebody may ask about."""
    grant = grant_of(who, collection)
    assert grant is not None
    return {f.name for f in collection.fields} - set(grant.hidden) - set(grant.masked)


def told_fields(who: Identity, collection: Collection) -> list[str]:
    """The fields that somebody is shown, exactly or in part."""
    grant = grant_of(who, collection)
    assert grant is not None
    return [f.name for f in collection.fields if f.name not in grant.hidden]


def rows(conn: psycopg.Connection[Any], who: Identity, collection: Collection) -> dict[int, Told]:
    """The rows that are valid now, as somebody may be told them, by fid."""
    grant = grant_of(who, collection)
    if grant is None or grant.anonymous is not None:
        return {}
    return {one.fid: one for one in _told(conn, who, collection, grant)}


def _told(conn: psycopg.Connection[Any], who: Identity, collection: Collection, grant: Grant) -> Iterator[Told]:
    names = [f.name for f in collection.fields]
    listed = ", ".join(f'"{name}"' for name in names)
    when = NOW if collection.timed else "true"
    found = conn.execute(
        f"SELECT fid, cell, division, ST_AsBinary(geom){', ' + listed if listed else ''}"
        f" FROM {Register.of(collection).table()} WHERE scenario = 0 AND {when}"
    )
    for fid, cell, division, wkb, *values in found:
        if not _is_in(who, grant, division):
            continue
        of_row = dict(zip(names, values, strict=True))
        shape = shapely.from_wkb(bytes(wkb)) if wkb is not None else None
        yield Told(
            fid,
            {n: _value(collection, grant, n, v) for n, v in of_row.items() if n not in grant.hidden},
            *_place(collection, grant, cell, division, shape),
        )


def _is_in(who: Identity, grant: Grant, division: int | None) -> bool:
    ranges = who.divisions if who.role == "owner" or grant.rows is Rows.DUTY else None
    if grant.rows is Rows.EMERGENCY:
        ranges = who.emergency
    return ranges is None or (division is not None and any(low <= division <= high for low, high in ranges))


def _value(collection: Collection, grant: Grant, name: str, value: Any) -> Any:
    rule = grant.masked.get(name)
    if rule is None or value is None:
        return value
    if collection.field(name).type is FieldType.DATE:
        return date(value.year, 1, 1)
    return masked(rule, value)


def _place(
    collection: Collection, grant: Grant, cell: int | None, division: int | None, shape: shapely.Geometry | None
) -> tuple[str | None, str | None, shapely.Geometry | None]:
    code = None if division is None else f"{division:012d}"
    if grant.precision == "exact":
        return cell and f"{cell:x}", code, shape
    if grant.precision == "division":
        return None, code, None
    if cell is not None and collection.cell_resolution > grant.precision:
        cell = int(h3.cell_to_parent(f"{cell:x}", grant.precision), 16)
    digits = next(
        n
        for finest, n in ((3, 4), (6, 6), (8, 9), (15, 12))
        if min(grant.precision, collection.cell_resolution) <= finest
    )
    code = code and code[:digits].ljust(12, "0")
    if cell is None:
        return None, code, None
    lat, lon = h3.cell_to_latlng(f"{cell:x}")
    return f"{cell:x}", code, shapely.Point(lon, lat)


def same_shape(one: shapely.Geometry | None, other: shapely.Geometry | None, within: float = 1e-4) -> bool:
    """Whether two shapes are the same, to what a cell's middle in the plane differs from that on the globe."""
    if one is None or other is None:
        return one is other
    return one.geom_type.removeprefix("Multi") == other.geom_type.removeprefix("Multi") and bool(
        shapely.hausdorff_distance(one, other) < within
    )
