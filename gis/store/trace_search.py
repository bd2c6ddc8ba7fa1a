"""The trace searched: by who, what, when, which watermark; the newest first, a page at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gis.access.trace import Pseudonyms
from gis.errors import BadQuery
from gis.query.span import Span
from gis.query.statement import Statement, conjunction
from gis.store.database import Database

#: What is shown of an entry; `recorded_at` and the seal are for the verification.
COLUMNS = ("number", "at", "event", "outcome", "who", "role", "origin", "purpose", "collection", "query", "rows",
           "request", "mark", "detail")  # fmt: skip
#: Names that a search goes by; each compares the whole word.
EXACT = ("who", "role", "event", "outcome", "collection", "origin", "purpose", "request", "mark")
_BATCH = 5_000
_HOUR = "interval '1 hour'"


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: `exact` values by column, a span `[start, end)` of when it happened, a value asked about.

    `value` is what somebody may have put into a question (a name, a number): it is looked for by its pseudonym.
    `before` is the number of the last entry of the page before.
    """

    exact: tuple[tuple[str, str], ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    value: str = ""
    before: int | None = None
    limit: int = 100

    def statement(self, pseudonyms: Pseudonyms) -> Statement:
        """One page, with one entry beyond it where there are more."""
        parts = [Statement(f"{name} = %s", (value,)) for name, value in self.exact if name in EXACT]
        # the hour leads to the partitions: an entry is recorded some moments after its event
        if self.start is not None:
            parts.append(Statement(f"at >= %s AND recorded_at >= %s::timestamptz - {_HOUR}", (self.start, self.start)))
        if self.end is not None:
            parts.append(Statement("at < %s", (self.end,)))
        if self.value:
            word = pseudonyms.of(self.value)
            parts.append(Statement("position(%s in query || ' ' || detail || ' ' || purpose) > 0", (word,)))
        if self.before is not None:
            parts.append(Statement("number < %s", (self.before,)))
        where = conjunction(parts or [Statement("true")])
        return Statement(
            f"SELECT {', '.join(COLUMNS)} FROM access.trace WHERE {where.sql} ORDER BY number DESC LIMIT %s",
            (*where.args, self.limit + 1),
        )

    @property
    def said(self) -> dict[str, str]:
        """The search in words that the trace may keep; not the value that was looked for."""
        found = dict(self.exact)
        for name, when in (("from", self.start), ("to", self.end)):
            if when is not None:
                found[name] = when.isoformat()
        return {**found, **({"value": "?"} if self.value else {})}


def edge(text: str, name: str) -> Span:
    """The span of a day or an instant, one end of which a search begins or ends at. Raises BadQuery naming it."""
    try:
        if "/" in text:
            raise BadQuery(f"{text[:40]!r} is a span of time", f"{text[:40]!r} 是时间段")
        return Span.parse(text)
    except BadQuery as error:
        raise BadQuery(error.text.en, error.text.zh, subject=name) from None


def export_marks(database: Database) -> list[str]:
    """The watermarks of all exports that the trace knows, the newest first. Raises Unavailable."""
    asked = "SELECT mark FROM access.trace WHERE event = 'exported' AND mark <> '' ORDER BY number DESC"
    return [mark for (mark,) in database.rows(Statement(asked))]


def entries(database: Database, search: Search, pseudonyms: Pseudonyms) -> Iterator[tuple[Any, ...]]:
    """All that fits, however much it is, in flat memory. Raises Unavailable."""
    left, before = search.limit, search.before
    while left > 0:
        page = Search(search.exact, search.start, search.end, search.value, before, min(left, _BATCH))
        rows = database.rows(page.statement(pseudonyms))[: page.limit]
        yield from rows
        if len(rows) < page.limit:
            return
        left, before = left - len(rows), rows[-1][0]
