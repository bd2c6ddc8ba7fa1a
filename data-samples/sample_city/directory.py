"""Write the sample city's directory: 13 departments, 127 classes, 1 426 items, and what is wrong with it.

    python data-samples/sample_city/directory.py data-samples/luan

Nothing in it depends on the size or the seed of the city.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sample_city.directory_classes import BUREAUS, Bureau
from sample_city.directory_items import (
    ASKED,
    ASKED_IN_VAIN,
    DOUBLES,
    FILLING,
    IDENTIFYING,
    REGISTER_DOUBLES,
    REGISTERED,
    TRAPS,
    Plan,
)

ITEMS = 1_426
_FIRST_DAY = date(2018, 1, 1)
#: Classes of the registers are collected since this day.
_REGISTERS_BEGIN = date(2024, 1, 1)
_TERMS = "用于履行本部门法定职责,经提供部门审核同意"
_GROUNDS = {
    "tax": "《中华人民共和国税收征收管理法》第八条:为纳税人的情况保密",
    "statistics": "《中华人民共和国统计法》:统计调查对象的资料应当保密",
    "health": "《中华人民共和国个人信息保护法》第二十八条:敏感个人信息",
    "police": "《中华人民共和国个人信息保护法》第二十八条:敏感个人信息",
}


@dataclass(slots=True)
class _Class:
    """One class under construction."""

    code: str
    bureau: Bureau
    zh: str
    en: str
    stem: str
    subject: str
    period: str
    begins: date
    plans: list[Plan] = field(default_factory=list)

    @property
    def register(self) -> str:
        """The register that its rows go to; empty where there is none."""
        return REGISTERED[self.stem][0] if self.stem in REGISTERED else ""

    def item_code(self, zh: str) -> str:
        """The code of its item of that name."""
        return f"{self.code}-{[plan.zh for plan in self.plans].index(zh) + 1:02d}"


def write_directory(folder: Path) -> None:
    """Write directory.json and directory_answers.json into a folder; the same bytes every time."""
    classes = _classes()
    (folder / "directory.json").write_text(_text(_content(classes)), encoding="utf-8", newline="\n")
    (folder / "directory_answers.json").write_text(_text(_answers(classes)), encoding="utf-8", newline="\n")


def _classes() -> dict[str, _Class]:
    """All classes by stem, with as many items as there are to be."""
    classes = {one.stem: one for bureau in BUREAUS for one in _bureau_classes(bureau)}
    for one in classes.values():
        one.plans += REGISTERED[one.stem][1] if one.register else _identified(one.subject)
    for _, plan, holders in DOUBLES:
        for stem, name in holders.items():
            classes[stem].plans.append(plan._replace(zh=name))
    for stem, plan in TRAPS:
        classes[stem].plans.append(plan)
    _fill(list(classes.values()))
    return classes


def _bureau_classes(bureau: Bureau) -> Iterator[_Class]:
    for number, line in enumerate(bureau.classes.strip().splitlines(), start=1):
        zh, en, stem, subject, period = line.split("|")
        code = f"{bureau.letters}{number:03d}"
        begins = _REGISTERS_BEGIN if stem in REGISTERED else _FIRST_DAY + timedelta(days=sum(code.encode()) * 37 % 2200)
        yield _Class(code, bureau, zh, en, stem, subject, period, begins)


def _identified(subject: str) -> list[Plan]:
    return [plan._replace(identifying=True) for plan in IDENTIFYING[subject]]


def _fill(classes: list[_Class]) -> None:
    """Add an item to each class in turn until there are enough; registers' classes hold what they hold."""
    left, turn = ITEMS - sum(len(one.plans) for one in classes), 0
    while left:
        before = left
        for one in (c for c in classes if not c.register or c.stem == "社会组织"):
            filling = FILLING[one.subject]
            if left and turn < len(filling):
                plan = filling[turn]
                one.plans.append(plan._replace(zh=one.stem + plan.zh, en=f"{one.en}: {plan.en}"))
                left -= 1
        turn += 1
        if left == before:
            raise ValueError(f"{left} items are left over")


def _content(classes: Mapping[str, _Class]) -> dict[str, list[dict[str, Any]]]:
    return {
        "departments": [{"code": b.code, "title": {"zh": b.zh, "en": b.en}} for b in BUREAUS],
        "classes": [
            {"code": c.code, "department": c.bureau.code, "title": {"zh": c.zh, "en": c.en}, "subject": c.subject,
             "period": c.period, "begins": c.begins.isoformat(), **({"register": c.register} if c.register else {})}
            for c in classes.values()
        ],
        "items": [_item(c, n, plan) for c in classes.values() for n, plan in enumerate(c.plans, start=1)],
        "requests": [
            {"department": who, "item": classes[stem].item_code(name), "purpose": purpose, "asked_on": day}
            for who, stem, name, purpose, day in (*ASKED, *ASKED_IN_VAIN)
        ],
        "registers": [CREDIT_MARKS],
    }  # fmt: skip


