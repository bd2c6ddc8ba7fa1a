"""Which format a file is in: by what it contains first, by its name only where the content does not tell."""

from enum import StrEnum
from pathlib import Path, PurePosixPath

from gis.errors import BadInput
from gis.exchange.readers.archive import member_names

_HEAD_BYTES = 4096
_JSON_STARTS = (b"{", b"[", b"\x1e")


class Format(StrEnum):
    """The formats that are read."""

    SHAPEFILE = "Shapefile"
    GEOPACKAGE = "GeoPackage"
    GEOJSON = "GeoJSON"
    GEOJSON_LINES = "GeoJSON lines"
    GEOPARQUET = "GeoParquet"
    KML = "KML"
    OSM = "OpenStreetMap"
    CSV = "CSV"
    EXCEL = "Excel"


#: Every suffix that is read, and its format; `.zip` is whatever is inside.
SUFFIXES: dict[str, Format] = {
    ".shp": Format.SHAPEFILE,
    ".gpkg": Format.GEOPACKAGE,
    ".geojson": Format.GEOJSON,
    ".json": Format.GEOJSON,
    ".geojsonl": Format.GEOJSON_LINES,
    ".geojsons": Format.GEOJSON_LINES,
    ".ndjson": Format.GEOJSON_LINES,
    ".jsonl": Format.GEOJSON_LINES,
    ".parquet": Format.GEOPARQUET,
    ".geoparquet": Format.GEOPARQUET,
    ".kml": Format.KML,
    ".kmz": Format.KML,
    ".osm": Format.OSM,
    ".pbf": Format.OSM,
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".txt": Format.CSV,
    ".gz": Format.CSV,
    ".xlsx": Format.EXCEL,
    ".xlsm": Format.EXCEL,
    ".xls": Format.EXCEL,
    ".ods": Format.EXCEL,
}
_MAGIC = {
    b"SQLite format 3\0": Format.GEOPACKAGE,
    b"PAR1": Format.GEOPARQUET,
    b"\x00\x00\x27\x0a": Format.SHAPEFILE,
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": Format.EXCEL,
}
_SHAPEFILE_PARTS = frozenset({".dbf", ".shx", ".prj", ".cpg"})
#: Formats whose content always tells.
_BINARY = frozenset({Format.SHAPEFILE, Format.GEOPACKAGE, Format.GEOPARQUET, Format.EXCEL})


def check_path(path: Path) -> None:
    """Raise BadInput unless `path` is a file that can be read and holds something."""
    if path.is_dir():
        raise BadInput(f"{path} is a folder; name a file in it", f"{path} 是文件夹;请指定其中的文件", subject=str(path))
    if not path.is_file():
        raise BadInput(f"there is no file {path}", f"没有文件 {path}", subject=str(path))
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise BadInput(f"{path} cannot be opened: {error.strerror}", f"{path} 无法打开:{error.strerror}",
                       subject=str(path)) from error  # fmt: skip
    if empty:
        raise BadInput(f"{path.name} is empty (0 bytes); copy it again", f"{path.name} 是空文件(0 字节);请重新拷贝",
                       subject=str(path))  # fmt: skip


def format_of(path: Path) -> Format:
    """The format of a file. Raises BadInput when it is none that is read, or not what its name says."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    named = SUFFIXES.get(path.suffix.lower())
    found = _zipped(path) if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06") else _by_content(head)
    if found is Format.GEOJSON and named is Format.GEOJSON_LINES:
        return named
    if found is not None and not (named in (Format.CSV, Format.EXCEL) and found not in _BINARY):
        return found
    if named is None:
        raise _unknown(path)
    if named in _BINARY or named in (Format.OSM, Format.KML) or (named is Format.GEOJSON and found is None):
        raise BadInput(
            f"{path.name} is named like {named} but does not contain it; copy it again or name it as what it is",
            f"{path.name} 的后缀表示 {named},内容却不是;请重新拷贝,或按真实格式命名",
            subject=str(path),
        )
    return named


def _by_content(head: bytes) -> Format | None:
    for magic, found in _MAGIC.items():
        if head.startswith(magic):
            return found
    if b"OSMHeader" in head[:32]:
        return Format.OSM
    text = head.removeprefix(b"\xef\xbb\xbf")
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = text[2:].replace(b"\0", b"")
    text = text.lstrip()
    if text.startswith(_JSON_STARTS):
        return Format.GEOJSON
    roots = ((b"<kml", Format.KML), (b":kml", Format.KML), (b"<osm", Format.OSM))
    return next((found for root, found in roots if text.startswith(b"<") and root in text), None)


def _zipped(path: Path) -> Format | None:
    """What a zip holds. Raises BadInput when it is damaged, not safe, or holds nothing that is read."""
    names = [n.lower().replace("\\", "/") for n in member_names(path)]
    if "[content_types].xml" in names or "content.xml" in names or path.suffix.lower() in (".xlsx", ".xlsm", ".ods"):
        return Format.EXCEL
    inside = {PurePosixPath(n).suffix for n in names}
    for suffix in (".shp", ".kml"):
        if suffix in inside:
            return SUFFIXES[suffix]
    raise BadInput(
        f"{path.name} holds neither a Shapefile nor a KML; unpack it and name the file to read",
        f"{path.name} 中没有 Shapefile 或 KML;请解压后指定要读取的文件",
        subject=str(path),
    )


def _unknown(path: Path) -> BadInput:
    suffix = path.suffix.lower()
    if suffix in _SHAPEFILE_PARTS:
        return BadInput(f"{path.name} is one part of a Shapefile; name its .shp",
                        f"{path.name} 是 Shapefile 的组成部分;请指定 .shp 文件", subject=str(path))  # fmt: skip
    listed = ", ".join(dict.fromkeys(str(f) for f in SUFFIXES.values()))
    return BadInput(f"the format of {path.name} is not known; these are read: {listed}",
                    f"无法识别 {path.name} 的格式;可读取:{listed}", subject=str(path))  # fmt: skip
