"""What a file really is, whatever its name says: so that the error names it."""

from pathlib import Path
from typing import BinaryIO

from gis.errors import BadInput
from gis.text import Text

_KINDS = (
    (b"PK\x03\x04", Text("Excel 工作簿(.xlsx)或 zip 文件", "an Excel workbook (.xlsx) or a zip file")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Text("旧版 Excel 工作簿(.xls)", "an old Excel workbook (.xls)")),
    (b"\x1f\x8b", Text("gzip 压缩文件", "a gzip file")),
    (b"PAR1", Text("Parquet 文件(.parquet)", "a Parquet file (.parquet)")),
    (b"SQLite format 3\0", Text("SQLite 或 GeoPackage 文件(.gpkg)", "an SQLite or GeoPackage file (.gpkg)")),
    (b"%PDF", Text("PDF 文件", "a PDF file")),
    (b"\x00\x00\x27\x0a", Text("Shapefile(.shp)", "a shapefile (.shp)")),
    (b"7z\xbc\xaf\x27\x1c", Text("7z 压缩文件", "a 7z archive")),
    (b"Rar!", Text("RAR 压缩文件", "a RAR archive")),
)
_MARKUP = (b"<!doctype", b"<html", b"<table", b"<?xml", b"<head", b"<meta", b"<script", b"<div", b"<style")
_MARKUP_KIND = Text("网页或 XML(HTML/XML)", "a web page or XML")


def opened(path: Path) -> BinaryIO:
    """The file, opened for reading bytes. Raises BadInput when it is missing, a directory, empty or not readable."""
    if path.is_dir():
        raise BadInput(
            f"{path} is a directory; name the file in it", f"{path} 是目录;请指定其中的文件", subject=str(path)
        )
    try:
        file = path.open("rb")
        if file.seek(0, 2) == 0:
            file.close()
            raise BadInput(f"{path.name} is empty (0 bytes)", f"{path.name} 是空文件(0 字节)", subject=str(path))
        file.seek(0)
    except FileNotFoundError as error:
        raise BadInput(f"there is no file {path}", f"没有文件 {path}", subject=str(path)) from error
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read: {error}", f"无法读取 {path}:{error}", subject=str(path)) from error
    return file


def is_markup(head: bytes) -> bool:
    """Whether a file begins as HTML or XML does; exports of web systems named .xls or .csv often are."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_MARKUP)


def kind_of(head: bytes) -> Text | None:
    """What kind of file begins like this, where that is not a text table; None when it may be one."""
    if is_markup(head):
        return _MARKUP_KIND
    return next((kind for magic, kind in _KINDS if head.startswith(magic)), None)


def refuse_other_kinds(path: Path, head: bytes) -> None:
    """Raise BadInput, naming what the file is, when it is not a text table."""
    kind = kind_of(head)
    if kind is not None:
        raise BadInput(
            f"{path.name} is not a text table but {kind.en}; give it its right name, or save it as CSV",
            f"{path.name} 不是文本表格,而是{kind.zh};请改回正确的扩展名,或另存为 CSV",
            subject=str(path),
        )
