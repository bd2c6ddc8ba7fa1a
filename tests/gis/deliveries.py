"""Deliveries of persons as departments hand them over, with what each row means, and what a database holds of them."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import xxhash

from gis.catalog import Catalogue
from gis.city import City
from gis.codes.citizen_id import check_character
from gis.exchange.delivery import Delivered
from gis.exchange.delivery.pseudonym import person_fids, secret
from gis.store.database import Database
from layers import LAYERS
from tests.gis.register_deliveries import ALWAYS, NEVER, SHANGHAI, Row
from tests.gis.register_words import Content, Task

REGISTER = "base.persons"
#: The titles under which the files hold what a person's row may say.
TITLES = {
    "citizen_id": "身份证号",
    "name": "姓名",
    "telephone": "联系电话",
    "sex": "性别",
    "birth_date": "出生日期",
    "ethnicity": "民族",
    "marital_status": "婚姻状况",
    "household": "户号",
    "relation": "与户主关系",
    "dwelling": "房屋编码",
}
DWELLINGS = ("D1", "D2")
OPERATION, FROM, TO = "操作", "生效日期", "失效日期"
#: What the register itself shows; names and telephones are kept apart.
SHOWN = frozenset(TITLES) - {"citizen_id", "name", "telephone"}
#: Words of a coded field as files hold them.
WORDS = {"marital_status": {"single": "未婚", "married": "已婚"}}

DELIVERED = ("exchange.returned", "exchange.repeated", "exchange.base_persons_claim", "exchange.delivery")
PERSONS = ("base.persons", "base.persons_past", "base.persons_id", "base.persons_identifier")
RECORDED = ("core.epoch", "core.load_reject", "core.load")
TABLES = (*DELIVERED, *PERSONS, *RECORDED)


def day(number: int) -> datetime:
    """A day of the tests' calendar, its beginning in Shanghai."""
    return datetime(2022, 1, 1, tzinfo=SHANGHAI) + timedelta(days=number)


def citizen_id(number: int) -> str:
    """A valid id number of a man: one for each number."""
    born = date(1950, 1, 1) + timedelta(days=number // 400)
    body = f"341502{born:%Y%m%d}{number % 400 * 2 + 1:03d}"
    return body + check_character(body)


def broken_id(number: int) -> str:
    """An id number whose check digit does not fit."""
    sound = citizen_id(number)
    return sound[:17] + ("1" if sound[17] != "1" else "2")


@dataclass(frozen=True)
class Line:
    """A row as its file holds it, under the fields' names, and what it means."""

    cells: Mapping[str, str]
    row: Row

    def numbered(self, number: int) -> Row:
        """What it means as the row of that number."""
        return replace(self.row, number=number)


def line(person: int, said: Mapping[str, str], **more: Any) -> Line:
    """A sound row about a person; `more` is `deletes`, `start`, `end` of what it means."""
    cells = {"citizen_id": citizen_id(person)} | {k: WORDS.get(k, {}).get(v, v) for k, v in said.items()}
    for column, when in ((FROM, more.get("start")), (TO, more.get("end"))):
        cells[column] = f"{when:%Y-%m-%d}" if when else ""
    cells[OPERATION] = "删除" if more.get("deletes") else "变更"
    return Line(cells, Row(0, citizen_id(person), dict(said), **more))


def faulty(fault: str, sound: Line, person: int) -> Line:
    """A row spoilt so that its form is refused for that reason."""
    changes: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
        "check_digit": ({"citizen_id": broken_id(person)}, {"key": None, "written_key": broken_id(person)}),
        "excel_damaged": ({"citizen_id": "3.41502E+17"}, {"key": None}),
        "no_key": ({"citizen_id": ""}, {"key": None, "fault": "missing", "more_facts": 0}),
        "missing": ({"name": ""}, {"cells": {k: v for k, v in sound.row.cells.items() if k != "name"}}),
        "unknown_value": ({"marital_status": "不详之至"}, {"cells": dict(sound.row.cells) | {"marital_status": "?"}}),
        "bad_date": ({FROM: "2023-02-30"}, {}),
        "contradiction": ({"sex": "女"}, {"cells": dict(sound.row.cells) | {"sex": "female"}}),
        "unknown_reference": ({"dwelling": "NOWHERE"}, {"cells": dict(sound.row.cells) | {"dwelling": "NOWHERE"}}),
    }
    cells, meaning = changes[fault]
    item = next((c for c in cells if c in TITLES), "")
    return Line(dict(sound.cells) | cells, replace(sound.row, **({"fault": fault, "fault_item": item} | meaning)))


def put_dwellings(url: str) -> None:
    """The places that persons' rows refer to."""
    with psycopg.connect(url) as conn:
        for code in DWELLINGS:
            conn.execute(
                "INSERT INTO base.dwellings (fid, rec_from, digest, load, code, building)"
                " VALUES (%s, 1, 1, 1, %s, 'B')",
                (xxhash.xxh3_64_intdigest(code.encode()) & (1 << 53) - 1, code),
            )


