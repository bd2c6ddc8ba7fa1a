"""What the names of coordinate columns say: which axis, and in which reference system."""

import re
import unicodedata
from enum import StrEnum


class Role(StrEnum):
    """What a column of coordinates holds, as its name says."""

    LONGITUDE = "longitude"
    LATITUDE = "latitude"
    EASTING = "easting"
    NORTHING = "northing"
    X = "x"
    Y = "y"
    PAIR = "pair"
    SHAPE = "shape"


#: The role of the other column of a pair.
PARTNER = {Role.LONGITUDE: Role.LATITUDE, Role.EASTING: Role.NORTHING, Role.X: Role.Y}

_NAMES = {
    Role.LONGITUDE: "经度 经 东经 lon lng long longitude longtitude jd jingdu 中心经度 中心点经度 地理经度 loncenter",
    Role.LATITUDE: "纬度 纬 北纬 lat latitude wd weidu 中心纬度 中心点纬度 地理纬度 latcenter",
    Role.EASTING: "东坐标 东 东向 东向坐标 横坐标 横 easting east e hzb 东坐标y 横坐标y",
    Role.NORTHING: "北坐标 北 北向 北向坐标 纵坐标 纵 northing north n zzb 北坐标x 纵坐标x",
    Role.X: "x x坐标 坐标x pointx xcoord coordx xzb x轴 posx px xutm xproj xcoordinate 平面x 中心x 中心点x",
    Role.Y: "y y坐标 坐标y pointy ycoord coordy yzb y轴 posy py yutm yproj ycoordinate 平面y 中心y 中心点y",
    Role.PAIR: "坐标 经纬度 经纬度坐标 location lonlat lnglat latlng latlon position point coordinates coordinate "
    "coord gps gps坐标 点坐标 位置坐标 中心点坐标 中心坐标 地理坐标 坐标点 center xy",
    Role.SHAPE: "wkt geom geometry thegeom shape wkb geojson 几何 几何信息 空间 空间信息 图形 坐标串 边界 wktgeom "
    "geomwkt geowkt wkbgeometry",
}
_ROLES = {name: role for role, names in _NAMES.items() for name in names.split()}

#: A map vendor's name tells a datum only beside a word for coordinates: a table may come from a vendor otherwise.
_BESIDE = r"(?=\S{0,8}(坐标|经|纬|lon|lng|lat|x|y))"
_GCJ02 = rf"gcj\W?_?0?2|火星坐标?|国测局|(高德|腾讯|amap){_BESIDE}"
_BD09 = rf"bd\W?_?0?9|(百度|baidu){_BESIDE}"
_WGS84 = r"wgs\W?_?(19)?84|epsg\W*4326\b"
_CGCS2000 = r"cgcs\W?_?2000|(国家|大地)2000|2000国家|epsg\W*4490\b"
_XIAN80 = r"西安\W?80|80西安|xian\W?_?(19)?80"
_BEIJING54 = r"北京\W?(19)?54|54北京|beijing\W?_?(19)?54"
_DATUMS = {
    "GCJ-02": _GCJ02, "BD-09": _BD09, "CGCS2000": _CGCS2000, "Xian 1980": _XIAN80, "Beijing 1954": _BEIJING54,
    "WGS 84": _WGS84,
}  # fmt: skip
_EPSG = re.compile(r"epsg\W{0,3}(\d{4,6})", re.IGNORECASE)
_MERIDIAN = re.compile(
    r"(?:中央经线|中央子午线|\bcm|central meridian)\D{0,4}(\d{2,3})|(\d{2,3})\s*°?\s*e\b", re.IGNORECASE
)
_SIX_DEGREES = re.compile(r"6\s*(?:°|度|-?degree)\s*(?:分?带)?|六度", re.IGNORECASE)

#: EPSG codes by datum: geographic; first 3° zone (25) and first 3° meridian (75°); first 6° zone (13), meridian (75°).
_GAUSS_KRUGER = {
    "CGCS2000": (4490, 4513, 4534, 4491, 4502),
    "Xian 1980": (4610, 2349, 2370, 2327, 2338),
    "Beijing 1954": (4214, 2401, 2422, 21413, 21453),
}


def role_of(column: str) -> Role | None:
    """What the name of a column says of its coordinates; None when it says nothing.

    Case, width, spaces, brackets and the datum's name do not count: `GCJ02经度`, `经度(WGS84)` and `LON_84` are
    longitudes.
    """
    name = unicodedata.normalize("NFKC", column).casefold()
    for candidate in (name, re.sub(r"[(\[{【].*?[)\]}】]", "", name)):
        plain = _plain(candidate)
        for variant in (plain, _plain(_without_datum(candidate)), re.sub(r"\d+$", "", plain)):
            if variant in _ROLES:
                return _ROLES[variant]
    return None


def datum_of(text: str) -> str | None:
    """The datum that a column's name or a title declares: a key of the Chinese datums, "WGS 84", or None.

    None also when it names several.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    found = [name for name, pattern in _DATUMS.items() if re.search(pattern, plain)]
    return found[0] if len(found) == 1 else None


def declared_crs(text: str, *, easting_m: float | None) -> str | None:
    """The CRS that a text declares, as `ReadOptions.crs` names it, or None when it does not say enough.

    `easting_m` is a typical easting when the coordinates are metres, None when they are degrees. Gauss-Krüger metres
    need a central meridian in the text or a zone number before the easting (8 digits). EPSG codes: EPSG register,
    CGCS2000 4490–4554, Xian 1980 2327–2390, Beijing 1954 2401–2442 and 21413–21463.
    """
    plain = unicodedata.normalize("NFKC", text)
    code = _EPSG.search(plain)
    if code:
        return f"EPSG:{code[1]}"
    datum = datum_of(text)
    if datum is None or datum in {"GCJ-02", "BD-09"}:
        return datum
    if easting_m is None:
        return "EPSG:4326" if datum == "WGS 84" else f"EPSG:{_GAUSS_KRUGER[datum][0]}"
    return None if datum == "WGS 84" else _gauss_kruger(datum, plain, easting_m)


def _gauss_kruger(datum: str, text: str, easting_m: float) -> str | None:
    _, zone_3, meridian_3, zone_6, meridian_6 = _GAUSS_KRUGER[datum]
    zone = int(easting_m // 1_000_000)
    if 25 <= zone <= 45:
        return f"EPSG:{zone_3 + zone - 25}"
    if 13 <= zone <= 23:
        return f"EPSG:{zone_6 + zone - 13}"
    written = _MERIDIAN.search(text)
    if zone != 0 or written is None:
        return None
    meridian = int(written[1] or written[2])
    if not 75 <= meridian <= 135 or meridian % 3:
        return None
    if _SIX_DEGREES.search(text):
        return f"EPSG:{meridian_6 + (meridian - 75) // 6}" if (meridian - 75) % 6 == 0 else None
    return f"EPSG:{meridian_3 + (meridian - 75) // 3}"


def _without_datum(name: str) -> str:
    for pattern in _DATUMS.values():
        name = re.sub(pattern, "", name)
    return re.sub(r"2000|84|80|54|坐标系", "", name)


def _plain(name: str) -> str:
    return re.sub(r"[\s_\-./\\::()\[\]【】°]+", "", name)
