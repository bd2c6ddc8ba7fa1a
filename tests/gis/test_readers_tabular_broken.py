"""Broken tables: one clear error that names the file and the way out, or listed rows; never anything else."""

import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis.errors import BadInput
from gis.exchange.readers.csv import open_csv
from gis.exchange.readers.excel import open_excel
from gis.exchange.readers.source import ReadOptions, Source
from tests.gis.broken_files import BROKEN_TABLES, HEAD, ROWS, SHEET, XLS, XLSX, book, with_sheet


def open_either(path: Path, **options: object) -> Source:
    given_options = ReadOptions(**options)  # type: ignore[arg-type]
    if path.suffix in {".xlsx", ".xls", ".ods"}:
        return open_excel(path, given_options)
    return open_csv(path, given_options)


def count(source: Source) -> tuple[int, dict[str, int]]:
    return sum(len(batch) for batch in source.batches()), source.findings.rejected


def refused(path: Path, **options: object) -> BadInput:
    with pytest.raises(BadInput) as error:
        count(open_either(path, **options))
    assert error.value.text.zh
    assert error.value.text.en
    assert error.value.subject
    return error.value


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_what_is_no_file(tmp_path: Path, suffix: str) -> None:
    assert "no file" in refused(tmp_path / f"missing{suffix}").text.en
    (tmp_path / f"folder{suffix}").mkdir()
    assert "directory" in refused(tmp_path / f"folder{suffix}").text.en
    (tmp_path / f"empty{suffix}").touch()
    assert "empty" in refused(tmp_path / f"empty{suffix}").text.en


