"""Whatever the description lets a program ask, by whomever: no server error, a reason for each refusal, no other's row.

The requests are drawn from the description that the owner is told, which names the most; callers of every role send
them.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from tests.contract.rights_city import WHO, RuledCity
from tests.contract.test_rights_fuzz import _check_rows

_CASES, _FEWEST = 6_000, 50
_ENDLESS = "text/event-stream"
#: Rows of other moments or plans are not what the oracle knows.
_ELSEWHEN = {"datetime", "as-of", "scenario", "crs"}
_ITEMS = re.compile(r"/collections/([^/]+)/items(?:/\d+)?\Z")


@pytest.fixture(scope="module")
def cases(ruled: RuledCity) -> Iterator[st.SearchStrategy[Any]]:
    """A request of any operation, as its description has it or not quite."""
    described = ruled.told("owner", "/api?lang=en").json()
    # the templates name every collection; each collection's own parameters are another test's matter
    named = re.compile("/collections/[a-z]+[.]")
    described["paths"] = {
        path: {m: one for m, one in operations.items() if _ENDLESS not in str(one.get("responses", {}).get("200", ""))}
        for path, operations in described["paths"].items()
        if not named.match(path)
    }
    operations = [found.ok() for found in schemathesis.openapi.from_dict(described).get_all_operations()]
    yield st.one_of(
        operation.as_strategy(generation_mode=mode)
        for operation in operations
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        if mode is GenerationMode.POSITIVE or operation.query.items or operation.path_parameters.items
    )


def _ask(ruled: RuledCity, who: str, name: str, case: Any) -> None:
    if case.path_parameters and "collectionId" in case.path_parameters:
        case.path_parameters["collectionId"] = name
    path = case.formatted_path
    if not path.startswith("/") or "//" in path:
        return
    asked: dict[str, Any] = {"headers": {"x-who": who}}
    if case.query:
        asked["params"] = {_text(key): _text(value) for key, value in case.query.items()}
    if isinstance(case.body, dict | list):
        asked["json"] = case.body
    answer = ruled.request(path, case.method, **asked)
    told = (who, case.method, path, asked.get("params"))
    assert answer.status_code < 500 or answer.status_code == 503, (told, answer.text[:500])
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", told
        assert answer.json()["detail"] and "Traceback" not in answer.text and "SELECT" not in answer.text, told
        return
    found = _ITEMS.match(path)
    if found and "geo+json" in answer.headers.get("content-type", "") and not _ELSEWHEN & {*asked.get("params", {})}:
        document = answer.json()
        _check_rows(ruled, who, found[1], document if "features" in document else {"features": [document]})


def _text(value: Any) -> str:
    text = ",".join(map(_text, value)) if isinstance(value, list) else str(value)
    return text.encode("utf-8", "replace").decode()


@pytest.mark.torture
def test_no_caller_s_request_is_a_server_error(
    ruled: RuledCity, cases: st.SearchStrategy[Any], torture_scale: float
) -> None:
    names = st.sampled_from([collection.id for collection in ruled.catalogue])

    @settings(max_examples=max(_FEWEST, int(_CASES * torture_scale)), deadline=None, database=None,
              suppress_health_check=list(HealthCheck), phases=[Phase.generate])  # fmt: skip
    @given(st.sampled_from(sorted(WHO)), names, cases)
    def no_server_error(who: str, name: str, case: Any) -> None:
        _ask(ruled, who, name, case)

    no_server_error()
