"""The files of what is built: buildings (GBK Shapefiles), points of interest (shifted GeoJSON), addresses (CSV)."""

import json
from pathlib import Path

import numpy as np
import shapely

from sample_city.datums import as_projected, bd09, dms, gcj02, lonlat
from sample_city.lattice import Floats
from sample_city.places import Building
from sample_city.pois import Poi
from sample_city.record import FileRecord
from sample_city.shapefile import Column, ShapefileWriter
from sample_city.tables import TextTable

_BUILDING_COLUMNS = [
    Column("建筑编码", "C", 20), Column("建筑名称", "C", 40), Column("建筑用途", "C", 12), Column("地上层数", "N", 4),
    Column("建筑高度(m)", "N", 8, 1), Column("建成年份", "N", 4), Column("标准地址", "C", 59),
    Column("产权登记单位", "C", 8), Column("启用日期", "D", 8),
]  # fmt: skip
#: Rows by number: buildings without an outline, and those that are gone in the later edition.
NO_SHAPE, _BOW_TIE = (60, 333), (91, 256, 500)
DEMOLISHED, _RAISED, _RENAMED = (20, 121, 322), (15, 64, 230), (77, 200)
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


class BuildingFile:
    """GBK Shapefile without .cpg in EPSG:4548, names and texts cut, a few rows broken; the same in either edition.

    The edition of 2026 lacks a few buildings, has a few raised by a storey or renamed, and ends with new ones.
    """

    def __init__(self, folder: Path, edition: int) -> None:
        suffix = "" if edition == 2025 else f"_{edition}"
        self.record = FileRecord(
            f"buildings{suffix}.shp", (f"建筑物普查 {edition}(住建局)", f"Buildings {edition} (housing)"),
            "base.buildings", "EPSG:4548", "GBK", "EPSG:4548", edition=edition,
        )  # fmt: skip
        self.writer = ShapefileWriter(folder / self.record.file, _BUILDING_COLUMNS, 4548)
        self._later = edition > 2025
        self._seen = 0
        self._last: list[Building] = []

    def add(self, buildings: list[Building]) -> None:
        """Append buildings."""
        shapes = as_projected([b.shape for b in buildings])
        for building, shape in zip(buildings, shapes, strict=True):
            self._seen += 1
            if not self._later or self._seen not in DEMOLISHED:
                self._write(building, shape)
            else:
                self.record.note(0, "removed", code=building.code)
        self._last = buildings or self._last

    def close(self) -> None:
        """End the file; the later edition adds new buildings first."""
        for n, building in enumerate(self._last[-4:] if self._later else []):
            new = shapely.transform(as_projected([building.shape])[0], lambda xy: xy + np.array([0.0, 2000.0]))
            self._seen += 1
            code = f"{building.village}99{n:04d}"
            values = (code, f"新建楼{n + 1}", building.use, 3, 12.3, 2026, "", "", "2026-02-01")
            self.record.rows += 1
            self.writer.write(new, values)
            self.record.note(self.record.rows, "added", code=code)
        self.writer.close()

    def _write(self, building: Building, shape: shapely.Polygon) -> None:
        record, n = self.record, self._seen
        record.rows += 1
        row = record.rows
        storeys, name = building.storeys, building.name
        if self._later and n in _RAISED:
            storeys += 1
            record.note(row, "changed", code=building.code, field="storeys", value=storeys)
        if self._later and n in _RENAMED:
            name = "改造示范楼"
            record.note(row, "changed", code=building.code, field="name", value=name)
        shaped = self._broken(n, row, building.code, shape)
        values = (
            building.code, name, building.use, storeys, building.height_m, int(building.since[:4]),
            building.address.text, "", building.since,
        )  # fmt: skip
        if self.writer.write(shaped, values):
            record.note(row, "text cut in the middle of a character", code=building.code, field="address")
        if shaped is not None:
            record.count("village", building.village)
            inside = building.shape.representative_point()
            record.sample(row, building.code, lonlat(np.array([[inside.x, inside.y]]))[0])

    def _broken(self, n: int, row: int, code: str, shape: shapely.Polygon) -> shapely.Polygon | None:
        if n in NO_SHAPE:
            self.record.reject(row, "no geometry", code)
            return None
        if n in _BOW_TIE:
            self.record.note(row, "self-crossing outline", code=code)
            x0, y0, x1, y1 = shape.bounds
            return shapely.Polygon([(x0, y0), (x1, y1), (x1, y0), (x0, y1)])
        return shape


_POI_REMOVED, _POI_RENAMED = (18, 33), (10, 55)
_POI_NO_PLACE, _POI_NO_NAME, _POI_REPEATED = 25, 44, 70


