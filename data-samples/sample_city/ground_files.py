"""The files of the ground: divisions and roads (GeoPackage), water (Shapefile with a lying .cpg), land use (KML)."""

from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from sample_city.datums import as_lonlat, as_projected, lonlat
from sample_city.divisions import Division
from sample_city.land import Parcel
from sample_city.record import FileRecord
from sample_city.shapefile import Column, ShapefileWriter
from sample_city.streets import CLASSES, Road
from sample_city.waters import Water

pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2026-01-01T00:00:00.000Z"})  # else files carry today's date


def write_divisions(folder: Path, divisions: list[Division]) -> FileRecord:
    """GeoPackage in EPSG:4490, as it should be; a street is split in 2021, a village renamed in 2019."""
    record = FileRecord(
        "divisions.gpkg", ("行政区划(民政局)", "Divisions (civil affairs)"), "base.divisions", "EPSG:4490", "UTF-8",
        "EPSG:4490", layer="行政区划",
    )  # fmt: skip
    shapes = as_lonlat([d.shape for d in divisions])
    for division in divisions:
        record.rows += 1
        inside = division.shape.representative_point()
        record.sample(record.rows, division.code, lonlat(np.array([[inside.x, inside.y]]))[0])
        for day in ("2018-06-01", "2020-06-01", "2025-06-01"):
            if division.since <= day and (not division.until or day < division.until):
                record.count(f"valid on {day}", str(division.level))
        if division.until:
            record.note(record.rows, "ended", code=division.code, name=division.name, until=division.until)
    frame = pd.DataFrame(
        {
            "区划代码": [d.code for d in divisions],
            "名称": [d.name for d in divisions],
            "级别": [d.level for d in divisions],
            "上级代码": [d.parent for d in divisions],
            "面积km2": [round(d.shape.area / 1e6, 4) for d in divisions],
            "启用日期": [d.since for d in divisions],
            "停用日期": [d.until or None for d in divisions],
        }
    )
    _to_geopackage(folder / record.file, "行政区划", gpd.GeoDataFrame(frame, geometry=shapes, crs=4490), append=False)
    return record


class RoadFile:
    """GeoPackage in EPSG:4527 (zone prefix 39), honestly declared; appended district by district."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "roads.gpkg"
        self.record = FileRecord(
            self.path.name, ("道路(交通运输局)", "Roads (transport)"), "base.roads", "EPSG:4527", "UTF-8", "EPSG:4527",
            layer="道路",
        )  # fmt: skip

    def add(self, roads: list[Road]) -> None:
        """Append roads."""
        shapes = as_projected([shapely.LineString(r.line) for r in roads], prefix=39)
        if not roads:
            return
        middles = lonlat(np.array([r.line.mean(axis=0) for r in roads]))
        for road, middle in zip(roads, middles, strict=True):
            self.record.rows += 1
            if len(road.line) == 2:  # only of a straight piece is the mean on the line
                self.record.sample(self.record.rows, road.code, middle)
            self.record.count("class", CLASSES[road.kind].zh)
        frame = pd.DataFrame(
            {
                "道路编码": [r.code for r in roads],
                "道路名称": [r.name or None for r in roads],
                "道路等级": [CLASSES[r.kind].zh for r in roads],
                "车道数": [CLASSES[r.kind].lanes for r in roads],
                "路宽m": [CLASSES[r.kind].width_m for r in roads],
                "限速": [CLASSES[r.kind].speed_limit_kmh or None for r in roads],
                "单行": ["双向" for _ in roads],
                "启用日期": [r.since for r in roads],
            }
        ).astype({"限速": "Int64"})
        shaped = gpd.GeoDataFrame(frame, geometry=shapes, crs=4527)
        _to_geopackage(self.path, "道路", shaped, append=self.record.rows > len(roads))


class WaterFile:
    """Shapefile whose text is GBK though its .cpg says UTF-8; longitude and latitude, EPSG:4490."""

    def __init__(self, folder: Path) -> None:
        self.record = FileRecord(
            "water.shp", ("水域(水利局)", "Water areas (water affairs)"), "base.water", "EPSG:4490", "GBK", "EPSG:4490"
        )
        columns = [Column("水域编码", "C", 16), Column("水系名称", "C", 40), Column("水域类型", "C", 8)]
        self.writer = ShapefileWriter(folder / self.record.file, columns, 4490, cpg="UTF-8")

    def add(self, waters: list[Water]) -> None:
        """Append water areas."""
        for water, shape in zip(waters, as_lonlat([w.shape for w in waters]), strict=True):
            self.record.rows += 1
            inside = shape.representative_point()
            self.record.sample(self.record.rows, water.code, np.array([inside.x, inside.y]))
            self.record.count("kind", water.kind)
            self.writer.write(shape, (water.code, water.name, water.kind))

    def close(self) -> None:
        """End the file."""
        self.writer.close()


class LandFile:
    """KML with the attributes as extended data."""

    def __init__(self, folder: Path) -> None:
        self.record = FileRecord(
            "land.kml",
            ("土地利用(自然资源局)", "Land use (natural resources)"),
            "base.land",
            "EPSG:4326",
            "UTF-8",
            "WGS 84",
        )
        self._file = (folder / self.record.file).open("w", encoding="utf-8", newline="\n")
        self._file.write(
            '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n<Document>\n'
        )
        self._file.write("<name>土地利用</name>\n")

    def add(self, parcels: list[Parcel]) -> None:
        """Append parcels; one without a name keeps its code as its placemark's."""
        for parcel, shape in zip(parcels, as_lonlat([p.shape for p in parcels]), strict=True):
            self.record.rows += 1
            inside = shape.representative_point()
            self.record.sample(self.record.rows, parcel.code, np.array([inside.x, inside.y]))
            self.record.count("use", parcel.use)
            values = {
                "地块编码": parcel.code,
                "地块名称": parcel.name,
                "用地类型": parcel.use,
                "面积m2": f"{parcel.shape.area:.1f}",
            }
            data = "".join(f'<Data name="{k}"><value>{escape(v)}</value></Data>' for k, v in values.items() if v)
            self._file.write(
                f"<Placemark><ExtendedData>{data}</ExtendedData>{_kml(shapely.get_parts(shape))}</Placemark>\n"
            )

    def close(self) -> None:
        """End the document."""
        self._file.write("</Document>\n</kml>\n")
        self._file.close()


def _kml(polygons: Iterable[shapely.Polygon]) -> str:
    found = ""
    for polygon in polygons:
        inner = "".join(f"<innerBoundaryIs>{_ring(r)}</innerBoundaryIs>" for r in polygon.interiors)
        found += f"<Polygon><outerBoundaryIs>{_ring(polygon.exterior)}</outerBoundaryIs>{inner}</Polygon>"
    return found


def _ring(ring: shapely.LinearRing) -> str:
    points = " ".join(f"{x:.7f},{y:.7f}" for x, y in shapely.get_coordinates(ring).tolist())
    return f"<LinearRing><coordinates>{points}</coordinates></LinearRing>"


def _to_geopackage(path: Path, layer: str, frame: gpd.GeoDataFrame, *, append: bool) -> None:
    if not append:
        path.unlink(missing_ok=True)
    pyogrio.write_dataframe(frame, path, layer=layer, driver="GPKG", append=append, SPATIAL_INDEX="NO")
