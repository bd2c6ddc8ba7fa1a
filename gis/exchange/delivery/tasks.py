"""Returned rows as tasks for people: listed, and one by one with the row that was handed over.

Who looks is a department, or `*` for the data centre. A direct identifier that stands in a task is shown to the
department whose row it is; a rival's is masked for everybody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from gis.errors import BadInput, NotFound
from gis.exchange.delivery.handed_over import handed_over
from gis.exchange.delivery.identifier_texts import Identifiers, hidden, own, rival, subject
from gis.exchange.delivery.ledger import Page, record
from gis.exchange.directory import departments, known_deliverable
from gis.exchange.registers import Deliverable
from gis.query.span import SHANGHAI, instant_text, now
from gis.query.statement import Statement, conjunction
from gis.store.database import Database
from gis.store.tables import Register
from gis.text import Language, Text

STATES = ("open", "answered", "withdrawn")
#: The reasons for which a row can be returned, with the sentence for each.
REASONS: Mapping[str, Text] = {
    "missing": Text("缺少必填项", "something required is missing"),
    "form": Text("格式不符", "not in the required form"),
    "excel_damaged": Text("号码被 Excel 损坏", "a number that Excel has damaged"),
    "check_digit": Text("校验码不符", "the check digit does not fit"),
    "bad_code": Text("代码无效", "not a valid code"),
    "bad_date": Text("日期无效", "not a valid date"),
    "future_date": Text("日期在将来", "a date in the future"),
    "unknown_value": Text("代码表中没有此值", "a value that the code list does not have"),
    "contradiction": Text("与身份号码矛盾", "it contradicts the id number"),
    "unknown_reference": Text("登记库中没有所指对象", "what it refers to is in no register"),
    "unknown_division": Text("没有此区划代码", "no such division"),
    "address_unknown": Text("地址无法识别", "the address is not found"),
    "address_ambiguous": Text("地址对应多处", "the address fits several places"),
    "address_coarse": Text("地址不够详细", "the address is not precise enough"),
    "duplicate": Text("文件内重复", "given twice in the file"),
    "erased": Text("已依法删除", "erased by law"),
    "conflict": Text("与其他部门不一致", "another department says otherwise"),
    "identity": Text("对象不一致", "not the same person or entity"),
    "unknown_entity": Text("登记部门没有此对象", "the registering department knows no such entity"),
    "ended": Text("对象已注销", "the entity has ended"),
}

_COLUMNS = (
    "id", "register", "department", "delivery", "src_row", "fid", "item", "reason", "text_zh", "text_en", "value",
    "rival_department", "rival_delivery", "rival_row", "rival_value", "raised_at", "due_on", "state", "closed_by",
)  # fmt: skip
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM exchange.returned WHERE "


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which tasks; None is any. `overdue` are the open ones whose day has passed."""

    register: str | None = None
    department: str | None = None
    delivery: int | None = None
    state: str | None = None
    reason: str | None = None
    overdue: bool = False

    def condition(self) -> Statement:
        """The same in SQL."""
        names = ("register", "department", "delivery", "state", "reason")
        parts = [Statement(f"{n} = %s", (getattr(self, n),)) for n in names if getattr(self, n) is not None]
        if self.overdue:
            parts.append(Statement("state = 'open' AND due_on < %s", (now().astimezone(SHANGHAI).date(),)))
        return conjunction(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Whose word prevails, where it was said, and what it says."""

    department: str
    title: Text
    delivery: int | None
    row: int | None
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One returned row, or one item of it.

    `place` is the entity's lon and lat in degrees (WGS 84), where known; `words` are those of a coded item's values.
    """

    id: int
    register: str
    department: str
    delivery: int
    row: int
    fid: int | None
    item: str
    item_title: Text | None
    reason: str
    text: Text
    value: str | None
    rival: Rival | None
    place: tuple[float, float] | None
    raised_at: datetime
    due_on: date
    state: str
    closed_by: int | None
    words: Mapping[str, Text] = field(default_factory=dict)
    columns: tuple[tuple[str, str], ...] | None = None

    def said(self, value: str | None, language: Language) -> str | None:
        """A value as people read it: of a coded item its word."""
        word = self.words.get(value) if value is not None else None
        return word.in_(language) if word is not None else value

    def as_dict(self, language: Language = "zh") -> dict[str, Any]:
        """As JSON carries it; the words of coded values in one language."""
        plain = ("id", "register", "department", "delivery", "row", "fid", "item", "reason", "state", "closed_by")
        rival = self.rival
        found: dict[str, Any] = {name: getattr(self, name) for name in plain}
        found["value"] = self.said(self.value, language)
        found["item_title"] = self.item_title and self.item_title.as_dict()
        found["text"] = self.text.as_dict()
        found["rival"] = rival and {
            "department": rival.department, "title": rival.title.as_dict(), "delivery": rival.delivery,
            "row": rival.row, "value": self.said(rival.value, language),
        }  # fmt: skip
        found["place"] = self.place and {"lon": self.place[0], "lat": self.place[1]}
        found["raised_at"], found["due_on"] = instant_text(self.raised_at), self.due_on.isoformat()
        if self.columns is not None:
            found["columns"] = [{"column": name, "value": value} for name, value in self.columns]
        return found


def tasks(database: Database, wanted: Wanted, page: Page, reader: str) -> tuple[list[Task], int]:
    """A page of tasks as `reader` may see them, the most urgent first (of one delivery: by row); and how many."""
    condition = wanted.condition()
    order = "src_row, id" if wanted.delivery is not None else "state = 'open' DESC, due_on, id"
    ordered = Statement(
        f"{_SELECT}{condition.sql} ORDER BY {order} LIMIT %s OFFSET %s", (*condition.args, page.limit, page.offset)
    )
    counted = Statement(f"SELECT count(*) FROM exchange.returned WHERE {condition.sql}", condition.args)
    return _told(database, database.rows(ordered), reader), int(database.rows(counted)[0][0])


def task(database: Database, number: int, reader: str) -> Task:
    """One task with the row as it was handed over (None where the file cannot be read any more). Raises NotFound."""
    found = _told(database, database.rows(Statement(f"{_SELECT}id = %s", (number,))), reader)
    if not found:
        raise NotFound(f"there is no returned row {number}", f"没有退回记录 {number}", subject=str(number))
    return with_row(database, found[0], reader)


def all_tasks(database: Database, wanted: Wanted, reader: str) -> list[Task]:
    """Every task that is wanted, by row."""
    condition = wanted.condition()
    rows = database.rows(Statement(f"{_SELECT}{condition.sql} ORDER BY delivery, src_row, id", condition.args))
    return _told(database, rows, reader)


def _told(database: Database, rows: Sequence[tuple[Any, ...]], reader: str) -> list[Task]:
    found = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
    if not found:
        return []
    titles = departments(database)
    told: dict[int, Task] = {}
    for register in {one["register"] for one in found}:
        declared, mine = known_deliverable(database, register), [one for one in found if one["register"] == register]
        known, places = Identifiers.of(database, declared, mine), _places(database, declared, mine)
        told |= {one["id"]: _Told(declared, known, titles, reader, places.get(one["fid"])).task(one) for one in mine}
    return [told[one["id"]] for one in found]


@dataclass(frozen=True, slots=True)
class _Told:
    """What has to be known to tell of a task of one register."""

    declared: Deliverable
    known: Identifiers
    titles: Mapping[str, Text]
    reader: str
    place: tuple[float, float] | None

    def task(self, one: Mapping[str, Any]) -> Task:
        """A row of `exchange.returned` in words."""
        fields, about = self.declared.intake.by_name, subject(self.declared, one["item"], one["reason"])
        value = one["value"] or self.known.text(own(one), about)
        return Task(
            id=one["id"],
            register=one["register"],
            department=one["department"],
            delivery=one["delivery"],
            row=one["src_row"],
            fid=one["fid"],
            item=one["item"],
            item_title=fields[about].title if about in fields else None,
            reason=one["reason"],
            text=Text(one["text_zh"], one["text_en"]),
            value=value if _may_see(self.reader, one["department"]) else hidden(self.declared, about, value),
            rival=self._rival(one, about),
            place=self.place,
            raised_at=one["raised_at"],
            due_on=one["due_on"],
            state=one["state"],
            closed_by=one["closed_by"],
            words=fields[about].values if about in fields else {},
        )

    def _rival(self, one: Mapping[str, Any], about: str) -> Rival | None:
        code = one["rival_department"]
        if code is None:
            return None
        return Rival(
            department=code,
            title=self.titles.get(code, Text(code, code)),
            delivery=one["rival_delivery"],
            row=one["rival_row"],
            value=hidden(self.declared, about, one["rival_value"] or self.known.text(rival(one), about)),
        )


def _may_see(reader: str, department: str) -> bool:
    return reader in (department, "*")


def _places(
    database: Database, declared: Deliverable, found: Sequence[Mapping[str, Any]]
) -> dict[int, tuple[float, float]]:
    """Where the entities are, or last were."""
    fids = sorted({one["fid"] for one in found if one["fid"] is not None})
    if not fids:
        return {}
    table = Register.of(declared.collection).table()
    sql = (
        "SELECT DISTINCT ON (fid) fid, ST_X(ST_PointOnSurface(geom)), ST_Y(ST_PointOnSurface(geom))"
        f" FROM {table} WHERE fid = ANY(%s) AND scenario = 0 AND geom IS NOT NULL ORDER BY fid, valid_to DESC"
    )
    return {fid: (lon, lat) for fid, lon, lat in database.rows(Statement(sql, (fids,)))}


def with_row(database: Database, one: Task, reader: str) -> Task:
    """A task with its row as it was handed over, where `reader` may see it and the file can still be read."""
    if not _may_see(reader, one.department):
        return one
    try:
        file = handed_over(database, record(database, one.delivery))
        texts = dict(file.rows([one.row])).get(one.row)
    except (NotFound, BadInput):
        return one
    if texts is None:
        return one
    return replace(one, columns=tuple(texts.items()), value=one.value or file.said(one.item, one.reason, texts))
