"""Values in their fields' types: what is understood, what is said, what is refused."""

import datetime as dt
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.base import BUILDINGS, DIVISIONS
from gis.catalog import Collection, Field, FieldType, Geometry
from gis.catalog.field import day, integer, number, text
from gis.exchange.columns import Typed, match
from gis.exchange.notes import Notes
from gis.exchange.readers.source import Batch, Findings
from gis.exchange.text_values import is_clean, read_texts
from gis.exchange.values import ARROW_TYPES, convert
from gis.text import Text

UTC, SHANGHAI = dt.UTC, dt.timezone(dt.timedelta(hours=8))
THINGS = Collection(
    id="test.things", title=Text("物", "things"), description=Text("物", "things"),
    geometry=Geometry.POINT, style=None,
    key=("code",),
    fields=(
        text("code", "编码", "Code", required=True),
        text("name", "名称", "Name"),
        text("use", "用途", "Use", values={"residential": Text("住宅", "housing"), "school": Text("学校", "school")}),
        integer("storeys", "层数", "Storeys"),
        number("height_m", "高度", "Height", unit="m"),
        Field(name="open", type=FieldType.BOOLEAN, title=Text("开放", "Open")),
        day("built", "建成", "Built"),
        Field(name="seen", type=FieldType.INSTANT, title=Text("时间", "Seen")),
        text("postcode", "邮编", "Post code"),
    ),
)  # fmt: skip


def typed(
    columns: dict[str, Any], collection: Collection = THINGS, notes: Notes | None = None
) -> tuple[Typed, Findings]:
    table = pa.table({name: v if isinstance(v, pa.Array) else pa.array(v) for name, v in columns.items()})
    if "code" not in table.column_names:
        table = table.append_column("code", pa.array([f"c{i}" for i in range(len(table))]))
    findings = Findings()
    rows = np.arange(2, len(table) + 2)
    batch = Batch(rows, table, points=np.column_stack((rows, rows)).astype(float))
    result = convert(batch, match(table.column_names, collection, table), findings, notes)
    assert len(result.batch) == len(result.table) == len(result.valid_from) == len(result.valid_to)
    assert result.batch.points is not None
    assert result.batch.points[:, 0].tolist() == result.batch.rows.tolist()
    assert [f.type for f in result.table.schema] == [ARROW_TYPES[f.type] for f in collection.fields]
    return result, findings


def instant(*parts: int, tz: dt.tzinfo = SHANGHAI) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=tz).astimezone(UTC)  # type: ignore[misc,arg-type]


UNDERSTOOD = [
    ("name", " 皖西路\u3000", "皖西路"), ("name", "", None), ("name", "NULL", None), ("name", "无", "无"),
    ("name", "5#楼", "5#楼"),
    ("name", "1E+", "1E+"), ("name", "None", "None"), ("name", "\ufeff甲", "甲"),
    ("use", "residential", "residential"), ("use", "住宅", "residential"), ("use", "Housing", "residential"),
    ("use", "", None),
    ("storeys", "6", 6), ("storeys", "６", 6), ("storeys", "6.0", 6), ("storeys", "6层", 6),
    ("storeys", "1,200", 1200),
    ("storeys", "-", None), ("storeys", "9007199254740993", 9007199254740993),
    ("height_m", "12.5", 12.5), ("height_m", "12.5m", 12.5), ("height_m", "12.5 米", 12.5),
    ("height_m", "1250cm", 12.5),
    ("height_m", "１２．５", 12.5), ("height_m", "1,234.5", 1234.5), ("height_m", "无", None),
    ("height_m", "nan", None),
    ("height_m", "1.5e2", 150.0), ("height_m", "-3", -3.0), ("height_m", ".5", 0.5),
    ("open", "是", True), ("open", "否", False), ("open", "Y", True), ("open", "0", False), ("open", "TRUE", True),
    ("open", "", None),
    ("built", "2021-03-05", dt.date(2021, 3, 5)), ("built", "2021/3/5", dt.date(2021, 3, 5)),
    ("built", "20210305", dt.date(2021, 3, 5)), ("built", "2021年3月5日", dt.date(2021, 3, 5)),
    ("built", "2021.03.05", dt.date(2021, 3, 5)), ("built", "44260", dt.date(2021, 3, 5)),
    ("built", "2021-03-05 00:00:00", dt.date(2021, 3, 5)), ("built", "2021-03-05T20:00:00Z", dt.date(2021, 3, 6)),
    ("built", "1949-10-01", dt.date(1949, 10, 1)), ("built", "2020-02-29", dt.date(2020, 2, 29)), ("built", "/", None),
    ("seen", "2021-03-05T10:30:00+08:00", instant(2021, 3, 5, 10, 30)), ("seen", "2021-03-05", instant(2021, 3, 5)),
    ("seen", "2021-03-05 10:30", instant(2021, 3, 5, 10, 30)),
    ("seen", "2021-03-05T02:30:00Z", instant(2021, 3, 5, 10, 30)),
    ("seen", "2021-03-05T02:30:00.250Z", instant(2021, 3, 5, 10, 30, 0, 250_000)),
    ("seen", "2021年3月5日 10时30分15秒", instant(2021, 3, 5, 10, 30, 15)),
    ("seen", "44260.5", instant(2021, 3, 5, 12)),
    ("seen", "1988-07-01 12:00:00", instant(1988, 7, 1, 11)),  # summer time in Shanghai
    ("postcode", "237000", "237000"), ("postcode", "10010", "010010"), ("postcode", "237000.0", "237000"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "written", "value"), UNDERSTOOD)
