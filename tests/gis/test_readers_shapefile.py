"""Shapefiles with the faults that bureaus hand over; .dbf bytes are written here, where no writer makes the fault."""

import struct
import zipfile
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from gis.errors import BadInput
from gis.exchange.readers import ReadOptions, Source, open_source
from gis.exchange.readers.strings import decode_cut

NAMES = ["中华人民共和国", "六安市金安区东市街道", "皖西大道"]


def dbf(fields: list[tuple[bytes, str, int]], rows: list[list[bytes]], *, ldid: int = 0, deleted: int = -1) -> bytes:
    """A dBASE III table: fields are (name, type, width), values are cut at the width as desktop GIS programs do."""
    header = 32 + 32 * len(fields) + 1
    out = struct.pack("<BBBBIHH17xB2x", 3, 124, 1, 1, len(rows), header, 1 + sum(w for *_, w in fields), ldid)
    for name, kind, width in fields:
        out += struct.pack("<11sc4xBB14x", name[:10], kind.encode(), width, 0)
    out += b"\r"
    for number, row in enumerate(rows):
        out += b"*" if number == deleted else b" "
        for (_, kind, width), value in zip(fields, row, strict=True):
            out += value[:width].rjust(width) if kind == "N" else value[:width].ljust(width)
    return out + b"\x1a"


def shapefile(folder: Path, table: bytes | None, count: int = 3, *, cpg: str | None = None, stem: str = "路") -> Path:
    """A point Shapefile with the given table beside it."""
    path = folder / f"{stem}.shp"
    points = [shapely.Point(500_000 + i, 3_500_000) for i in range(count)]
    gpd.GeoDataFrame({"n": range(count)}, geometry=points, crs="EPSG:4548").to_file(path)
    path.with_suffix(".cpg").unlink()
    if table is None:
        path.with_suffix(".dbf").unlink()
    else:
        path.with_suffix(".dbf").write_bytes(table)
    if cpg is not None:
        path.with_suffix(".cpg").write_text(cpg)
    return path


def named(encoding: str, *, ldid: int = 0, width: int = 40) -> bytes:
    return dbf([("名称".encode(encoding), "C", width)], [[n.encode(encoding)] for n in NAMES], ldid=ldid)


def column(source: Source, name: str) -> list[object]:
    return [v for b in source.batches() for v in b.table[name].to_pylist()]


def decision(source: Source, about: str) -> tuple[str, bool]:
    return next((d.value, d.sure) for d in source.findings.decisions if d.about == about)


ENCODINGS = [
    # written as, .cpg says, LDID says, settled as
    ("gbk", "GBK", 0, "gb18030"),
    ("gbk", "936", 0, "gb18030"),
    ("gbk", "ANSI 936", 0, "gb18030"),
    ("gbk", None, 0x4D, "gb18030"),
    ("gbk", None, 0x7A, "gb18030"),
    ("gbk", None, 0x57, "gb18030"),
    ("gbk", None, 0, "gb18030"),
    ("gbk", "UTF-8", 0, "gb18030"),
    ("gbk", "ISO-8859-1", 0x57, "gb18030"),
    ("gbk", None, 0x03, "gb18030"),
    ("gbk", "nonsense", 0, "gb18030"),
    ("gb18030", None, 0, "gb18030"),
    ("utf-8", "UTF-8", 0, "utf-8"),
    ("utf-8", "65001", 0, "utf-8"),
    ("utf-8", None, 0, "utf-8"),
    ("utf-8", "GBK", 0, "utf-8"),
    ("utf-8", None, 0x4D, "utf-8"),
    ("utf-8", "ISO-8859-1", 0, "utf-8"),
]


@pytest.mark.parametrize(("written", "cpg", "ldid", "settled"), ENCODINGS)
def test_the_encoding_is_what_the_text_is_in(
    tmp_path: Path, written: str, cpg: str | None, ldid: int, settled: str
) -> None:
    source = open_source(shapefile(tmp_path, named(written, ldid=ldid), cpg=cpg))
    assert decision(source, "encoding")[0] == settled
    assert column(source, "名称") == NAMES
    assert source.findings.rejects == []
    evidence = next(d.evidence for d in source.findings.decisions if d.about == "encoding")
    assert NAMES[0] in evidence.zh
    assert NAMES[0] in evidence.en


