"""Legal entities as market supervision has them, in two full editions, and social organisations from civil affairs."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from sample_city import names
from sample_city.codes import credit_code
from sample_city.deliveries.handed import Cover, Handed
from sample_city.deliveries.id_numbers import exponent
from sample_city.deliveries.lots import Lot, Lots
from sample_city.firms import Firm

_HEADER = (
    "统一社会信用代码", "企业名称", "主体类型", "登记状态", "行业代码", "行业名称", "注册资本(万元)", "成立日期",
    "住所", "法定代表人", "法定代表人证件号码",
)  # fmt: skip
_CIVIL_HEADER = ("操作", "统一社会信用代码", "机构名称", "机构类型", "登记状态", "住所", "成立日期", "负责人证件号码",
                 "生效日期")  # fmt: skip
SECOND = "2026-04-01"
#: Rows of market supervision that come back, and the reason.
_FAULTS = {
    "17 characters": "bad_code", "letter O": "bad_code", "another city's address": "address_unknown",
    "village only": "address_coarse", "representative's exponent": "excel_damaged",
    "founded in the future": "future_date", "no name": "missing", "unknown kind": "unknown_value",
    "still no such address": "address_unknown",
}  # fmt: skip
_ODD = ("pilot code", "unknown industry", "twice")
_LATER = ("closed", "renamed", "suspended", "raised")
#: Rows that are right first and wrong in the second edition: they come back, and what was known of them stands.
_LATER_FAULTS = {"later of unknown kind": "unknown_value", "later founded in the future": "future_date"}
#: Firms of which civil affairs speak too, and the item that is returned ("" for the whole row).
_CIVIL_CONFLICTS = {"civil: other name": ("identity", ""), "civil: other state": ("conflict", "state")}
_RATE = 110
_NAME_DAYS = ("2026-03-31", "2026-04-02")
_ORGANISATIONS = ("商会", "志愿者协会", "书画协会", "老年学会", "茶文化研究会", "足球协会")


@dataclass(frozen=True, slots=True)
class Entity:
    """One legal entity as market supervision tell it; the fields in the order of the columns."""

    code: str
    name: str
    kind: str
    state: str
    industry: str
    industry_name: str
    capital_wan: str
    founded: str
    site: str
    representative_name: str
    representative: str

    def row(self) -> tuple[str, ...]:
        """The cells."""
        return (
            self.code, self.name, self.kind, self.state, self.industry, self.industry_name, self.capital_wan,
            self.founded, self.site, self.representative_name, self.representative,
        )  # fmt: skip


@dataclass(slots=True)
class EntityNames:
    """The facts to check: names of some entities on two days, and how many there are."""

    entities: list[dict[str, object]] = field(default_factory=list)
    registered: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_NAME_DAYS, 0))
    _kept: dict[str, int] = field(default_factory=dict)

    def add(self, code: str, part: str, before: str | None, after: str | None) -> None:
        """Take in one entity's name before and after the second edition; None where it is not registered."""
        for day, name in zip(_NAME_DAYS, (before, after), strict=True):
            self.registered[day] += name is not None
        self._kept[part] = self._kept.get(part, 0) + 1
        if self._kept[part] <= 2:
            on = dict(zip(_NAME_DAYS, (before, after), strict=True))
            self.entities.append({"credit_code": code, "part": part or "plain", "name_on": on})


