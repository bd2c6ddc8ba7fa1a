"""One feature changed at a time: under the register's lock, recorded as a load records, the row before it kept."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from gis.catalog import Collection
from gis.query import geojson
from gis.store import load_lock
from gis.store.tables import Register
from gis.store.versions import Changes, ensure_month
from gis.text import Text

#: The series of editions to which single changes belong; no later edition of a file closes what they recorded.
DATASET = "edits"


@dataclass(frozen=True, slots=True)
class OpenRow:
    """An open row of a feature in the city as it is: its bounds (None: none), its division, whether it is valid now."""

    valid_from: Any
    valid_to: Any
    division: int | None
    is_now: bool


@dataclass(frozen=True, slots=True)
class Edit:
    """One change under way, in its transaction."""

    conn: psycopg.Connection[Any]
    collection: Collection
    load: int
    epoch: int

    @property
    def register(self) -> Register:
        """The collection's tables."""
        return Register.of(self.collection)

    def state(self, fid: int) -> str | None:
        """The feature's state, as its entity tag has it; None where there is no such feature."""
        asked = geojson.feature_state(self.collection, fid)
        row = self.conn.execute(asked.sql, asked.args).fetchone()
        return row[0] if row else None

    def open_rows(self, fid: int) -> list[OpenRow]:
        """The feature's open rows, earliest first."""
        found = self.conn.execute(
            "SELECT nullif(valid_from, '-infinity'), nullif(valid_to, 'infinity'), division,"
            f" valid_from <= now() AND valid_to > now() FROM {self.register.table()}"
            " WHERE fid = %s AND scenario = 0 ORDER BY valid_from",
            (fid,),
        )
        return [OpenRow(*row) for row in found]

    def close(self, fid: int, today: date, row: OpenRow | None = None) -> int:
        """Close the record of a feature's rows, or of one of them; returns how many."""
        ensure_month(self.conn, self.register, today)
        columns, only = self.register.column_list, "" if row is None else " AND valid_from = %(start)s"
        start = "-infinity" if row is None or row.valid_from is None else row.valid_from
        return self.conn.execute(
            f"WITH closing AS (DELETE FROM {self.register.table()} WHERE fid = %(fid)s AND scenario = 0{only}"
            f" RETURNING {columns}) INSERT INTO {self.register.table('_past')} ({columns}, rec_to, closed_on)"
            f" SELECT {columns}, %(epoch)s, %(today)s FROM closing",
            {"fid": fid, "start": start, "epoch": self.epoch, "today": today},
        ).rowcount

    def record(self, changes: Changes, *, by: Text, sha256: str) -> None:
        """Put the change on record, last of all before the commit."""
        counts: Mapping[str, int] = {
            "rows": 1, "new": changes.new, "changed": changes.changed, "closed": changes.closed, "rejected": 0,
        }  # fmt: skip
        self.conn.execute(
            "INSERT INTO core.load (id, collection, dataset, file, file_sha256, source, licence, counts)"
            " OVERRIDING SYSTEM VALUE VALUES (%s, %s, %s, '', %s, %s, %s, %s)",
            (self.load, self.collection.id, DATASET, sha256, json.dumps(by.as_dict()), self.collection.licence,
             json.dumps(counts)),
        )  # fmt: skip
        self.conn.execute("SELECT core.stamp(%s, %s, %s)", (self.collection.id, self.epoch, self.load))


@contextmanager
def editing(conn: psycopg.Connection[Any], collection: Collection) -> Iterator[Edit]:
    """A change of a register, in a transaction that nothing else loads beside. Raises Conflict."""
    with conn.transaction():
        load_lock.take(conn, collection.id)
        found = conn.execute(
            "SELECT nextval(pg_get_serial_sequence('core.load', 'id')),"
            " (SELECT coalesce(max(epoch), 0) + 1 FROM core.epoch WHERE register = %s)",
            (collection.id,),
        ).fetchone()
        assert found is not None
        yield Edit(conn, collection, int(found[0]), int(found[1]))
