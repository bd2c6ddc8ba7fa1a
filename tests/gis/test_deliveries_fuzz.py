"""Odd files of every sort, delivered: taken with every row accounted for, or refused in one sentence and untouched."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openpyxl.utils.exceptions import IllegalCharacterError

from gis.errors import OneMapError
from gis.exchange.delivery import json_rows
from tests.gis.deliveries import FROM, OPERATION, TITLES, TO, Desk, broken_id, citizen_id, day

ODD = [
    "", "", "", " ", "\u3000", "\ufeff", "\u200b", "0", "1", "-1", "1e400", "NaN", "inf", "1.0", "3.42E+17", "1" * 400,
    "NULL", "null", "\\N", "#REF!", "-", "未知", "男", "女", "male", "未婚", "已婚", "single", "汉族", "甲", "甲\0",
    "\0", "a\nb", "a\r\nb", "\t", "😀", "\ufffd", "\U0002a6a5", "'", '"', "''; --", "%s", "{}", "=1+1", "合计", "<b>",
    "\x1f", "é", "e\u0301", "删除", "变更", "新增", "D", "delete", "I", "作废", "2023-02-30", "2023-01-01",
    "2024年3月5日", "0999-01-01", "9999-12-31", "99999-01-01", "20240101", "45292", "昨天", "张三" * 400,
]  # fmt: skip
SOUND = [citizen_id(n) for n in range(4)]
IDS = [*SOUND * 6, broken_id(1), SOUND[0][:17], SOUND[1][:6] + SOUND[1][8:17], "11010519491231002x", SOUND[2] + " "]
WORDS = st.sampled_from(ODD) | st.text(st.characters(codec="utf-8"), max_size=6)
CELLS = {
    "citizen_id": st.sampled_from([*IDS * 3, *ODD]),
    "name": st.sampled_from(["张三"] * 200 + ODD),
    OPERATION: st.sampled_from(["变更", "新增", "删除", "insert", "update", "D"] * 25 + ODD),
    FROM: st.sampled_from([""] * 120 + ["2023-01-01"] * 30 + ODD),
    TO: st.sampled_from([""] * 120 + ["2023-06-01"] * 30 + ODD),
}
COLUMNS = (*TITLES, OPERATION, FROM, TO)
ROWS = st.fixed_dictionaries({c: CELLS.get(c, st.sampled_from([""] * 60) | WORDS) for c in COLUMNS})
Row = dict[str, str]
TABLES = st.tuples(
    st.lists(ROWS, max_size=6),
    st.permutations(COLUMNS),
    st.sampled_from([()] * 12 + [(c,) for c in COLUMNS]),
)


def titles(columns: list[str]) -> list[str]:
    return [TITLES.get(c, c) for c in columns]


def write_csv(path: Path, rows: list[Row], columns: list[str]) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(titles(columns))
    writer.writerows([row[c] for c in columns] for row in rows)
    path.write_text(out.getvalue(), "utf-8", newline="")


def write_excel(path: Path, rows: list[Row], columns: list[str]) -> None:
    book = openpyxl.Workbook()
    book.active.append(titles(columns))
    for number, row in enumerate(rows, 2):
        for place, column in enumerate(columns, 1):
            with suppress(IllegalCharacterError):
                book.active.cell(number, place).value = row[column] or None
    book.save(path)


def write_parquet(path: Path, rows: list[Row], columns: list[str]) -> None:
    held = {title: [row[c] or None for row in rows] for title, c in zip(titles(columns), columns, strict=True)}
    pq.write_table(pa.table({title: pa.array(values, pa.string()) for title, values in held.items()}), path)


def write_json(path: Path, rows: list[Row], columns: list[str]) -> None:
    """Rows as they come over HTTP, which are written out as a text file first."""
    held = [dict(zip(titles(columns), (row[c] for c in columns), strict=True)) for row in rows]
    given = path.with_suffix(".given")
    given.write_text(json.dumps({"rows": held}, ensure_ascii=False), "utf-8")
    path.unlink(missing_ok=True)
    with suppress(OneMapError):
        json_rows.write_csv(given, path)


WRITERS: dict[str, Callable[[Path, list[Row], list[str]], None]] = {
    "csv": write_csv,
    "xlsx": write_excel,
    "parquet": write_parquet,
    "json.csv": write_json,
}


@pytest.fixture(scope="module")
def desk(module_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(module_url, tmp_path_factory.mktemp("deliveries"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEMAP_HOME", str(made.folder / "home"))
        yield made
    made.city.close()


def hand_over(desk: Desk, path: Path, department: str, edition: int, full: bool | None) -> int | None:
    """Deliver; returns how many rows were delivered, None where the file was refused and nothing has changed."""
    before = desk.state()
    mode = "auto" if full is None else "full" if full else "incremental"
    try:
        delivered = desk.city.deliver(desk.register, path, department=department, mode=mode, edition=day(edition))
    except OneMapError as error:
        assert error.text.en
        assert error.text.zh
        assert desk.state() == before
        assert desk.rows("SELECT id FROM exchange.delivery WHERE state IN ('received', 'working')") == []
        return None
    assert delivered.state == "done"
    desk.assert_adds_up(delivered)
    return delivered.rows.delivered


def many(count: float) -> Any:
    return settings(
        max_examples=max(10, round(count)),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # a failing file is told as it is: to shrink it would take longer than the test
    )


HANDED = st.tuples(
    st.sampled_from(["police", "civil_affairs", "real_estate"]), st.integers(0, 9), st.sampled_from([None, True, False])
)


@pytest.mark.torture
@pytest.mark.parametrize("suffix", WRITERS)
def test_every_row_is_accounted_for(desk: Desk, torture_scale: float, suffix: str) -> None:
    path = desk.folder / f"persons.{suffix}"
    taken: list[int] = []

    def run(table: tuple[list[Row], list[str], tuple[str, ...]], handed: tuple[str, int, bool | None]) -> None:
        rows, order, lacking = table
        columns = [c for c in order if c not in lacking]
        WRITERS[suffix](path, rows, columns)
        delivered = hand_over(desk, path, *handed) if path.exists() else None
        if delivered is not None:
            taken.append(delivered)
            blank = sum(not any(row[c].strip() for c in columns) for row in rows)
            # a row of text with a NUL in it is told line by line
            more = sum(cell.count("\n") for row in rows if "\0" in "".join(row.values()) for cell in row.values())
            assert len(rows) - blank <= delivered <= len(rows) + more

    desk.empty()
    many(2_000 * torture_scale)(given(TABLES, HANDED)(run))()
    assert sum(taken) > 0, "no file was taken at all"


@pytest.mark.torture
def test_bytes_of_any_sort_are_taken_or_refused(desk: Desk, torture_scale: float) -> None:
    wholes = {}
    for suffix, write in WRITERS.items():
        rows = [dict.fromkeys(COLUMNS, "") | {"citizen_id": citizen_id(n), "name": "张三"} for n in range(8)]
        write(desk.folder / f"whole.{suffix}", rows, list(COLUMNS))
        wholes[suffix.removeprefix("json.")] = (desk.folder / f"whole.{suffix}").read_bytes()

    def run(suffix: str, cut: float, spoilt: list[tuple[float, bytes]], random: bytes | None) -> None:
        content = bytearray(wholes[suffix] if random is None else random)
        content = content[: round(len(content) * cut)]
        for place, put in spoilt:
            at = round(place * len(content))
            content[at : at + len(put)] = put
        path = desk.folder / f"bytes.{suffix}"
        path.write_bytes(bytes(content))
        hand_over(desk, path, "police", 5, full=False)

    desk.empty()
    cuts = st.sampled_from([1.0, 1.0, 1.0, 0.99, 0.5]) | st.floats(0, 1)
    spoils = st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), max_size=4)
    contents = st.none() | st.none() | st.binary(max_size=300)
    many(2_000 * torture_scale)(given(st.sampled_from(sorted(wholes)), cuts, spoils, contents)(run))()
