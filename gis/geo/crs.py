"""Coordinate reference systems by the names that people write, and coordinates to WGS 84 and back.

Names are normalised to "EPSG:n", "GCJ-02", "BD-09", or the WKT of a local system. Coordinates are numpy arrays with x
east (or longitude) and y north (or latitude), whatever the axis order of the standard; degrees or metres.

CGCS2000 is treated as WGS 84: both differ by centimetres to decimetres, depending on the epoch, which is below the
accuracy of a map. `caution` says so, and says how far off the older Chinese datums may be.
"""

import re
import unicodedata
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from gis.errors import BadInput
from gis.geo import offset
from gis.geo.offset import FloatArray, Pair
from gis.geo.zone import Zone, named_zone
from gis.text import Text

WGS84 = "EPSG:4326"
CGCS2000 = "EPSG:4490"
WEB_MERCATOR = "EPSG:3857"
GCJ02 = "GCJ-02"
BD09 = "BD-09"

_SPELLINGS = {
    WGS84: ("wgs84", "wgs1984", "gcswgs1984", "gps", "gps坐标", "crs84", "ogccrs84", "84坐标", "84坐标系",
            "wgs84坐标系"),
    CGCS2000: ("cgcs2000", "国家2000", "2000坐标系", "国家大地坐标系", "2000国家大地坐标系", "国家2000坐标系",
               "大地2000"),
    WEB_MERCATOR: ("webmercator", "pseudomercator", "google", "epsg900913", "900913", "webmercatorquad", "web墨卡托"),
    GCJ02: ("gcj02", "gcj02ll", "gcj2002", "mars", "火星", "火星坐标", "火星坐标系", "高德", "高德坐标", "高德坐标系",
            "amap", "autonavi", "腾讯", "腾讯坐标", "qqmap", "国测局坐标"),
    BD09: ("bd09", "bd09ll", "bd2009", "百度", "百度坐标", "百度坐标系", "百度经纬度", "baidu"),
}  # fmt: skip
_BY_SPELLING = {spelling: crs for crs, spellings in _SPELLINGS.items() for spelling in spellings}
_BAIDU_METRES = frozenset({"bd09mc", "百度墨卡托", "baidumc", "gcj02mc"})
_OLD_DATUMS = {"Beijing 1954": "北京 1954", "Xian 1980": "西安 1980", "New Beijing": "新北京 1954"}


@lru_cache(maxsize=256)
def normalise(name: str | int) -> str:
    """One way of writing a CRS, from a name, an EPSG code, a URN or WKT.

    Raises BadInput naming the text when nobody knows it, or when it is known and cannot be converted.
    """
    text = unicodedata.normalize("NFKC", str(name)).strip()
    folded = re.sub(r"[\s_\-/()（）:,.]+", "", text.lower())
    if folded in _BY_SPELLING:
        return _BY_SPELLING[folded]
    if folded in _BAIDU_METRES:
        raise BadInput(
            f"{text} holds metres of a map vendor's own projection; export it as degrees in BD-09 or GCJ-02",
            f"{text} 是地图厂商自用的米制投影;请改为导出 BD-09 或 GCJ-02 经纬度",
            subject=text,
        )
    # WKT and PROJ strings speak for themselves: a local system may carry the name of a standard zone
    zone = None if re.search(r"[\[{]|\+proj", text) else named_zone(folded)
    return zone.crs if zone else _by_pyproj(text)


def _by_pyproj(text: str) -> str:
    try:
        known = CRS.from_user_input(int(text) if text.isascii() and text.isdigit() else text)
    except (CRSError, OverflowError):
        raise BadInput(
            f"unknown coordinate reference system {_short(text)!r}; "
            "give an EPSG code like EPSG:4548, or WGS 84, CGCS2000, GCJ-02 or BD-09",
            f"不认识的坐标系 {_short(text)!r};请给出 EPSG 代码(如 EPSG:4548),或 WGS 84、CGCS2000、GCJ-02、BD-09",
            subject=_short(text),
        ) from None
    if not (known.is_geographic or known.is_projected):
        raise BadInput(
            f"{_short(known.name)!r} is neither geographic nor projected: its coordinates have no place on the earth",
            f"{_short(known.name)!r} 既不是地理坐标系也不是投影坐标系,无法定位",
            subject=_short(text),
        )
    code = known.to_epsg()
    if code is None and known.name.startswith("WGS 84 (CRS84"):
        return WGS84
    return f"EPSG:{code}" if code else str(known.to_wkt())


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "…"


