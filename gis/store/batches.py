"""Rows as Arrow batches, made outside Python by the ADBC driver from PostgreSQL's binary COPY.

No row becomes a Python object and no lock of the interpreter is held while the database works, so that whoever answers
short questions in the same process does not wait for an export.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import errors
from psycopg.conninfo import make_conninfo

from gis.query.statement import Statement

#: At most so many rows in a batch, and about so many bytes: memory stays flat however many rows there are.
BATCH_ROWS, BATCH_BYTES = 10_000, 2_000_000
#: Answers as of the past are asked again when a change was being recorded at that very moment.
_ATTEMPTS = 5


class Batches:
    """The answer to one statement, batch after batch; `cancel` may be called from any thread, and ends it."""

    def __init__(self, url: str, sql: str, settings: str) -> None:
        import adbc_driver_postgresql.dbapi as adbc  # noqa: PLC0415  takes a second, for which no command should wait

        conninfo = make_conninfo(url, options=settings, application_name="onemap-export")
        self._connection = adbc.connect(conninfo, autocommit=True)
        try:
            self._cursor = self._connection.cursor()
            self._cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)})
            self._cursor.execute(sql)
            self._reader = self._cursor.fetch_record_batch()
            self._first = next(self._reader, None)
        except BaseException:
            self.close()
            raise

    @property
    def schema(self) -> pa.Schema:
        """Names and types as the database gives them."""
        return self._reader.schema

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The rows, once. Raises psycopg's errors."""
        batch, self._first = self._first, None
        while batch is not None:
            for start in range(0, batch.num_rows, BATCH_ROWS):
                yield batch.slice(start, BATCH_ROWS)
            with _as_psycopg():
                batch = next(self._reader, None)

    def cancel(self) -> None:
        """End the statement in the database."""
        # what has ended already cannot be cancelled
        with suppress(Exception):
            self._cursor.adbc_cancel()

    def close(self) -> None:
        """Close the connection; what was not read is not wanted."""
        for part in ("_reader", "_cursor", "_connection"):
            with suppress(Exception):
                getattr(self, part).close()


@contextmanager
def batches(url: str, sql: str, settings: str) -> Iterator[Batches]:
    """The batches of an SQL text, on a connection of their own with these settings. Raises psycopg's errors."""
    found = _opened(url, sql, settings)
    try:
        yield found
    finally:
        found.cancel()
        found.close()


def written_out(conn: psycopg.Connection[Any], statement: Statement) -> str:
    """The statement with its values written into it, quoted by the driver: COPY takes no parameters."""
    return psycopg.ClientCursor(conn).mogrify(statement.sql, statement.args)


def _opened(url: str, sql: str, settings: str) -> Batches:
    for attempt in range(_ATTEMPTS):
        try:
            with _as_psycopg():
                return Batches(url, sql, settings)
        except errors.SerializationFailure:
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError


@contextmanager
def _as_psycopg() -> Iterator[None]:
    """The driver's errors as those of the other driver, which are translated in one place."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise _during(error) from None
    except Exception as error:
        # ADBC's own errors, known by their code; another kind has none and goes on as it is
        if not hasattr(error, "sqlstate"):
            raise
        state = error.sqlstate or ""
        kind = errors.lookup(state) if state in _KNOWN else psycopg.OperationalError
        raise kind(_reason(error)) from None


def _during(error: Exception) -> psycopg.Error:
    """What ended a statement while its rows were read; Arrow keeps no code of it, only its words."""
    text = _reason(error)
    if "canceling statement" in text:
        return errors.QueryCanceled(text)
    return psycopg.DataError(text) if "PGRES_FATAL_ERROR" in str(error) else psycopg.OperationalError(text)


def _reason(error: Exception) -> str:
    """PostgreSQL's own sentence, without the SQL that ADBC adds."""
    _, _, said = str(error).partition("ERROR:")
    return (said or "the connection was lost").strip().splitlines()[0]


_KNOWN = frozenset(
    state
    for state in (getattr(kind, "sqlstate", None) for kind in vars(errors).values() if isinstance(kind, type))
    if state
)
