"""CSV and its relatives: layout found out, rows conserved, odd lines listed."""

import csv as standard_csv
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis.errors import BadInput
from gis.exchange.readers import csv as csv_reader
from gis.exchange.readers import lines as line_reader
from gis.exchange.readers.csv import CsvSource, open_csv, parse_clean, split_lines
from gis.exchange.readers.records import parse_records
from gis.exchange.readers.source import ReadOptions

HEAD = "编码,名称,经度,纬度\n"
ROWS = "A1,皖西路,116.501,31.701\nA2,解放路,116.502,31.702\n"


def write(folder: Path, content: str | bytes, encoding: str = "utf-8", name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def read(path: Path, **options: object) -> tuple[CsvSource, list[int], dict[str, list[str]], list[list[float]]]:
    source = open_csv(path, ReadOptions(**options))  # type: ignore[arg-type]
    rows: list[int] = []
    values: dict[str, list[str]] = {}
    points: list[list[float]] = []
    for batch in source.batches():
        assert len(batch.rows) == len(batch.table)
        rows += batch.rows.tolist()
        for name in batch.table.column_names:
            values.setdefault(name, []).extend(batch.table[name].to_pylist())
        points += [] if batch.points is None else batch.points.tolist()
    return source, rows, values, points


def decision(source: CsvSource, about: str) -> tuple[str, bool]:
    return next((d.value, d.sure) for d in source.findings.decisions if d.about == about)


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("gbk", "gb18030"), ("gb18030", "gb18030"),
        ("utf-16", "utf-16-le"), ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be"), ("utf-32", "utf-32-le"),
    ],
)  # fmt: skip
def test_encoding_is_found(tmp_path: Path, encoding: str, found: str) -> None:
    source, rows, values, points = read(write(tmp_path, HEAD + ROWS, encoding))
    assert decision(source, "encoding")[0] == found
    assert rows == [2, 3]
    assert values == {"编码": ["A1", "A2"], "名称": ["皖西路", "解放路"]}
    assert points == [[116.501, 31.701], [116.502, 31.702]]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|", "\uff0c"])
def test_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    source, rows, values, _ = read(write(tmp_path, (HEAD + ROWS).replace(",", delimiter)))
    assert decision(source, "delimiter")[0] == delimiter
    assert (rows, values["名称"]) == ([2, 3], ["皖西路", "解放路"])


LAYOUTS = [
    ("title lines", "六安市道路一览表,,,\n单位:公安局,,,\n" + HEAD + ROWS, [4, 5], ["皖西路", "解放路"]),
    ("title with blank line", "一览表\n\n" + HEAD + ROWS, [4, 5], ["皖西路", "解放路"]),
    ("two header rows", "编码,名称,坐标,\n,,经度,纬度\n" + ROWS, [3, 4], ["皖西路", "解放路"]),
    ("sep= line", "sep=,\n" + HEAD + ROWS, [3, 4], ["皖西路", "解放路"]),
    ("carriage returns", (HEAD + ROWS).replace("\n", "\r\n"), [2, 3], ["皖西路", "解放路"]),
    ("old Macintosh", (HEAD + ROWS).replace("\n", "\r"), [2, 3], ["皖西路", "解放路"]),
    ("trailing commas", HEAD + ROWS.replace("\n", ",,\n"), [2, 3], ["皖西路", "解放路"]),
    ("blank lines", HEAD + "\n,,,\n" + ROWS + "\n\n", [4, 5], ["皖西路", "解放路"]),
    ("no last line end", (HEAD + ROWS).rstrip(), [2, 3], ["皖西路", "解放路"]),
    ("quotes", HEAD + 'A1,"皖西路,东段",116.5,31.7\n', [2], ["皖西路,东段"]),
    ("quote within", HEAD + 'A1,5" 管,116.5,31.7\nA2,"说""好""",116.5,31.7\n', [2, 3], ['5" 管', '说"好"']),
    ("value over lines", HEAD + 'A1,"皖西路\n东段",116.5,31.7\nA2,乙,116.5,31.7\n', [2, 4], ["皖西路\n东段", "乙"]),
    ("full-width digits", HEAD + "A1,甲,１１６．５,３１．７\n", [2], ["甲"]),
]


@pytest.mark.parametrize(("content", "rows", "names"), [c[1:] for c in LAYOUTS], ids=[c[0] for c in LAYOUTS])
def test_layouts(tmp_path: Path, content: str, rows: list[int], names: list[str]) -> None:
    source, found, values, points = read(write(tmp_path, content))
    assert (found, values["名称"]) == (rows, names)
    assert np.allclose(points, [116.5, 31.7], atol=0.01)
    assert source.findings.rejected == {}


