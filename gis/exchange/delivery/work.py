"""A delivery worked on: read, checked, compared, kept, folded, accounted for. All of it or nothing.

Reading words() -> what repeats is set aside as numbers, the rest is staged -> claims -> fold -> tasks -> account
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
from numpy.typing import NDArray

from gis.catalog import Catalogue
from gis.errors import Conflict, OneMapError
from gis.exchange.delivery import accounts, claims, first, fold, identifiers, later, records, tasking
from gis.exchange.delivery.account import Account, Delivered
from gis.exchange.delivery.checks import Checks
from gis.exchange.delivery.closing import Closing, Outcome
from gis.exchange.delivery.erasure import erased, redact_again
from gis.exchange.delivery.merging import Merged
from gis.exchange.delivery.progress import Progress, Teller
from gis.exchange.delivery.pseudonym import secret
from gis.exchange.delivery.reading import Reading
from gis.exchange.delivery.records import Record
from gis.exchange.delivery.references import References
from gis.exchange.delivery.remembered import Memories
from gis.exchange.delivery.settling import next_epoch, settle
from gis.exchange.delivery.standing import Standing
from gis.exchange.delivery.traces import Meant
from gis.exchange.delivery.words import Ints, Words, among
from gis.exchange.directory.registers import known_deliverable
from gis.exchange.matching.written import Written
from gis.exchange.readers import ReadOptions, Source, open_source
from gis.exchange.registers import Deliverable
from gis.query.span import SHANGHAI, now
from gis.store.database import Database, connect, translated
from gis.text import Text

#: A full delivery may end this share of what its department said before, and in any case so many.
_ENDS_SHARE, _ENDS_FEW = 0.2, 20
#: A delivery of which its worker dies is taken up so many times.
ATTEMPTS = 3
_NONE: Ints = np.empty(0, np.int64)


Opener = Callable[[Path, ReadOptions], Source]


def work(
    database: Database,
    catalogue: Catalogue,
    delivery: int,
    progress: Progress | None = None,
    opened: Opener = open_source,
) -> Delivered:
    """Take a received delivery into its register, in its turn. `opened` opens its file.

    Raises NotFound for the number, Conflict where it was worked on already, has failed its workers too often or would
    end too much, BadInput where its file does not fit; it has failed then, and nothing of it is in the register.
    """
    with translated(), connect(database.url, autocommit=True) as conn:
        register = records.record(conn, delivery).register
        with records.turn(conn, register):
            record = records.record(conn, delivery)
            if record.state not in ("received", "working"):
                raise Conflict(
                    f"delivery {delivery} is {record.state} already",
                    f"报送 {delivery} 已处理,状态:{record.state}",
                    subject=str(delivery),
                )
            if records.take_up(conn, delivery) > ATTEMPTS:
                records.fail(database.url, delivery, _WORN_OUT)
                raise Conflict(_WORN_OUT.en, _WORN_OUT.zh, subject=str(delivery))
            try:
                with Teller(database.url, delivery, progress) as teller:
                    declared = known_deliverable(database, register)
                    _Work(database, catalogue, conn, record, declared, teller, opened).run()
            except OneMapError as error:
                conn.rollback()
                records.fail(database.url, delivery, error.text)
                raise
            except psycopg.OperationalError:
                raise  # the server went away: the delivery waits to be taken up again
            except Exception:
                conn.rollback()
                records.fail(database.url, delivery, _BROKEN)
                raise
            return records.delivered(conn, delivery)


_BROKEN = Text(
    "处理程序出错,本次报送未入库;请联系数据中心", "the program failed; nothing was taken in; tell the data centre"
)


_WORN_OUT = Text(
    f"处理程序连续 {ATTEMPTS} 次中断,本次报送未入库;请联系数据中心,修正后重新报送",
    f"whoever worked on it died {ATTEMPTS} times; nothing was taken in; tell the data centre, and deliver it anew",
)


@dataclass(slots=True)
class _Work:
    """One delivery under way, on a connection that has its register's turn."""

    database: Database
    catalogue: Catalogue
    conn: psycopg.Connection[Any]
    record: Record
    register: Deliverable
    teller: Teller
    opened: Opener
    standing: Standing = field(init=False)
    source: Source = field(init=False)
    reading: Reading = field(init=False)
    again: Ints = field(init=False)
    repeated: list[tuple[Ints, Ints]] = field(default_factory=list)
    repeated_facts: int = 0
    staged: int = 0
    staged_facts: int = 0

    def run(self) -> None:
        """Bring the words in by the way that fits."""
        # rows are placed by what they refer to; columns of coordinates are columns like others
        self.source = self.opened(self.record.path, replace(self.record.options.read, geometry=False))
        is_first = first.fits(self.conn, self.register, self.record.department)
        folder = self.record.path.parents[1] / "memory"
        memories = Memories(folder, self.record.register, self.record.department, idle=is_first)
        self.reading = Reading(
            self.register, self.source, self._checks(), self.record.options.columns, self._repeats, self.record.mode,
            memories=memories, erased=erased(self.conn, self.record.register),
        )  # fmt: skip
        beside = partial(connect, self.database.url, autocommit=True)
        self.standing = Standing.before(self.conn, self.register, self.record.place, beside)
        self.again = np.union1d(self._open_tasks(), self.reading.erased)
        if is_first:
            self._first()
        else:
            self._later()
            self.reading.remember()
        redact_again(self.conn, self.record, self.register)

    def _checks(self) -> Checks:
        refers = {i.refers for i in self.register.items.values() if i.check == "reference" and i.refers}
        books: dict[str, Written] = {}

        def written(collection: str) -> Written:
            if collection not in books:
                books[collection] = Written.of(self.database, self.catalogue, collection)
            return books[collection]

        references = {name: References(self.database, name) for name in refers}
        today = now().astimezone(SHANGHAI).date()
        return Checks(self.register, secret(self.conn), today, references, written)

    def _open_tasks(self) -> Ints:
        """Entities whose row was returned before for what it says: such a row never counts as unchanged."""
        found = self.conn.execute(
            "SELECT DISTINCT fid FROM exchange.returned WHERE register = %s AND department = %s AND state = 'open'"
            " AND fid IS NOT NULL AND reason = ANY(%s) ORDER BY fid",
            (self.record.register, self.record.department, list(tasking.COMPARED)),
        ).fetchall()
        return np.array([row[0] for row in found], np.int64)

    def _words(self) -> Iterator[Words]:
        """The words that are more than repeats: those were set aside."""
        for words in self.reading.words():
            self.teller.tell(self.reading.read_rows, self.source.total_rows)
            self.standing.tell(words.fids)
            self.staged += len(words)
            self.staged_facts += int(words.facts.sum())
            if len(words):
                yield words

    def _batches(self) -> Iterator[pa.LargeBinaryArray]:
        """What has to be staged, encoded."""
        for words in self._words():
            yield claims.encode(words, self.standing.words(words.fids).say(words.digests))

    def _repeats(self, rows: Ints, fids: Ints, digests: Ints, facts: Ints) -> NDArray[np.bool_]:
        """Which words only repeat what was said, and were not returned for it; they are set aside as numbers."""
        said = self.standing.words(fids)
        done = said.say(digests) & ~among(fids, self.again)
        self.standing.tell(fids[done], said.take(done))
        self.repeated.append((fids[done], rows[done]))
        self.repeated_facts += int(facts[done].sum())
        return done

    def _first(self) -> None:
        """An empty register: the words are its claims, and put in on two connections."""
        epoch = next_epoch(self.conn, self.record.register)
        way = first.First(self.conn, self.database.url, self.register, self.record.place, epoch)
        with way.cleared():
            way.stage(self._words())
            with way.building() as built, self.conn.transaction():
                way.index()
                self.reading.remember()  # nobody needs this process meanwhile
                built.result()  # the copy is made of the claims, which are put in place next
                asked = tasking.asked(self.conn, self.record.register, self.record.department).tolist()
                named = f"SELECT fid FROM {way.claims.copy} WHERE fid = ANY(%(asked)s)"
                fold.touch(self.conn, named, {"asked": asked})
                self._close(
                    Account(self.staged, self.staged, 0, 0), Account(self.staged_facts, self.staged_facts, 0, 0), 0
                )
                self._record(epoch, Merged(self.staged > 0, way.swap))

    def _later(self) -> None:
        place, register, conn = self.record.place, self.register, self.conn
        with conn.transaction():
            epoch = next_epoch(self.conn, self.record.register)
            claims.stage(conn, register, self._batches())
            if register.identifiers:
                self._refuse_collisions()
            ends = self._ends()
            fold.touch(conn, f"SELECT fid FROM {claims.STAGE}")
            fold.touch(conn, "SELECT unnest(%(fids)s::bigint[])", {"fids": ends.tolist()})
            if self.standing.late:
                claims.keep_prior(conn, register, place)
                later.write_out(conn, register, place, "prior")
            else:
                claims.give_way(conn, register, self.record.department)
            claims.insert(conn, register, place)
            claims.insert_ends(conn, register, place, ends)
            if register.identifiers:
                identifiers.insert(conn, register)
            if not self.standing.late:
                fold.go_on(conn, register, self.record.department)
            else:
                later.settle_absences(conn, register, place, self.reading.checks.secret, self.record.id)
                claims.settle_latest(conn, register, self.record.department)
            merged = settle(self.database, conn, register, self.record.id, epoch)
            if register.identifiers:
                identifiers.prevail(conn, register, self.reading.checks.secret)
            rows, facts = accounts.staged(conn, register, self.record.id)
            self._close(rows, facts, len(ends))
            self._record(epoch, merged)

    def _refuse_collisions(self) -> None:
        text = Text("编号与另一人冲突,请联系数据中心", "its number belongs to somebody else; tell the data centre")
        for row in identifiers.collisions(self.conn, self.register):
            self.source.findings.reject(row, "form", text, "", self.register.key)
            self.staged -= 1

    def _ends(self) -> Ints:
        """What a full delivery lacks of what its department said before."""
        if self.reading.mode != "full":
            return _NONE
        if self.staged + sum(len(fids) for fids, _ in self.repeated) == 0:
            return _NONE
        untold, held = self.standing.untold()
        gone: Ints = np.setdiff1d(untold, np.array(list(self.reading.refused.silent.values()), np.int64))
        meant = Meant(self.register, self.reading.checks.secret, self.reading.refused.traces.numbers)
        held_back = meant.among(self.conn, self.record.place, gone)
        self.reading.held_back |= set(self.reading.refused.traces.sharing(held_back.numbers).owners.tolist())
        gone = np.setdiff1d(gone, held_back.owners)
        if len(gone) > max(_ENDS_FEW, _ENDS_SHARE * held) and not self.record.options.allow_ends:
            raise Conflict(
                f"as a full delivery it would end {len(gone)} of the {held} that {self.record.department} held;"
                " deliver it as incremental, or confirm that so many have ended (--allow-ends)",
                f"作为全量报送将注销 {self.record.department} 原有 {held} 条中的 {len(gone)} 条;"
                "请改为增量报送,或确认确有如此多注销(--allow-ends)",
                subject="mode",
            )
        return gone

    def _close(self, rows: Account, facts: Account, ended: int) -> None:
        """The returned rows and the account."""
        if rows.delivered != self.staged:
            raise AssertionError(f"{self.staged} rows were staged, {rows.delivered} are accounted for")
        department = self.record.department
        title = records.titles(self.database).get(department, Text(department, department))
        repeats, numbers = (
            np.concatenate([_NONE, *parts]) for parts in zip(*self.repeated, (_NONE, _NONE), strict=True)
        )
        outcome = Outcome(rows, facts, repeats, numbers, self.repeated_facts, ended)
        Closing(self.conn, self.register, self.record, self.reading, title).close(outcome)

    def _record(self, epoch: int, merged: Merged) -> None:
        """The change itself, last of all before the commit: from here on readers wait.

        First what was made beside them is put in place, then it is stamped: who waits for the stamp may be reading.
        """
        merged.finish()
        if merged.changed:
            self.conn.execute("UPDATE exchange.delivery SET epoch = %s WHERE id = %s", (epoch, self.record.id))
            self.conn.execute("SELECT core.stamp(%s, %s, %s)", (self.record.register, epoch, self.record.id))
