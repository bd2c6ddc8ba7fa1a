"""Whatever the API's own description lets a program ask, no answer is a server error, and each refusal says why."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from tests.api.served_city import SampleCity

#: Answers that never end; what needs a key has tests of its own.
_ENDLESS = "text/event-stream"
_CASES, _QUICK = 20_000, 100


@pytest.fixture(scope="module")
def cases(city: SampleCity) -> Iterator[st.SearchStrategy[Any]]:
    """A request of any operation: as its description has it, or not quite."""
    described = city.get("/api?lang=en").json()
    described["paths"] = {
        path: kept
        for path, operations in described["paths"].items()
        if (kept := {method: one for method, one in operations.items() if _is_open(one)})
    }
    operations = [found.ok() for found in schemathesis.openapi.from_dict(described).get_all_operations()]
    yield st.one_of(
        operation.as_strategy(generation_mode=mode)
        for operation in operations
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        if mode is GenerationMode.POSITIVE or operation.query.items or operation.path_parameters.items
    )


def _is_open(operation: dict[str, Any]) -> bool:
    kinds = operation["responses"].get("200", {}).get("content", {})
    return "security" not in operation and _ENDLESS not in kinds


def _check(city: SampleCity, case: Any) -> None:
    asked: dict[str, Any] = {"params": _plain(case.query)} if case.query else {}
    if case.body is not None and isinstance(case.body, dict | list):
        asked["json"] = case.body
    path = case.formatted_path
    if not path.startswith("/") or "//" in path:
        return
    answer = city.get(path, case.method, **asked)
    assert answer.status_code < 500 or answer.status_code == 503, (case.as_curl_command(), answer.text)
    if answer.status_code >= 400:
        refused = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert refused["status"] == answer.status_code and refused["detail"]
        assert "Traceback" not in answer.text and "SELECT" not in answer.text


def _plain(query: dict[str, Any]) -> dict[str, Any]:
    """Values as an address can carry them: lists with commas, texts that are Unicode."""
    return {str(name).encode("utf-8", "replace").decode(): _text(value) for name, value in query.items()}


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return str(value).encode("utf-8", "replace").decode()


def _fuzz(city: SampleCity, cases: st.SearchStrategy[Any], most: int) -> None:
    # the operations differ much in how long their requests take to make
    quiet = [
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
        HealthCheck.large_base_example,
    ]

    @settings(max_examples=most, deadline=None, database=None, suppress_health_check=quiet,
              phases=[Phase.generate])  # fmt: skip
    @given(case=cases)
    def no_server_error(case: Any) -> None:
        _check(city, case)

    no_server_error()


def test_no_request_is_a_server_error(city: SampleCity, cases: st.SearchStrategy[Any]) -> None:
    _fuzz(city, cases, _QUICK)


@pytest.mark.torture
def test_many_requests_are_no_server_error(
    city: SampleCity, cases: st.SearchStrategy[Any], torture_scale: float
) -> None:
    _fuzz(city, cases, max(_QUICK, int(_CASES * torture_scale)))
