"""Statements as the reader's role runs them: behind the relations that the caller may read, with a signed scope.

What a statement reads is seen in its text, where every register's table stands as `"layer"."noun"`: so no statement can
be sent without its scope, and none is opened more than it names. Whoever asks is taken from the request, not from the
plan: were a plan made for somebody else by mistake, the database would not answer it.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from gis.access import Identity
from gis.access.rules import rules_for
from gis.access.scope import BLURRED, FIGURES, PARTLY, is_sensitive, level, scope, signed
from gis.catalog import Catalogue, Collection
from gis.errors import Forbidden
from gis.query.statement import Statement
from gis.store.wall import Mode
from gis.store.wall_roles import Reader
from gis.store.wall_tables import BLUR, EXACT, PARTS, SEEN, walled

#: A scope is renewed this often, and holds for as long again: what is begun with it need not be done by then.
RENEWED_S = 300
#: Tables of released figures, in whose place stands what the scope opens of them.
_RELEASED = {"access.release", "access.released"}
_NAMED = re.compile(r'"([a-z][a-z0-9]*)"\."([a-z][a-z0-9_]*)"')
_KEPT = 4_096


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads for whoever asks now, of what is declared now."""

    reader: Reader
    catalogue: Callable[[], Catalogue]
    identity: Callable[[], Identity]

    @classmethod
    def of(cls, reader: Reader, identity: Identity, catalogue: Catalogue) -> "Reading | None":
        """Reads for one caller, whoever asks now; None where there is no wall."""
        return cls(reader, lambda: catalogue, lambda: identity) if reader.mode != "none" else None

    def prepared(self, statement: Statement) -> tuple[Statement, str]:
        """The statement by the relations that the caller may read, and the scope that must stand when it runs."""
        catalogue, identity = self.catalogue(), self.identity()
        named, sql = _read(statement.sql, catalogue, identity, self.reader.mode)
        expiry_s = (int(time.time() + self.reader.ahead_s) // RENEWED_S + 2) * RENEWED_S
        text = _signed(self.reader.key, scope(catalogue, identity, named), expiry_s)
        return (statement if sql == statement.sql else Statement(sql, statement.args)), text


@lru_cache(maxsize=_KEPT)
def _signed(key: bytes, opened: str, expiry_s: int) -> str:
    return signed(key, opened, expiry_s)


@lru_cache(maxsize=_KEPT)
def _read(sql: str, catalogue: Catalogue, identity: Identity, mode: Mode) -> tuple[frozenset[str], str]:
    """The collections that a statement names, and the statement with the caller's relations in their tables' place."""
    tables = _tables(catalogue)
    written = {f"{schema}.{table}" for schema, table in _NAMED.findall(sql)}
    named = frozenset(tables[name].id for name in written if name in tables)
    if not written.isdisjoint(_RELEASED):
        named |= {FIGURES}

    def instead(found: "re.Match[str]") -> str:
        name = f"{found[1]}.{found[2]}"
        if name in _RELEASED:
            return f'"{found[1]}"."{found[2]}_told"'
        collection = tables.get(name)
        if collection is None:
            return found[0]
        return f'"{found[1]}"."{found[2]}{_view(collection, identity, found[2], mode)}"'

    return named, _NAMED.sub(instead, sql)


@lru_cache(maxsize=64)
def _tables(catalogue: Catalogue) -> dict[str, Collection]:
    """The collection of each table that plans name, by `schema.table`."""
    return {
        f"{collection.layer}.{name}": collection
        for collection in catalogue
        for name in (*(t.name for t in walled(collection)), f"{collection.noun}_all")
    }


def _view(collection: Collection, identity: Identity, table: str, mode: Mode) -> str:
    """What the name of a table ends with for somebody; who may see nothing reads views that are not open."""
    if mode == "rows" and not is_sensitive(collection):
        return ""
    try:
        rules = rules_for(identity, collection)
    except Forbidden:
        return EXACT
    by = level(rules, collection)
    if by != BLURRED:
        return SEEN if by == PARTLY else EXACT
    if table not in {f"{collection.noun}{part}" for part in (*PARTS, "_all")}:
        return EXACT  # of what is told without places there are no sums
    return f"{BLUR}{rules.precision}" if isinstance(rules.precision, int) else BLUR
