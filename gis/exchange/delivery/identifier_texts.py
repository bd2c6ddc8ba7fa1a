"""Direct identifiers in words, for tasks that do not hold them: what a department wrote, and how others may see it.

A task about a name, a telephone or somebody's id number holds no value. The claims hold numbers for them, and one table
holds the texts that the numbers stand for: who was erased there is nameless here too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from gis.access.masking import masked
from gis.exchange.delivery.pseudonym import digests, secret
from gis.exchange.registers import PERSONS_DELIVERED, Deliverable
from gis.query.statement import Statement
from gis.store.database import Database

#: For these reasons a task is about two departments' values.
_COMPARED = ("conflict", "identity")

#: Entity, department, delivery.
Said = tuple[int, str, int]


def is_personal(declared: Deliverable, item: str) -> bool:
    """Whether an item names or identifies a person directly."""
    return item in {f.name for f in declared.identifiers} or declared.item(item).check == "person"


def hidden(declared: Deliverable, item: str, text: str | None) -> str | None:
    """A text as those may see it who have no right to it: direct identifiers masked, everything else as it is."""
    if text is None or not is_personal(declared, item):
        return text
    return masked("citizen_id" if declared.item(item).check in ("person", "citizen_id") else item, text)


def subject(declared: Deliverable, item: str, reason: str) -> str:
    """The item that a task is about, be it one for which the whole row was returned; empty where there is none."""
    return (declared.identity or "") if reason == "identity" else item


@dataclass(frozen=True, slots=True)
class Identifiers:
    """The texts that departments gave for identifiers, by who said it of whom and by item."""

    texts: Mapping[tuple[Said, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, database: Database, declared: Deliverable, tasks: Iterable[Mapping[str, Any]]) -> "Identifiers":
        """Those that some rows of `exchange.returned` leave out."""
        needed = set()
        for task in tasks:
            about = subject(declared, task["item"], task["reason"])
            if task["reason"] in _COMPARED and is_personal(declared, about):
                needed |= {said for said in (own(task), rival(task)) if None not in said}
        return cls(_texts(database, declared, needed)) if needed else cls()

    def text(self, said: tuple[Any, ...], item: str) -> str | None:
        """What was said of an item; None where nobody knows the words any more."""
        return self.texts.get((said, item))


def own(task: Mapping[str, Any]) -> tuple[Any, ...]:
    """Who said the word that was returned, of whom and where."""
    return task["fid"], task["department"], task["delivery"]


def rival(task: Mapping[str, Any]) -> tuple[Any, ...]:
    """Who said the word that prevails, of whom and where."""
    return task["fid"], task["rival_department"], task["rival_delivery"]


def _texts(database: Database, declared: Deliverable, needed: set[tuple[Any, ...]]) -> dict[tuple[Said, str], str]:
    named = [f.name for f in declared.identifiers[1:]]
    persons = [f.name for f in declared.collection.fields if declared.item(f.name).check == "person"]
    columns = ", ".join(f'c."{name}"' for name in (*named, *persons))
    # a delivery that repeated a word has no claim of its own: the one before it says what it said
    sql = (
        f"SELECT n.fid, n.department, n.delivery, {columns}"
        " FROM unnest(%s::bigint[], %s::text[], %s::integer[]) AS n(fid, department, delivery)"
        " JOIN exchange.delivery d ON d.id = n.delivery"
        f" CROSS JOIN LATERAL (SELECT * FROM {declared.claims} c WHERE c.fid = n.fid AND c.department = n.department"
        " AND (c.edition, c.delivery) <= (d.edition, d.id) AND (c.delivery = d.id OR NOT c.withdrawn)"
        " ORDER BY c.edition DESC, c.delivery DESC LIMIT 1) c"
    )
    keys = [list(part) for part in zip(*sorted(needed), strict=True)]
    rows = database.rows(Statement(sql, tuple(keys)))
    written = _written(database, declared, {row[0] for row in rows}) if named else {}
    ids = _ids(database, {n for row in rows for n in row[3 + len(named) :] if n is not None})
    found: dict[tuple[Said, str], str] = {}
    for row in rows:
        said = (row[0], row[1], row[2])
        found |= {
            (said, n): written[said[0], d] for n, d in zip(named, row[3:], strict=False) if (said[0], d) in written
        }
        found |= {(said, n): ids[p] for n, p in zip(persons, row[3 + len(named) :], strict=True) if p in ids}
    return found


def _written(database: Database, declared: Deliverable, fids: set[int]) -> dict[tuple[int, int], str]:
    """What departments wrote of these entities, by digest."""
    names = ", ".join(f'"{f.name}"' for f in declared.identifiers[1:])
    sql = f"SELECT fid, variants, {names} FROM {_table(declared)} WHERE fid = ANY(%s)"
    found: dict[tuple[int, int], str] = {}
    prevailing: list[tuple[int, str]] = []
    for fid, variants, *texts in database.rows(Statement(sql, (sorted(fids),))):
        found |= {(fid, int(digest)): text for digest, text in (variants or {}).items()}
        prevailing += [(fid, text) for text in texts if text is not None]
    if prevailing:
        with database.connection() as conn:
            key = secret(conn)
        numbers = digests(np.array([fid for fid, _ in prevailing], np.int64), pa.array([t for _, t in prevailing]), key)
        found |= {(fid, n): text for (fid, text), n in zip(prevailing, numbers.to_pylist(), strict=True)}
    return found


def _ids(database: Database, persons: set[int]) -> dict[int, str]:
    if not persons:
        return {}
    declared = PERSONS_DELIVERED
    sql = f'SELECT fid, "{declared.key}" FROM {_table(declared)} WHERE fid = ANY(%s)'
    return dict(database.rows(Statement(sql, (sorted(persons),))))


def _table(declared: Deliverable) -> str:
    return f'"{declared.collection.layer}"."{declared.collection.noun}_identifier"'
