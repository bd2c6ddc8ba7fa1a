"""Workbooks: the right sheet, headers below titles, values as texts, what Excel did to them."""

import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gis.errors import BadInput
from gis.exchange.readers.excel import ExcelSource, open_excel
from gis.exchange.readers.source import ReadOptions
from gis.exchange.readers.workbook import text_of_cell

ROWS = [["编码", "名称", "经度", "纬度"], ["A1", "甲", 116.5, 31.7], ["A2", "乙", 116.6, 31.8]]


def workbook(path: Path, *sheets: tuple[str, list[list[Any]]], merged: tuple[str, ...] = ()) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)  # type: ignore[arg-type]
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        for area in merged:
            sheet.merge_cells(area)
    book.save(path)
    return path


def read(path: Path, **options: Any) -> tuple[ExcelSource, list[int], list[dict[str, str]], list[list[float]]]:
    source = open_excel(path, ReadOptions(**options))
    assert isinstance(source, ExcelSource)
    rows, values, points = [], [], []
    for batch in source.batches():
        rows += batch.rows.tolist()
        values += batch.table.to_pylist()
        points += [] if batch.points is None else batch.points.tolist()
    return source, rows, values, points


def decision(source: ExcelSource, about: str) -> tuple[str, bool]:
    return next((d.value, d.sure) for d in source.findings.decisions if d.about == about)


def test_a_plain_sheet(tmp_path: Path) -> None:
    source, rows, values, points = read(workbook(tmp_path / "t.xlsx", ("数据", ROWS)))
    assert rows == [2, 3]
    assert values == [{"编码": "A1", "名称": "甲"}, {"编码": "A2", "名称": "乙"}]
    assert points == [[116.5, 31.7], [116.6, 31.8]]
    assert source.total_rows == 2
    assert decision(source, "layer") == ("数据", True)


def test_titles_and_merged_header_rows(tmp_path: Path) -> None:
    rows = [
        ["六安市学校一览表(CGCS2000)"], ["编码", "名称", "坐标", None], [None, None, "经度", "纬度"],
        ["A1", "甲", "116°30′", "31°42′"], [], ["A2", "乙", 116.5, 31.7], ["合计", 2], ["制表人:张三"],
    ]  # fmt: skip
    path = workbook(tmp_path / "t.xlsx", ("表", rows), merged=("A1:D1", "A2:A3", "B2:B3", "C2:D2"))
    source, found, values, points = read(path)
    assert found == [4, 6]
    assert [v["名称"] for v in values] == ["甲", "乙"]
    assert points[0] == pytest.approx([116.5, 31.7])
    assert source.crs == "EPSG:4490"
    assert [(r.row, r.reason) for r in source.findings.rejects] == [(7, "total-row"), (8, "note-row")]


def test_the_sheet_with_the_data(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", ("说明", [["本表由张三填写"]]), ("数据", ROWS), ("空", []))
    source, rows, _, _ = read(path)
    assert (decision(source, "layer"), rows) == (("数据", True), [2, 3])
    other = workbook(tmp_path / "u.xlsx", ("一", ROWS), ("二", [*ROWS, ROWS[1]]))
    assert decision(read(other)[0], "layer") == ("二", False)
    assert decision(read(other, layer="一")[0], "layer") == ("一", True)
    with pytest.raises(BadInput, match="三"):
        read(other, layer="三")


def test_values_as_texts(tmp_path: Path) -> None:
    head = ["编码", "身份证", "日期", "时间", "数", "是否"]
    row = [341502, 342502199001011234, dt.date(2021, 3, 5), dt.datetime(2021, 3, 5, 10, 30), 0.1, True]
    _, _, values, _ = read(workbook(tmp_path / "t.xlsx", ("表", [head, row])))
    texts = ["341502", "3.42502199001011E+17", "2021-03-05", "2021-03-05 10:30:00", "0.1", "true"]
    assert values == [dict(zip(head, texts, strict=True))]


def test_cells_merged_downwards_share_their_value(tmp_path: Path) -> None:
    rows = [["区", "名称"], ["金安区", "甲"], [None, "乙"], [None, "丙"], ["裕安区", "丁"]]
    source, _, values, _ = read(workbook(tmp_path / "t.xlsx", ("表", rows), merged=("A2:A4",)))
    assert [v["区"] for v in values] == ["金安区"] * 3 + ["裕安区"]
    assert decision(source, "merged")[0] == "2"


def test_errors_are_kept_as_such_for_their_field_to_note(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", ("表", [["编码", "高度"], ["A1", "#N/A"], ["A2", 3]]))
    source, _, values, _ = read(path)
    assert [v["高度"] for v in values] == ["#N/A", "3"]
    assert decision(source, "errors") == ("1", False)


def test_batches_are_bounded(tmp_path: Path) -> None:
    rows = [["编码", "名称"], *([f"A{i}", "甲"] for i in range(50))]
    source = open_excel(workbook(tmp_path / "t.xlsx", ("表", rows)), ReadOptions(batch_rows=7))
    for _ in range(2):
        sizes = [len(batch) for batch in source.batches()]
        assert (sum(sizes), max(sizes)) == (50, 7)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"), (-3.0, "-3"), (3, "3"), (0.1, "0.1"), (999_999_999_999_999.0, "999999999999999"), (1e15, "1E+15"),
        (3.42502199001011e17, "3.42502199001011E+17"), (False, "false"), (None, ""), (dt.date(2021, 3, 5),
        "2021-03-05"),
        (dt.datetime(2021, 3, 5), "2021-03-05"), (dt.time(8, 30), "08:30:00"), ("007", "007"),
    ],
)  # fmt: skip
def test_cells(value: object, text: str) -> None:
    assert text_of_cell(value) == text


def test_a_text_named_like_a_workbook_is_read_and_said(tmp_path: Path) -> None:
    path = tmp_path / "t.xls"
    path.write_bytes("编码\t名称\nA1\t甲\n".encode("gbk"))
    source = open_excel(path, ReadOptions())
    assert [b.table.to_pylist() for b in source.batches()] == [[{"编码": "A1", "名称": "甲"}]]
    assert ("format", "csv", False) in {(d.about, d.value, d.sure) for d in source.findings.decisions}


def ods(path: Path, rows: str) -> Path:
    names = " ".join(f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "table", "text"))
    content = (
        f'<?xml version="1.0"?><office:document-content {names} office:version="1.2"><office:body><office:spreadsheet>'
        f'<table:table table:name="表">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
    return path


def cell(text: str, more: str = "") -> str:
    return f'<table:table-cell office:value-type="string"{more}><text:p>{text}</text:p></table:table-cell>'


def test_open_document(tmp_path: Path) -> None:
    rows = "".join(
        f"<table:table-row>{''.join(map(cell, row))}</table:table-row>"
        for row in (["编码", "名称"], ["A1", "甲"], ["A2", "乙"])
    )
    empty = (
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="1024"/>'
    )
    _, found, values, _ = read(ods(tmp_path / "t.ods", rows + empty + "</table:table-row>"))
    assert found == [2, 3]
    assert values == [{"编码": "A1", "名称": "甲"}, {"编码": "A2", "名称": "乙"}]


def test_open_document_that_repeats_itself_without_end(tmp_path: Path) -> None:
    wide = cell("x", ' table:number-columns-repeated="16384"')
    rows = f'<table:table-row table:number-rows-repeated="1048576">{wide}</table:table-row>'
    with pytest.raises(BadInput, match="too large"):
        open_excel(ods(tmp_path / "t.ods", rows), ReadOptions())
