"""Tokens, headers, filters and shapes at random, from callers of every role: no server error, and no row of others."""

import json
import resource
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.contract import rights_oracle as oracle
from tests.contract.rights_city import WHO, RuledCity
from tests.contract.small_city import SOUTH, WEST, WIDTH

_CASES, _QUICK = 20_000, 150
_MOST_GROWTH_MB = 400
_CALLERS = sorted(WHO)

LON = st.one_of(st.floats(WEST, WEST + WIDTH), st.sampled_from([-180.0, 180.0, 0.0, 181.0, 1e308, float("nan")]))
LAT = st.one_of(st.floats(SOUTH, SOUTH + WIDTH), st.sampled_from([-90.0, 90.0, 0.0, 91.0, -1e308]))
PLACE = st.tuples(LON, LAT).map(list)
LINE = st.lists(PLACE, max_size=6)
NAMES = st.sampled_from(
    ["kind", "name", "telephone", "code", "address", "height_m", "storeys", "use", "class", "division", "fid",
     "geometry", "geom", "cell", "valid_from", "digest", "src_row", "colour", "birth_date", "citizen_id",
     '"kind"', "a.b"]
)  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=12).map(lambda text: "'" + text.replace("'", "''") + "'"),
    st.integers().map(str), st.floats(allow_nan=False).map(repr),
    st.sampled_from(["NULL", "TRUE", "DATE('2024-01-01')", "TIMESTAMP('2024-01-01T00:00:00Z')", "'%'", "'_%_'"]),
)  # fmt: skip


def _wkt(kind: str, line: list[list[float]]) -> str:
    return f"{kind}(" + ",".join(f"{x} {y}" for x, y in line) + ")"