def test_traditional_chinese_needs_its_declaration(tmp_path: Path) -> None:
    names = ["臺北市信義區", "臺灣大道"]
    table = dbf([(b"name", "C", 40)], [[n.encode("big5")] for n in names])
    declared = open_source(shapefile(tmp_path, table, 2, cpg="Big5"))
    assert (decision(declared, "encoding"), column(declared, "name")) == (("big5", True), names)
    bare = shapefile(tmp_path, table, 2, stem="bare")
    try:
        assert not decision(open_source(bare), "encoding")[1]
    except BadInput as error:
        assert "--encoding" in str(error)
    asked = open_source(bare, ReadOptions(encoding="big5"))
    assert column(asked, "name") == names


def test_the_user_has_the_last_word_on_the_encoding(tmp_path: Path) -> None:
    path = shapefile(tmp_path, named("gbk"), cpg="UTF-8")
    source = open_source(path, ReadOptions(encoding="GBK"))
    assert (decision(source, "encoding"), column(source, "名称")) == (("gb18030", True), NAMES)
    wrong = open_source(path, ReadOptions(encoding="UTF-8"))
    assert decision(wrong, "encoding") == ("utf-8", False)
    assert sum(len(b) for b in wrong.batches()) == 0
    assert wrong.findings.rejected == {"bad-text": 3}
    with pytest.raises(BadInput, match="no encoding is called 'klingon'"):
        open_source(path, ReadOptions(encoding="klingon"))


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_names_and_values_cut_inside_a_character(tmp_path: Path, encoding: str) -> None:
    name = "甲a乙丙丁戊己".encode(encoding)
    value = ("一a" + "二" * 9).encode(encoding)
    assert decode_cut(name[:10], encoding) == ({"gbk": "甲a乙丙丁", "utf-8": "甲a乙丙"}[encoding], encoding == "gbk")
    table = dbf([(name, "C", 8)], [[value], ["三".encode(encoding)], [b""]])
    source = open_source(shapefile(tmp_path, table))
    field = decision(source, "columns")[0]
    assert name.decode(encoding).startswith(field)
    values = column(source, field)
    assert "一a二二".startswith(str(values[0]))
    assert values[1:] == ["三", None]
    assert source.findings.rejects == []
    cut_name = any(d.about == "column" for d in source.findings.decisions)
    assert cut_name == (encoding == "gbk")
    assert decision(source, "text-cut") == ("1", False)


def test_a_row_whose_text_is_broken_in_the_middle_is_listed(tmp_path: Path) -> None:
    good = [f"安徽省六安市金安区{i}号".encode("gbk") for i in range(20)]
    table = dbf([(b"name", "C", 40)], [*([g] for g in good), [b"\xd6\xff\xff\xd0abcdef"]])
    source = open_source(shapefile(tmp_path, table, 21))
    assert len(column(source, "name")) == 20
    assert [(r.row, r.reason) for r in source.findings.rejects] == [(21, "bad-text")]
    assert decision(source, "encoding") == ("gb18030", False)


def test_two_names_that_are_cut_to_the_same_stay_apart(tmp_path: Path) -> None:
    table = dbf([("建筑物名称甲".encode("gbk"), "C", 9), ("建筑物名称乙".encode("gbk"), "C", 9)], [[b"a", b"b"]] * 3)
    batches = list(open_source(shapefile(tmp_path, table)).batches())
    assert batches[0].table.to_pylist()[0] == {"建筑物名称": "a", "建筑物名称_2": "b"}


def test_missing_parts_are_said(tmp_path: Path) -> None:
    path = shapefile(tmp_path, named("gbk"))
    full = [b.points.tolist() for b in open_source(path).batches() if b.points is not None]
    path.with_suffix(".shx").unlink()
    path.with_suffix(".prj").unlink()
    source = open_source(path)
    assert source.crs is None
    assert decision(source, "crs") == ("", False)
    assert decision(source, "index") == ("rebuilt", True)
    assert [b.points.tolist() for b in source.batches() if b.points is not None] == full
    assert not path.with_suffix(".shx").exists(), "nothing may be written beside the data"
    path.with_suffix(".dbf").unlink()
    source = open_source(path)
    batches = list(source.batches())
    assert [len(b) for b in batches] == [3]
    assert batches[0].table.num_rows == 3
    assert decision(source, "columns") == ("", False)


def test_parts_may_be_written_in_capitals(tmp_path: Path) -> None:
    path = shapefile(tmp_path, named("gbk"), stem="A")
    for part in list(tmp_path.iterdir()):
        part.rename(part.with_suffix(part.suffix.upper()))
    source = open_source(path.with_suffix(".SHP"))
    assert (source.crs, column(source, "名称")) == ("EPSG:4548", NAMES)


