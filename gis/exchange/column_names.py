"""Column names as bureaus write them: compared without case, width and unit; cut by dBase; with units in brackets."""

import re
import unicodedata

#: A bracket that dBase cut off ends with the name.
_BRACKETS = re.compile(r"[(\[{【<〔]([^()\[\]{}【】<>〔〕]*)(?:[)\]}】>〕]|$)")
_SEPARATORS = re.compile(r"[\s_\-./\\:、*°'\"]+")
#: dBase III field names hold 10 bytes, so 5 hanzi in GBK and 3 in UTF-8.
_DBF_NAME_BYTES = 10

#: Unit as written → UCUM symbol, and (from, to) → factor.
_UNITS = {
    "m": "m", "米": "m", "公尺": "m", "cm": "cm", "厘米": "cm", "mm": "mm", "毫米": "mm", "km": "km", "公里": "km",
    "千米": "km", "m2": "m2", "㎡": "m2", "平方米": "m2", "平米": "m2", "平方公里": "km2", "平方千米": "km2",
    "km2": "km2", "ha": "har", "hm2": "har", "公顷": "har", "亩": "mu", "km/h": "km/h", "kmh": "km/h", "kph": "km/h",
    "公里/小时": "km/h", "千米/小时": "km/h", "公里/时": "km/h", "m/s": "m/s", "米/秒": "m/s", "%": "%", "吨": "t",
    "t": "t", "kg": "kg", "千克": "kg", "公斤": "kg", "万元": "10*4.CNY", "元": "CNY",
}  # fmt: skip
_FACTORS = {
    ("cm", "m"): 0.01, ("mm", "m"): 0.001, ("km", "m"): 1000.0, ("m", "km"): 0.001, ("har", "m2"): 10_000.0,
    ("mu", "m2"): 2000 / 3, ("km2", "m2"): 1e6, ("m2", "km2"): 1e-6, ("har", "km2"): 0.01, ("mu", "km2"): 2000 / 3e6,
    ("m/s", "km/h"): 3.6, ("t", "kg"): 1000.0, ("kg", "t"): 0.001, ("10*4.CNY", "CNY"): 10_000.0,
}  # fmt: skip
#: Counters that people write behind whole numbers; they carry no unit.
COUNTERS = frozenset({*"层楼个条道人户栋幢座间套年辆所处家", "车道"})


def normal(name: str) -> str:
    """A name without case, width, spaces, separators and what stands in brackets.

    >>> normal("  建筑_高度(m)"), normal("Height M"), normal("(备注)")
    ('建筑高度', 'heightm', '备注')
    """
    text = unicodedata.normalize("NFKC", name).casefold().replace("\ufffd", "")
    outside = _SEPARATORS.sub("", _BRACKETS.sub("", text))
    return outside or _SEPARATORS.sub("", re.sub(r"[()\[\]{}【】<>〔〕]", "", text))


def unit_in(name: str) -> str | None:
    """The UCUM symbol of the unit in a name's brackets, or what else stands there; None without brackets.

    >>> unit_in("面积(公顷)"), unit_in("高度(cm)"), unit_in("高度")
    ('har', 'cm', None)
    """
    found = _BRACKETS.search(unicodedata.normalize("NFKC", name))
    if found is None or not found[1].strip():
        return None
    written = re.sub(r"^单位:?", "", found[1].strip())
    return unit_symbol(written) or written


def unit_symbol(written: str) -> str | None:
    """The UCUM symbol of a unit as people write it; None when it is not known.

    >>> unit_symbol("㎡"), unit_symbol("KM/H"), unit_symbol("尺")
    ('m2', 'km/h', None)
    """
    text = unicodedata.normalize("NFKC", written).strip().replace("^", "")
    return _UNITS.get(text) or _UNITS.get(text.casefold())


def is_unit(symbol: str) -> bool:
    """Whether this is the symbol of a unit known here."""
    return symbol in _UNITS.values()


def unit_factor(symbol: str, to: str) -> float | None:
    """What a value in one unit is multiplied with to be in another; None when that is not known.

    >>> unit_factor("cm", "m"), unit_factor("m", "m"), unit_factor("kg", "m")
    (0.01, 1.0, None)
    """
    return 1.0 if symbol == to else _FACTORS.get((symbol, to))


def is_cut_from(column: str, label: str) -> bool:
    """Whether a column's name is what dBase leaves of a label: its first 10 bytes, in GBK or in UTF-8.

    >>> is_cut_from("统一社会信", "统一社会信用代码"), is_cut_from("统一", "统一社会")
    (True, False)
    """
    name = column.replace("\ufffd", "").strip().casefold()
    return any(name == cut(label.casefold(), encoding) != label.casefold() for encoding in ("gbk", "utf-8"))


def cut(label: str, encoding: str) -> str:
    """The whole characters among the first 10 bytes of a label."""
    return label.encode(encoding, errors="ignore")[:_DBF_NAME_BYTES].decode(encoding, errors="ignore")
