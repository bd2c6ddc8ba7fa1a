"""Publications as they stand on record."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from gis.errors import NotFound
from gis.query.span import instant_text
from gis.query.statement import Statement
from gis.store.database import Database

STATES = ("proposed", "refused", "published", "replaced", "withdrawn")
#: The version of all that is published: whatever changes it has a higher one.
VERSION = Statement("SELECT coalesce(max(version), 0) FROM base.publication")
_COLUMNS = (
    "id, name, source, document, state, proposed_by, proposed_at, reviewed_by, reviewed_at, reason, refreshed_at,"
    " source_epoch, rows, version"
)


@dataclass(frozen=True, slots=True)
class Publication:
    """A proposal, and what became of it. `source_epoch` is the record of the source of which the copy was made."""

    id: int
    name: str
    source: str
    document: Mapping[str, Any]
    state: str
    proposed_by: str
    proposed_at: datetime
    reviewed_by: str | None
    reviewed_at: datetime | None
    reason: str
    refreshed_at: datetime | None
    source_epoch: int | None
    rows: int | None
    version: int

    @property
    def collection(self) -> str:
        """The id of the copy."""
        return f"open.{self.name}"

    def as_dict(self) -> dict[str, Any]:
        """As JSON carries it, for those who work here."""
        told = {name: getattr(self, name) for name in self.__slots__}
        times = {name: value and instant_text(value) for name, value in told.items() if name.endswith("_at")}
        return {**told, **times, "document": dict(self.document), "collection": self.collection}

    def public(self) -> dict[str, Any]:
        """What anyone may know of a copy that is published."""
        said = ("title", "description", "terms", "scope", "licence", "precision")
        return {
            "collection": self.collection,
            **{name: self.document.get(name) for name in said},
            "refreshed_at": self.refreshed_at and instant_text(self.refreshed_at),
            "rows": self.rows,
        }


def one(conn: psycopg.Connection[Any], number: int) -> Publication:
    """The publication of a number. Raises NotFound."""
    row = conn.execute(f"SELECT {_COLUMNS} FROM base.publication WHERE id = %s", (number,)).fetchone()  # noqa: S608
    if row is None:
        raise NotFound(f"there is no publication {number}", f"没有公开申请 {number}", subject=str(number))
    return Publication(*row)


def publication(database: Database, number: int) -> Publication:
    """The publication of a number. Raises NotFound."""
    with database.connection() as conn:
        return one(conn, number)


def publications(database: Database, state: str | None = None) -> list[Publication]:
    """Those in a state, or all, the newest first."""
    sql = f"SELECT {_COLUMNS} FROM base.publication WHERE %s::text IS NULL OR state = %s ORDER BY id DESC"  # noqa: S608
    return [Publication(*row) for row in database.rows(Statement(sql, (state, state)))]


def changed(conn: psycopg.Connection[Any], number: int, **values: Any) -> Publication:
    """Write down what became of a publication, under a new version; the names are columns."""
    sets = ", ".join(f"{name} = %({name})s" for name in values)
    conn.execute(
        f"UPDATE base.publication SET {sets}, version = nextval('base.publication_version') WHERE id = %(id)s",  # noqa: S608
        {**values, "id": number},
    )
    return one(conn, number)
