"""The scorecard: for each department and class what was handed over, how it was judged, and the four scores."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from gis.exchange.directory.entries import Department, Directory, InformationClass
from gis.exchange.directory.overdue import today
from gis.exchange.directory.present import directory
from gis.exchange.scorecard import scores
from gis.exchange.scorecard.figure import Figure, digest, rounded
from gis.exchange.scorecard.use import Asked, used
from gis.query.statement import Statement
from gis.store.database import Database
from gis.text import Text

#: How far back a scorecard looks.
WINDOW_DAYS = 365
SCORES = ("quantity", "quality", "timeliness", "use")


@dataclass(frozen=True, slots=True)
class Handed:
    """One delivery that was done: the Shanghai day of its edition, and its account."""

    id: int
    day: date
    rows: int
    accepted: int
    unchanged: int
    returned: int
    facts: int
    reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A class of a department, or the department as a whole (`information_class` is empty)."""

    department: str
    department_title: Text
    information_class: str
    title: Text
    quantity: Figure
    quality: Figure
    timeliness: Figure
    use: Figure
    deliveries: int = 0
    rows: int = 0
    accepted: int = 0
    unchanged: int = 0
    returned: int = 0
    reasons: Mapping[str, int]
    asked: Mapping[str, Asked]

    def as_dict(self) -> dict[str, Any]:
        """As JSON carries it."""
        return {
            "department": self.department, "department_title": self.department_title.as_dict(),
            "class": self.information_class, "title": self.title.as_dict(), "deliveries": self.deliveries,
            "rows": {"delivered": self.rows, "accepted": self.accepted, "unchanged": self.unchanged,
                     "returned": self.returned},
            "accepted_share": round((self.accepted + self.unchanged) / self.rows, 4) if self.rows else None,
            "reasons": dict(self.reasons),
            "asked": {who: {"questions": a.questions, "rows": a.rows} for who, a in self.asked.items()},
            **{name: getattr(self, name).as_dict() for name in SCORES},
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """All scores from `since` to `until`; `departments` are the means over the classes that could be judged."""

    since: date
    until: date
    directory_version: int
    departments: tuple[Line, ...]
    classes: tuple[Line, ...]

    def as_dict(self) -> dict[str, Any]:
        """As JSON carries it."""
        return {
            "since": self.since.isoformat(), "until": self.until.isoformat(),
            "directory_version": self.directory_version,
            "departments": [line.as_dict() for line in self.departments],
            "classes": [line.as_dict() for line in self.classes],
        }  # fmt: skip


def scorecard(database: Database, *, on: date | None = None, days: int = WINDOW_DAYS) -> Scorecard:
    """The scorecard of the `days` up to a Shanghai day (the present one), by the present directory.

    A delivery counts for the day of its edition; only those that are done count, none that was withdrawn. Classes that
    share a register and a department share its deliveries, and a register's use counts for each of its classes.
    """
    until = on or today()
    since = until - timedelta(days=days - 1)
    judge = _Judge(directory(database), _handed(database, until), used(database, since, until), since, until)
    classes = tuple(judge.line(one) for one in judge.held.classes.values())
    return Scorecard(
        since=since,
        until=until,
        directory_version=judge.held.version,
        departments=tuple(judge.department(one, classes) for one in judge.held.departments.values()),
        classes=classes,
    )


def _handed(database: Database, until: date) -> dict[tuple[str, str], list[Handed]]:
    """The deliveries up to a day by (register or class, department), in the order of their editions."""
    rows = database.rows(
        Statement(
            "SELECT register, department, id, day, rows_delivered, rows_accepted, rows_unchanged, rows_returned,"
            " facts_delivered, reasons FROM (SELECT *, (edition AT TIME ZONE 'Asia/Shanghai')::date AS day"
            " FROM exchange.delivery WHERE state = 'done') d WHERE day <= %s ORDER BY day, id",
            (until,),
        )
    )
    found: dict[tuple[str, str], list[Handed]] = {}
    for register, department, *rest in rows:
        found.setdefault((register, department), []).append(Handed(*rest))
    return found


@dataclass(frozen=True, slots=True)
class _Judge:
    """What all lines of one scorecard are judged by."""

    held: Directory
    handed: Mapping[tuple[str, str], list[Handed]]
    used: Mapping[str, Mapping[str, Asked]]
    since: date
    until: date

    def line(self, one: InformationClass) -> Line:
        """A class's line."""
        ever = self.handed.get((one.delivered_as, one.department), [])
        lately = [h for h in ever if h.day >= self.since]
        rows, returned, facts = (sum(getattr(h, name) for h in lately) for name in ("rows", "returned", "facts"))
        reasons = _total(h.reasons for h in lately)
        asked = {who: a for who, a in self.used.get(one.delivered_as, {}).items() if who != one.department}
        wanting, items = self._wanting(one), self._promised(one)
        told = [[h.id, h.day, h.rows, h.returned, h.facts, dict(h.reasons)] for h in lately]
        days = [h.day for h in ever]
        return Line(
            department=one.department,
            department_title=self.held.departments[one.department].title,
            information_class=one.code,
            title=one.title,
            quantity=self._figure(scores.quantity(rows, facts, items), "rows", rows, told, items),
            quality=self._figure(scores.quality(rows, returned, reasons), "rows", rows, told),
            timeliness=self._figure(
                scores.timeliness(one.period, one.begins, days, self.since, self.until),
                "days", max(0, (self.until - max(self.since, one.begins)).days + 1), days, one.period, one.begins,
            ),
            use=self._figure(
                scores.use(wanting, asked), "questions", sum(a.questions for a in asked.values()),
                sorted(wanting), {who: [a.questions, a.rows] for who, a in asked.items()},
            ),
            deliveries=len(lately),
            rows=rows,
            accepted=sum(h.accepted for h in lately),
            unchanged=sum(h.unchanged for h in lately),
            returned=returned,
            reasons=reasons,
            asked=asked,
        )  # fmt: skip

    def department(self, one: Department, classes: tuple[Line, ...]) -> Line:
        """A department's line: the mean of its classes' scores; deliveries to one register are counted once."""
        own = [line for line in classes if line.department == one.code]
        as_ = {self.held.classes[line.information_class].delivered_as: line for line in own}
        rows = {n: sum(getattr(line, n) for line in as_.values()) for n in ("deliveries", "rows", "accepted",
                                                                           "unchanged", "returned")}  # fmt: skip
        asked: dict[str, Asked] = {}
        for line in as_.values():
            for who, a in line.asked.items():
                asked[who] = asked.get(who, Asked()) + a
        return Line(
            department=one.code, department_title=one.title, information_class="", title=one.title,
            quantity=self._mean(own, "quantity"), quality=self._mean(own, "quality"),
            timeliness=self._mean(own, "timeliness"), use=self._mean(own, "use"),
            reasons=_total(line.reasons for line in as_.values()), asked=asked, **rows,
        )  # fmt: skip

    def _mean(self, lines: list[Line], score: str) -> Figure:
        figures = [getattr(line, score) for line in lines]
        values = [figure.value for figure in figures if figure.value is not None]
        value = sum(values) / len(values) if values else None
        return self._figure(value, "classes", len(values), [figure.inputs for figure in figures])

    def _figure(self, value: float | None, counted: str, n: int, *inputs: object) -> Figure:
        return Figure(
            value=rounded(value), counted=counted, n=n, inputs=digest(self.since, self.until, *inputs),
            since=self.since, until=self.until,
        )  # fmt: skip

    def _promised(self, one: InformationClass) -> int:
        """How many data items the department collects in the classes that are delivered together with this one."""
        together = [c for c in self.held.classes.values()
                    if c.delivered_as == one.delivered_as and c.department == one.department]  # fmt: skip
        items = [item for c in together for item in self.held.items_of.get(c.code, ())]
        return len({i.field or i.code for i in items if i.identifying or self.held.owner(i) == one.department})

    def _wanting(self, one: InformationClass) -> set[str]:
        """The other departments that asked for an item of the class."""
        items = {item.code for item in self.held.items_of.get(one.code, ())}
        return {r.department for r in self.held.requests.values() if r.item in items} - {one.department}


def _total(reasons: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in reasons:
        total.update({reason: int(n) for reason, n in one.items()})
    return dict(sorted(total.items()))
