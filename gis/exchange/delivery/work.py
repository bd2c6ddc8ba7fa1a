"""A delivery worked on: read, checked, compared, kept, folded, accounted for. All of it or nothing.

Reading words() -> what repeats is set aside as numbers, the rest is staged -> claims -> fold -> tasks -> account
"""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
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
from gis.exchange.delivery.claims import Standing
from gis.exchange.delivery.merging import Change, Merged, merge
from gis.exchange.delivery.progress import Progress, Teller
from gis.exchange.delivery.pseudonym import secret
from gis.exchange.delivery.reading import Reading, reason_of
from gis.exchange.delivery.records import Record
from gis.exchange.delivery.references import References
from gis.exchange.delivery.words import Ints
from gis.exchange.directory.registers import known_deliverable
from gis.exchange.matching.written import Written
from gis.exchange.readers import Source, open_source
from gis.exchange.registers import Deliverable
from gis.exchange.report import decisions, noted
from gis.query.span import SHANGHAI, now
from gis.store.bulk import Bulk
from gis.store.database import Database, connect, translated
from gis.store.tables import Register
from gis.store.versions import ensure_month
from gis.text import Text

#: A full delivery may end this share of what its department said before, and in any case so many.
_ENDS_SHARE, _ENDS_FEW = 0.2, 20
_NONE: Ints = np.empty(0, np.int64)


