"""Which classes are late: the day of a department's last word on them, against their collection period."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from gis.exchange.directory import versions
from gis.exchange.directory.entries import Directory, InformationClass
from gis.exchange.directory.words import Period, title
from gis.query.span import SHANGHAI, now
from gis.store.database import Database
from gis.text import Text


@dataclass(frozen=True, slots=True)
class Overdue:
    """A class that is owed: `last` is the day for which its department spoke last (None: never), `due` the last day on
    which the next delivery was in time, `days` how many days ago that was.
    """

    information_class: str
    title: Text
    department: str
    period: Period
    last: date | None
    due: date
    days: int

    def as_dict(self) -> dict[str, Any]:
        """As JSON carries it."""
        return {
            "class": self.information_class, "title": self.title.as_dict(), "department": self.department,
            "period": self.period.value, "period_title": title(self.period).as_dict(),
            "last": self.last and self.last.isoformat(), "due": self.due.isoformat(), "days": self.days,
        }  # fmt: skip


def overdue(database: Database, *, on: date | None = None) -> list[Overdue]:
    """The classes that were overdue on a Shanghai day (today, when none is named), the longest first.

    A delivery counts for the day of its edition, whenever it arrived; only deliveries that are done count, none that
    was withdrawn. A class never delivered is overdue since it began; one without a period (irregular) never is.
    """
    day = on or today()
    with database.connection() as conn:
        held = versions.read(conn)
        last = last_words(conn, day)
    late = [_late(held, one, last.get((one.delivered_as, one.department)), day) for one in held.classes.values()]
    return sorted((one for one in late if one), key=lambda one: (-one.days, one.information_class))


def today() -> date:
    """The present day in Shanghai."""
    return now().astimezone(SHANGHAI).date()


def last_words(conn: psycopg.Connection[Any], until: date) -> dict[tuple[str, str], date]:
    """For each (register or class, department), the Shanghai day of its last edition up to a day."""
    rows = conn.execute(
        "SELECT register, department, max((edition AT TIME ZONE 'Asia/Shanghai')::date) FROM exchange.delivery"
        " WHERE state = 'done' AND (edition AT TIME ZONE 'Asia/Shanghai')::date <= %s GROUP BY register, department",
        (until,),
    ).fetchall()
    return {(register, department): last for register, department, last in rows}


def _late(held: Directory, one: InformationClass, last: date | None, day: date) -> Overdue | None:
    due = one.begins if last is None else one.period.due_after(last)
    if one.period is Period.IRREGULAR or due is None or due >= day:
        return None
    return Overdue(one.code, one.title, one.department, one.period, last, due, (day - due).days)