def test_a_local_prj_keeps_its_definition(tmp_path: Path) -> None:
    path = shapefile(tmp_path, named("gbk"))
    text = (
        path.with_suffix(".prj").read_text().replace("117.0", "116.5").replace("CGCS2000_3_Degree_GK_CM_117E", "六安")
    )
    path.with_suffix(".prj").write_text(text)
    crs = open_source(path).crs
    assert crs is not None
    assert "116.5" in crs
    path.with_suffix(".prj").write_text("六安独立坐标系")
    source = open_source(path)
    assert (source.crs, decision(source, "crs")) == (None, ("", False))


def test_deleted_records_are_said_and_keep_the_numbers_of_the_others(tmp_path: Path) -> None:
    table = dbf([(b"name", "C", 9)], [[b"a"], [b"b"], [b"c"]], deleted=1)
    source = open_source(shapefile(tmp_path, table))
    assert [int(r) for b in source.batches() for r in b.rows] == [1, 3]
    assert decision(source, "deleted") == ("1", True)


@pytest.mark.parametrize(
    ("part", "keep", "said"),
    [(".shp", 110, "it ends after 110 of"), (".shp", 50, "does not begin"), (".dbf", 100, "ends before the last"),
     (".dbf", 20, "header is cut off")],
)  # fmt: skip
def test_a_part_that_is_cut_off(tmp_path: Path, part: str, keep: int, said: str) -> None:
    path = shapefile(tmp_path, named("gbk"))
    damaged = path.with_suffix(part)
    damaged.write_bytes(damaged.read_bytes()[:keep])
    with pytest.raises(BadInput, match=said):
        list(open_source(path).batches())


def test_a_cut_index_is_rebuilt(tmp_path: Path) -> None:
    path = shapefile(tmp_path, named("gbk"))
    index = path.with_suffix(".shx")
    index.write_bytes(index.read_bytes()[:-8])
    assert column(open_source(path), "名称") == NAMES


def test_the_table_of_another_file_is_refused(tmp_path: Path) -> None:
    path = shapefile(tmp_path, dbf([(b"name", "C", 9)], [[b"a"]]))
    with pytest.raises(BadInput, match=r"its \.dbf has 1 records, its \.shp 3"):
        open_source(path)


def test_naming_another_part_leads_to_the_shp(tmp_path: Path) -> None:
    path = shapefile(tmp_path, named("gbk"))
    with pytest.raises(BadInput, match=r"name its \.shp"):
        open_source(path.with_suffix(".dbf"))


def zipped(path: Path, members: dict[str, Path]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, source in members.items():
            info = zipfile.ZipInfo(name)
            archive.writestr(info, source.read_bytes())
    return path


def test_a_zipped_shapefile_in_a_folder(tmp_path: Path) -> None:
    path = shapefile(tmp_path, named("gbk"), cpg="GBK")
    archive = zipped(
        tmp_path / "a.zip", {f"成果/数据/路{s}": path.with_suffix(s) for s in (".shp", ".dbf", ".prj", ".cpg")}
    )
    source = open_source(archive)
    assert (source.crs, column(source, "名称")) == ("EPSG:4548", NAMES)


def test_a_zip_with_two_shapefiles_asks_which(tmp_path: Path) -> None:
    path = shapefile(tmp_path, named("gbk"))
    names = {f"{stem}{s}": path.with_suffix(s) for stem in ("a", "B") for s in (".shp", ".shx", ".dbf")}
    archive = zipped(tmp_path / "a.zip", names)
    with pytest.raises(BadInput, match="these Shapefiles: a, b; name one with --layer"):
        open_source(archive)
    assert column(open_source(archive, ReadOptions(layer="B")), "名称") == NAMES


def test_shapes_are_read_with_their_row_numbers(tmp_path: Path) -> None:
    path = tmp_path / "面.shp"
    hole = shapely.Polygon([(0, 0), (4, 0), (4, 4), (0, 4)], [[(1, 1), (2, 1), (2, 2), (1, 2)]])
    gpd.GeoDataFrame({"n": [1, 2]}, geometry=[hole, None], crs="EPSG:4490").to_file(path)
    source = open_source(path)
    (batch,) = source.batches()
    assert batch.shapes is not None
    assert batch.shapes[0].equals(hole)
    assert (source.crs, source.total_rows) == ("EPSG:4490", 2)
    assert [(r.row, r.reason) for r in source.findings.rejects] == [(2, "no-geometry")]
