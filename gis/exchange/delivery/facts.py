"""Where each fact of an entity comes from: whose word, of which delivery and row, by which rule, and who else spoke.

Not stored but found again: the fold of the same claims gives the same answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gis.exchange.delivery import fold
from gis.exchange.directory.registers import known_deliverable
from gis.exchange.registers import Deliverable
from gis.store.database import Database, connect, translated
from gis.text import Text


@dataclass(frozen=True, slots=True)
class Word:
    """What one department says of one item: in which delivery and row, for which edition."""

    department: str
    delivery: int
    row: int | None
    edition: datetime | None
    value: Any


@dataclass(frozen=True, slots=True)
class Fact:
    """One item over one span of valid time (None: no bound): the prevailing word, the rule, and the other words."""

    item: str
    valid_from: datetime | None
    valid_to: datetime | None
    value: Any
    word: Word | None
    rule: Text
    others: tuple[Word, ...]


def facts(database: Database, register: str, fid: int) -> list[Fact]:
    """All that is known of an entity, span by span and item by item; nothing for one that nobody speaks of.

    Values are as JSON has them (a date is a text). Direct identifiers are left out: what stands in the claims are
    numbers for them. Raises UnknownName.
    """
    declared = known_deliverable(database, register)
    with translated(), connect(database.url) as conn:
        fold.touch(conn, "SELECT %(fid)s::bigint", {"fid": fid})
        fold.weigh(conn, declared)
        spoken = [row for (row,) in conn.execute("SELECT to_jsonb(s) FROM spoken s ORDER BY starts, department")]
        weighed = [row for (row,) in conn.execute("SELECT to_jsonb(w) FROM weighed w WHERE present ORDER BY starts")]
        conn.rollback()
    return [
        fact
        for span in weighed
        for fact in _of_span(declared, span, [s for s in spoken if s["starts"] == span["starts"]])
    ]


def _of_span(register: Deliverable, span: Mapping[str, Any], spoken: list[Any]) -> list[Fact]:
    found = []
    for field in register.collection.fields:
        words = {
            s["department"]: Word(s["department"], s["delivery"], s["src_row"], _moment(s["edition"]), s[field.name])
            for s in spoken
            if s["said"] and not s["stranger"] and s[field.name] is not None
        }
        whose = span[f"{field.name}_by"]
        others = tuple(w for d, w in words.items() if d != whose)
        if whose is None and not others:
            continue
        rule = _rule(register, field.name, whose, others)
        found.append(
            Fact(
                field.name,
                _moment(span["starts"]),
                _moment(span["stops"]),
                span[field.name],
                words.get(whose),
                rule,
                others,
            )
        )
    return found


def _moment(text: str) -> datetime | None:
    """An instant as JSON has it; None for the infinities."""
    return None if text.endswith("infinity") else datetime.fromisoformat(text)


def _rule(register: Deliverable, item: str, whose: str | None, others: tuple[Word, ...]) -> Text:
    order = " > ".join(register.authority(item))
    if whose is None:
        return Text(f"仅作旁证(权威顺序:{order})", f"evidence only (order of authority: {order})")
    if not others:
        return Text(f"唯一来源(权威顺序:{order})", f"the only word (order of authority: {order})")
    if register.item(item).disagreement == "override":
        return Text(f"按权威顺序覆盖:{order}", f"overrides by order of authority: {order}")
    return Text(f"按权威顺序为准,不一致的退回:{order}", f"prevails by order of authority, others are returned: {order}")