def write_csv(path: Path, lines: Iterable[Line], *, full: bool) -> list[Row]:
    """Write the file; returns what its rows mean, each with its number (the line, the header's being 1)."""
    held = list(lines)
    columns = [*TITLES, FROM, TO] + ([] if full else [OPERATION])
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow([TITLES.get(c, c) for c in columns])
        writer.writerows([each.cells.get(c, "") for c in columns] for each in held)
    return [each.numbered(number) for number, each in enumerate(held, 2)]


SAID = "SELECT src_row FROM exchange.base_persons_claim WHERE delivery = %s"
RAISED = "SELECT src_row, fid, reason FROM exchange.returned WHERE delivery = %s AND raised_by = %s"
REPEATED = "SELECT fids FROM exchange.repeated WHERE delivery = %s ORDER BY part"
#: Reasons that the comparison with other departments gives; all others are those of a row's form.
COMPARED = {"conflict", "identity", "unknown_entity", "ended"}
Spans = dict[int, list[tuple[datetime, datetime, Content]]]


@dataclass
class Desk:
    """Where departments hand their files over, and a look at what became of them."""

    url: str
    folder: Path
    register: str = REGISTER
    handed_over: int = 0
    city: City = field(init=False)

    def __post_init__(self) -> None:
        self.city = City(Database(self.url), Catalogue(LAYERS))

    def deliver(self, path: Path, department: str, edition: datetime, *, full: bool) -> Delivered:
        """Hand a file over and have it worked."""
        mode = "full" if full else "incremental"
        return self.city.deliver(self.register, path, department=department, mode=mode, edition=edition)

    def rows(self, sql: str, *args: object) -> list[Any]:
        """Ask the database."""
        with psycopg.connect(self.url, autocommit=True) as conn:
            return conn.execute(sql, args).fetchall()

    def empty(self) -> None:
        """Take everything out that deliveries brought."""
        with psycopg.connect(self.url, autocommit=True) as conn:
            conn.execute(";".join(f"DELETE FROM {table}" for table in TABLES))

    def fids(self, keys: Iterable[str]) -> dict[str, int]:
        """The numbers of persons."""
        with psycopg.connect(self.url) as conn:
            key = secret(conn)
        texts = sorted(keys)
        return dict(zip(texts, person_fids(pa.array(texts, pa.string()), key).tolist(), strict=True))

    def state(self) -> list[Any]:
        """A digest of every table that a delivery may write to, but for the list of deliveries itself."""
        digest = "SELECT '{0}', count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {0} t"
        tables = (t for t in TABLES if t not in ("exchange.delivery", "core.load"))
        return sorted(self.rows(" UNION ALL ".join(map(digest.format, tables))))

    def assert_adds_up(self, delivered: Delivered) -> None:
        """The account is that of the rows themselves: claims made, numbers repeated, rows returned."""
        said = {row for (row,) in self.rows(SAID, delivered.id) if row is not None}
        raised = self.rows(RAISED, delivered.id, delivered.id)
        returned = {row for row, _, _ in raised}
        packed = b"".join(fids for (fids,) in self.rows(REPEATED, delivered.id))
        numbers = [int.from_bytes(packed[n : n + 8], "big") for n in range(0, len(packed), 8)]
        compared = {fid for _, fid, reason in raised if reason in COMPARED}
        rows, facts = delivered.rows, delivered.facts
        repeated = len(set(numbers) - compared)
        # a row of which the file tells twice is kept as a claim even where it repeats
        assert rows.accepted + rows.unchanged == len(said - returned) + repeated
        assert rows.unchanged >= repeated
        assert rows.returned == len(returned)
        assert numbers == sorted(set(numbers))
        assert rows.delivered == rows.accepted + rows.unchanged + rows.returned
        assert facts.delivered == facts.accepted + facts.unchanged + facts.returned

    def spans(self) -> Spans:
        """What the register shows: by person's number the rows in the order of valid time."""
        columns = sorted(SHOWN)
        found = self.rows(
            f"SELECT fid, nullif(valid_from, '-infinity'), nullif(valid_to, 'infinity'), {', '.join(columns)}"
            f" FROM {self.register} ORDER BY fid, valid_from"
        )
        spans: Spans = {}
        for fid, start, end, *values in found:
            content = tuple((c, str(v)) for c, v in zip(columns, values, strict=True) if v is not None)
            spans.setdefault(fid, []).append((start or ALWAYS, end or NEVER, content))
        return spans

    def tasks(self) -> set[Task]:
        """The open tasks; the entity is the person's number as text, empty where it is unknown."""
        found = self.rows(
            "SELECT department, delivery, src_row, coalesce(fid::text, ''), item, reason FROM exchange.returned"
            " WHERE state = 'open' AND register = %s",
            self.register,
        )
        assert not [task for task, times in Counter(found).items() if times > 1], "a task is there twice"
        return {Task(*task) for task in found}


def shown(spans: Iterable[tuple[datetime, datetime, Content]]) -> list[tuple[datetime, datetime, Content]]:
    """Rows with nothing but what the register shows, and neighbours that are then alike made one."""
    rows: list[tuple[datetime, datetime, Content]] = []
    for start, end, content in spans:
        kept = tuple((item, value) for item, value in content if item in SHOWN)
        since = rows.pop()[0] if rows and rows[-1][1:] == (start, kept) else start
        rows.append((since.astimezone(UTC), end, kept))
    return rows