ODD_LINES = [
    ("fewer cells", "A3,短\n", "ragged"),
    ("more cells", "A3,长,116.5,31.7,多余\n", "ragged"),
    ("NUL", "A3,空\0字符,116.5,31.7\n", "nul-character"),
    ("open quote", 'A3,"没有配对,116.5,31.7\n', "unclosed-quote"),
    ("totals", "合计,3,,\n", "total-row"),
    ("short totals", "总计:3\n", "total-row"),
    ("English totals", "Total,3,,\n", "total-row"),
    ("footnote", "注:数据截至2023年,,,\n", "note-row"),
    ("signature", "制表人:张三\n", "note-row"),
    ("no coordinates", "A3,丙,,\n", "no-geometry"),
    ("null island", "A3,丙,0,0\n", "no-geometry"),
    ("words for nothing", "A3,丙,无,无\n", "no-geometry"),
    ("half a coordinate", "A3,丙,116.5,\n", "bad-coordinate"),
    ("NaN", "A3,丙,NaN,31.5\n", "bad-coordinate"),
    ("infinite", "A3,丙,inf,31.5\n", "bad-coordinate"),
    ("out of range", "A3,丙,316.5,31.7\n", "bad-coordinate"),
    ("swapped in one row", "A3,丙,31.7,116.5\n", "bad-coordinate"),
    ("words", "A3,丙,东边,北边\n", "bad-coordinate"),
]


@pytest.mark.parametrize(("line", "reason"), [c[1:] for c in ODD_LINES], ids=[c[0] for c in ODD_LINES])
def test_odd_lines_are_listed_and_their_neighbours_kept(tmp_path: Path, line: str, reason: str) -> None:
    source, rows, _, _ = read(write(tmp_path, HEAD + ROWS + line + "A4,丁,116.504,31.704\n"))
    assert rows == [2, 3, 5]
    assert [(r.row, r.reason) for r in source.findings.rejects] == [(4, reason)]
    assert source.findings.rejects[0].text.zh
    assert source.findings.rejects[0].text.en


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_broken_byte_costs_one_row(tmp_path: Path, encoding: str) -> None:
    content = HEAD + "".join(f"A{i},皖西大道{i}号,116.5,31.7\n" for i in range(200))
    data = content.encode(encoding).replace("A77,皖西".encode(encoding), b"A77,\xff" + "西".encode(encoding))
    source, rows, _, _ = read(write(tmp_path, data))
    assert decision(source, "encoding") == (encoding, False)
    assert len(rows) == 199
    assert [(r.row, r.reason) for r in source.findings.rejects] == [(79, "bad-text")]


def test_a_broken_byte_far_down_costs_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_reader, "HEAD_BYTES", 1000)
    monkeypatch.setattr(line_reader, "BLOCK_BYTES", 2000)
    lines = [f"A{i},皖西大道,116.5,31.7\n".encode() for i in range(500)]
    lines[400] = b"A400,\xe7\x9a,116.5,31.7\n"
    source, rows, _, _ = read(write(tmp_path, HEAD.encode() + b"".join(lines)))
    assert len(rows) == 499
    assert [(r.row, r.reason) for r in source.findings.rejects] == [(402, "bad-text")]


def test_a_file_read_twice_says_the_same(tmp_path: Path) -> None:
    source = open_csv(write(tmp_path, HEAD + ROWS + "x\n"), ReadOptions())
    first = [batch.rows.tolist() for batch in source.batches()]
    told = (len(source.findings.decisions), dict(source.findings.rejected))
    assert [batch.rows.tolist() for batch in source.batches()] == first
    assert (len(source.findings.decisions), dict(source.findings.rejected)) == told


def test_batches_are_bounded(tmp_path: Path) -> None:
    source = open_csv(write(tmp_path, HEAD + ROWS * 50), ReadOptions(batch_rows=7))
    sizes = [len(batch) for batch in source.batches()]
    assert sum(sizes) == 100
    assert max(sizes) == 7


def test_header_and_coordinates_as_the_user_says(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b,c,d\n编码,名称,p,q\n" + ROWS)
    source, rows, values, points = read(path, header_row=2, x="p", y="q", crs="GCJ-02")
    assert (rows, list(values), points[0]) == ([3, 4], ["编码", "名称"], [116.501, 31.701])
    assert source.crs == "GCJ-02"


def test_a_table_without_names_is_numbered_and_unsure(tmp_path: Path) -> None:
    source, rows, values, points = read(write(tmp_path, ROWS))
    assert rows == [1, 2]
    assert list(values) == ["column_1", "column_2"]
    assert points[0] == [116.501, 31.701]
    assert decision(source, "header") == ("none", False)


def test_without_coordinates_there_are_rows_and_a_doubt(tmp_path: Path) -> None:
    source, rows, _, points = read(write(tmp_path, "编码,名称\n1,甲\n2,乙\n"))
    assert (rows, points) == ([2, 3], [])
    assert decision(source, "geometry") == ("none", False)


# --- properties

CELL = st.text(alphabet=st.sampled_from('ab,"\n\r \t;路0.\ufeff'), max_size=8)
TABLE = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=30)
)


