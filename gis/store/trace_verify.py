"""Whether the trace is whole: every seal made anew, entry by entry, and compared with what was said beside it.

Whatever was changed, taken away, put in, moved or cut off is found, and the first such entry is named. Memory does not
grow with the trace.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from gis.access.trace import Entry
from gis.store.database import connect, translated
from gis.store.trace_anchor import Anchor, Anchors, TamperedAnchorError
from gis.store.trace_chain import beginning
from gis.store.trace_closed import Closed, closed_months
from gis.store.trace_key import TraceKey, trace_key
from gis.text import Text

Progress = Callable[[int, int], None]

_BATCH = 2_000
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)
#: Times that Python cannot say were never written; they are read as one that was not either.
_TIME = "CASE WHEN {0} BETWEEN '1970-01-01' AND '9999-01-01' THEN {0} ELSE '1970-01-01' END AS {0}"
_NAMES = ", ".join(_TIME.format(f.name) if f.name in ("at", "recorded_at") else f.name for f in fields(Entry))
_OPTIONS = "-c timezone=UTC -c statement_timeout=120000"


@dataclass(frozen=True, slots=True)
class Fault:
    """The first entry at which the trace is not what was written; `number` 0: no entry, but what stands beside them."""

    number: int
    what: Text


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found: entries that are whole, anchors that agree with them, and the first fault if there is one."""

    entries: int
    closed: int
    anchors: int
    fault: Fault | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.fault is None


def verify(url: str, home: Path, progress: Progress = lambda done, total: None) -> Verdict:
    """Look through the whole trace. Raises Unavailable, SetupError."""
    key = trace_key(home)
    with connect(url, autocommit=True, options=_OPTIONS) as conn, translated():
        return Verification(conn, key, Anchors(home, key), progress).run()


class _FaultError(Exception):
    def __init__(self, number: int, en: str, zh: str) -> None:
        super().__init__(en)
        self.fault = Fault(number, Text(zh=zh, en=en))