def test_what_is_understood(field: str, written: str, value: object) -> None:
    result, findings = typed({field: [written, written]})
    assert result.table[field].to_pylist() == [value, value]
    assert (findings.rejected, result.notes.total) == ({}, 0)


MISFITS = [
    ("name", "3.42502E+17", "excel-damaged"), ("name", "#N/A", "error-cell"), ("name", "空\0", "nul-character"),
    ("use", "地下", "unknown-code"), ("storeys", "6.5", "not-whole"), ("storeys", "六", "bad-number"),
    ("storeys", "3-5", "bad-number"), ("storeys", "#REF!", "error-cell"), ("height_m", "12.5kg", "bad-number"),
    ("height_m", "inf", "bad-number"), ("height_m", "12,5", "bad-number"), ("height_m", "约12", "bad-number"),
    ("open", "也许", "bad-boolean"), ("open", "#N/A", "error-cell"), ("built", "2021-03", "bad-date"),
    ("built", "2021", "bad-date"),
    ("built", "2021-02-30", "bad-date"), ("built", "05/03/2021", "bad-date"), ("built", "21-3-5", "bad-date"),
    ("built", "2021-13-05", "bad-date"), ("seen", "25:00", "bad-instant"), ("seen", "2021-03-05 25:00", "bad-instant"),
    ("seen", "昨天", "bad-instant"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "written", "reason"), MISFITS)
def test_a_misfit_becomes_null_and_is_noted(field: str, written: str, reason: str) -> None:
    result, findings = typed({field: ["", written, None]})
    assert result.table[field].to_pylist() == [None, None, None]
    assert findings.rejected == {}
    assert result.notes.counts == {(field, reason): 1}
    note = result.notes.kept[0]
    assert (note.row, note.field, note.value) == (3, field, written)
    assert note.text.zh
    assert note.text.en


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("3.42502199001011E+17", "excel-damaged"), ("", "missing-required"), (None, "missing-required"),
        ("#N/A", "error-cell"), ("a\0b", "nul-character"), ("NULL", "missing-required"),
    ],
)  # fmt: skip
def test_a_row_without_its_key_is_refused(code: str | None, reason: str) -> None:
    result, findings = typed({"code": ["a", code, "b"], "name": ["x", "y", "z"]})
    assert result.batch.rows.tolist() == [2, 4]
    assert result.table["name"].to_pylist() == ["x", "z"]
    assert [(r.row, r.reason) for r in findings.rejects] == [(3, reason)]
    assert "编码" in findings.rejects[0].text.zh


def test_numbers_that_were_codes() -> None:
    result, findings = typed({"code": pa.array([341502.0, 3.42502199001011e17, None, 7.5])})
    assert result.table["code"].to_pylist() == ["341502", "7.5"]
    assert findings.rejected == {"excel-damaged": 1, "missing-required": 1}
    exact, _ = typed({"code": pa.array([342502199001011234], pa.int64())})
    assert exact.table["code"].to_pylist() == ["342502199001011234"]


def test_restored_codes_are_said() -> None:
    columns = {"code": ["341502.0", "3415"], "name": ["金安区", "六安市"], "level": ["县级", "2"]}
    result, findings = typed(columns, DIVISIONS)
    assert result.table["code"].to_pylist() == ["341502", "3415"]
    assert result.table["level"].to_pylist() == [3, 2]
    assert "code: float" in {d.value for d in findings.decisions}
    other, findings = typed({"code": ["1.0", "2.0"]})
    assert other.table["code"].to_pylist() == ["1.0", "2.0"]
    assert [(d.value, d.sure) for d in findings.decisions] == [("code: float", False)]


def test_how_values_were_read_is_said_once() -> None:
    columns = {"height_m": ["12m", "13m"], "built": ["44260", "44261"], "seen": ["2021-03-05", "2021-03-06"]}
    _, findings = typed(columns)
    assert {d.value for d in findings.decisions} == {"height_m: units", "built: excel-day", "seen: local-time"}
    assert all(d.about == "values" for d in findings.decisions)


