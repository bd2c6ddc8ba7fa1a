"""Real files in: every format that bureaus hand over, as one stream of batches with the decisions taken about it."""

from importlib import import_module
from pathlib import Path

from gis.exchange.readers.formats import SUFFIXES, Format, check_path, format_of
from gis.exchange.readers.source import Batch, Decision, Findings, ReadOptions, Reject, Source

__all__ = [
    "SUFFIXES",
    "Batch",
    "Decision",
    "Findings",
    "Format",
    "ReadOptions",
    "Reject",
    "Source",
    "open_source",
]


#: The module of each format's reader, here beside, and its function. A module is imported when it is needed: GDAL,
#: Arrow and osmium take their time to load, and one of them is enough.
_READERS = {
    Format.SHAPEFILE: ("shapefile", "open_shapefile"),
    Format.GEOPACKAGE: ("vector", "open_vector"),
    Format.GEOJSON: ("geojson", "open_geojson"),
    Format.GEOJSON_LINES: ("geojson", "open_geojson_lines"),
    Format.GEOPARQUET: ("geoparquet", "open_geoparquet"),
    Format.KML: ("kml", "open_kml"),
    Format.OSM: ("osm", "open_osm"),
    Format.CSV: ("csv", "open_csv"),
    Format.EXCEL: ("excel", "open_excel"),
}


def open_source(path: Path | str, options: ReadOptions | None = None) -> Source:
    """Open a file with the reader of its format, chosen by content and then by suffix.

    Nothing is read but what the decisions need. Raises BadInput, with the way out, when the file is missing, empty, a
    folder, damaged, unsafe to unpack, or in no format that is read.
    """
    path, options = Path(path), options or ReadOptions()
    check_path(path)
    found = format_of(path)
    module, function = _READERS[found]
    source: Source = getattr(import_module(f"{__name__}.{module}"), function)(path, options)
    if SUFFIXES.get(path.suffix.lower(), found) is not found:
        source.findings.decide("format", found, f"内容是 {found},与后缀 {path.suffix} 不同",
                               f"the content is {found}, whatever the suffix {path.suffix} says")  # fmt: skip
    return source
