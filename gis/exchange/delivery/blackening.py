"""Texts of the database in which a person to be forgotten may stand: found, and blackened."""

import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg import sql

from gis.exchange.delivery.redaction import BLACK, Forgotten
from gis.exchange.registers import PERSONS_DELIVERED

_PERSONS = PERSONS_DELIVERED
#: Where no text is looked for: nothing but numbers stands there, or what may not be changed afterwards.
_APART = ("pg_catalog", "information_schema", "pg_toast", "public", "access")
_TEXTS = ("text", "character varying", "jsonb", "json")


def blacken(conn: psycopg.Connection[Any], whom: Forgotten, *, dry: bool) -> dict[str, int]:
    """Blacken id number and telephone in whatever text of the database holds them, a name in tasks and reports alone.

    The same mark stands for the person everywhere, so that what was equal stays equal. Returns in how many rows, by
    column; with `dry` nothing is changed.
    """
    mark = f"{BLACK}{secrets.token_hex(4)}"
    found_in: dict[str, int] = {}
    for table, column, kind, words in _columns(conn, whom):
        test, args = _test(column, words)
        if dry:
            found = conn.execute(sql.SQL("SELECT count(*) FROM {} WHERE {}").format(table, test), args).fetchone()
            count = found[0] if found else 0
        else:
            changed: sql.Composable = sql.SQL("{}::text").format(sql.Identifier(column))
            for word in words:
                changed = sql.SQL("replace({}, {}, {})").format(changed, sql.Literal(word), sql.Literal(mark))
            count = conn.execute(
                sql.SQL("UPDATE {} SET {} = ({})::{} WHERE {}").format(
                    table, sql.Identifier(column), changed, sql.SQL(kind), test
                ),
                args,
            ).rowcount
        if count:
            found_in[f"{table.as_string(conn)}.{column}"] = count
    return found_in


def standing(conn: psycopg.Connection[Any], whom: Forgotten) -> Iterator[tuple[str, int]]:
    """Columns that still hold what they should not."""
    for table, column, _, words in _columns(conn, whom):
        test, args = _test(column, words)
        found = conn.execute(sql.SQL("SELECT count(*) FROM {} WHERE {}").format(table, test), args).fetchone()
        if found and found[0]:
            yield f"{table.as_string(conn)}.{column}", found[0]


_Column = tuple[sql.Composable, str, str, list[str]]


def _columns(conn: psycopg.Connection[Any], whom: Forgotten) -> Iterator[_Column]:
    """Every column of text, its type, and the words that are not to stand in it."""
    rows = conn.execute(
        "SELECT c.table_schema, c.table_name, c.column_name, c.data_type FROM information_schema.columns c"
        " JOIN pg_class t ON t.oid = format('%%I.%%I', c.table_schema, c.table_name)::regclass"
        " WHERE t.relkind IN ('r', 'p') AND NOT t.relispartition AND c.data_type = ANY(%s)"
        " AND NOT c.table_schema = ANY(%s) AND (c.table_schema, c.table_name) <> (%s, %s) ORDER BY 1, 2, 3",
        (list(_TEXTS), list(_APART), _PERSONS.collection.layer, f"{_PERSONS.collection.noun}_identifier"),
    ).fetchall()
    ids = sorted(whom.ids, key=len, reverse=True)
    for schema, table, column, kind in rows:
        is_report = (schema, table) in _REPORTS
        yield sql.Identifier(schema, table), column, kind, [*ids, *(sorted(whom.names) if is_report else [])]


#: Tables whose texts may quote what a file held.
_REPORTS = {("exchange", "returned"), ("exchange", "delivery"), ("core", "load"), ("core", "load_reject")}


def _test(column: str, words: Sequence[str]) -> tuple[sql.Composable, list[str]]:
    one = sql.SQL("strpos({}::text, %s) > 0").format(sql.Identifier(column))
    return sql.SQL(" OR ").join([one] * len(words)), list(words)
