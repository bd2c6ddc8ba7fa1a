"""Chinese addresses as a type: a text parsed into province … room, landmark and offset, after GB/T 23705-2009.

Three shapes are legal (GB/T 39609-2020): divisions + road + door plate …, divisions + compound + building …,
divisions + landmark. The parser knows no gazetteer but the provinces and prefectures: which names exist, and where,
is the matter of `gis.exchange.matching`. It never adds a level that the text does not hold; the one thing inferred is
a floor from its room (501 is on floor 5), and that is said.
"""

from dataclasses import dataclass, field
from typing import Literal

from gis.codes.address_levels import AddressLevel
from gis.codes.address_names import MUNICIPALITIES
from gis.codes.address_parts import NOTHING, Parts
from gis.codes.address_reading import read
from gis.codes.address_text import plain
from gis.codes.finding import Finding, ok, reject, warn
from gis.text import Text

Provenance = Literal["given", "inferred"]

PART_LEVELS = {
    "province": AddressLevel.PROVINCE,
    "city": AddressLevel.CITY,
    "county": AddressLevel.COUNTY,
    "township": AddressLevel.TOWNSHIP,
    "village": AddressLevel.VILLAGE,
    "road": AddressLevel.ROAD,
    "landmark": AddressLevel.LANDMARK,
    "compound": AddressLevel.COMPOUND,
    "plate": AddressLevel.PLATE,
    "building": AddressLevel.BUILDING,
    "unit": AddressLevel.UNIT,
    "floor": AddressLevel.FLOOR,
    "room": AddressLevel.ROOM,
}
"""The level that each part gives, coarsest first."""

FINDINGS = (
    ok("地址已识别", "address read"),
    warn("floor_inferred", "楼层由户室号推断", "the floor is inferred from the room"),
    warn("offset", "只说了相对位置,不是该处本身", "the text names a place near another one, not that one"),
    warn("divisions_only", "只有区划,没有路、小区或地点", "divisions only: no road, compound or landmark"),
    reject("empty", "地址为空", "the address is empty"),
    reject("nothing", "没有可识别的地址内容", "nothing in it can be read as an address"),
)
REASONS = {f.reason: place for place, f in enumerate(FINDINGS)}


@dataclass(frozen=True, slots=True)
class Address:
    """An address by its `parts`. Make one with `parse`. Equal addresses have equal parts, however they were written."""

    parts: Parts = NOTHING
    inferred: frozenset[str] = frozenset()
    """The parts that the text does not say but that follow from it."""
    text: str = field(default="", compare=False)
    """The text as it came."""

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read any text; what cannot be read leaves the parts empty (`level` NONE). Never raises for a string."""
        return cls.of(read(plain(text)), text)

    @classmethod
    def of(cls, parts: Parts, text: str = "") -> "Address":
        """The address of parts that were read, with the floor inferred where the room tells it."""
        floor = "" if parts.floor else floor_of(parts.room)
        if not floor:
            return cls(parts, text=text)
        return cls(parts._replace(floor=floor), frozenset({"floor"}), text)

    @property
    def level(self) -> AddressLevel:
        """The finest level that the text supports; inferred parts do not count.

        A place beside another one (`offset`) is no finer than a landmark, a range of plates no finer than its road.
        """
        said = self.parts._asdict()
        held = [level for name, level in PART_LEVELS.items() if said[name] and name not in self.inferred]
        return capped(max(held, default=AddressLevel.NONE), self.parts.offset, self.parts.plate_to)

    @property
    def canonical(self) -> str:
        """The address in its standard order and form; reading it again gives an equal address."""
        return canonical(self.parts, self.inferred)

    @property
    def municipality(self) -> bool:
        """Whether the province is a city: 北京, 天津, 上海, 重庆."""
        return self.parts.province.removesuffix("市") in MUNICIPALITIES

    def provenance(self, part: str) -> Provenance | None:
        """Whether a part was given or inferred; None where there is none."""
        if not getattr(self.parts, part):
            return None
        return "inferred" if part in self.inferred else "given"

    def explain(self) -> Text:
        """The parts in words, in both languages."""
        zh, en = [], []
        for name, label in _LABELS.items():
            value = getattr(self.parts, name)
            if value:
                room = self.parts.room
                said = Text(f"(由户室 {room} 推断)", f" (inferred from room {room})")
                zh.append(f"{label.zh} {value}{said.zh * (name in self.inferred)}")
                en.append(f"{label.en} {value}{said.en * (name in self.inferred)}")
        if not zh:
            return Text("没有可识别的地址内容", "nothing that can be read as an address")
        level = self.level.label
        return Text(f"{','.join(zh)};精确到{level.zh}", f"{', '.join(en)}; down to the {level.en}")

    def __str__(self) -> str:
        return self.canonical


def check(text: str) -> Finding:
    """Judge one text: whether it can be read as an address, and what to mind of it."""
    return FINDINGS[REASONS[_reason(text)]]


def _reason(text: str) -> str:
    if not plain(text):
        return "empty"
    address = Address.parse(text)
    if address.level is AddressLevel.NONE:
        return "nothing"
    if address.level <= AddressLevel.VILLAGE:
        return "divisions_only"
    return "offset" if address.parts.offset else "floor_inferred" if address.inferred else "ok"


def capped(level: AddressLevel, offset: str, plate_to: str) -> AddressLevel:
    """A level as far as a relative place or a range of plates allows it."""
    if offset:
        level = min(level, AddressLevel.LANDMARK)
    return min(level, AddressLevel.ROAD) if plate_to else level


def floor_of(room: str) -> str:
    """The floor that a room's number tells: 501 is 5, 1203 is 12; "" for 01, B1 and what is longer or shorter."""
    digits = room.lstrip("ACDEFGHIJKLMNOPQRSTUVWXYZ")
    if not (digits.isascii() and digits.isdigit() and len(digits) in (3, 4)):
        return ""
    floor = int(digits[:-2])
    return str(floor) if floor else ""


def canonical(parts: Parts, inferred: frozenset[str] = frozenset()) -> str:
    """Parts in their standard order, with their designators."""
    p = parts
    plate = p.plate and f"{p.plate}{'-' * bool(p.plate_sub)}{p.plate_sub}{'~' * bool(p.plate_to)}{p.plate_to}号"
    door = f"{p.compound}{plate}" if not p.road else f"{plate}{p.compound}"
    floor = "" if "floor" in inferred or not p.floor else f"{p.floor}层"
    inner = f"{p.building}{p.unit}{'单元' * bool(p.unit)}{floor}{p.room}{'室' * bool(p.room)}"
    remark = p.remark and f"({p.remark})"
    return "".join((*p[:6], door, inner, p.landmark, p.offset, remark))


_LABELS = {
    "province": Text("省", "province"),
    "city": Text("市", "city"),
    "county": Text("区县", "county"),
    "township": Text("街道乡镇", "township"),
    "village": Text("社区村", "community or village"),
    "road": Text("路街巷", "road"),
    "plate": Text("门牌", "door plate"),
    "plate_sub": Text("附号", "sub-number"),
    "plate_to": Text("门牌至", "plates up to"),
    "compound": Text("小区院落", "compound"),
    "building": Text("楼栋", "building"),
    "unit": Text("单元", "unit"),
    "floor": Text("楼层", "floor"),
    "room": Text("户室", "room"),
    "landmark": Text("标志物", "landmark"),
    "offset": Text("方位", "offset"),
    "remark": Text("备注", "remark"),
}