def _item(one: _Class, number: int, plan: Plan) -> dict[str, Any]:
    sensitivity, share, terms = _sharing(one, plan)
    said: dict[str, Any] = {
        "code": f"{one.code}-{number:02d}", "information_class": one.code, "title": {"zh": plan.zh, "en": plan.en},
        "type": plan.type, "meaning": {"zh": f"{one.zh}中的{plan.zh}", "en": f"{plan.en} ({one.en})"},
        "unit": plan.unit, "sensitivity": sensitivity, "share": share, "terms": terms, "owner": plan.owner,
        "identifying": "是" if plan.identifying else "", "element": plan.element, "field": plan.field,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value}


def _sharing(one: _Class, plan: Plan) -> tuple[str, str, str]:
    """Sensitivity, sharing, and its terms: open where nobody is meant, withheld where the law keeps it secret."""
    personal = one.subject in ("person", "licence")
    ground = _GROUNDS.get(one.bureau.code)
    if ground is not None and not one.register and plan.zh.endswith("审核结果"):
        return ("personal" if personal else "internal"), "withheld", ground
    if personal:
        return "personal", "conditional", _TERMS
    return ("open", "free", "") if one.subject in ("place", "economy") else ("internal", "conditional", _TERMS)


def _answers(classes: Mapping[str, _Class]) -> dict[str, Any]:
    """What the directory's questions must answer; `absent` once every field of the registers has been delivered."""
    never = [c.code for c in classes.values() if c.period != "irregular"]
    return {
        "counts": {"departments": len(BUREAUS), "classes": len(classes), "items": ITEMS},
        "overdue_before_any_delivery": sorted(never),
        "double": sorted(_doubles(classes), key=lambda one: (one["by"], one["items"])),
        "absent": sorted(_absent(classes), key=lambda one: one["item"]),
    }


def _doubles(classes: Mapping[str, _Class]) -> Iterator[dict[str, Any]]:
    for by, plan, holders in DOUBLES:
        owners = {classes[stem].bureau.code for stem in holders}
        items = [classes[stem].item_code(name) for stem, name in holders.items()]
        if plan.element == "LA00003":
            more = ("常住人口", "婚姻登记")
            owners |= {classes[stem].bureau.code for stem in more}
            items += [classes[stem].item_code("联系电话") for stem in more]
        yield {"by": by, "departments": sorted(owners), "items": sorted(items)}
    for plan, departments in REGISTER_DOUBLES:
        items = [
            f"{c.code}-{n:02d}"
            for c in classes.values()
            for n, p in enumerate(c.plans, start=1)
            if p.element == plan.element
        ]
        yield {"by": "element", "departments": departments.split(), "items": sorted(items)}


def _absent(classes: Mapping[str, _Class]) -> Iterator[dict[str, Any]]:
    asked: dict[tuple[str, str], list[str]] = {}
    for who, stem, name, _, _ in ASKED_IN_VAIN:
        asked.setdefault((stem, name), []).append(who)
    for (stem, name), by in asked.items():
        why = "field" if classes[stem].register else "class"
        yield {"item": classes[stem].item_code(name), "asked_by": sorted(by), "why": why}


def _text(content: Mapping[str, Any]) -> str:
    """JSON with an entry a line, so that a change of one is a change of one line."""
    parts = []
    for name, value in content.items():
        if isinstance(value, list) and isinstance(value[0], dict):
            lines = ",\n  ".join(json.dumps(one, ensure_ascii=False) for one in value)
            parts.append(f" {json.dumps(name)}: [\n  {lines}\n ]")
        else:
            parts.append(f" {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _words(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


#: A register that no code knows: marks of trust and distrust, each on an entity or on a person.
CREDIT_MARKS: dict[str, Any] = {
    "id": "city.credit_marks",
    "title": _words("信用红黑名单", "Credit marks"),
    "description": _words(
        "守信红名单和失信黑名单:被标记的法人或自然人、等级、起止日期和认定部门",
        "Marks of trust and distrust on entities and persons: grade, days and issuing department",
    ),
    "group": _words("信用", "Credit"),
    "sensitivity": "personal",
    "key": ["code"],
    "presence": ["development"],
    "placed_by": ["entity"],
    "fields": [
        {"name": "code", "type": "text", "title": _words("标记编号", "Mark number"), "required": True, "sortable": True,
         "aliases": ["标记编号", "信用标记编号"]},
        {"name": "entity", "type": "text", "title": _words("统一社会信用代码", "Entity")},
        {"name": "person", "type": "integer", "title": _words("自然人", "Person"), "aliases": ["身份号码", "证件号码"]},
        {"name": "grade", "type": "text", "title": _words("红黑名单标识", "Grade"),
         "values": {"red": _words("红名单", "red"), "black": _words("黑名单", "black")}},
        {"name": "marked_on", "type": "date", "title": _words("列入日期", "Listed on")},
        {"name": "until", "type": "date", "title": _words("移出日期", "Until")},
        {"name": "source", "type": "text", "title": _words("认定部门", "Issued by")},
        {"name": "reason", "type": "text", "title": _words("列入事由", "Reason")},
    ],
    "items": {
        "entity": {"check": "reference", "refers": "base.entities"},
        "person": {"check": "person", "refers": "base.persons"},
        "marked_on": {"check": "past_date"},
    },
    "look": {"color": "#b03a2e", "dark": "#e6796d"},
}  # fmt: skip


if __name__ == "__main__":
    write_directory(Path(sys.argv[1]))