@given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n", "行".encode()]), max_size=12).map(b"".join))
def test_line_ends_are_counted_as_they_stand(data: bytes) -> None:
    assert line_reader.line_feeds(data) == data.count(b"\n")
    assert line_reader.has_stray_returns(data) == (data.count(b"\r") != data.count(b"\r\n"))


@given(TABLE, st.sampled_from(["\n", "\r\n"]), st.sampled_from([64, 200, 4096]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
def test_every_row_is_taken_or_listed(tmp_path: Path, table: list[list[str]], end: str, block_bytes: int) -> None:
    """Rows in the file = rows in batches + rows refused, whatever is in the cells, wherever a block ends."""
    table = [["k", *row] for row in table]
    columns = [f"name_{i}" for i in range(len(table[0]))]
    out = io.StringIO()
    writer = standard_csv.writer(out, lineterminator=end)
    writer.writerow(columns)
    writer.writerows(table)
    path = write(tmp_path, out.getvalue())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(line_reader, "BLOCK_BYTES", block_bytes)
        source = open_csv(path, ReadOptions(encoding="utf-8", header_row=1))
        assert decision(source, "delimiter")[0] in ",;\t"
        if decision(source, "delimiter")[0] != ",":
            return
        taken = sum(len(batch) for batch in source.batches())
    assert taken + source.findings.rejected_rows == len(table)


LINE = st.text(alphabet=st.sampled_from('ab,"路 \r'), max_size=12)


@given(st.lists(LINE, max_size=20), st.integers(1, 4))
@settings(max_examples=400, deadline=None)
def test_the_fast_parser_agrees_with_the_careful_one(lines: list[str], width: int) -> None:
    """Where the fast parser answers at all, it answers what the careful one does, and every row is one line."""
    text = "".join(line + "\n" for line in lines)
    if not text.strip():
        return
    columns = tuple(f"c{i}" for i in range(width))
    fast = parse_clean(text.encode(), columns, ",")
    if fast is None:
        return
    careful = parse_records(split_lines(text), 1, ",", width=width)
    blank = [row for row in fast.to_pylist() if not any(v.strip() for v in row.values())]
    assert len(careful.cells) + len(blank) == len(fast) or not careful.refused
    kept = [list(row.values()) for row in fast.to_pylist() if any(v.strip() for v in row.values())]
    assert kept == [cells for cells in careful.cells if any(c.strip() for c in cells)]


@given(st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
def test_any_bytes_under_a_header_are_taken_or_listed(tmp_path: Path, junk: bytes) -> None:
    path = write(tmp_path, (HEAD + ROWS * 20).encode() + junk + b"\nA9,last,116.5,31.7\n")
    try:
        source = open_csv(path, ReadOptions(encoding="utf-8"))
    except BadInput:
        return
    rows = [row for batch in source.batches() for row in batch.rows.tolist()]
    assert len(set(rows)) == len(rows)
    assert set(range(2, 42)) <= set(rows)
    assert set(rows).isdisjoint(r.row for r in source.findings.rejects)


def test_lines_of_many_columns(tmp_path: Path) -> None:
    names = ",".join(f"名{i}" for i in range(10_000))
    values = ",".join(f"值{i}" for i in range(10_000))
    source, rows, table, _ = read(write(tmp_path, f"{names}\n{values}\n{values}\n"))
    assert (rows, len(table), table["名9999"]) == ([2, 3], 10_000, ["值9999"] * 2)
    assert source.findings.rejected == {}


# --- real files


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "rows", "geometry"),
    [
        ("admin/codes/china-division_streets.csv", 41_352, "none"),
        ("admin/codes/villages_luan_341500.csv", 1_970, "none"),
        ("air/beijing_35_station_coords.csv", 35, "lon, lat"),
        ("traffic/graph_sensor_locations.csv", 207, "longitude, latitude"),
        ("traffic/xian_gps_and_network/example_gps.csv", 2_241, "lng, lat"),
        ("air/DE_RB_2005_stations.csv", 69, "x_utm32, y_utm32"),
    ],
)
def test_real_tables(realdata: Path, name: str, rows: int, geometry: str) -> None:
    source, found, _, _ = read(realdata / name)
    assert len(found) + source.findings.rejected_rows == rows
    assert decision(source, "geometry")[0] == geometry
    assert source.findings.rejected == {}


@pytest.mark.realdata
def test_real_values_over_several_lines(realdata: Path) -> None:
    path = realdata / "traffic/parking/meta-data.csv"
    with path.open(newline="", encoding="utf-8") as file:
        expected = sum(1 for _ in standard_csv.DictReader(file))
    source, rows, _, _ = read(path)
    assert len(rows) + source.findings.rejected_rows == expected
    assert set(source.findings.rejected) <= {"no-geometry"}


def test_tables_have_texts_only(tmp_path: Path) -> None:
    source = open_csv(write(tmp_path, "编码,数\n007,1.50\n"), ReadOptions())
    table = next(iter(source.batches())).table
    assert set(table.schema.types) == {pa.string()}
    assert table.to_pylist() == [{"编码": "007", "数": "1.50"}]
