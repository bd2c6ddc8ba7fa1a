"""What departments hand over by HTTP: every form of file, rows as JSON, and what is no table."""

import asyncio
import io
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook
from starlette.requests import ClientDisconnect, Request

from api.upload import received, sweep
from tests.api.exchange_city import PERSONS, ExchangeCity, person, table

PEOPLE = [person(n) for n in range(12)]


def _excel() -> bytes:
    workbook = Workbook()
    for row in [list(PEOPLE[0]), *(list(p.values()) for p in PEOPLE)]:
        workbook.active.append(row)
    body = io.BytesIO()
    workbook.save(body)
    return body.getvalue()


def _parquet() -> bytes:
    body = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(PEOPLE), body)
    return body.getvalue()


@pytest.mark.parametrize(
    ("content", "kind", "name"),
    [
        (table(PEOPLE), "text/csv", "人口 2026.csv"),
        (table(PEOPLE), "text/csv", "../../../etc/passwd"),
        (table(PEOPLE, "gb18030"), "text/csv; charset=gbk", ""),
        (table(PEOPLE), "application/octet-stream", "C:\\data\\people.csv"),
        (_excel(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "people.xlsx"),
        (_excel(), "text/csv", "people.csv"),
        (_parquet(), "application/vnd.apache.parquet", "people"),
        (_parquet(), "application/octet-stream", ""),
    ],
    ids=["csv", "escaping", "gbk", "windows", "xlsx", "misnamed", "parquet", "nameless"],
)
def test_every_form_passes_the_same_door(exchange: ExchangeCity, content: bytes, kind: str, name: str) -> None:
    answer = exchange.post(content, kind=kind, file=name, date="2026-01-05", mode="full")
    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert "/" not in told["file"] and "\\" not in told["file"] and not told["file"].startswith(".")
    exchange.work()
    found = exchange.ask(f"/exchange/deliveries/{told['id']}").json()
    assert (found["state"], found["rows"]["delivered"], found["rows"]["returned"]) == ("done", 12, 0), found
    kept = exchange.kept(told["id"])
    assert kept.name == told["file"] and kept.read_bytes() == content
    assert kept.resolve().is_relative_to(exchange.home / "deliveries")


@pytest.mark.parametrize(
    ("content", "kind", "named", "status"),
    [
        (b"", "text/csv", "a.csv", 400),
        (b"\x00\x01\x02", "application/octet-stream", "", 400),
        (b"%PDF-1.7 ...", "application/pdf", "a.pdf", 400),
        (b"PK\x03\x04broken", "text/csv", "a.xlsx", 400),
        (b"\x89PNG\r\n", "image/png", "people.parquet", 400),
        (b"x" * (4 << 20), "text/csv", "a.csv", 413),
    ],
)
def test_what_is_no_table_is_refused_at_the_door(
    exchange: ExchangeCity, content: bytes, kind: str, named: str, status: int
) -> None:
    answer = exchange.post(content, kind=kind, file=named)
    assert answer.status_code == status, answer.text
    assert str(exchange.home) not in answer.text
    assert list((exchange.home / "deliveries" / "incoming").glob("*")) == []


def test_a_body_without_an_end_is_cut_off_at_the_limit(exchange: ExchangeCity) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1 << 16
            yield b"x" * (1 << 16)
            await asyncio.sleep(0)

    answer = exchange.post(endless())
    assert answer.status_code == 413 and "3 MB" in answer.json()["detail"] and sent < 5 << 20
    assert list((exchange.home / "deliveries" / "incoming").glob("*")) == []


def test_packed_bodies_are_refused(exchange: ExchangeCity) -> None:
    answer = exchange.ask("/exchange/deliveries", method="POST", content=b"x", params={"register": PERSONS},
                          headers={"content-encoding": "gzip"})  # fmt: skip
    assert answer.status_code == 400 and answer.json()["subject"] == "content-encoding"


def test_rows_as_json(exchange: ExchangeCity) -> None:
    rows: list[dict[str, Any]] = [{"姓名": p["姓名"], "citizen_id": p["身份证号"], "性别": p["性别"]} for p in PEOPLE]
    rows[0] |= {"备注": '逗号, 引号" 与\n换行', "n": None, "vip": True}
    answer = exchange.post(_json(rows), kind="application/json", file="", date="2026-01-06", mode="incremental")
    assert answer.status_code == 202 and answer.json()["file"] == "rows.csv", answer.text
    exchange.work()
    found = exchange.ask(f"/exchange/deliveries/{answer.json()['id']}").json()
    assert (found["state"], found["rows"]["delivered"], found["rows"]["returned"]) == ("done", 12, 0)


@pytest.mark.parametrize(
    "body",
    [
        b"[]", b"{}", b'{"rows": []}', b'{"rows": {}}', b'{"rows": [1]}', b'{"rows": [{}]}', b'{"rows": [{"a": [1]}]}',
        b'{"rows": [{"a": ""}]}', b'{"rows": [{"a": "\\ud800"}]}', b'{"rows": [{"a": "b"}', b'{"rows": [{"a": "b"}]} x',
        b'{"rows": [{"a": 1, "a": 2}]}', b'{"rows": [{"a": "\xff"}]}', b'{"x": 1}', b"\xff\xfe", b'{"rows": [{"": 1}]}',
        b'{"rows": [{"a b": 1, "a  b": 2}]}', b'{"rows": [{"a": "b\\u0000"}]}', b'{"rows": ' + b"[" * 5000,
    ],
)  # fmt: skip
def test_json_that_holds_no_rows_is_refused(exchange: ExchangeCity, body: bytes) -> None:
    answer = exchange.post(body, kind="application/json")
    assert answer.status_code == 400 and answer.json()["subject"].startswith("rows"), answer.text


def _json(rows: list[dict[str, Any]]) -> bytes:
    import orjson

    return orjson.dumps({"rows": rows})


def test_a_caller_who_hangs_up_amid_a_file_leaves_nothing(tmp_path: Path) -> None:
    messages = [{"type": "http.request", "body": b"a,b\n", "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        return messages.pop(0)

    request = Request({"type": "http", "method": "POST", "headers": []}, receive)
    with pytest.raises(ClientDisconnect):
        asyncio.run(received(request, "a.csv", tmp_path, 1))
    assert list((tmp_path / "deliveries" / "incoming").glob("*")) == []


def test_what_a_killed_server_left_is_swept_a_day_later(tmp_path: Path) -> None:
    for name, age_s in (("old", 90_000), ("new", 60)):
        folder = tmp_path / "deliveries" / "incoming" / name
        folder.mkdir(parents=True)
        (folder / "a.csv").write_text("x")
        os.utime(folder, (time.time() - age_s,) * 2)
    sweep(tmp_path)
    assert [folder.name for folder in (tmp_path / "deliveries" / "incoming").iterdir()] == ["new"]
