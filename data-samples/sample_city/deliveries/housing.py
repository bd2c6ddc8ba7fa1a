"""Dwellings as the real-estate registry has them in full, and what police add: addresses, a room told otherwise."""

from dataclasses import dataclass
from pathlib import Path

from sample_city.deliveries.census import Census
from sample_city.deliveries.handed import Cover, Handed
from sample_city.deliveries.lots import Lot, Lots
from sample_city.people import Dwelling

_HEADER = ("房屋编码", "建筑编码", "区划代码", "单元", "楼层", "室号", "坐落", "房屋用途", "建筑面积")
_POLICE_HEADER = ("操作", "房屋编码", "建筑编码", "单元", "室号", "标准地址", "生效日期")
_POLICE_SINCE = "2024-06-01"
#: Faults of homes that stand empty, so that nobody's residence hangs on them: (fault, reason).
_FAULTS = {
    "unknown building": "unknown_reference", "no code": "missing", "no building": "missing", "twice": "duplicate",
    "division code too short": "unknown_division", "area in words": "form", "unknown use": "unknown_value",
}  # fmt: skip
_CONFLICTS = {"other room": "room", "other staircase": "unit"}


@dataclass(frozen=True, slots=True)
class Quarter:
    """The homes of a district as the deliveries tell them.

    `known` are the codes that the register comes to hold with the first deliveries, `spare` those of them where nobody
    lives; `homes` has all by code. `alike` are codes of buildings that are easily taken for another one.
    """

    homes: dict[str, Dwelling]
    known: set[str]
    spare: list[Dwelling]
    alike: frozenset[str]


class HousingFiles:
    """Three files: real estate in full, police's changes, and the rows that real estate send back corrected."""

    def __init__(self, folder: Path, seed: int, *, small: bool) -> None:
        self._lots = Lots(seed, 23)
        estate = _cover(
            "dwellings_real_estate",
            "real_estate",
            "full",
            "2026-01-01",
            "不动产登记房屋",
            "Dwellings of the real-estate registry",
        )
        police = _cover(
            "dwellings_police",
            "police",
            "incremental",
            "2026-01-02",
            "公安标准地址核对",
            "Addresses of dwellings, checked by police",
        )
        self.estate = Handed.text(folder, estate, _HEADER, "gbk")
        self.police = Handed.book(folder, police, (_POLICE_HEADER,), (), small=small)
        self.estate_again = Handed.text(folder, estate.corrected(), ("操作", *_HEADER), "gbk")
        self.police_again = Handed.book(folder, police.corrected(), (_POLICE_HEADER,), (), small=small)

    def add(self, district: int, homes: list[Dwelling], lived_in: set[str], census: Census) -> Quarter:
        """Append a district's homes."""
        told = [h for h in homes if h.building not in census.gone]
        drawn = self._lots.draw(district, len(told), self._parts(told, lived_in, census))
        known: set[str] = set()
        for n, home in enumerate(told):
            part = drawn.get(n, "")
            if part != "only police":
                self._register(home, part, census)
            if part in ("checked", "only police", *_CONFLICTS):
                self._check(home, part)
            if census.stands(home.building) and part not in _FAULTS:
                known.add(home.code)
        spare = [h for h in told if h.code in known and h.code not in lived_in]
        return Quarter({h.code: h for h in homes}, known, spare, frozenset(census.alike))

    def files(self) -> tuple[Handed, ...]:
        """The files, the first deliveries before the corrections."""
        return self.estate, self.police, self.estate_again, self.police_again

    def _parts(self, homes: list[Dwelling], lived_in: set[str], census: Census) -> list[Lot]:
        def empty(n: int) -> bool:
            return census.stands(homes[n].building) and homes[n].code not in lived_in

        def roomed(n: int) -> bool:
            return census.stands(homes[n].building) and bool(homes[n].room)

        return [
            *(Lot(fault, 6, empty) for fault in _FAULTS),
            Lot("only police", 6, empty),
            *(Lot(conflict, 6, roomed) for conflict in _CONFLICTS),
            Lot("checked", 300, lambda n: census.stands(homes[n].building)),
        ]

    def _register(self, home: Dwelling, part: str, census: Census) -> None:
        right = _row(home)
        row = self.estate.write(_faulty(right, part, home))
        if part == "twice":
            row = self.estate.write(right)
        reason = _FAULTS.get(part)
        if home.building in census.unregistered:
            self.estate.give_back(row, "unknown_reference", "building without an outline", code=home.code)
        elif reason is not None:
            self.estate.give_back(row, reason, part, code=home.code)
            if part != "twice":
                again = self.estate_again.write(("新增", *right))
                self.estate_again.answer(again, self.estate, row, keyed=part != "no code")

    def _check(self, home: Dwelling, part: str) -> None:
        """What police say: the address without the province; a room or staircase that real estate tell otherwise."""
        address = home.text.removeprefix("安徽省")
        right = ("新增", home.code, home.building, home.unit, home.room, address, _POLICE_SINCE)
        unit: object = home.unit + 7 if part == "other staircase" else home.unit
        room = f"{home.room}甲" if part == "other room" else home.room
        row = self.police.write((*right[:3], unit, room, *right[5:]))
        if part in _CONFLICTS:
            self.police.give_back(row, "conflict", part, item=_CONFLICTS[part], code=home.code)
            self.police_again.answer(self.police_again.write(("变更", *right[1:])), self.police, row)


def _cover(name: str, department: str, mode: str, edition: str, *title: str) -> Cover:
    return Cover(
        name=name,
        register="base.dwellings",
        department=department,
        mode=mode,
        edition=edition,
        title=(title[0], title[1]),
    )


def _row(home: Dwelling) -> tuple[object, ...]:
    area_m2 = 60 + int(home.code[-4:]) * 7 % 85
    return (home.code, home.building, home.village, home.unit, home.floor, home.room, home.text, "住宅", area_m2)


def _faulty(right: tuple[object, ...], part: str, home: Dwelling) -> tuple[object, ...]:
    at, value = {
        "unknown building": (1, f"{home.village}888888"),
        "no code": (0, ""),
        "no building": (1, ""),
        "division code too short": (2, home.village[:11]),
        "area in words": (8, "约九十平"),
        "unknown use": (7, "厂宅两用"),
    }.get(part, (0, right[0]))
    return (*right[:at], value, *right[at + 1 :])
