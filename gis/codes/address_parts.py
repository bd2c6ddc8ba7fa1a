"""The parts of an address, and how the names among them are told apart: divisions, roads, compounds, landmarks."""

import re
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from gis.codes.address_names import (
    AUTONOMOUS,
    COMPOUND_ENDINGS,
    LANDMARK_ENDINGS,
    MUNICIPALITIES,
    NAMED_BUILDINGS,
    PREFECTURES,
    PROVINCES,
)


class Parts(NamedTuple):
    """What a text says, part by part; "" where it says nothing. Numbers are Arabic and without their designator.

    `plate` 88 with `plate_sub` 2 is 88-2号 (88号附2号, 88号之二); `plate_to` ends a range (88~92号). `building`
    keeps its kind (3栋, A座, 2号楼, 教学楼), `unit`, `floor` (B1 is below ground) and `room` are bare. `offset` is
    where the place is from what was named (门口, 东50米); `remark` is what is no part of the address.
    """

    province: str = ""
    city: str = ""
    county: str = ""
    township: str = ""
    village: str = ""
    road: str = ""
    plate: str = ""
    plate_sub: str = ""
    plate_to: str = ""
    compound: str = ""
    building: str = ""
    unit: str = ""
    floor: str = ""
    room: str = ""
    landmark: str = ""
    offset: str = ""
    remark: str = ""


NOTHING = Parts()
DIVISIONS = Parts._fields[:5]
_PREFECTURES = frozenset(PREFECTURES)


class Next(IntEnum):
    """What follows a name in its text."""

    END = 0
    PLATE = 1
    INNER = 2
    """A building, unit, floor or room."""


