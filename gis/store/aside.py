"""A copy of an empty table, filled and indexed beside it and put in its place at the end."""

from dataclasses import dataclass
from typing import Any

import psycopg

_SUFFIX = "__new"


@dataclass(frozen=True, slots=True)
class Aside:
    """The copy of one table in the making; the table itself is empty and is read meanwhile."""

    schema: str
    name: str

    @property
    def table(self) -> str:
        """The quoted name of the table."""
        return f'"{self.schema}"."{self.name}"'

    @property
    def copy(self) -> str:
        """The quoted name of its copy."""
        return f'"{self.schema}"."{self.name}{_SUFFIX}"'

    def make(self, conn: psycopg.Connection[Any]) -> None:
        """The copy, bare: what is put in by COPY in the same transaction needs no write-ahead log."""
        conn.execute(f"CREATE TABLE {self.copy} (LIKE {self.table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")

    def index(self, conn: psycopg.Connection[Any]) -> None:
        """The indexes that the table has, built on the copy; and what the planner has to know of it."""
        for name, how, unique, _ in self._indexes(conn):
            conn.execute(f'CREATE {"UNIQUE " * unique}INDEX "{name}{_SUFFIX}" ON {self.copy} USING {how}')
        conn.execute(f"ANALYZE {self.copy}")

    def replace(self, conn: psycopg.Connection[Any]) -> None:
        """Put the copy in the table's place; readers wait until the transaction ends."""
        indexes = self._indexes(conn)
        conn.execute(f"DROP TABLE {self.table}")
        conn.execute(f'ALTER TABLE {self.copy} RENAME TO "{self.name}"')
        for name, _, _, primary in indexes:
            made = f'"{name}{_SUFFIX}"'
            if primary:
                conn.execute(f'ALTER TABLE {self.table} ADD CONSTRAINT "{name}" PRIMARY KEY USING INDEX {made}')
            else:
                conn.execute(f'ALTER INDEX "{self.schema}".{made} RENAME TO "{name}"')

    def drop(self, conn: psycopg.Connection[Any]) -> None:
        """Without the copy, where one was left."""
        conn.execute(f"DROP TABLE IF EXISTS {self.copy}")

    def _indexes(self, conn: psycopg.Connection[Any]) -> list[tuple[str, str, bool, bool]]:
        """Name, method with columns, whether unique, whether the primary key: of each of the table's indexes."""
        found = conn.execute(
            "SELECT c.relname, pg_get_indexdef(i.indexrelid), i.indisunique, i.indisprimary"
            " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = %s::regclass"
            " ORDER BY i.indisprimary DESC, c.relname",
            (self.table,),
        ).fetchall()
        return [(name, definition.partition(" USING ")[2], unique, first) for name, definition, unique, first in found]