class PoiFile:
    """GeoJSON whose coordinates are GCJ-02 though the format means WGS 84; one feature a line."""

    def __init__(self, folder: Path, edition: int) -> None:
        suffix = "" if edition == 2025 else f"_{edition}"
        self.record = FileRecord(
            f"pois{suffix}.geojson", (f"兴趣点 {edition}(数据资源局)", f"Points of interest {edition} (data bureau)"),
            "base.pois", "GCJ-02", "UTF-8", "WGS 84", edition=edition,
        )  # fmt: skip
        self._later = edition > 2025
        self._seen = 0
        self._first_code = ""
        self._file = (folder / self.record.file).open("w", encoding="utf-8", newline="\n")
        self._file.write('{"type":"FeatureCollection","name":"兴趣点","features":[')

    def add(self, pois: list[Poi]) -> None:
        """Append points."""
        true = lonlat(np.array([p.xy for p in pois])) if pois else np.empty((0, 2))
        for poi, degrees, shifted in zip(pois, true, np.round(gcj02(true), 6), strict=True):
            self._seen += 1
            if self._later and self._seen in _POI_REMOVED:
                self.record.note(0, "removed", code=poi.code)
                continue
            self._write(poi, degrees, shifted)

    def close(self) -> None:
        """End the collection."""
        self._file.write("\n]}\n")
        self._file.close()

    def _write(self, poi: Poi, degrees: Floats, shifted: Floats) -> None:
        record, n = self.record, self._seen
        record.rows += 1
        row, code, name = record.rows, poi.code, poi.name
        self._first_code = self._first_code or code
        if self._later and n in _POI_RENAMED:
            name = f"{name}(新店)"
            record.note(row, "changed", code=code, field="name", value=name)
        if n == _POI_REPEATED:
            code = self._first_code
            record.reject(row, "code given twice", code)
        if n == _POI_NO_NAME:
            name = ""
            record.reject(row, "no name", code)
        if n == _POI_NO_PLACE:
            record.reject(row, "no geometry", code)
        place = None if n == _POI_NO_PLACE else {"type": "Point", "coordinates": shifted.tolist()}
        values = {
            "POI编码": code,
            "POI名称": name,
            "类别": poi.kind,
            "地址": poi.address,
            "联系电话": poi.telephone,
            "启用日期": poi.since,
        }
        values = {k: v for k, v in values.items() if v}
        feature = {"type": "Feature", "properties": values, "geometry": place}
        self._file.write(
            ("," if row > 1 else "") + "\n" + json.dumps(feature, ensure_ascii=False, separators=(",", ":"))
        )
        if n not in (_POI_REPEATED, _POI_NO_NAME, _POI_NO_PLACE):
            record.count("kind", poi.kind)
            record.sample(row, code, degrees)


_ADDRESS_HEADER = ("地址编码", "标准地址", "街路巷名", "门牌号", "小区名称", "楼栋号", "经度", "纬度", "启用日期")


class AddressFile:
    """GBK CSV with a title above the header, BD-09 coordinates, full-width digits here and there."""

    def __init__(self, folder: Path) -> None:
        self.record = FileRecord(
            "addresses.csv", ("标准地址(公安局)", "Standard addresses (public security)"), "base.addresses",
            "BD-09", "GBK", "nothing",
        )  # fmt: skip
        self.table = TextTable(folder / self.record.file, "gbk")
        self.table.write(("六安市标准地址库门牌导出表", *("" for _ in _ADDRESS_HEADER[1:])))
        self.table.write(_ADDRESS_HEADER)

    def add(self, buildings: list[Building]) -> None:
        """Append the addresses of buildings with a door plate."""
        kept = [b for b in buildings if b.address.plate]
        true = _places(kept)
        for building, degrees, shifted in zip(kept, true, np.round(bd09(true), 6), strict=True):
            self.record.rows += 1
            n, row = self.record.rows, self.table.line + 1
            lon, lat = self._place(n, row, building, shifted)
            address = building.address
            wide = n % 23 == 7
            values = (
                f"D{building.code}", address.text.translate(_FULL_WIDTH) if wide else address.text, address.street,
                address.plate.translate(_FULL_WIDTH) if wide else address.plate, address.compound, address.building,
                lon, lat, building.since,
            )  # fmt: skip
            self.table.write(values)
            if lon and n not in WRONG_PLACES:
                self.record.count("village", building.village)
                self.record.sample(row, values[0], degrees)

    def _place(self, n: int, row: int, building: Building, shifted: Floats) -> tuple[str, str]:
        lon, lat = (f"{v:.6f}" for v in shifted.tolist())
        if n not in WRONG_PLACES:
            return lon, lat
        self.record.reject(row, WRONG_PLACES[n], f"D{building.code}")
        return {"no coordinates": ("", ""), "coordinates are zero": ("0", "0")}.get(WRONG_PLACES[n], ("1165.1", lat))


#: Door plates by number whose coordinates are missing or wrong.
WRONG_PLACES = {50: "no coordinates", 120: "coordinates are zero", 180: "longitude out of range"}


class AddressSupplement:
    """UTF-8 CSV with a byte-order mark: places without a door plate, in degrees, minutes and seconds (WGS 84)."""

    def __init__(self, folder: Path) -> None:
        self.record = FileRecord(
            "addresses_supplement.csv", ("门牌补充表(乡镇上报)", "Supplement of addresses (townships)"),
            "base.addresses", "EPSG:4490", "UTF-8 with BOM", "nothing",
        )  # fmt: skip
        self.table = TextTable(folder / self.record.file, "utf-8-sig")
        self.table.write(_ADDRESS_HEADER)

    def add(self, buildings: list[Building]) -> None:
        """Append the addresses of buildings without a door plate."""
        kept = [b for b in buildings if not b.address.plate]
        true = _places(kept)
        for building, degrees in zip(kept, true, strict=True):
            self.record.rows += 1
            address = building.address
            code, (lon, lat) = f"D{building.code}", degrees.tolist()
            self.table.write(
                (code, address.text, "", "", address.compound, address.building, dms(lon), dms(lat), building.since)
            )
            self.record.count("village", building.village)
            self.record.sample(self.table.line, code, degrees)


def _places(buildings: list[Building]) -> Floats:
    """A point inside each building, WGS 84."""
    inside = [b.shape.representative_point() for b in buildings]
    return lonlat(np.array([[p.x, p.y] for p in inside])) if inside else np.empty((0, 2))
