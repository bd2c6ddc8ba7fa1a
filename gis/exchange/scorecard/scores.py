"""The four scores of a class, each from 0 to 100: quantity, quality, timeliness, use.

They answer what Taizhou assesses its departments by: 数量、质量及更新、利用. A score is None where there is
nothing to judge.
"""

from collections.abc import Collection as Several
from collections.abc import Mapping, Sequence
from datetime import date

from gis.exchange.directory.words import Period

#: How much a fault of each kind weighs, in rows: 1 where the row itself is wrong, 0.5 where two departments differ and
#: either may be right or where an address leaves a choice, 0.25 where the place is right and only coarse; 0 where the
#: row is sound and only not to be taken again.
WEIGHTS: Mapping[str, float] = {
    "missing": 1.0, "form": 1.0, "excel_damaged": 1.0, "check_digit": 1.0, "bad_code": 1.0, "bad_date": 1.0,
    "future_date": 1.0, "unknown_value": 1.0, "contradiction": 1.0, "unknown_reference": 1.0, "unknown_division": 1.0,
    "duplicate": 1.0, "address_unknown": 1.0, "address_ambiguous": 0.5, "address_coarse": 0.25, "conflict": 0.5,
    "identity": 0.5, "unknown_entity": 0.5, "ended": 0.5, "erased": 0.0,
}  # fmt: skip


def quantity(rows: int, facts: int, items: int) -> float | None:
    """How full the rows are: facts delivered, of all that the directory promises of these rows.

    `facts` are non-empty cells, `items` the data items that the department collects in these classes. None without
    items; 0 when nothing was delivered.

    >>> quantity(100, 450, 5), quantity(0, 0, 5)
    (90.0, 0.0)
    """
    if not items:
        return None
    return min(100.0, 100 * facts / (rows * items)) if rows else 0.0


def quality(rows: int, returned: int, reasons: Mapping[str, int]) -> float | None:
    """How sound the rows are: 100, less each fault's weight (see WEIGHTS) for each hundredth of the rows that have it.

    `returned` rows whose reasons are not known count as wholly wrong. None when nothing was delivered.

    >>> quality(1000, 30, {"check_digit": 10, "conflict": 20})
    98.0
    """
    if not rows:
        return None
    wrong = sum(WEIGHTS.get(reason, 1.0) * n for reason, n in reasons.items()) if reasons else float(returned)
    return max(0.0, 100 * (1 - wrong / rows))


def timeliness(period: Period, begins: date, delivered: Sequence[date], since: date, until: date) -> float | None:
    """On what share of the days the last delivery was no older than the collection period.

    Counted from `since`, or from when the class began, to `until`, both included. None for classes without a period
    and for those that have not begun.

    >>> timeliness(Period.WEEKLY, date(2026, 1, 1), [date(2026, 1, 1)], date(2026, 1, 1), date(2026, 1, 16))
    50.0
    """
    first = max(since, begins)
    if period is Period.IRREGULAR or first > until:
        return None
    covered, reached = 0, first
    for day in sorted(delivered):
        start, end = max(day, reached), min(period.due_after(day) or until, until)
        if end >= start:
            covered += (end - start).days + 1
            reached = date.fromordinal(end.toordinal() + 1)
    return 100 * covered / ((until - first).days + 1)


def use(asked_for: Several[str], asking: Several[str]) -> float | None:
    """How many of those who want the data do ask: consumers that asked, of them and of all who requested an item.

    The owner itself is in neither. None when nobody wants it.

    >>> use({"tax", "health"}, {"tax", "planner"}), use((), ())
    (66.66666666666667, None)
    """
    wanting = {*asked_for, *asking}
    return 100 * len(set(asking)) / len(wanting) if wanting else None
