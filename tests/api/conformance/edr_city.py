"""The measured city's EDR queries, as the tests of their conformance ask them."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import shapely

from tests.measured_city import place_of

Get = Callable[..., httpx.Response]
HOURS = "/collections/trial.hours"
NEAR_2 = f"POINT({place_of(2)[0] + 0.002} {place_of(2)[1]})"
FIRST_DAY = "2026-03-01"


def told(get: Get, path: str) -> dict[str, Any]:
    answer = get(path)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def refused(get: Get, path: str, subject: str) -> None:
    answer = get(path)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["subject"] == subject


def position(more: str = "", coords: str = NEAR_2) -> str:
    return f"{HOURS}/position?coords={quote(coords)}{more}"


def area(more: str = "") -> str:
    (west, south), (east, north) = place_of(1), place_of(3)
    box = shapely.box(west - 0.001, south - 0.01, east + 0.001, north + 0.01)
    return f"{HOURS}/area?coords={quote(box.wkt)}{more}"


def cube(more: str = "") -> str:
    return f"{HOURS}/cube?bbox={place_of(1)[0] - 0.001},31.7,{place_of(3)[0] + 0.001},31.8{more}"
