"""Files for the tests of readers and loads: whole ones of every format, and the means to break them."""

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import openpyxl
import osmium
import shapely

from gis.exchange.readers import ReadOptions, Source, open_source

NAMES = ["中华人民共和国", "六安市金安区", "皖西大道"]


def frame(shapes: list[object] | None = None) -> gpd.GeoDataFrame:
    shapes = shapes if shapes is not None else [shapely.Point(116.5, 31.7 + i) for i in range(3)]
    names = (NAMES * len(shapes))[: len(shapes)]
    codes = [f"A{number}" for number in range(1, len(shapes) + 1)]
    return gpd.GeoDataFrame({"name": names, "code": codes}, geometry=shapes, crs="EPSG:4326")


def write_kml(path: Path, data: gpd.GeoDataFrame) -> None:
    marks = "".join(
        f'<Placemark><name>{name}</name><ExtendedData><Data name="code"><value>{code}</value></Data></ExtendedData>'
        f"{kml_geometry(shape)}</Placemark>"
        for name, code, shape in zip(data["name"], data["code"], data.geometry, strict=True)
    )
    path.write_text(f'<?xml version="1.0" encoding="UTF-8"?><kml><Document>{marks}</Document></kml>', encoding="utf-8")


def kml_geometry(shape: shapely.Geometry | None) -> str:
    if shape is None:
        return ""
    text = " ".join(f"{x},{y}" for x, y in shapely.get_coordinates(shape).tolist())
    inner = f"<coordinates>{text}</coordinates>"
    match shape.geom_type:
        case "Polygon":
            return f"<Polygon><outerBoundaryIs><LinearRing>{inner}</LinearRing></outerBoundaryIs></Polygon>"
        case kind:
            return f"<{kind}>{inner}</{kind}>"


def write_kmz(path: Path, data: gpd.GeoDataFrame) -> None:
    write_kml(path.with_suffix(".tmp"), data)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path.with_suffix(".tmp"), "doc.kml")


def write_osm(path: Path, data: gpd.GeoDataFrame) -> None:
    with osmium.SimpleWriter(str(path)) as writer:
        for number, (name, shape) in enumerate(zip(data["name"], data.geometry, strict=True), 1):
            tags = {"amenity": "school", "name": name}
            writer.add_node(osmium.osm.mutable.Node(id=number, location=(shape.x, shape.y), tags=tags))


def write_geojson_lines(path: Path, data: gpd.GeoDataFrame) -> None:
    found = json.loads(data.to_json(drop_id=True))["features"]
    path.write_text("\n".join(json.dumps(f, ensure_ascii=False) for f in found), encoding="utf-8")


def write_zip(path: Path, data: gpd.GeoDataFrame) -> None:
    shp = path.with_suffix(".shp")
    data.to_file(shp, encoding="GBK")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in (".shp", ".shx", ".dbf", ".prj"):
            archive.write(shp.with_suffix(part), f"a{part}")
            shp.with_suffix(part).unlink()


@dataclass(frozen=True)
class Kind:
    suffix: str
    write: Callable[[Path, gpd.GeoDataFrame], None]
    layer: str | None = None

    def make(self, folder: Path, shapes: list[object] | None = None) -> Path:
        path = folder / f"a{self.suffix}"
        self.write(path, frame(shapes))
        return path

    def open(self, path: Path) -> Source:
        return open_source(path, ReadOptions(layer=self.layer))


KINDS = [
    Kind(".shp", lambda path, data: data.to_file(path, encoding="GBK")),
    Kind(".zip", write_zip),
    Kind(".gpkg", lambda path, data: data.to_file(path)),
    Kind(".geojson", lambda path, data: data.to_file(path)),
    Kind(".geojsonl", write_geojson_lines),
    Kind(".parquet", lambda path, data: data.to_parquet(path)),
    Kind(".kml", write_kml),
    Kind(".kmz", write_kmz),
    Kind(".osm", write_osm, "pois"),
    Kind(".osm.pbf", write_osm, "pois"),
]

WRONG_ENCODING = {
    ".geojson": '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": "%s"}, '
    '"geometry": {"type": "Point", "coordinates": [1, 2]}}]}',
    ".geojsonl": '{"type": "Feature", "properties": {"name": "%s"}, '
    '"geometry": {"type": "Point", "coordinates": [1, 2]}}',
    ".kml": '<?xml version="1.0" encoding="UTF-8"?><kml><Placemark><name>%s</name><Point><coordinates>1,2</coordinates>'
    "</Point></Placemark></kml>",
}


def zip_of(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


HEAD = "编码,名称,经度,纬度\n"
ROWS = "".join(f"A{i},皖西大道{i}号,116.5{i:03d},31.7{i:03d}\n" for i in range(100))
XLSX, XLS = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


BROKEN_TABLES = [
    ("white space", "t.csv", b" \n\r\n  \n", "empty"),
    ("mark only", "t.csv", b"\xef\xbb\xbf", "empty"),
    ("header only", "t.csv", HEAD.encode(), "a header and no rows"),
    ("header only, no line end", "t.csv", HEAD.strip().encode(), "a header and no rows"),
    ("noise", "t.csv", bytes(range(256)) * 40, "not a text file"),
    ("workbook", "t.csv", XLSX + b"\0" * 100, "Excel workbook"),
    ("old workbook", "t.csv", XLS + b"\0" * 100, "old Excel workbook"),
    ("gzip", "t.csv", b"\x1f\x8b\x08" + b"\0" * 100, "gzip"),
    ("Parquet", "t.csv", b"PAR1" + b"\0" * 100, "Parquet"),
    ("web page", "t.csv", b"<!DOCTYPE html><html><table></table></html>", "web page"),
    ("web page named .xls", "t.xls", b"\n<html><table><tr><td>1</td></tr></table></html>", "save it as .xlsx"),
    ("PDF named .xlsx", "t.xlsx", b"%PDF-1.7 ...", "PDF"),
    ("zip that is no workbook", "t.xlsx", XLSX + b"junk" * 100, "damaged"),
    ("old workbook cut short", "t.xls", XLS + b"\0" * 600, "cannot be read as a workbook"),
    ("nothing but zeros", "t.csv", b"\0" * 5000, "not a text file"),
]


def book(path: Path, rows: int = 50) -> Path:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.append(["编码", "名称", "经度", "纬度"])
    for i in range(rows):
        sheet.append([f"A{i}", "甲", 116.5, 31.7])
    made.save(path)
    return path


def with_sheet(path: Path, xml: bytes) -> Path:
    """A workbook whose first sheet is this XML."""
    book(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/worksheets/sheet1.xml"] = xml
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