def work(database: Database, catalogue: Catalogue, delivery: int, progress: Progress | None = None) -> Delivered:
    """Take a received delivery into its register, in its turn.

    Raises NotFound for the number, Conflict where it was worked on already or would end too much, BadInput where its
    file does not fit; the delivery has failed then, and nothing of it is in the register.
    """
    with connect(database.url, autocommit=True) as conn, translated():
        register = records.record(conn, delivery).register
        with records.turn(conn, register):
            record = records.record(conn, delivery)
            if record.state not in ("received", "working"):
                raise Conflict(
                    f"delivery {delivery} is {record.state} already",
                    f"交付 {delivery} 已处理,状态:{record.state}",
                    subject=str(delivery),
                )
            records.take_up(conn, delivery)
            try:
                with Teller(database.url, delivery, progress) as teller:
                    _Work(database, catalogue, conn, record, known_deliverable(database, register), teller).run()
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
    "处理程序出错,本次交付未入库;请联系数据中心", "the program failed; nothing was taken in; tell the data centre"
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
    standing: Standing = field(init=False)
    source: Source = field(init=False)
    reading: Reading = field(init=False)
    seen: Any = field(init=False)
    again: Ints = field(init=False)
    repeated: list[Ints] = field(default_factory=list)
    repeated_facts: int = 0
    staged: int = 0

    def run(self) -> None:
        """Bring the words in by the way that fits."""
        # rows are placed by what they refer to; columns of coordinates are columns like others
        self.source = open_source(self.record.path, replace(self.record.options.read, geometry=False))
        self.reading = Reading(
            self.register, self.source, self._checks(), self.record.options.columns, self._repeats, self.record.mode
        )
        self.standing = Standing.before(self.conn, self.register, self.record.place)
        self.seen = np.zeros(len(self.standing.fids), bool)
        self.again = self._open_tasks()
        is_first = first.fits(self.conn, self.register, self.record.department)
        if is_first:
            self._first()
        else:
            self._later()

    def _checks(self) -> Checks:
        refers = {i.refers for i in self.register.items.values() if i.check == "reference" and i.refers}
        books: dict[str, Written] = {}

        def written(collection: str) -> Written:
            if collection not in books:
                books[collection] = Written.of(self.database, self.catalogue, collection)
            return books[collection]

        references = {name: References.of(self.database, name) for name in refers}
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

    def _batches(self) -> Iterator[pa.LargeBinaryArray]:
        """What has to be staged, encoded; what repeats was set aside."""
        for words in self.reading.words():
            self.teller.tell(self.reading.read_rows, self.source.total_rows)
            at, known = self.standing.find(words.fids)
            self.seen[at[known]] = True
            same = np.zeros(len(words), bool)
            same[known] = self.standing.digests[at[known]] == words.digests[known]
            self.staged += len(words)
            if len(words):
                yield claims.encode(words, same)

    def _repeats(self, fids: Ints, digests: Ints, facts: Ints) -> NDArray[np.bool_]:
        """Which words only repeat what was said, and were not returned for it; they are set aside as numbers."""
        at, known = self.standing.find(fids)
        done = known & ~np.isin(fids, self.again)
        done[done] = self.standing.digests[at[done]] == digests[done]
        self.seen[at[done]] = True
        self.repeated.append(fids[done])
        self.repeated_facts += int(facts[done].sum())
        return done

    def _first(self) -> None:
        """An empty register: staged in a plain table, then put in on two connections."""
        table, place = f'exchange."stage_{self.record.id}"', self.record.place
        epoch = next_epoch(self.conn, self.record.register)
        bulk = Bulk(self.register.collection, self.database.url, first.identity_key(self.register), False)
        with self.conn.transaction():
            self.conn.execute(f"DROP TABLE IF EXISTS {table}")
            claims.stage(self.conn, self.register, self._batches(), table)
        with bulk.cleared(self.conn):
            try:
                with (
                    bulk.beside(
                        lambda conn: first.fill(conn, bulk, self.register, place, epoch, table), epoch
                    ) as built,
                    self.conn.transaction(),
                ):
                    claims.insert(self.conn, self.register, place, table=table)
                    if self.register.identifiers:
                        identifiers.insert(self.conn, self.register, table)
                    rows, facts = accounts.first(self.conn, self.register, table)
                    built.result()  # the copy is made of the staged words, which are dropped next
                    asked = tasking.asked(self.conn, self.record.register, self.record.department).tolist()
                    fold.touch(self.conn, f"SELECT fid FROM {table} WHERE fid = ANY(%(asked)s)", {"asked": asked})
                    self.conn.execute(f"DROP TABLE {table}")
                    self._close(rows, facts, 0)
                    self._record(epoch, Merged(rows.accepted > 0, lambda: bulk.swap(self.conn)))
            finally:
                self.conn.rollback()
                with self.conn.transaction():
                    self.conn.execute(f"DROP TABLE IF EXISTS {table}")

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
            claims.keep_prior(conn, register, place)
            if self.standing.late:
                later.write_out(conn, register, place, "prior")
            claims.insert(conn, register, place)
            claims.insert_ends(conn, register, place, ends)
            claims.settle_latest(conn, register, self.record.department)
            if register.identifiers:
                identifiers.insert(conn, register)
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
        alive = self.standing.digests & 1 == 1
        silent = np.array(list(self.reading.silent.values()), np.int64)
        gone: Ints = np.setdiff1d(self.standing.fids[alive & ~self.seen], silent)
        if self.staged + sum(map(len, self.repeated)) == 0:
            return _NONE
        held = int(alive.sum())
        if len(gone) > max(_ENDS_FEW, _ENDS_SHARE * held) and not self.record.options.allow_ends:
            raise Conflict(
                f"as a full delivery it would end {len(gone)} of the {held} that {self.record.department} held;"
                " deliver it as incremental, or confirm that so many have ended (--allow-ends)",
                f"作为全量交付将注销 {self.record.department} 原有 {held} 条中的 {len(gone)} 条;"
                "请改为增量交付,或确认确有如此多注销(--allow-ends)",
                subject="mode",
            )
        return gone

    def _close(self, rows: Account, facts: Account, ended: int) -> None:
        """The returned rows and the account."""
        conn, repeats = self.conn, np.concatenate([*self.repeated, _NONE])
        if rows.delivered != self.staged:
            raise AssertionError(f"{self.staged} rows were staged, {rows.delivered} are accounted for")
        claims.keep_repeated(conn, self.record.id, repeats)
        refused = self._return_refused()
        refused_facts = sum(self.reading.refused_facts.get(row, 0) for row in refused)
        answered = [t for row, t in self.reading.answered.items() if row not in refused]
        asked = tasking.asked(conn, self.record.register, self.record.department)
        fold.touch(conn, "SELECT unnest(%(fids)s::bigint[])", {"fids": np.intersect1d(repeats, asked).tolist()})
        tasking.answer(conn, self.register, self.record.place, self.reading.mode, answered)
        rows = accounts.added(
            rows, Account(len(repeats), 0, len(repeats), 0), Account(len(refused), 0, 0, len(refused))
        )
        facts = accounts.added(
            facts,
            Account(self.repeated_facts, 0, self.repeated_facts, 0),
            Account(refused_facts, 0, 0, refused_facts),
        )
        self._keep(rows, facts, ended)

    def _record(self, epoch: int, merged: Merged) -> None:
        """The change itself, last of all before the commit: from here on readers wait.

        First what was made beside them is put in place, then it is stamped: who waits for the stamp may be reading.
        """
        merged.finish()
        if merged.changed:
            self.conn.execute("UPDATE exchange.delivery SET epoch = %s WHERE id = %s", (epoch, self.record.id))
            self.conn.execute("SELECT core.stamp(%s, %s, %s)", (self.record.register, epoch, self.record.id))

    def _return_refused(self) -> set[int]:
        """Rows that could not be taken, as tasks; the values of direct identifiers are not kept."""
        hidden = {f.name for f in self.register.identifiers} | {
            name for name, item in self.register.items.items() if item.check == "person" or item.written
        }
        hidden |= {i.written.name for i in self.register.items.values() if i.written}
        with self.conn.cursor() as cursor, cursor.copy(
            "COPY exchange.returned (register, department, delivery, src_row, item, reason, text_zh, text_en, value,"
            " raised_by, due_on, fid) FROM STDIN"
        ) as copy:  # fmt: skip
            due = now().astimezone(SHANGHAI).date() + tasking.DUE
            seen: set[int] = set()
            for r in self.source.findings.rejects:
                value = None if r.field in hidden or not r.value else r.value.replace("\0", "␀")
                fid = self.reading.silent.get(r.row)
                copy.write_row(
                    (self.record.register, self.record.department, self.record.id, r.row, r.field,
                     reason_of(r.reason), r.text.zh, r.text.en, value, self.record.id, due, fid)
                )  # fmt: skip
                seen.add(r.row)
        return seen

    def _keep(self, rows: Account, facts: Account, ended: int) -> None:
        record, findings = self.record, self.source.findings
        found = {"decisions": decisions(findings), "notes": noted(self.reading.notes)}
        text = json.dumps(found, ensure_ascii=False)
        self.conn.execute(
            "INSERT INTO core.load (id, collection, dataset, file, file_sha256, source, licence, findings, counts)"
            " OVERRIDING SYSTEM VALUE VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (record.id, record.register, record.department, record.path.name, record.sha256,
             json.dumps(self._title().as_dict()), self.register.collection.licence, _plain(text),
             json.dumps({"rows": rows.delivered, **asdict(rows)})),
        )  # fmt: skip
        self.conn.execute(
            """
            UPDATE exchange.delivery SET state = 'done', mode = %(mode)s, finished_at = clock_timestamp(),
                rows_delivered = %(r)s, rows_accepted = %(ra)s, rows_unchanged = %(ru)s, rows_returned = %(rr)s,
                facts_delivered = %(f)s, facts_accepted = %(fa)s, facts_unchanged = %(fu)s, facts_returned = %(fr)s,
                ended = %(ended)s, findings = %(findings)s, done_rows = %(r)s, all_rows = %(r)s,
                reasons = (SELECT coalesce(jsonb_object_agg(reason, n), '{}') FROM (
                    SELECT reason, count(DISTINCT src_row) AS n FROM exchange.returned
                    WHERE delivery = %(id)s AND raised_by = %(id)s GROUP BY reason) x)
            WHERE id = %(id)s
            """,
            {"id": record.id, "mode": self.reading.mode, "ended": ended, "findings": _plain(text),
             "r": rows.delivered, "ra": rows.accepted, "ru": rows.unchanged, "rr": rows.returned,
             "f": facts.delivered, "fa": facts.accepted, "fu": facts.unchanged, "fr": facts.returned},
        )  # fmt: skip

    def _title(self) -> Text:
        known = records.titles(self.database)
        return known.get(self.record.department, Text(self.record.department, self.record.department))