_ROAD_WORDS = r"大道|胡同|路|街|巷|弄"
_NOT_ROAD = rf"(?![东西南北中]{{0,2}}(?:{_ROAD_WORDS}))"
_COUNTRY = ("中华人民共和国", "中国")
_GOVERNED = re.compile(rf"{_NOT_ROAD}[^路街巷]{{1,10}}?(?:市|(?<![小社])区|县|旗|街道|镇|乡|社区|村)")
_CITY = re.compile(
    r"(?:[^省市区县路街巷镇乡村社]{2,7}|[^省区县路街巷镇乡社]{2,3}|)市辖区"
    r"|[^省市区县路街巷镇乡村社]{2,7}?(?:市(?![场政民府立])|自治州|地区|盟)"
)
_COUNTY = (
    r"(?!市场)[^省县路街巷镇乡社号]{1,9}?(?:(?<![小社校园厂片景宅活住院市])区(?!社区|政府|域|公安|法院)|自治县|县(?!政府|医院)|旗)"
    r"|市[中南北辖]区|[^省市区县路街巷镇乡村社]{2,5}市(?![场政民府立])"
)
_TOWNSHIP = (
    r"[^路巷号社]{1,10}?(?:街道(?:办事处|办)?|(?:镇|乡)(?:人民政府)?(?![路街巷村中小派卫])|苏木)"
    r"|[^路街巷号社]{2,9}(?:经济技术开发区|经济开发区|高新区|开发区)"
)
_VILLAGE = (
    r"(?:[^路巷号]{1,11}?[路巷]?)(?:社区(?:居委会|居民委员会)?(?![医卫服活])|居民委员会|居委会|村民委员会|村委会|嘎查"
    r"|(?<![新东西南北假属])村(?![路街巷口小中头委民]))"
)
_BELOW_CITY = re.compile(rf"(?P<county>{_COUNTY})?(?P<township>{_TOWNSHIP})?(?P<village>{_VILLAGE})?")
_PROVINCE_OF = {
    **{name: f"{name}市" for name in MUNICIPALITIES},
    **{name: f"{name}省" for name in PROVINCES},
    **AUTONOMOUS,
}
_OFFICE = re.compile(r"(?:(?<=街道)(?:办事处|办)|人民政府)$")
_VILLAGE_ENDINGS = (
    ("社区居民委员会", "社区"),
    ("社区居委会", "社区"),
    ("居民委员会", "社区"),
    ("居委会", "社区"),
    ("村民委员会", "村"),
    ("村委会", "村"),
)
_CROSSING = r"[与和].{2,12}?(?:交叉口|交汇处|交口|路口|口)(?:[东西南北]{1,2}[侧边面角]?)?"
_AWAY = r"(?:[东西南北]{1,2}(?:侧|边|面|段|头|首|行)?)?约?[\d一二三四五六七八九十百]+(?:米|公里|M)处?"
_BESIDE = (
    r"[东西南北]{1,2}(?:侧|边|面|段|头|首|角)|大门口|门口|斜对面|正对面|对面|对过|隔壁|附近|旁边|旁|周边|路口|交叉口|后面|前面|楼下"
    r"|[东西南北]门"
)
_OFFSET = re.compile(rf"(?:{_CROSSING}|(?<=.)(?:{_AWAY}|{_BESIDE}))$")
_WHOLE_OFFSET = re.compile(rf"(?:{_CROSSING}|{_AWAY}|{_BESIDE}|[东西南北]{{1,2}})$")
_INSIDE = re.compile(r"(?:院内|内)$")
_ROAD = re.compile(rf"(.{{1,12}}?(?:{_ROAD_WORDS}))$")
_WIDE_ROAD = re.compile(rf"(.{{1,12}}?(?:{_ROAD_WORDS}|道|里|条|坊|线|桥|环路))$")
_ROAD_AND = re.compile(r"(.{1,8}?(?:大道|胡同|路|街|巷))(.{2,})$")
_NUMBERED = re.compile(r".{2,}(?:组|队|庄|圩|郢|岗|湾|墩|村|小区|花园|新村)$")
_COMPOUND = re.compile(rf".+?(?:{COMPOUND_ENDINGS})(?:[一二三四五六七八九东西南北]区|[一二三四]期)?$")
_LANDMARK = re.compile(rf".{{2,}}(?:{LANDMARK_ENDINGS})$")
_BUILDING = re.compile(
    rf"(.*?)(?:({NAMED_BUILDINGS})|([甲乙丙丁戊东西南北])(栋|幢|座)|()())?(?:([甲乙丙丁戊东西南北中])单元)?$"
)


@lru_cache(maxsize=1 << 16)
def names(text: str, following: Next, *, after_plate: bool = False) -> Parts:
    """Read a run of names without numbers: `following` and `after_plate` say what stands around it.

    What cannot be told becomes a landmark before any number and a remark after the last one.
    """
    if not text:
        return NOTHING
    province, rest = _province(text, short=not after_plate)
    city, rest = _city(rest, short=not after_plate)
    found = _BELOW_CITY.match(rest)
    assert found is not None
    named = {"city": city} | {k: v or "" for k, v in found.groupdict().items()}
    rest, named = _reconsidered(rest[found.end() :], named, following, after_plate)
    local = _local(rest, following, after_plate) if rest else NOTHING
    above = (province, city, named["county"], township_name(named["township"]), village_name(named["village"]))
    return Parts._make(above + local[5:])


def _reconsidered(rest: str, named: dict[str, str], following: Next, after_plate: bool) -> tuple[str, dict[str, str]]:
    """锦绣花园北区3栋 holds no county: a division is not numbered, so the last one before a number is a place's name.

    A village may be: 青松村3号 is house 3 of the village.
    """
    if rest or following is Next.END:
        return rest, named
    last = next((k for k in ("village", "township", "county") if named[k]), "")
    if last and after_plate and following is Next.INNER:
        return named[last], named | {last: ""}
    if last == "village" and (following is Next.PLATE or named[last].endswith(("社区", "居委会", "村委会"))):
        return rest, named
    if last == "county" and following is Next.PLATE and named["city"]:
        return rest, named
    if not last or len(named[last]) < 4:
        return rest, named
    return named[last], named | {last: ""}


