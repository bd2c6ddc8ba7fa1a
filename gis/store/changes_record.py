"""The log of a register's changes, as a thing derived from it: triggers that write to `core.change`.

They see every writer: loads, deliveries, psql, QGIS. A statement costs one look at the boxes of the rows that it wrote,
however many they are; a register that is swapped in counts as changed as a whole.
"""

from typing import Any

import psycopg

from gis.catalog import Collection
from gis.store.tables import Register

_TRIGGERS = (
    ("change_insert", "INSERT", "REFERENCING NEW TABLE AS new_rows", "record_insert"),
    ("change_update", "UPDATE", "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows", "record_update"),
    ("change_delete", "DELETE", "REFERENCING OLD TABLE AS old_rows", "record_delete"),
    ("change_truncate", "TRUNCATE", "", "record_whole"),
)
#: What is on record is only ever added to, as open rows go; whoever changes it otherwise changes old answers.
_PAST_TRIGGER = ("change_past", "UPDATE OR DELETE OR TRUNCATE", "", "record_whole")


class ChangeLog:
    """One of `derived.DERIVED`: every register has it."""

    kind = "changes"

    def digest(self, collection: Collection) -> str | None:
        """How the triggers are made; nothing about them is declared."""
        return "1"

    def tables(self, collection: Collection) -> tuple[str, ...]:
        """None of its own."""
        return ()

    def install(self, conn: psycopg.Connection[Any], collection: Collection) -> None:
        """Put the triggers on the register."""
        self._watch_open(conn, collection)
        _create(conn, collection, Register.of(collection).table("_past"), _PAST_TRIGGER)

    def remove(self, conn: psycopg.Connection[Any], collection: Collection, suffix: str = "") -> None:
        """Take the triggers away; a copy has none."""
        if suffix:
            return
        register = Register.of(collection)
        for table, triggers in ((register.table(), _TRIGGERS), (register.table("_past"), (_PAST_TRIGGER,))):
            for name, *_ in triggers:
                conn.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")

    def copy(self, conn: psycopg.Connection[Any], collection: Collection, suffix: str) -> None:
        """Nothing: what is made beside the readers is not seen by them."""

    def swap(self, conn: psycopg.Connection[Any], collection: Collection, suffix: str) -> None:
        """Watch the new table, and say that everything may be different."""
        self._watch_open(conn, collection)
        conn.execute("INSERT INTO core.change (register, key) VALUES (%s, 1) ON CONFLICT DO NOTHING", (collection.id,))

    def _watch_open(self, conn: psycopg.Connection[Any], collection: Collection) -> None:
        for trigger in _TRIGGERS:
            _create(conn, collection, Register.of(collection).table(), trigger)


def _create(
    conn: psycopg.Connection[Any], collection: Collection, table: str, trigger: tuple[str, str, str, str]
) -> None:
    name, event, rows, function = trigger
    conn.execute(
        f"CREATE TRIGGER {name} AFTER {event} ON {table} {rows} FOR EACH STATEMENT"
        f" EXECUTE FUNCTION core.{function}('{collection.id}')"
    )
