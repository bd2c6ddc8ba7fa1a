"""Small directories for tests, and deliveries put straight into the ledger."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pytest

from gis.catalog import Catalogue
from gis.errors import BadInput
from gis.exchange.directory import apply
from gis.store.database import Database
from layers import LAYERS

DEPARTMENTS = [
    {"code": code, "title": {"zh": zh, "en": code}}
    for code, zh in (
        ("police", "公安局"), ("civil_affairs", "民政局"), ("real_estate", "不动产登记中心"),
        ("market", "市场监督管理局"),
        ("health", "卫生健康委员会"),
    )
]  # fmt: skip


def klass(code: str, department: str, **more: Any) -> dict[str, Any]:
    """A class of information on persons, collected monthly since 2024."""
    plain = {
        "title": {"zh": f"{code}信息", "en": code},
        "subject": "person",
        "period": "monthly",
        "begins": "2024-01-01",
    }
    return {"code": code, "department": department, **plain, **more}


def item(code: str, information_class: str, zh: str, **more: Any) -> dict[str, Any]:
    """A freely shared text item."""
    plain = {"title": {"zh": zh, "en": code}, "type": "text", "sensitivity": "open", "share": "free"}
    return {"code": code, "information_class": information_class, **plain, **more}


def content(**more: Any) -> dict[str, Any]:
    """A directory of two classes of one register, and one that nobody delivers yet."""
    return {
        "departments": DEPARTMENTS,
        "classes": [
            klass("GA001", "police", register="base.persons"), klass("MZ001", "civil_affairs", register="base.persons"),
            klass("WJ001", "health", period="weekly"),
        ],
        "items": [
            item("GA001-01", "GA001", "姓名", identifying="是", field="name"),
            item("GA001-02", "GA001", "婚姻状况", field="marital_status"),
            item("GA001-03", "GA001", "血型"),
            item("MZ001-01", "MZ001", "婚姻状况", field="marital_status"),
            item("WJ001-01", "WJ001", "婚姻状况", owner="civil_affairs"),
        ],
        "requests": [
            {"department": "health", "item": "GA001-02", "purpose": "随访", "asked_on": "2024-05-01"},
            {"department": "health", "item": "GA001-03", "purpose": "用血", "asked_on": "2024-04-01"},
        ],
        **more,
    }  # fmt: skip


def written(folder: Path, name: str = "directory.json", **more: Any) -> Path:
    """The directory as a JSON file."""
    path = folder / name
    path.write_text(json.dumps(content(**more), ensure_ascii=False), encoding="utf-8")
    return path


def workbook(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    """Sheets of rows as a workbook."""
    book = openpyxl.Workbook()
    book.remove(book.active)  # type: ignore[arg-type]
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def deliver(
    conn: psycopg.Connection, register: str, department: str, day: str, *, rows: int = 100, returned: int = 0,
    reasons: dict[str, int] | None = None, state: str = "done", facts: int | None = None,
) -> int:  # fmt: skip
    """A delivery as the ledger keeps one, of which nothing was unchanged; returns its number."""
    (number,) = conn.execute("SELECT coalesce(max(id), 0) + 1 FROM exchange.delivery").fetchone() or (0,)
    facts = rows * 2 if facts is None else facts
    conn.execute(
        "INSERT INTO exchange.delivery (id, register, department, mode, edition, file, file_sha256, spool, state,"
        " rows_delivered, rows_accepted, rows_unchanged, rows_returned, facts_delivered, facts_accepted,"
        " facts_unchanged, facts_returned, reasons, received_by, received_at, finished_at)"
        " VALUES (%(id)s, %(register)s, %(department)s, 'full', %(edition)s, 'f.csv', '', '', %(state)s,"
        " %(rows)s, %(accepted)s, 0, %(returned)s, %(facts)s, %(facts)s, 0, 0, %(reasons)s, 'test',"
        " %(edition)s, now())",
        {
            "id": number, "register": register, "department": department, "edition": f"{day}T08:00:00+08:00",
            "state": state, "rows": rows, "accepted": rows - returned, "returned": returned, "facts": facts,
            "reasons": json.dumps(reasons or {}),
        },
    )  # fmt: skip
    for row in range(returned):
        conn.execute(
            "INSERT INTO exchange.returned (register, department, delivery, src_row, reason, text_zh, text_en,"
            " raised_by, due_on) VALUES (%s, %s, %s, %s, 'form', '退回', 'returned', %s, %s)",
            (register, department, number, row + 2, number, date(2030, 1, 1)),
        )
    conn.commit()
    return int(number)


def claim(conn: psycopg.Connection, delivery: int, department: str, fid: int, **values: Any) -> None:
    """What a department said of a person."""
    names = "".join(f', "{name}"' for name in values)
    conn.execute(
        "INSERT INTO exchange.base_persons_claim (fid, department, delivery, edition, said, latest, digest"
        f"{names}) VALUES (%s, %s, %s, now(), true, true, 0{', %s' * len(values)})",
        (fid, department, delivery, *values.values()),
    )
    conn.commit()


def refused(database: Database, path: Path) -> BadInput:
    """How a file is refused: with a sentence in both languages."""
    with pytest.raises(BadInput) as caught:
        apply(database, Catalogue(LAYERS), path)
    assert caught.value.text.zh
    return caught.value
