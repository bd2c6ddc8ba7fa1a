"""Odd files of every sort: each load adds up or is refused in one sentence, and what is taken is what the file said."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gis.base.pois import KINDS
from gis.catalog import Catalogue
from gis.city import City
from gis.errors import BadInput, OneMapError
from gis.exchange.readers import ReadOptions
from gis.exchange.report import LoadReport
from gis.exchange.values import LONGEST_SORTABLE_BYTES
from gis.store.database import Database
from layers import LAYERS
from tests.gis.register_state import assert_adds_up, empty, state

SHANGHAI = ZoneInfo("Asia/Shanghai")
#: As `gis.exchange.text_values` documents a text: trimmed of these, no value where it is one of those, …
WHITE = " \t\r\n\f\v\u00a0\u3000\ufeff\u200b\u2028\u2029"
NO_VALUE = {"", "NULL", "null", "<Null>", "<null>", "<NULL>", "(null)", "\\N", "#NULL"}
#: … and not taken where a formula failed or Excel has lost its digits.
FAILED = {"#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#DIV/0!", "#CALC!", "#SPILL!", "#FIELD!"}
DAMAGED = re.compile(r"-?\d(\.\d+)?[Ee]\+\d{2,3}\Z")

LONG = "".join(chr(0x4E00 + i * 7919 % 20_000) for i in range(1_500))
ODD = [
    "1", "01", "1.0", "1e0", "１", "+1", "-0", "0", "00", "1,000", "3.42E+17", "9007199254740993", "1" * 400, "NaN",
    "inf", "true", "甲", "甲 ", " 甲", "甲\u3000", "\u200b甲", "é", "e\u0301", "😀", "\U0002a6a5", "'", '"', '""',
    "''; --", "\\", "\\N", "\\x00", "a\\", "%s", "{}", "${x}", "$1", "a\0b", "\0", "a\nb", "a\r\nb", "\r", "\t",
    "a\tb", "\x1f", "a\x1fb", "\x7f", "\ufffd", "\ud7ff", "null", "NULL", "None", "-", "#N/A", "#REF!", "", " ",
    "\ufeff", "合计", "注:", LONG, "<b>", "&amp;", "=1+1", "@x", "../..", "A;B", "A|B", "\u202e甲",
]  # fmt: skip
WORDS = st.sampled_from(ODD) | st.text(st.characters(codec="utf-8"), max_size=8)
KEYS = st.sampled_from([f"P{i}" for i in range(5)] * 20 + ODD) | WORDS


def day(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI).astimezone(UTC)  # type: ignore[arg-type,misc]


@dataclass(frozen=True)
class Bad:
    """A value that no row is taken with."""


BAD = Bad()
TIMES: dict[str, datetime | Bad | None] = {
    "": None, "-": None, "2020-01-01": day(2020, 1, 1), "2020/1/2": day(2020, 1, 2), "2020年3月5日": day(2020, 3, 5),
    "20210101": day(2021, 1, 1), "2022-05-06 07:08:09.5": day(2022, 5, 6, 7, 8, 9, 500_000), "43831": day(2020, 1, 1),
    "2023-01-01T00:00:00Z": datetime(2023, 1, 1, tzinfo=UTC), "1000-01-01": day(1000, 1, 1), "2020-02-30": BAD,
    "昨天": BAD, "2020-13-01": BAD, "2020-01-01 25:00": BAD, "0999-01-01": BAD, "1e400": BAD,
    "２０２０-01-01": day(2020, 1, 1), "9998-12-31": day(9998, 12, 31), "99999-01-01": BAD,
}  # fmt: skip
LONGITUDES: dict[str, float | None] = {
    "116.5": 116.5, "-180": -180.0, "180": 180.0, "0.1": 0.1, "nan": None, "181": None, "": None, "甲": None,
    "1e400": None,
}  # fmt: skip
LATITUDES: dict[str, float | None] = {
    "31.7": 31.7, "90": 90.0, "-90": -90.0, "0.1": 0.1, "inf": None, "90.0001": None, "": None, "a\0": None,
}  # fmt: skip
COLUMNS = ("编码", "名称", "类别", "地址", "经度", "纬度", "启用日期", "停用日期", "备注")
PLACE = ("经度", "纬度")


@dataclass(frozen=True)
class Row:
    """A row as the file holds it."""

    cells: dict[str, str]

    def only(self, columns: list[str]) -> "Row":
        """The row without its other columns; its place is always there."""
        return Row({c: cell if c in columns or c in PLACE else "" for c, cell in self.cells.items()})

    def expected(self) -> tuple[Any, ...] | None:
        """What it is in the register: code, name, kind, address, from, to, x, y; None where it is not taken."""
        get = self.cells.get
        code, name = text_of(get("编码", "")), text_of(get("名称", ""))
        kind, address = text_of(get("类别", "")), text_of(get("地址", ""))
        x, y = LONGITUDES[get("经度", "")], LATITUDES[get("纬度", "")]
        start, end = TIMES[get("启用日期", "")], TIMES[get("停用日期", "")]
        if name is not None and len(name.encode()) > LONGEST_SORTABLE_BYTES:
            return None
        if code is None or name is None or x is None or y is None or isinstance(start, Bad) or isinstance(end, Bad):
            return None
        if start is not None and end is not None and end <= start:
            return None
        return code, name, kind if kind in KINDS else None, address, start, end, x, y


def text_of(cell: str) -> str | None:
    found = cell.strip(WHITE)
    return None if found in NO_VALUE | FAILED or "\0" in found or DAMAGED.match(found) else found


def mostly(plain: str, table: dict[str, Any]) -> st.SearchStrategy[str]:
    """One value nearly always, else one of a table, those that can be taken three times as often."""
    usable = [text for text, value in table.items() if value is not None and not isinstance(value, Bad)]
    return st.sampled_from([plain] * 60 + usable * 3 + list(table))


ROWS = st.fixed_dictionaries(
    {
        "编码": KEYS,
        "名称": WORDS,
        "类别": st.sampled_from([*KINDS, "学府", "", "\0"]),
        "地址": WORDS,
        "备注": WORDS,
        "经度": mostly("116.5", LONGITUDES),
        "纬度": mostly("31.7", LATITUDES),
        "启用日期": mostly("", TIMES),
        "停用日期": mostly("", TIMES),
    }
).map(Row)
LACKING = st.sampled_from([()] * 15 + [(c,) for c in COLUMNS] + [("启用日期", "停用日期")])
EDITIONS = st.tuples(
    st.lists(ROWS, max_size=5) | st.lists(ROWS, min_size=4, max_size=15), st.permutations(COLUMNS), LACKING
)


def write_csv(path: Path, rows: list[Row], columns: list[str]) -> dict[int, Row]:
    """Every cell quoted; a row counts by its first line, and lines inside a cell end as the others do."""
    numbered: dict[int, Row] = {}
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        if any(row.cells[c] for c in columns):
            cells = {column: re.sub("\r+\n", "\n", cell) for column, cell in row.cells.items()}
            numbered[out.getvalue().count("\n") + 1] = Row(cells)
        writer.writerow([row.cells[c] for c in columns])
    path.write_text(out.getvalue(), "utf-8", newline="")
    return numbered


def write_geojson(path: Path, rows: list[Row], columns: list[str]) -> dict[int, Row]:
    """Coordinates that are no numbers are written as what JSON can say."""
    features = []
    for row in rows:
        x, y = LONGITUDES[row.cells["经度"]], LATITUDES[row.cells["纬度"]]
        place = None if x is None or y is None else {"type": "Point", "coordinates": [x, y]}
        held = {c: row.cells[c] for c in columns if c not in PLACE}
        features.append({"type": "Feature", "geometry": place, "properties": held})
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    return dict(enumerate(rows, 1))


class Book:
    """A city that takes edition after edition, and what it must then hold."""

    def __init__(self, city: City, write: Callable[[Path, list[Row], list[str]], dict[int, Row]], path: Path) -> None:
        self.city, self.write, self.path = city, write, path

    def take(self, editions: list[tuple[list[Row], list[str], list[str]]]) -> None:
        """Load one after the other, each replacing the last, and compare."""
        empty(self.city.database.url)
        held: list[Any] = []
        for rows, columns, lacks in editions:
            present = [c for c in columns if c not in lacks]
            written = self.write(self.path, rows, present)
            before = state(self.city.database.url)
            places = {"x": "经度", "y": "纬度"} if self.path.suffix == ".csv" else {}
            try:
                report = self.city.load(self.path, "base.pois", read=ReadOptions(crs="EPSG:4326", **places))
            except OneMapError as error:
                assert isinstance(error, BadInput)
                assert error.subject
                assert error.text.zh != error.text.en
                assert state(self.city.database.url) == before
                continue
            assert_adds_up(self.city.database.url, report)
            held = self.compare({n: row.only(present) for n, row in written.items()}, report, held)

    def compare(self, written: dict[int, Row], report: LoadReport, held: list[Any]) -> list[Any]:
        """Taken rows are equal to what was written; whatever was not taken had a reason not to be."""
        expected, refused = after(written), {r.row: r.reason for r in report.findings.rejects}
        aside = {n for n, reason in refused.items() if reason in BY_THE_READER}
        if aside:
            expected = after({n: row for n, row in written.items() if n not in aside})
        taken = report.rows - report.rejected
        assert set(expected) | set(refused) >= set(written)
        assert not set(expected) & set(refused), {n: refused[n] for n in set(expected) & set(refused)}
        now = sorted(expected.values(), key=repr) if taken else held
        assert sorted(self.rows(), key=repr) == now
        return now

    def rows(self) -> list[Any]:
        """What the register holds."""
        with psycopg.connect(self.city.database.url) as conn:
            return conn.execute(
                "SELECT code, name, kind, address, NULLIF(valid_from, '-infinity'), NULLIF(valid_to, 'infinity'),"
                " ST_X(geom), ST_Y(geom) FROM base.pois"
            ).fetchall()


#: Reasons for which a reader may set a row aside whatever its values are.
BY_THE_READER = {"total-row", "note-row", "nul-character", "unclosed-quote", "ragged"}


def after(written: dict[int, Row]) -> dict[int, tuple[Any, ...]]:
    """The rows that are taken: of those with one feature and overlapping valid time the first one in the file."""
    firsts: dict[tuple[Any, ...], tuple[int, tuple[Any, ...]]] = {}
    for number, row in sorted(written.items()):
        found = row.expected()
        if found is not None:
            firsts.setdefault((found[0], found[4]), (number, found))
    taken: dict[int, tuple[Any, ...]] = {}
    for number, found in firsts.values():
        if not any(other[0] == found[0] and overlap(other, found) for other in taken.values()):
            taken[number] = found
    return taken


def overlap(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    def before(end: datetime | None, start: datetime | None) -> bool:
        return end is not None and start is not None and end <= start

    return not before(one[5], other[4]) and not before(other[5], one[4])


@pytest.fixture(scope="module")
def city(module_url: str) -> Iterator[City]:
    with City(Database(module_url), Catalogue(LAYERS)) as opened:
        yield opened


@pytest.mark.torture
@pytest.mark.parametrize(("name", "write"), [("fuzz.csv", write_csv), ("fuzz.geojson", write_geojson)])
def test_what_is_taken_is_what_the_file_said(
    city: City, tmp_path: Path, torture_scale: float, name: str, write: Callable[..., dict[int, Row]]
) -> None:
    book = Book(city, write, tmp_path / name)
    take = given(st.lists(EDITIONS, min_size=1, max_size=2))(book.take)
    settings(
        max_examples=max(20, round(3_300 * torture_scale)),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # a failing file is told as it is: to shrink it would take longer than the test
    )(take)()