def next_epoch(conn: psycopg.Connection[Any], register: str) -> int:
    """The number of the register's next recorded change, for whoever has its turn."""
    found = conn.execute(
        "SELECT coalesce(max(epoch), 0) + 1 FROM core.epoch WHERE register = %s", (register,)
    ).fetchone()
    assert found is not None
    return int(found[0])


def settle(database: Database, conn: psycopg.Connection[Any], register: Deliverable, by: int, epoch: int) -> Merged:
    """Fold what was touched, bring register and tasks to it; what is left to be done comes last of all."""
    fold.fold(conn, register)
    tables = Register.of(register.collection)
    today = now().date()
    ensure_month(conn, tables, today)
    _identify(conn, register, epoch)
    merged = merge(conn, register, Change(epoch, today))
    tasking.dispute(conn, register)
    tasking.settle(conn, register, by, records.titles(database))
    return merged


def _identify(conn: psycopg.Connection[Any], register: Deliverable, epoch: int) -> None:
    """Every entity that anybody ever spoke of has its identity."""
    if register.identifiers:
        known = "SELECT t.fid, to_hex(t.fid) AS key FROM touched t"
    else:
        known = (
            f'SELECT DISTINCT ON (c.fid) c.fid, c."{register.key}" AS key FROM {register.claims} c'
            " JOIN touched USING (fid) WHERE c.said"
        )
    identities = Register.of(register.collection).table("_id")
    conn.execute(
        f"INSERT INTO {identities} (fid, key, since) SELECT k.fid, k.key, %s FROM ({known}) k"
        f" WHERE NOT EXISTS (SELECT FROM {identities} i WHERE i.fid = k.fid)",
        (epoch,),
    )


def _plain(text: str) -> str:
    """JSON that PostgreSQL takes: without NUL."""
    return re.sub(r"(?<!\\)((?:\\\\)*)\\u0000", r"\1␀", text)
