"""A city that departments deliver to over HTTP: keys, files and questions, as the tests of the exchange need them."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg

from gis.access import keys
from gis.catalog import Catalogue
from gis.codes.citizen_id import check_character
from gis.exchange.delivery import Delivered, work_pending
from gis.store.database import Database
from layers import LAYERS

PERSONS = "base.persons"
COLUMNS = ("身份证号", "姓名", "性别", "婚姻状况", "联系电话", "备注")
CENTRE = "*"


def citizen_id(number: int) -> str:
    """A valid id number of a man: one for each number."""
    born = date(1950, 1, 1) + timedelta(days=number // 400)
    body = f"341502{born:%Y%m%d}{number % 400 * 2 + 1:03d}"
    return body + check_character(body)


def person(number: int, **other: str) -> dict[str, str]:
    """A row of a department, by the number of the person."""
    row = {"身份证号": citizen_id(number), "姓名": f"李{chr(0x4E00 + number % 5000)}", "性别": "男"}
    return {**dict.fromkeys(COLUMNS, ""), **row, "婚姻状况": "未婚", **other}


def table(rows: Sequence[Mapping[str, str]], encoding: str = "utf-8") -> bytes:
    """Rows as a CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


@dataclass
class ExchangeCity:
    """The database, the folder of the installation, and a way to ask as a department."""

    url: str
    home: Path
    request: Callable[..., httpx.Response]
    keys: dict[str, str] = field(default_factory=dict)

    def ask(self, path: str, whose: str | None = "police", method: str = "GET", **more: Any) -> httpx.Response:
        """One question with the key of a department, or without."""
        headers = {**({"authorization": f"Bearer {self.key(whose)}"} if whose else {}), **more.pop("headers", {})}
        return self.request(path, method, headers=headers, **more)

    def key(self, department: str) -> str:
        """A key of a department, made once."""
        if department not in self.keys:
            with psycopg.connect(self.url, autocommit=True) as conn:
                self.keys[department] = keys.add(conn, department)[1]
        return self.keys[department]

    def post(self, content: Any, whose: str = "police", kind: str = "text/csv", **asked: str) -> httpx.Response:
        """Hand something over."""
        parameters = {"register": PERSONS, "file": "people.csv", **asked}
        given = {name: value for name, value in parameters.items() if value}
        return self.ask("/exchange/deliveries", whose, "POST", content=content, params=given,
                        headers={"content-type": kind})  # fmt: skip

    def kept(self, delivery: int) -> Path:
        """The file of a delivery as it was handed over."""
        with psycopg.connect(self.url) as conn:
            row = conn.execute("SELECT spool FROM exchange.delivery WHERE id = %s", (delivery,)).fetchone()
        assert row is not None
        return self.home / "deliveries" / str(row[0])

    def work(self) -> list[Delivered]:
        """Do what the worker does."""
        with_database = Database(self.url)
        try:
            return list(work_pending(with_database, Catalogue(LAYERS)))
        finally:
            with_database.close()

    def hand_over(self, rows: Sequence[Mapping[str, str]], whose: str = "police", **asked: str) -> dict[str, Any]:
        """Hand rows over and see them worked on."""
        answer = self.post(table(rows), whose, **asked)
        assert answer.status_code == 202, answer.text
        self.work()
        found: dict[str, Any] = self.ask(f"/exchange/deliveries/{answer.json()['id']}", whose).json()
        return found