SHAPES = st.one_of(
    LINE.map(lambda line: _wkt("LINESTRING", line)),
    LINE.map(lambda line: "POLYGON(" + _wkt("", [*line, *line[:1]]) + ")"),
    PLACE.map(lambda place: _wkt("POINT", [place])),
    st.tuples(LON, LAT, LON, LAT).map(lambda box: f"BBOX({','.join(map(str, box))})"),
)
TESTS = st.one_of(
    st.tuples(NAMES, st.sampled_from(["=", "<>", "<", ">=", "LIKE", "IN", "BETWEEN", "IS"]), VALUES).map(" ".join),
    st.tuples(NAMES, VALUES, VALUES).map(lambda t: f"{t[0]} BETWEEN {t[1]} AND {t[2]}"),
    NAMES.map(lambda name: f"{name} IS NULL"),
    st.tuples(NAMES, st.lists(VALUES, max_size=4)).map(lambda t: f"{t[0]} IN ({','.join(t[1])})"),
    st.tuples(st.sampled_from(["S_INTERSECTS", "S_WITHIN", "S_DISJOINT", "CASEI", "pg_sleep"]), NAMES, SHAPES).map(
        lambda t: f"{t[0]}({t[1]}, {t[2]})"
    ),
    st.tuples(NAMES, NAMES).map(lambda t: f"{t[0]} = {t[1]}"),
    st.text(max_size=30),
)
FILTERS = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        inner.map(lambda f: f"NOT ({f})"),
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
    ),
    max_leaves=6,
)
PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "filter": FILTERS, "limit": st.sampled_from(["1", "7", "1000", "0", "-1", "x", "99999999"]),
        "bbox": st.tuples(LON, LAT, LON, LAT).map(lambda box: ",".join(map(str, box))),
        "properties": st.lists(NAMES, max_size=3).map(",".join), "sortby": NAMES.map(lambda name: f"-{name}"),
        "datetime": st.sampled_from(["2024-01-01", "../2020-01-01", "x", "2024-01-01/.."]),
        "f": st.sampled_from(["csv", "json"]),
        "offset": st.sampled_from(["0", "3", "-1"]), "area": SHAPES, "by": NAMES, "ids": st.lists(st.integers()).map(
            lambda ids: ",".join(map(str, ids))),
    },
)  # fmt: skip
HEADERS = st.dictionaries(
    st.sampled_from(["accept", "accept-language", "accept-encoding", "if-none-match", "origin", "x-forwarded-for",
                     "x-forwarded-proto", "forwarded", "range", "content-type", "cookie", "x-purpose",
                     "onemap-purpose"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40), max_size=4,
)  # fmt: skip
#: What may stand in Authorization: mostly nobody's, in whatever form.
TOKENS = st.one_of(
    st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=80),
    st.tuples(st.integers(-1, 1 << 70), st.text("abcXYZ_-09", min_size=43, max_size=43)).map(
        lambda t: f"{t[0]}-{t[1]}"
    ),
    st.lists(st.text("abcXYZ_-09", max_size=40), min_size=3, max_size=5).map(".".join),
    st.sampled_from(["", " ", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", "x" * 9_000]),
)  # fmt: skip
_QUIET = [
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.function_scoped_fixture,
]


def _plain(answer: Any, asked: object) -> None:
    assert answer.status_code < 500 or answer.status_code == 503, (asked, answer.status_code, answer.text[:500])
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", (asked, answer.text[:200])
        assert "Traceback" not in answer.text and "SELECT" not in answer.text and "psycopg" not in answer.text


def _check_rows(city: RuledCity, who: str, name: str, document: Any) -> None:
    """That an answer tells rows and fields of the caller's alone."""
    collection = city.catalogue[name]
    grant = oracle.grant_of(WHO[who], collection)
    hidden = set(grant.hidden) if grant is not None else set()
    if not oracle.sees_rows(WHO[who], collection):
        return
    allowed = _ROWS.setdefault((who, name), set(city.rows(who, collection)))
    for feature in document.get("features", ()):
        if "id" in feature:
            assert feature["id"] in allowed, (who, name, feature["id"])
        assert not hidden & feature["properties"].keys(), (who, name, feature["properties"])


_ROWS: dict[tuple[str, str], set[int]] = {}


def _fuzz(ruled: RuledCity, most: int) -> None:
    names = [collection.id for collection in ruled.catalogue]
    _ROWS.clear()
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    @settings(max_examples=most, deadline=None, database=None, suppress_health_check=_QUIET, phases=[Phase.generate])
    @given(st.sampled_from(_CALLERS), st.sampled_from(names), st.sampled_from(["items", "cells", "queryables", ""]),
           PARAMETERS, HEADERS)  # fmt: skip
    def questions(who: str, name: str, place: str, parameters: dict[str, str], headers: dict[str, str]) -> None:
        said = "&".join(f"{key}={quote(value, safe='')}" for key, value in parameters.items())
        path = f"/collections/{name}/{place}?{said}".replace("/?", "?")
        answer = ruled.get(who, path, **headers)
        _plain(answer, (who, path, headers))
        # rows of other moments than now are not what the oracle knows
        plain = "datetime" not in parameters and answer.headers.get("content-type", "").startswith(
            "application/geo+json"
        )
        if answer.status_code == 200 and plain and place == "items":
            _check_rows(ruled, who, name, answer.json())

    @settings(max_examples=most, deadline=None, database=None, suppress_health_check=_QUIET, phases=[Phase.generate])
    @given(st.sampled_from(_CALLERS), st.recursive(PLACE, lambda inner: st.lists(inner, max_size=4), max_leaves=30),
           st.sampled_from(["Point", "LineString", "Polygon", "MultiPolygon", "GeometryCollection", "x"]))  # fmt: skip
    def shapes(who: str, coordinates: Any, kind: str) -> None:
        content = json.dumps({"type": kind, "coordinates": coordinates}).encode()
        headers = {"x-who": who, "content-type": "application/geo+json"}
        answer = ruled.request("/here", "POST", content=content, headers=headers)
        _plain(answer, (who, content))

    @settings(max_examples=most, deadline=None, database=None, suppress_health_check=_QUIET, phases=[Phase.generate])
    @given(TOKENS, st.sampled_from(["Bearer", "bearer", "Basic", "", "Negotiate"]), st.sampled_from(names))
    def tokens(token: str, scheme: str, name: str) -> None:
        shown = f"{scheme} {token}".strip().encode("latin-1")
        if not shown:
            return
        answer = ruled.request(f"/collections/{name}/items?limit=1", headers=[(b"authorization", shown)])
        _plain(answer, (shown, name))
        assert answer.status_code in (400, 401, 429), (shown, answer.status_code)

    questions()
    shapes()
    tokens()
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) >> 10
    assert grown_mb < _MOST_GROWTH_MB


def test_no_question_is_a_server_error_or_tells_of_others(ruled: RuledCity) -> None:
    _fuzz(ruled, _QUICK)


@pytest.mark.torture
def test_many_questions_are_no_server_error(ruled: RuledCity, torture_scale: float) -> None:
    _fuzz(ruled, max(_QUICK, int(_CASES * torture_scale)))
