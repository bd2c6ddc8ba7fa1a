"""Whatever is sent to the exchange, the answer is one of those that it declares, and nothing is left half done."""

from typing import Any

import psycopg
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.api.exchange_city import PERSONS, ExchangeCity, person, table

_EXAMPLES = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
_GET = ["deliveries", "returned", "me", "registers", "directory", "directory/items", "directory/overdue"]
_NAMES = ["register", "department", "state", "reason", "overdue", "limit", "offset", "f", "lang", "class", "date", "x"]
_VALUES = st.one_of(
    st.sampled_from(["1", "0", "-1", "true", PERSONS, "police", "open", "xlsx", "zh", "2026-01-01", "9" * 30, "%00"]),
    st.text(max_size=20),
)
_PARAMETERS = st.lists(st.tuples(st.sampled_from(_NAMES), _VALUES), max_size=4)
_KINDS = ["text/csv", "application/json", "application/vnd.apache.parquet", "", "x/y; charset=\xff", "application/pdf"]
_BODIES = st.one_of(
    st.binary(max_size=400),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")),
    st.sampled_from([table([person(1)]), b'{"rows": [{"a": 1}]}', b"PK\x03\x04", b"PAR1" + b"\0" * 40 + b"PAR1"]),
)


@_EXAMPLES
@given(st.sampled_from(_GET), _PARAMETERS, st.sampled_from(["police", "*", None]))
def test_questions(exchange: ExchangeCity, path: str, asked: Any, whose: str | None) -> None:
    answer = exchange.ask(f"/exchange/{path}", whose, params=asked)
    assert answer.status_code in (200, 304, 400, 401, 403, 404, 414), answer.text


@_EXAMPLES
@given(_BODIES, st.sampled_from(_KINDS), _VALUES, _PARAMETERS)
@example(b"a,b\n1,2\n", "text/csv", "a\0b.csv", [])
@example(b"a,b\n1,2\n", "text/csv", "é" * 300 + ".csv", [])
@example(b"a,b\n1,2\n", "text/csv", ".csv", [("mode", "full")])
@example(b"a,b\n1,2\n", "text/csv", "\U0001f600.xlsx", [])
def test_bodies(exchange: ExchangeCity, body: bytes, kind: str, named: str, asked: Any) -> None:
    parameters = [("register", PERSONS), ("file", named), *(p for p in asked if p[0] not in ("register", "file"))]
    headers = {"content-type": kind.encode("latin-1")} if kind else {}
    answer = exchange.ask("/exchange/deliveries", "police", "POST", content=body, params=parameters, headers=headers)
    assert answer.status_code in (202, 400, 403, 413), answer.text
    if answer.status_code == 202:
        exchange.work()
        told = exchange.ask(f"/exchange/deliveries/{answer.json()['id']}").json()
        assert told["state"] in ("done", "failed") and (told["error"] is None) == (told["state"] == "done")
    assert list((exchange.home / "deliveries" / "incoming").glob("*")) == []


def test_every_account_adds_up(exchange: ExchangeCity) -> None:
    with psycopg.connect(exchange.url) as conn:
        rows = conn.execute("SELECT rows_delivered, rows_accepted + rows_unchanged + rows_returned FROM"
                            " exchange.delivery WHERE state = 'done'").fetchall()  # fmt: skip
    assert all(delivered == parts for delivered, parts in rows)