@pytest.mark.parametrize(("name", "content", "says"), [b[1:] for b in BROKEN_TABLES], ids=[b[0] for b in BROKEN_TABLES])
def test_one_clear_error(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    error = refused(path)
    assert says in error.text.en
    assert name in error.text.zh


def test_a_wrong_encoding_that_the_user_gave(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes((HEAD + ROWS).encode("gbk"))
    assert "is not utf-8" in refused(path, encoding="utf-8").text.en
    assert "not the name" in refused(path, encoding="utf-88").text.en
    assert "not the name" in refused(path, encoding="rot13").text.en
    assert count(open_csv(path, ReadOptions(encoding="gb2312"))) == (100, {})


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
@pytest.mark.parametrize("at", [0.3, 0.5, 0.501, 0.502, 0.9])
def test_a_truncated_table_loses_only_its_last_row(tmp_path: Path, encoding: str, at: float) -> None:
    data = (HEAD + ROWS).encode(encoding)
    path = tmp_path / "t.csv"
    path.write_bytes(data[: int(len(data) * at)])
    taken, rejected = count(open_csv(path, ReadOptions()))
    lines = len(data[: int(len(data) * at)].decode(encoding, errors="ignore").splitlines())
    assert lines - 2 <= taken + sum(rejected.values()) <= lines
    assert sum(rejected.values()) <= 1


@pytest.mark.parametrize("line", [b"A\0,1,116.5,31.7\n", b"\0\n", b'"A,1,116.5,31.7\n', b"A,\xff,116.5,31.7\n"])
def test_a_bad_line_right_below_the_header_is_listed(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(HEAD.encode() + line + ROWS.encode())
    source = open_csv(path, ReadOptions())
    assert count(source)[0] == 100
    assert [r.row for r in source.findings.rejects] == [2]


def test_an_endless_line(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    with path.open("wb") as file:
        file.write((HEAD + ROWS).encode())
        file.write(b"A,b," * (12 << 20) + b"\n")
        file.write("A999,终,116.5,31.7\n".encode())
    source = open_csv(path, ReadOptions())
    rows = [row for batch in source.batches() for row in batch.rows.tolist()]
    assert rows == [*range(2, 102), 103]
    assert [(r.row, r.reason) for r in source.findings.rejects] == [(102, "line-too-long")]
    assert len(source.findings.rejects[0].value) <= 200


def test_nothing_but_an_endless_line(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b," * (3 << 20))
    assert "no line end" in refused(path).text.en


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9, 0.99])
def test_a_truncated_workbook(tmp_path: Path, share: float) -> None:
    path = book(tmp_path / "t.xlsx")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert "damaged" in refused(path).text.en


def test_a_workbook_without_rows(tmp_path: Path) -> None:
    assert "a header and no rows" in refused(book(tmp_path / "t.xlsx", rows=0)).text.en
    empty = openpyxl.Workbook()
    empty.save(tmp_path / "u.xlsx")
    assert "holds no rows" in refused(tmp_path / "u.xlsx").text.en


def test_zip_bombs(tmp_path: Path) -> None:
    assert "zip bomb" in refused(with_sheet(tmp_path / "t.xlsx", SHEET % (b" " * (100 << 20)))).text.en
    path = tmp_path / "u.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (80 << 20))
    assert "zip bomb" in refused(path).text.en


@pytest.mark.parametrize(
    "cells",
    [
        b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        b'<row r="1"><c r="A1"><v>1</v></c><c s="1" r="XFD1048576" t="n"><v>1</v></c></row>',
        b"<row r='1'><c r='A1'><v>1</v></c><c r='XFD1048576'><v>1</v></c></row>",
        b'<row r="1"><c r="A1"><v>1</v></c><c r="&#88;FD1048576"><v>1</v></c></row>',
        b'<row r="1"><c r="A1"><v>1</v></c><c r="xfd1048576"><v>1</v></c></row>',
        b'<row r="1"><c r="A1"><v>1</v></c></row>'
        + b"<row/>" * 5000
        + b"<row>"
        + b"<c><v>1</v></c>" * 5000
        + b"</row>",
    ],
)
def test_two_cells_far_apart_make_no_grid(tmp_path: Path, cells: bytes) -> None:
    assert "save the sheet as CSV" in refused(with_sheet(tmp_path / "t.xlsx", SHEET % cells)).text.en


@pytest.mark.parametrize("xml", [b"", b"<worksheet>", b"not xml", SHEET % b'<row r="x"><c r="1A"><v>1</v></c></row>'])
def test_a_sheet_that_is_no_sheet(tmp_path: Path, xml: bytes) -> None:
    refused(with_sheet(tmp_path / "t.xlsx", xml))


# --- anything at all

FRAGMENTS = st.sampled_from([
    "编码", "名称", "经度", "纬度", "x", "y", "坐标", "wkt", "116.5", "31.7", "3512345.6", "512345.6", "116°30′",
    "POINT (1 2)", "POINT (", "SRID=4548;POINT (1 2)", '{"type":"Point","coordinates":[1]}', "0101000000", "合计",
    "注:", ",", ",", ",", "\t", ";", "|", "\n", "\n", "\r\n", "\r", '"', '""', "\0", " ", "\ufeff", "1E+17",
    "nan", "inf", "-", "9" * 400, "sep=;",
])  # fmt: skip


def survives(path: Path) -> None:
    """Either BadInput, or as many rows and rejects on every reading, and a reason in two languages for each reject."""
    try:
        source = open_either(path, batch_rows=3)
        first = count(source)
    except BadInput as error:
        assert error.text.zh
        assert error.text.en
        return
    assert count(source) == first
    assert all(r.row >= 1 and r.reason and r.text.zh and r.text.en for r in source.findings.rejects)
    for batch in source.batches():
        assert len(batch.rows) == len(batch.table)
        assert batch.points is None or len(batch.points) == len(batch.rows)
        assert batch.shapes is None or len(batch.shapes) == len(batch.rows)


@given(st.lists(FRAGMENTS, max_size=60).map("".join), st.sampled_from(["utf-8", "gb18030", "utf-16"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
def test_any_text(tmp_path: Path, content: str, encoding: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content.encode(encoding))
    survives(path)


@given(st.binary(max_size=400), st.sampled_from([b"", XLSX, XLS, "编码,经度,纬度\n1,116.5,31.7\n".encode("gbk")]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
def test_any_bytes(tmp_path: Path, content: bytes, start: bytes) -> None:
    for name in ("t.csv", "t.xlsx"):
        path = tmp_path / name
        path.write_bytes(start + content)
        survives(path)


@given(st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 255)), min_size=1, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_a_workbook_with_changed_bytes(tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    path = tmp_path / "t.xlsx"
    data = bytearray(book(path, rows=3).read_bytes())
    for at, value in changes:
        data[at % len(data)] = value
    path.write_bytes(data)
    survives(path)


CELLS = st.sampled_from(
    ["编码", "经度", "纬度", "坐标", "合计", 1, 116.5, 31.7, 3.4e17, -1e300, True, None, "", "116°30′", "x"]
)


@given(st.lists(st.lists(CELLS, max_size=5), max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_any_sheet(tmp_path: Path, rows: list[list[object]]) -> None:
    made = openpyxl.Workbook()
    assert made.active is not None
    for row in rows:
        made.active.append(row)
    made.save(tmp_path / "t.xlsx")
    survives(tmp_path / "t.xlsx")
