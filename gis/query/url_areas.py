"""Where a question looks, as its parameters say it: a box in any CRS, a circle, cells, a division, a shape."""

import re
from collections.abc import Callable, Mapping

import h3
import numpy as np
import shapely

from gis.errors import BadQuery
from gis.geo.area import Area, Box, Cells, Circle, Division, Shape, Within
from gis.query import crs

#: One of these says where the question looks.
AREA = frozenset({"bbox", "near", "cells", "area", "division"})

_WITHIN = re.compile(r"([a-z][a-z0-9]*\.[a-z][a-z0-9_]*)/(\d{1,16})\Z")
_NAMES: dict[type[Area], str] = {
    Box: "bbox", Circle: "near", Cells: "cells", Shape: "area", Within: "area", Division: "division",
}  # fmt: skip


def read_area(values: Mapping[str, str]) -> Area | None:
    """The area that parameters ask for; None where they name none. Raises BadQuery naming the parameter."""
    asked = [name for name in values if name in AREA]
    if len(asked) > 1:
        raise _refusal(
            f"one area a question, not {' and '.join(asked)}", f"一次查询只能有一个范围:{'、'.join(asked)}", asked[1]
        )
    given = crs.read(values["bbox-crs"], "bbox-crs") if "bbox-crs" in values else crs.CRS84
    if not asked:
        return None
    if asked[0] == "bbox":
        return _box(values["bbox"], given)
    return _READERS[asked[0]](values[asked[0]])


def area_said(area: Area | None) -> dict[str, str]:
    """The parameter that says an area, in longitude and latitude."""
    return {} if area is None else {_NAMES[type(area)]: area.text}


def numbers(text: str, name: str, counts: tuple[int, ...]) -> list[float]:
    """Numbers separated by commas, as many as one of `counts`. Raises BadQuery."""
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if len(found) not in counts:
        wanted = " / ".join(str(n) for n in counts)
        raise _refusal(f"{name}={text[:80]} is not {wanted} numbers", f"{name}={text[:80]} 应为 {wanted} 个数", name)
    return found


def listed(text: str) -> list[str]:
    """The parts of a list separated by commas."""
    return [part.strip() for part in text.split(",")] if text.strip() else []


def _box(text: str, given: str) -> Box | Shape:
    edges = numbers(text, "bbox", (4, 6))
    # heights, where given, do not narrow the question: no collection is asked by height yet
    return crs.box(edges if len(edges) == 4 else (*edges[:2], *edges[3:5]), given)


def _cells(text: str) -> Cells:
    parts = listed(text)
    for part in parts:
        if not (re.fullmatch(r"[0-9a-f]{15}", part) and h3.is_valid_cell(part)):
            raise _refusal(f"{part[:40]!r} is not an H3 cell", f"{part[:40]!r} 不是 H3 网格", "cells")
    return Cells(tuple(int(part, 16) for part in parts))


def _division(text: str) -> Division:
    """A code of 12 digits, or its first 2, 4, 6 or 9."""
    if not re.fullmatch(r"[0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12}", text):
        raise _refusal(f"division={text[:40]} is not a division code of 2, 4, 6, 9 or 12 digits",
                f"division={text[:40]} 应为 2、4、6、9 或 12 位区划代码", "division")  # fmt: skip
    return Division(int(text.ljust(12, "0")))


def _within_or_shape(text: str) -> Within | Shape:
    feature = _WITHIN.match(text)
    if feature:
        return Within(feature[1], int(feature[2]))
    try:
        # what is no number there is refused by Shape, not warned of
        with np.errstate(invalid="ignore"):
            shape = shapely.from_wkt(text)
        return Shape.of(shape)
    except shapely.errors.GEOSException:
        raise _refusal(
            f"area={text[:80]!r} is neither WKT nor collection/fid",
            f"area={text[:80]!r} 不是 WKT,也不是 数据集/编号",
            "area",
        ) from None


_READERS: dict[str, Callable[[str], Area]] = {
    "near": lambda text: Circle(*numbers(text, "near", (3,))),
    "cells": _cells,
    "area": _within_or_shape,
    "division": _division,
}


def _refusal(en: str, zh: str, subject: str) -> BadQuery:
    return BadQuery(en, zh, subject=subject)