class TradeFiles:
    """Market supervision's two editions, civil affairs' organisations, and what either sends back corrected."""

    def __init__(self, folder: Path, seed: int, *, small: bool) -> None:
        self._lots, self._number, self._new = Lots(seed, 24), 50_000_000 + 1000 * (seed % 1000), 0
        first = _cover("entities_market", "market", "full", "2026-01-05", "市场主体登记", "Registered businesses")
        second = _cover(
            "entities_market_2",
            "market",
            "full",
            SECOND,
            "市场主体登记(二季度)",
            "Registered businesses, second quarter",
        )
        civil = _cover(
            "entities_civil_affairs",
            "civil_affairs",
            "incremental",
            "2026-01-12",
            "社会组织登记",
            "Social organisations",
        )
        self.first = Handed.text(folder, first, _HEADER, "gbk")
        self.again = Handed.text(folder, first.corrected(), ("操作", *_HEADER), "gbk")
        self.second = Handed.text(folder, second, _HEADER, "gbk")
        self.civil = Handed.book(folder, civil, (_CIVIL_HEADER,), (), small=small)
        self.civil_again = Handed.book(folder, civil.corrected(), (_CIVIL_HEADER,), (), small=small)
        self.names = EntityNames()

    def add(self, district: int, firms: list[Firm], unplaced: set[str]) -> None:
        """Append a district's firms; addresses that no register holds are left blank."""
        lots = [Lot(part, _RATE) for part in (*_FAULTS, *_ODD, *_LATER, *_LATER_FAULTS, *_CIVIL_CONFLICTS)]
        rest = [Lot("civil: same", 200), Lot("with an organisation", 900), Lot("with a new firm", 300)]
        drawn = self._lots.draw(district, len(firms), [*lots, *rest])
        for n, firm in enumerate(firms):
            part = drawn.get(n, "")
            entity = _odd(_entity(firm, unplaced), part)
            row = self._write_first(entity, part)
            self._write_second(entity, part, row)
            self._write_civil(entity, firm, part)

    def _write_first(self, entity: Entity, part: str) -> int:
        told = _faulty(entity, part) if part in _FAULTS else entity
        row = self.first.write(told.row())
        if part in _FAULTS:
            self.first.give_back(row, _FAULTS[part], part, code=entity.code)
            if part != "still no such address":
                again = self.again.write(("新增", *entity.row()))
                self.again.answer(again, self.first, row, keyed=told.code == entity.code)
        elif part == "twice":
            self.first.give_back(self.first.write(told.row()), "duplicate", part, code=entity.code)
        elif part in _ODD:
            self.first.note(row, part, entity.code)
        return row

    def _write_second(self, entity: Entity, part: str, first_row: int) -> None:
        """The second edition: all that still are, as they are; a row that was wrong and still is comes back again."""
        after: str | None = entity.name
        if part == "closed":
            self.second.ended += 1
            self.names.add(entity.code, part, entity.name, None)
            return
        if part == "still no such address":
            row = self.second.write(_faulty(entity, part).row())
            self.second.give_back(row, _FAULTS[part], part, code=entity.code)
            self.names.add(entity.code, part, None, None)
            return
        if part in _LATER_FAULTS:
            row = self.second.write(_faulty(entity, part).row())
            self.second.give_back(row, _LATER_FAULTS[part], part, code=entity.code)
            self.names.add(entity.code, part, entity.name, entity.name)
            return
        changed = _changed(entity, part)
        row, after = self.second.write(changed.row()), changed.name
        self.second.unchanged += changed == entity
        if part in ("pilot code", "unknown industry"):
            self.second.note(row, part, entity.code)
        self.names.add(entity.code, part, entity.name, after)
        if part == "with a new firm":
            new = self._new_firm(entity)
            self.second.write(new.row())
            self.names.add(new.code, "new", new.name, new.name)

    def _write_civil(self, entity: Entity, firm: Firm, part: str) -> None:
        right = _civil_row(entity)
        if part == "with an organisation":
            right = _civil_row(self._organisation(entity, firm))
            self.names.add(right[1], "organisation", right[2], right[2])
            self.civil.write(right)
        elif part == "civil: same":
            self.civil.write(right)
        elif part in _CIVIL_CONFLICTS:
            reason, item = _CIVIL_CONFLICTS[part]
            at, value = (2, f"{entity.name}(筹)") if item == "" else (4, "注销")
            row = self.civil.write((*right[:at], value, *right[at + 1 :]))
            self.civil.give_back(row, reason, part.removeprefix("civil: "), item=item, code=entity.code)
            self.civil_again.answer(self.civil_again.write(("变更", *right[1:])), self.civil, row)

    def _next(self) -> int:
        self._number += 7
        return self._number

    def _new_firm(self, like: Entity) -> Entity:
        name = f"六安市{names.FIRM_NAMES[self._number % len(names.FIRM_NAMES)]}新材料有限公司"
        code = credit_code("9", "1", like.code[2:8] if like.code[2:8].isdigit() else "341502", self._next())
        return replace(like, code=code, name=name, kind="企业", founded="2026-02-18")

    def _organisation(self, like: Entity, firm: Firm) -> Entity:
        kind = _ORGANISATIONS[self._number % len(_ORGANISATIONS)]
        name = f"六安市{names.FIRM_NAMES[self._number // 7 % len(names.FIRM_NAMES)]}{kind}"
        code = credit_code("5", "1", firm.village[:6], self._next())
        return replace(like, code=code, name=name, kind="社会组织")


def _cover(name: str, department: str, mode: str, edition: str, *title: str) -> Cover:
    return Cover(name=name, register="base.entities", department=department, mode=mode, edition=edition,
                 title=(title[0], title[1]))  # fmt: skip


def _entity(firm: Firm, unplaced: set[str]) -> Entity:
    return Entity(
        code=firm.code,
        name=firm.name,
        kind=firm.kind,
        state="存续",
        industry=firm.industry,
        industry_name=firm.industry_name,
        capital_wan=str(firm.capital),
        founded=firm.since,
        site="" if firm.address in unplaced else firm.address,
        representative_name=firm.legal_person,
        representative=firm.legal_number,
    )


def _odd(entity: Entity, part: str) -> Entity:
    """The entity as it truly is, odd as that may be."""
    if part == "pilot code":
        return replace(entity, code=entity.code[:17] + ("T" if entity.code[17] != "T" else "U"))
    return replace(entity, industry="Z9999") if part == "unknown industry" else entity


def _faulty(right: Entity, part: str) -> Entity:
    item, value = {
        "17 characters": ("code", right.code[:17]),
        "letter O": ("code", f"{right.code[:10]}O{right.code[11:]}"),
        "another city's address": ("site", "上海市浦东新区世纪大道100号"),
        "still no such address": ("site", "浙江省杭州市西湖区文三路90号"),
        "village only": ("site", "安徽省六安市金安区"),
        "representative's exponent": ("representative", exponent(right.representative)),
        "founded in the future": ("founded", "2099-03-01"),
        "no name": ("name", ""),
        "unknown kind": ("kind", "股份制"),
        "later of unknown kind": ("kind", "股份制"),
        "later founded in the future": ("founded", "2098-07-01"),
    }[part]
    return replace(right, **{item: value})


def _changed(entity: Entity, part: str) -> Entity:
    """The entity as the second edition has it."""
    item, value = {
        "renamed": ("name", f"{entity.name}(更名)"),
        "suspended": ("state", "停业"),
        "raised": ("capital_wan", str(int(entity.capital_wan) * 2)),
    }.get(part, ("code", entity.code))
    return replace(entity, **{item: value})


def _civil_row(e: Entity) -> tuple[str, ...]:
    return ("新增", e.code, e.name, e.kind, e.state, e.site, e.founded, e.representative, e.founded)