def title(crs: str) -> Text:
    """What a person calls it."""
    name = normalise(crs)
    if name in {GCJ02, BD09}:
        return Text({GCJ02: "GCJ-02(火星坐标)", BD09: "BD-09(百度坐标)"}[name], name)
    known = _crs(name)
    label = f"{known.name} ({name})" if name.startswith("EPSG:") else known.name
    zone = Zone.of_epsg(known.to_epsg() or 0)
    if zone is None:
        return Text(label, label)
    which = f"{zone.number} 带" if zone.prefix else f"中央经线 {zone.central_meridian}°"
    return Text(f"CGCS2000 {zone.width} 度带 {which} ({name})", label)


def caution(crs: str) -> Text | None:
    """What must be said about coordinates converted from this CRS; None when the conversion is exact."""
    name = normalise(crs)
    if name in {GCJ02, BD09}:
        return None
    datum = _datum(name)
    if datum == "China 2000":
        return Text(
            "按 CGCS2000 与 WGS 84 相同处理(相差厘米至分米级)",
            "CGCS2000 is treated as WGS 84 (they differ by centimetres to decimetres)",
        )
    for old, zh in _OLD_DATUMS.items():
        if datum.startswith(old):
            return Text(
                f"{zh} 坐标的转换没有公开参数,位置可能偏差 100 m 左右;请用本地七参数转换到 CGCS2000 后再导入",
                f"{old} has no published parameters: positions may be off by about 100 m; "
                "convert to CGCS2000 with the local seven parameters first",
            )
    return None


def to_wgs84(x: ArrayLike, y: ArrayLike, crs: str) -> Pair:
    """Coordinates in `crs` to longitude and latitude (WGS 84, degrees); NaN where there is no such place.

    Raises BadInput when the CRS is unknown.
    """
    name = normalise(crs)
    if name == GCJ02:
        return offset.gcj02_to_wgs84(x, y)
    if name == BD09:
        return offset.bd09_to_wgs84(x, y)
    return _transform(name, x, y, back=False)


def from_wgs84(lon: ArrayLike, lat: ArrayLike, crs: str) -> Pair:
    """Longitude and latitude (WGS 84, degrees) to coordinates in `crs`; NaN where the CRS does not reach.

    Raises BadInput when the CRS is unknown.
    """
    name = normalise(crs)
    if name == GCJ02:
        return offset.wgs84_to_gcj02(lon, lat)
    if name == BD09:
        return offset.wgs84_to_bd09(lon, lat)
    return _transform(name, lon, lat, back=True)


def _transform(name: str, x: ArrayLike, y: ArrayLike, *, back: bool) -> Pair:
    if name in {WGS84, CGCS2000}:
        one, other = np.array(x, dtype=np.float64), np.array(y, dtype=np.float64)
    else:
        pair = _transformer(name, back).transform(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
        one, other = np.asarray(pair[0], dtype=np.float64), np.asarray(pair[1], dtype=np.float64)
    return _finite(one, other)


def _finite(one: FloatArray, other: FloatArray) -> Pair:
    gone = ~(np.isfinite(one) & np.isfinite(other))
    return np.where(gone, np.nan, one), np.where(gone, np.nan, other)


@lru_cache(maxsize=64)
def _crs(name: str) -> CRS:
    return CRS.from_user_input(name)


@lru_cache(maxsize=64)
def _datum(name: str) -> str:
    geodetic = _crs(name).geodetic_crs
    return "" if geodetic is None or geodetic.datum is None else str(geodetic.datum.name)


@lru_cache(maxsize=64)
def _transformer(name: str, back: bool) -> Transformer:
    """Between a CRS and WGS 84, or, for CGCS2000, its own degrees, so that no datum shift is chosen by the library."""
    degrees = CGCS2000 if _datum(name) == "China 2000" else WGS84
    ends = (degrees, name) if back else (name, degrees)
    return Transformer.from_crs(*ends, always_xy=True)
