"""The end of a delivery: the rows that could not be taken become tasks, and what became of all rows goes on record."""

import json
from dataclasses import asdict, dataclass
from typing import Any

import psycopg

from gis.exchange.delivery import accounts, answering, fold, repeated, tasking
from gis.exchange.delivery.account import Account
from gis.exchange.delivery.reading import Reading, reason_of
from gis.exchange.delivery.records import Record
from gis.exchange.delivery.traces import HELD_BACK
from gis.exchange.delivery.words import Ints, among
from gis.exchange.registers import Deliverable
from gis.exchange.report import decisions, noted, stored_json
from gis.query.span import SHANGHAI, now
from gis.text import Text


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the rows that could be taken: accounts of those compared; entities and numbers of those that
    repeat.

    `ended` counts entities that a full delivery lacks.
    """

    rows: Account
    facts: Account
    repeats: Ints
    repeated_rows: Ints
    repeated_facts: int
    ended: int = 0


@dataclass(frozen=True, slots=True)
class Closing:
    """The last statements of a delivery before its change is recorded; `source` is the department's title."""

    conn: psycopg.Connection[Any]
    register: Deliverable
    record: Record
    reading: Reading
    source: Text

    def close(self, outcome: Outcome) -> None:
        """Return the refused rows, close the tasks that the delivery answers, and put its account on record."""
        conn, record, reading = self.conn, self.record, self.reading
        repeated.keep(conn, record.id, outcome.repeats, outcome.repeated_rows)
        refused = self._return_refused()
        answered = [task for row, task in reading.answered.items() if row not in refused]
        asked = tasking.asked(conn, record.register, record.department)
        fold.touch(
            conn, "SELECT unnest(%(fids)s::bigint[])", {"fids": outcome.repeats[among(outcome.repeats, asked)].tolist()}
        )
        answering.answer(conn, self.register, record.place, reading.mode, answered)
        if refused:
            answering.answer_from_later(conn, self.register, record.place)
        refused_facts = sum(reading.refused.facts.get(row, 0) for row in refused)
        rows = accounts.added(outcome.rows, _unchanged(len(outcome.repeats)), _returned(len(refused)))
        facts = accounts.added(outcome.facts, _unchanged(outcome.repeated_facts), _returned(refused_facts))
        self._keep(rows, facts, outcome.ended)

    def _return_refused(self) -> set[int]:
        """Rows that could not be taken, as tasks; the values of direct identifiers are not kept."""
        hidden = {f.name for f in self.register.identifiers} | {
            name for name, item in self.register.items.items() if item.check == "person" or item.written
        }
        hidden |= {i.written.name for i in self.register.items.values() if i.written}
        record, rejects, refused = self.record, self.reading.source.findings.rejects, self.reading.refused
        due = now().astimezone(SHANGHAI).date() + tasking.DUE
        traces = refused.traces.by_owner()
        with self.conn.cursor() as cursor, cursor.copy(
            "COPY exchange.returned (register, department, delivery, src_row, item, reason, text_zh, text_en, value,"
            " raised_by, due_on, fid, traces) FROM STDIN"
        ) as copy:  # fmt: skip
            for r in rejects:
                value = None if r.field in hidden or not r.value else r.value.replace("\0", "␀")
                held = HELD_BACK if r.row in self.reading.held_back else ("", "")
                copy.write_row(
                    (record.register, record.department, record.id, r.row, r.field, reason_of(r.reason),
                     r.text.zh + held[0], r.text.en + held[1], value, record.id, due, refused.silent.get(r.row),
                     traces.get(r.row))
                )  # fmt: skip
        return {r.row for r in rejects}

    def _keep(self, rows: Account, facts: Account, ended: int) -> None:
        record, findings = self.record, self.reading.source.findings
        found = {"decisions": decisions(findings), "notes": noted(self.reading.notes)}
        text = stored_json(found)
        self.conn.execute(
            "INSERT INTO core.load (id, collection, dataset, file, file_sha256, source, licence, findings, counts)"
            " OVERRIDING SYSTEM VALUE VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (record.id, record.register, record.department, record.path.name, record.sha256,
             json.dumps(self.source.as_dict()), self.register.collection.licence, text,
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
            {"id": record.id, "mode": self.reading.mode, "ended": ended, "findings": text,
             "r": rows.delivered, "ra": rows.accepted, "ru": rows.unchanged, "rr": rows.returned,
             "f": facts.delivered, "fa": facts.accepted, "fu": facts.unchanged, "fr": facts.returned},
        )  # fmt: skip


def _unchanged(count: int) -> Account:
    return Account(count, 0, count, 0)


def _returned(count: int) -> Account:
    return Account(count, 0, 0, count)
