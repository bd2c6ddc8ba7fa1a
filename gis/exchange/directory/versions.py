"""The directory in the database: any version of it read, and a new one written by what it changes."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, get_args, get_type_hints

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from gis.errors import NotFound
from gis.exchange.directory.entries import KINDS, Directory, Entry, directory_of, key_of

#: One directory file at a time.
_LOCK = "core.lock_key('directory', '')"


@dataclass(frozen=True, slots=True)
class Changed:
    """How many entries of a kind a file brought, changed and took away."""

    added: int = 0
    changed: int = 0
    removed: int = 0


def lock(conn: psycopg.Connection[Any]) -> None:
    """Wait until no other directory is being applied; until the end of the transaction."""
    conn.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")


def read(conn: psycopg.Connection[Any], version: int | None = None) -> Directory:
    """A version of the directory, the present one when none is named. Raises NotFound."""
    (latest,) = conn.execute("SELECT max(version) FROM exchange.directory_version").fetchone() or (0,)
    number = latest if version is None else version
    if not 0 <= number <= latest:
        raise NotFound(
            f"there is no version {number} of the directory; there are 0 to {latest}",
            f"目录没有第 {number} 版;现有第 0 至 {latest} 版",
            subject=str(number),
        )
    return directory_of(number, {kind: _entries(conn, kind, number) for kind in KINDS})


def write(conn: psycopg.Connection[Any], before: Directory, after: Directory) -> dict[type[Entry], Changed]:
    """Record what `after` changes, under its version; returns how much of each kind.

    The version itself is to be there already (see `record`), in the same transaction.
    """
    return {kind: _write_kind(conn, kind, before, after) for kind in KINDS}


def record(conn: psycopg.Connection[Any], version: int, file: str, sha256: str) -> None:
    """Open a version, made by a file of that name and digest."""
    conn.execute(
        "INSERT INTO exchange.directory_version (version, file, file_sha256, changes) VALUES (%s, %s, %s, '{}')",
        (version, file, sha256),
    )


def record_changes(conn: psycopg.Connection[Any], version: int, changes: Mapping[str, Any]) -> None:
    """Keep with a version how much it changed."""
    conn.execute(
        "UPDATE exchange.directory_version SET changes = %s WHERE version = %s", (Jsonb(dict(changes)), version)
    )


def differences(kind: type[Entry], before: Directory, after: Directory) -> Changed:
    """How two directories differ in entries of a kind."""
    old, new = before.entries(kind), after.entries(kind)
    return Changed(
        added=len(new.keys() - old.keys()),
        changed=sum(new[key] != old[key] for key in new.keys() & old.keys()),
        removed=len(old.keys() - new.keys()),
    )


def _write_kind(conn: psycopg.Connection[Any], kind: type[Entry], before: Directory, after: Directory) -> Changed:
    old, new = before.entries(kind), after.entries(kind)
    gone = [key for key, entry in old.items() if new.get(key) != entry]
    come = [entry for key, entry in new.items() if old.get(key) != entry]
    names = [f.name for f in fields(kind)]
    table = sql.Identifier("exchange", kind.table)
    close = sql.SQL("UPDATE {} SET to_version = %s WHERE to_version IS NULL AND {}").format(
        table, sql.SQL(" AND ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in kind.key)
    )
    insert = sql.SQL("INSERT INTO {} ({}, from_version) VALUES ({})").format(
        table, _columns(names), sql.SQL(", ").join([sql.Placeholder()] * (len(names) + 1))
    )
    with conn.cursor() as cursor:
        cursor.executemany(close, [(after.version, *key) for key in gone])
        cursor.executemany(insert, [(*_values(entry, names), after.version) for entry in come])
    return differences(kind, before, after)


def _entries(conn: psycopg.Connection[Any], kind: type[Entry], version: int) -> dict[tuple[str, ...], Entry]:
    names = [f.name for f in fields(kind)]
    query = sql.SQL(
        "SELECT {} FROM {} WHERE from_version <= %s AND (to_version IS NULL OR to_version > %s) ORDER BY {}"
    ).format(_columns(names), sql.Identifier("exchange", kind.table), _columns(kind.key))
    rows = conn.execute(query, (version, version)).fetchall()
    words = _words(kind)
    entries = [kind(**{n: _worded(words.get(n), v) for n, v in zip(names, row, strict=True)}) for row in rows]
    return {key_of(entry): entry for entry in entries}


def _columns(names: Any) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _values(entry: Entry, names: list[str]) -> list[Any]:
    values = [getattr(entry, name) for name in names]
    return [Jsonb(value) if isinstance(value, dict) else value for value in values]


def _words(kind: type[Entry]) -> dict[str, type[StrEnum]]:
    """The columns that hold a word of a closed list."""
    hints = {name: (hint, *get_args(hint)) for name, hint in get_type_hints(kind).items()}
    found = {n: [h for h in any_of if isinstance(h, type) and issubclass(h, StrEnum)] for n, any_of in hints.items()}
    return {name: words[0] for name, words in found.items() if words}


def _worded(word: type[StrEnum] | None, value: Any) -> Any:
    return word(value) if word is not None and value is not None else value
