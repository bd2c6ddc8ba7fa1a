"""The directory as it is, or as it was in an earlier version."""

from gis.exchange.directory import versions
from gis.exchange.directory.entries import Directory
from gis.query.statement import Statement
from gis.store.database import Database
from gis.text import Text


def directory(database: Database, version: int | None = None) -> Directory:
    """The whole directory in a version; the present one when none is named. Raises NotFound.

    Version 0 is what the platform brings: the departments that its own registers name.
    """
    with database.connection() as conn, conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return versions.read(conn, version)


def departments(database: Database) -> dict[str, Text]:
    """The departments of the present directory by code, with their names."""
    rows = database.rows(
        Statement("SELECT code, title_zh, title_en FROM exchange.department WHERE to_version IS NULL ORDER BY code")
    )
    return {code: Text(zh, en or zh) for code, zh, en in rows}


def counts(database: Database) -> dict[str, int]:
    """How many departments, classes and items the present directory has, counted now."""
    rows = database.rows(
        Statement(
            "SELECT (SELECT count(*) FROM exchange.department WHERE to_version IS NULL),"
            " (SELECT count(*) FROM exchange.information_class WHERE to_version IS NULL),"
            " (SELECT count(*) FROM exchange.data_item WHERE to_version IS NULL)"
        )
    )
    return dict(zip(("departments", "classes", "items"), map(int, rows[0]), strict=True))