class Verification:
    """One look through a trace."""

    def __init__(self, conn: psycopg.Connection[Any], key: TraceKey, anchors: Anchors, progress: Progress) -> None:
        self._conn, self._key, self._anchors, self._progress = conn, key, anchors, progress
        self._number, self._seal, self._recorded_at = 0, b"", _LATEST
        self._whole = self._closed = self._agreed = 0

    def run(self) -> Verdict:
        """What is found."""
        fault = None
        try:
            self._run()
        except _FaultError as error:
            fault = error.fault
        return Verdict(self._whole, self._closed, self._agreed, fault)

    def _run(self) -> None:
        row = self._conn.execute("SELECT id FROM access.trace_chain").fetchone()
        chain = row[0] if row else None
        known = self._known(chain)
        if chain is None:
            if self._any_entry():
                raise _FaultError(1, "the entries belong to no chain: its name was taken away",
                                  "记录不属于任何链:链的标识已被删除")  # fmt: skip
            return
        self._seal = beginning(chain)
        anchors = iter(known)
        waiting = next(anchors, None)
        for closed in closed_months(self._conn):
            self._follow_closed(closed)
            while waiting is not None and waiting.number < self._number:
                waiting = next(anchors, None)
        for number, seal in self._entries():
            while waiting is not None and waiting.number <= number:
                self._compare(waiting, number, seal)
                waiting = next(anchors, None)
        if waiting is not None and waiting.number > self._number:
            self._cut_off(waiting)
        if not known and self._number:
            raise _FaultError(
                self._number,
                "nothing beside the database says how far the trace had come (no anchors in the home folder): whether"
                " its end was cut off cannot be told",
                "主目录中没有锚点记录,无法判断审计日志末尾是否被截断",
            )

    def _known(self, chain: uuid.UUID | None) -> list[Anchor]:
        """What was said of the chain, by number; no other chain may have been in this database."""
        try:
            others = self._anchors.others(chain, self._conn.info.dbname)
            known = sorted(self._anchors.known(chain), key=lambda anchor: anchor.number) if chain else []
        except TamperedAnchorError as error:
            raise _FaultError(0, f"an anchor was changed: {error}", f"锚点记录被改动:{error}") from None
        if others:
            raise _FaultError(
                0,
                f"this database held another trace, {others[0]}, which was taken away (onemap audit give-up, if the"
                " database was made anew)",
                f"此数据库曾有另一条审计链 {others[0]},已被删除(若数据库已重建,请执行 onemap audit give-up)",
            )
        return known

    def _any_entry(self) -> bool:
        return self._conn.execute("SELECT FROM access.trace LIMIT 1").fetchone() is not None

    def _follow_closed(self, closed: Closed) -> None:
        """A month that was dropped: what is left of it must join what is before and after it."""
        if closed.key_id == self._key.id and not closed.holds(self._key):
            raise _FaultError(
                closed.first,
                f"the closing record of {closed.month:%Y-%m} was changed, or made by somebody else",
                f"{closed.month:%Y-%m} 的归档记录被改动或伪造",
            )
        if closed.key_id != self._key.id:
            raise _foreign(closed.first, closed.key_id)
        if (closed.first, closed.before) != (self._number + 1, self._seal):
            raise _missing(self._number + 1)
        # whatever else has that number was put in, and is seen to be
        self._number, self._seal = closed.last, closed.after
        self._closed += closed.last - closed.first + 1

    def _entries(self) -> Iterator[tuple[int, bytes]]:
        """Each entry that is what it was, in order."""
        row = self._conn.execute("SELECT max(number) FROM access.trace").fetchone()
        total = (row[0] if row else 0) or 0
        self._before_the_first()
        while rows := self._batch():
            for row in rows:
                self._check(Entry(*row[:-2]), row[-2], bytes(row[-1]))
                yield self._number, self._seal
            self._progress(self._whole, max(total - self._closed, self._whole))

    def _before_the_first(self) -> None:
        """Entries of numbers that were closed, or that no chain has, were put in."""
        found = self._conn.execute(
            "SELECT min(number) FROM access.trace WHERE number <= %s", (self._number,)
        ).fetchone()
        if found is not None and found[0] is not None:
            raise _put_in(found[0])

    def _batch(self) -> list[tuple[Any, ...]]:
        """The next entries; another one of the last number is among them, since it was put in."""
        return self._conn.execute(
            f"SELECT {_NAMES}, key_id, seal FROM access.trace t WHERE (t.number, t.recorded_at) > (%s, %s)"
            " ORDER BY t.number, t.recorded_at LIMIT %s",
            (self._number, self._recorded_at, _BATCH),
            binary=True,
        ).fetchall()

    def _check(self, entry: Entry, key_id: str, seal: bytes) -> None:
        if entry.number <= self._number:
            raise _put_in(entry.number)
        if entry.number > self._number + 1:
            raise _missing(self._number + 1)
        if key_id != self._key.id:
            raise _foreign(entry.number, key_id)
        if entry.seal(self._seal, self._key.secret) != seal:
            raise _FaultError(entry.number, f"entry {entry.number} was changed, moved or put in",
                              f"第 {entry.number} 条记录被改动、移动或插入")  # fmt: skip
        self._number, self._seal, self._recorded_at = entry.number, seal, entry.recorded_at
        self._whole += 1

    def _compare(self, anchor: Anchor, number: int, seal: bytes) -> None:
        """What was said of an entry at the time; a chain written anew has other seals."""
        if anchor.number == number and anchor.seal != seal:
            raise _FaultError(number, f"entry {number} is not the one that the anchor of {anchor.said_at} knows",
                              f"第 {number} 条记录与 {anchor.said_at} 的锚点不符")  # fmt: skip
        self._agreed += anchor.number == number

    def _cut_off(self, anchor: Anchor) -> None:
        first = self._number + 1
        raise _FaultError(
            first,
            f"entry {first} and what followed is missing: the anchor of {anchor.said_at} knows {anchor.number} entries",
            f"自第 {first} 条起的记录缺失:{anchor.said_at} 的锚点记有 {anchor.number} 条",
        )


def _missing(number: int) -> _FaultError:
    return _FaultError(number, f"entry {number} is missing", f"第 {number} 条记录缺失")


def _put_in(number: int) -> _FaultError:
    return _FaultError(number, f"entry {number} was put in", f"第 {number} 条记录是插入的")


def _foreign(number: int, key_id: str) -> _FaultError:
    return _FaultError(
        number,
        f"entry {number} is sealed with the key {key_id[:12]}, which is not this installation's (trace/key in the home"
        " folder): put the city's key there, or it was put in",
        f"第 {number} 条记录由密钥 {key_id[:12]} 签封,并非本机密钥(主目录 trace/key):请放入本市密钥,否则该记录为插入",
    )
