"""Policies that were adjusted by data: each change a row that stays, with who made it, when and why.

What is adjusted replaces the whole policy that the code declares for a collection; `reset` brings that back.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from gis.access.policy_document import policy_document, read_policy
from gis.access.rules import policy_of
from gis.catalog import Catalogue, Collection, Policy
from gis.errors import BadInput, Stale
from gis.query.statement import Statement
from gis.store.database import Database

#: The version of all policies: a change of any of them is a higher one.
VERSION = Statement("SELECT coalesce(max(version), 0) FROM access.policy")
#: Changes are numbered in the order of their commits.
_LOCK = 0x706F6C696379
#: Whether the version of a collection's policy that holds, 0 where it was never adjusted, is the one that is meant.
Meant = Callable[[int], bool]
_NEWEST = "SELECT DISTINCT ON (collection) collection, document FROM access.policy ORDER BY collection, version DESC"


def _whichever(_: int) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """One change: the document that holds from then on, None for the declared policy."""

    version: int
    collection: str
    document: dict[str, Any] | None
    changed_by: str
    why: str
    changed_at: datetime

    def as_dict(self) -> dict[str, Any]:
        """As JSON carries it, times being datetimes."""
        return {name: getattr(self, name) for name in self.__slots__}


def with_policies(catalogue: Catalogue, database: Database) -> Catalogue:
    """The catalogue with the policies that were adjusted in the place of those declared.

    A document that fits its collection no longer (a field has gone) closes the collection to everybody but the owner:
    it was to narrow or to widen something, and which of both cannot be known.
    """
    documents = {str(name): document for name, document in database.rows(Statement(_NEWEST)) if document is not None}
    return _replaced(catalogue, documents) if documents else catalogue


def in_force(conn: psycopg.Connection[Any], collections: Iterable[Collection]) -> list[Collection]:
    """Collections with the policies that hold for them, as `with_policies` has them."""
    documents = {str(name): document for name, document in conn.execute(_NEWEST) if document is not None}
    return [replace(c, policy=_read(documents[c.id], c)) if c.id in documents else c for c in collections]


def put(
    conn: psycopg.Connection[Any], collection: Collection, document: Any, by: str, why: str, meant: Meant = _whichever
) -> PolicyChange:
    """Let a policy, given as a document, hold for a collection.

    `meant` tells of a collection's version whether it is the one to be replaced. Raises BadInput naming what is wrong
    with the document, Stale.
    """
    read_policy(document, collection)
    return _write(conn, collection, document, (by, why), meant)


def reset(
    conn: psycopg.Connection[Any], collection: Collection, by: str, why: str, meant: Meant = _whichever
) -> PolicyChange:
    """Let the policy that the code declares hold again. Raises BadInput where no reason is given, Stale."""
    return _write(conn, collection, None, (by, why), meant)


def history(conn: psycopg.Connection[Any], collection: str | None = None) -> list[PolicyChange]:
    """The changes of one collection's policy or of all, the newest first."""
    rows = conn.execute(
        "SELECT version, collection, document, changed_by, why, changed_at FROM access.policy"
        " WHERE %(collection)s::text IS NULL OR collection = %(collection)s ORDER BY version DESC",
        {"collection": collection},
    )
    return [PolicyChange(*row) for row in rows]


def shown(collection: Collection) -> dict[str, Any]:
    """The policy that holds for a collection of a catalogue, as a document that `put` takes."""
    return policy_document(policy_of(collection))


def newest(conn: psycopg.Connection[Any]) -> dict[str, PolicyChange]:
    """The last change of each collection's policy; where it holds no document the declared policy does."""
    rows = conn.execute(
        "SELECT DISTINCT ON (collection) version, collection, document, changed_by, why, changed_at"
        " FROM access.policy ORDER BY collection, version DESC"
    )
    return {row[1]: PolicyChange(*row) for row in rows}


def _write(
    conn: psycopg.Connection[Any], collection: Collection, document: Any, whose: tuple[str, str], meant: Meant
) -> PolicyChange:
    by, why = whose
    if not why.strip():
        raise BadInput("a change of policy needs a reason", "修改策略须说明理由", subject="why")
    with conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        _check_meant(conn, collection, meant)
        row = conn.execute(
            "INSERT INTO access.policy (collection, document, changed_by, why) VALUES (%s, %s, %s, %s)"
            " RETURNING version, collection, document, changed_by, why, changed_at",
            (collection.id, None if document is None else Jsonb(document), by, why.strip()),
        ).fetchone()
    assert row is not None
    return PolicyChange(*row)


def _check_meant(conn: psycopg.Connection[Any], collection: Collection, meant: Meant) -> None:
    row = conn.execute("SELECT max(version) FROM access.policy WHERE collection = %s", (collection.id,)).fetchone()
    if not meant(row[0] or 0 if row else 0):
        raise Stale(
            f"the policy of {collection.id} has changed meanwhile; read it again",
            f"{collection.id} 的策略已被修改,请重新读取",
            subject="If-Match",
        )


def _replaced(catalogue: Catalogue, documents: dict[str, Any]) -> Catalogue:
    def collections(those: Iterable[Collection]) -> tuple[Collection, ...]:
        return tuple(replace(c, policy=_read(documents[c.id], c)) if c.id in documents else c for c in those)

    return Catalogue(replace(layer, collections=collections(layer.collections)) for layer in catalogue.layers)


def _read(document: Any, collection: Collection) -> Policy:
    try:
        return read_policy(document, collection)
    except BadInput:
        return Policy(())
