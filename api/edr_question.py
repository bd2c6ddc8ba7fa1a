"""Questions of OGC API – EDR 1.1 (OGC 19-086r6) as their parameters say them: where, when, how high, of what."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import shapely

from gis.catalog import Collection
from gis.errors import BadQuery
from gis.geo.area import Area, Shape
from gis.query.query import Query
from gis.query.queryables import queryables
from gis.query.span import Span, moment, now
from gis.query.statement import Statement
from gis.query.url_areas import read_area

#: Points of one position query, and heights of one list.
MOST_POINTS, MOST_HEIGHTS = 20, 100
#: Under which names the CRS of a question and its answer, which is always the same, may be asked for.
CRS_NAMES = ("CRS84", "OGC:CRS84", "CRS:84", "http://www.opengis.net/def/crs/OGC/1.3/CRS84")
_REPEATED = re.compile(r"R(\d{1,3})/([^/]+)/([^/]+)\Z")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: its Query, the parameters by name (none: all), and what narrows the features further."""

    query: Query
    names: tuple[str, ...]
    also: Statement | None = None


def asked(collection: Collection, place: Collection, values: Mapping[str, str], area: Area | None) -> Asked:
    """The question of decoded parameters about an area, `place` being the collection whose features are measured.

    Raises BadQuery naming the parameter at fault.
    """
    if values.get("crs", CRS_NAMES[0]) not in CRS_NAMES:
        raise _refusal(f"crs can be {CRS_NAMES[0]}", f"crs 可以是 {CRS_NAMES[0]}", "crs")
    time, past = values.get("datetime"), values.get("as-of")
    as_of = None if past is None else moment(past, "as-of")
    if as_of is not None and as_of > now():
        raise _refusal("as-of lies in the future", "as-of 在未来", "as-of")
    query = Query(collection=collection.id, area=area, time=None if time is None else Span.parse(time), as_of=as_of)
    return Asked(query, names(values), _height(collection, place, values.get("z")))


def names(values: Mapping[str, str]) -> tuple[str, ...]:
    """The parameters asked for by name; none where all are."""
    given = values.get("parameter-name")
    if given is None:
        return ()
    found = tuple(part.strip() for part in given.split(",") if part.strip())
    if not found:
        raise _refusal("parameter-name names nothing", "parameter-name 为空", "parameter-name")
    return found


def points(values: Mapping[str, str]) -> list[tuple[float, float]]:
    """The points of `coords`, a POINT or MULTIPOINT in longitude and latitude. Raises BadQuery."""
    shape = _coords(values, ("Point", "MultiPoint"), "POINT or MULTIPOINT")
    found = [(float(p.x), float(p.y)) for p in shapely.get_parts(shape)]
    if len(found) > MOST_POINTS:
        raise _refusal(f"at most {MOST_POINTS} points are answered at a time", f"一次最多 {MOST_POINTS} 个点", "coords")
    return found


def polygon(values: Mapping[str, str]) -> Shape:
    """The area of `coords`, a POLYGON or MULTIPOLYGON. Raises BadQuery."""
    return _placed(_coords(values, ("Polygon", "MultiPolygon"), "POLYGON or MULTIPOLYGON"))


def cube(values: Mapping[str, str]) -> Area:
    """The area of `bbox`; of six numbers the heights are asked for by `z`. Raises BadQuery."""
    if "bbox" not in values:
        raise _refusal("bbox is needed: west,south,east,north", "缺少 bbox:西,南,东,北", "bbox")
    if values["bbox"].count(",") == 5:
        raise _refusal("give heights in z, not in bbox", "高度请用 z 给出,不放在 bbox 中", "bbox")
    area = read_area({"bbox": values["bbox"]})
    assert area is not None
    return area


def _coords(values: Mapping[str, str], kinds: tuple[str, ...], words: str) -> shapely.Geometry:
    text = values.get("coords", "")
    try:
        shape = shapely.from_wkt(text) if text.strip() else None
    except shapely.errors.ShapelyError:
        shape = None
    if shape is None or shape.geom_type not in kinds or shape.is_empty or shape.has_z:
        raise _refusal(f"coords={text[:80]!r} is not {words} as WKT, in degrees, longitude first",
                f"coords={text[:80]!r} 应为 WKT 的 {words}(度,经度在前)", "coords")  # fmt: skip
    _placed(shape)
    return shape


def _placed(shape: shapely.Geometry) -> Shape:
    try:
        return Shape.of(shape)
    except BadQuery as error:
        raise BadQuery(error.text.en, error.text.zh, subject="coords") from None


def _height(collection: Collection, place: Collection, text: str | None) -> Statement | None:
    """The features at heights: one, a closed range `a/b`, a list, or `Rn/min/step` (EDR 1.1, requirement z)."""
    if text is None:
        return None
    measured = collection.measured
    field = measured.height if measured else None
    if measured is None or field is None or field not in queryables(place):
        raise _refusal(f"{collection.id} has no heights; leave z out", f"{collection.id} 没有高度,请去掉 z", "z")
    repeated = _REPEATED.match(text)
    if repeated:
        low, step = _numbers(repeated.groups()[1:], text)
        heights = [low + n * step for n in range(int(repeated[1]))]
    elif text.count("/") == 1:
        low, high = (
            end if part == ".." else _numbers([part], text)[0]
            for part, end in zip(text.split("/"), (-math.inf, math.inf), strict=True)
        )
        return Statement(f'"{field}" BETWEEN %s AND %s', (low, high))
    else:
        heights = _numbers(text.split(","), text)
    if not 0 < len(heights) <= MOST_HEIGHTS:
        raise _refusal(f"z lists 1 to {MOST_HEIGHTS} heights", f"z 应列出 1 至 {MOST_HEIGHTS} 个高度", "z")
    return Statement(f'"{field}" = ANY(%s)', (heights,))


def _numbers(parts: Iterable[str], text: str) -> list[float]:
    """The parts of `z` as numbers. Raises BadQuery."""
    try:
        found = [float(part) for part in parts]
    except ValueError:
        found = [math.nan]
    if not all(map(math.isfinite, found)):
        raise _refusal(f"z={text[:40]!r} is not a height, min/max, a list or Rn/min/step, in metres",
                f"z={text[:40]!r} 应为高度、最低/最高、列表或 R次数/起点/步长(米)", "z")  # fmt: skip
    return found


def _refusal(en: str, zh: str, subject: str) -> BadQuery:
    return BadQuery(en, zh, subject=subject)