def _province(text: str, *, short: bool) -> tuple[str, str]:
    """The province at the beginning, in full, and what follows it; `short` allows it without its ending."""
    for country in _COUNTRY:
        text = text.removeprefix(country)
    name = text[:3] if text[:3] in _PROVINCE_OF else text[:2]
    full = _PROVINCE_OF.get(name)
    if full is None:
        return "", text
    for form in (full, f"{name}自治区"):
        if text.startswith(form) and not text.startswith(("场", "政"), len(form)):
            return full, text[len(form) :].removeprefix("省直辖县级行政区划")
    rest = text[len(name) :]
    return (full, rest) if short and _GOVERNED.match(rest) else ("", text)


def _city(text: str, *, short: bool) -> tuple[str, str]:
    """The prefecture or city at the beginning, in full, and what follows it. A municipality's 市辖区 is none."""
    found = _CITY.match(text)
    if found:
        return found[0] if found[0] != "市辖区" else "", text[found.end() :]
    for size in (2, 3, 4, 5) if short else ():
        if text[:size] in _PREFECTURES and _GOVERNED.match(text[size:]):
            return f"{text[:size]}市", text[size:]
    return "", text


def township_name(official: str) -> str:
    """A township as addresses write it: 中市街道办事处 is 中市街道, 平桥乡人民政府 is 平桥乡."""
    return _OFFICE.sub("", official)


def village_name(official: str) -> str:
    """A village or community as addresses write it: 迎宾居委会 is 迎宾社区, 青松村委会 is 青松村."""
    for ending, short in _VILLAGE_ENDINGS:
        if official.endswith(ending) and len(official) > len(ending):
            return official.removesuffix(ending) + short
    return official


def _local(text: str, following: Next, after_plate: bool) -> Parts:
    """What stands below the divisions."""
    offset, building, unit = "", "", ""
    if following is Next.END:
        text = _INSIDE.sub("", text)
        at = (_WHOLE_OFFSET.match(text) if after_plate else None) or _OFFSET.search(text)
        if at:
            text, offset = text[: at.start()], at[0]
    if following is not Next.PLATE:
        text, building, unit = _named_building(text)
    if not text:
        return Parts(offset=offset, building=building, unit=unit)
    if building or unit:
        following = Next.INNER
    found = _after_plate(text, following) if after_plate else _place(text, following)
    return found._replace(offset=offset, building=building, unit=unit)


def _named_building(text: str) -> tuple[str, str, str]:
    found = _BUILDING.match(text)
    assert found is not None
    return found[1], found[2] or (found[3] + found[4].replace("幢", "栋") if found[3] else ""), found[7] or ""


def _after_plate(text: str, following: Next) -> Parts:
    if following is Next.PLATE and _ROAD.match(text):
        return Parts(road=text)
    if _COMPOUND.match(text) or following is not Next.END:
        return Parts(compound=text)
    return Parts(landmark=text)


def _place(text: str, following: Next) -> Parts:
    if following is Next.PLATE:
        return _before_plate(text)
    if _ROAD.match(text):
        return Parts(road=text)
    split = _ROAD_AND.match(text)
    if split and (following is Next.INNER or (_COMPOUND.match(split[2]) and not _LANDMARK.match(split[2]))):
        return Parts(road=split[1], compound=split[2])
    if following is Next.INNER or (_COMPOUND.match(text) and not _LANDMARK.match(text)):
        return Parts(compound=text)
    return Parts(landmark=text)


def _before_plate(text: str) -> Parts:
    """振华五福组1号 is numbered within the group, 铁匠里23号 along the lane."""
    if _ROAD.match(text):
        return Parts(road=text)
    split = _ROAD_AND.match(text)
    if split:
        return Parts(road=split[1], compound=split[2])
    if _WIDE_ROAD.match(text) and not _NUMBERED.match(text):
        return Parts(road=text)
    return Parts(compound=text)