def test_typed_columns_are_taken_as_they_are() -> None:
    when = dt.datetime(2021, 3, 5, 2, 30)
    result, findings = typed({
        "code": pa.array(["a", "b"]).dictionary_encode(), "name": pa.array(["甲", None], pa.large_string()),
        "storeys": pa.array([3, None], pa.int32()), "height_m": pa.array([1.5, math.nan], pa.float32()),
        "open": [True, None], "built": pa.array([when, None], pa.timestamp("ms")),
        "seen": pa.array([when, None], pa.timestamp("ns", tz="UTC")), "use": ["学校", "school"],
    })  # fmt: skip
    assert result.table.to_pylist()[0] == {
        "code": "a", "name": "甲", "use": "school", "storeys": 3, "height_m": 1.5, "open": True,
        "built": dt.date(2021, 3, 5), "seen": when.replace(tzinfo=UTC), "postcode": None,
    }  # fmt: skip
    assert [v for k, v in result.table.to_pylist()[1].items() if k not in ("code", "use")] == [None] * 7
    assert (findings.rejected, result.notes.total) == ({}, 0)


def test_clean_text_is_not_copied() -> None:
    names = pa.array(["皖西路", "解放路", None])
    assert read_texts(names).array.buffers()[2].address == names.buffers()[2].address


def test_valid_time() -> None:
    columns = {
        "name": list("abcde"),
        "生效日期": ["2020-01-01", "", "2020-01-01", "去年", "2021-01-01"],
        "失效日期": ["2021-01-01", "2021-01-01 08:00", "长期", "", "2020-01-01"],
    }
    result, findings = typed(columns)
    assert result.table["name"].to_pylist() == ["a", "b", "c"]
    assert result.valid_from.to_pylist() == [instant(2020, 1, 1), None, instant(2020, 1, 1)]
    assert result.valid_to.to_pylist() == [instant(2021, 1, 1), instant(2021, 1, 1, 8), None]
    assert [(r.row, r.reason) for r in findings.rejects] == [(5, "bad-valid-time"), (6, "bad-valid-time")]
    assert "valid_to: open-end" in {d.value for d in findings.decisions}


def test_column_units() -> None:
    result, _ = typed({"高度(cm)": ["1250", "12.5m", ""]})
    assert result.table["height_m"].to_pylist() == [12.5, 12.5, None]


def test_notes_go_on_growing_and_are_bounded() -> None:
    notes = Notes(keep=3)
    for _ in range(2):
        typed({"use": ["x", "y"]}, notes=notes)
    assert (notes.total, len(notes.kept)) == (4, 3)


def test_no_rows() -> None:
    result, findings = typed({"code": pa.array([], pa.string()), "height_m": pa.array([], pa.string())})
    assert (len(result), findings.rejected) == (0, {})


WORDS = st.one_of(st.none(), st.text(max_size=12), st.sampled_from(["12", "1.5", "2021-03-05", "住宅", "是", "1E+17"]))


@given(st.lists(st.tuples(*[WORDS] * 9), min_size=1, max_size=20))
def test_every_row_and_every_value_is_accounted_for(table: list[tuple[str | None, ...]]) -> None:
    """Rows in = rows out + rows refused; a value is typed, or nothing in the file, or noted."""
    names = [f.name for f in THINGS.fields]
    columns = {name: pa.array([row[i] for row in table], pa.string()) for i, name in enumerate(names)}
    result, findings = typed(columns)
    assert len(result) + findings.rejected_rows == len(table)
    assert set(result.batch.rows.tolist()) | {r.row for r in findings.rejects} == set(range(2, len(table) + 2))
    assert result.table["code"].null_count == 0


@given(
    st.lists(st.one_of(st.none(), st.text(alphabet="a0.E+\0 #N/AnulL<\u3000\ufeff\u00a0路", max_size=5)), max_size=20)
)
def test_what_is_called_clean_is_clean(values: list[str | None]) -> None:
    column = pa.array(values, pa.string())
    if is_clean(column):
        careful = read_texts(pa.concat_arrays([column, pa.array([" x"])]))
        assert careful.array.slice(0, len(column)).to_pylist() == [value or None for value in values]
        assert careful.faults == []
        assert read_texts(column).array.equals(careful.array.slice(0, len(column)))


def test_a_slice_is_read_as_a_slice() -> None:
    whole = pa.array([" a", "b", "c", " d"])
    assert is_clean(whole.slice(1, 2))
    assert read_texts(whole.slice(1, 2)).array.to_pylist() == ["b", "c"]


def test_empty_cells_alone_cost_no_careful_reading() -> None:
    column = pa.array(["", "b", None, ""])
    assert is_clean(column)
    assert read_texts(column).array.to_pylist() == [None, "b", None, None]


def test_buildings_of_a_bureau() -> None:
    result, findings = typed(
        {"楼栋编码": ["L1", "L2"], "建筑用途": ["住宅", "地下"], "地上层数": ["6层", "18"], "高度(m)": ["18.5", ""]},
        BUILDINGS,
    )
    assert result.table.select(["use", "storeys", "height_m"]).to_pylist() == [
        {"use": "residential", "storeys": 6, "height_m": 18.5}, {"use": None, "storeys": 18, "height_m": None},
    ]  # fmt: skip
    assert (findings.rejected, result.notes.counts) == ({}, {("use", "unknown-code"): 1})
