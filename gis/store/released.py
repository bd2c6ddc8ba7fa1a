"""Releases of anonymous figures in the database: made once for each set date, from the register as it is then.

What a release says is settled in `gis.access.release`; here its parts are read and kept. Making one takes seconds at a
million persons: one grouping of the register, and the rest in arrays.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import psycopg
from psycopg.types.json import Jsonb

from gis.access.anonymity import UNTOLD, Places, joined
from gis.access.release import Counted, Release, Told, chain, set_date
from gis.access.rules import coarse_fields
from gis.catalog import Anonymous, Collection
from gis.geo.cells import parent_sql
from gis.query.span import SHANGHAI, Span
from gis.store.database import Database, connect, translated
from gis.store.tables import Register

_LOCK = 0x616E6F6E


def ensure(database: Database, collection: Collection, moment: datetime | None = None, *, again: bool = False) -> date:
    """That the release of the set date that holds now is made; returns that date. Raises Unavailable.

    It is looked up once, and `again` where somebody may have taken it back.
    """
    day, asked = _due(database, collection, moment)
    if again or _KNOWN.get(asked) != day:
        with database.connection() as conn:
            found = conn.execute(_NEWEST, (collection.id,)).fetchone()
        if found is None or found[0] < day or not _covers(found[1], collection):
            with translated(), connect(database.url) as conn:
                if not make(conn, collection, day) and found is None:
                    return day
        _KNOWN[asked] = day
    return day


def is_known(database: Database, collection: Collection, moment: datetime | None = None) -> bool:
    """Whether `ensure` would have nothing to look up."""
    day, asked = _due(database, collection, moment)
    return _KNOWN.get(asked) == day


_Asked = tuple[str, str, tuple[Anonymous, ...]]
#: The set date whose release is known to be there, by database, collection and what its policy asks for.
_KNOWN: dict[_Asked, date] = {}


def _due(database: Database, collection: Collection, moment: datetime | None) -> tuple[date, _Asked]:
    day = set_date((moment or datetime.now(UTC)).astimezone(SHANGHAI).date())
    return day, (database.url, collection.id, chain(collection))


_NEWEST = (
    "SELECT max(on_date), array_agg(ARRAY[k, resolution, diversity]) FILTER (WHERE on_date = (SELECT max(on_date)"
    " FROM access.release WHERE collection = r.collection)) FROM access.release r WHERE collection = %s"
    " GROUP BY collection"
)


def make(conn: psycopg.Connection[Any], collection: Collection, day: date) -> list[Anonymous]:
    """Release the figures of a set date, in a transaction; returns those made, none where they were there."""
    with conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_LOCK, collection.id))
        stored = _Stored.read(conn, collection)
        if stored.day is not None and (stored.day > day or (stored.day == day and not stored.wanting)):
            return []
        conn.execute("SET LOCAL work_mem = '256MB'")
        if stored.day == day:
            return stored.add_ranks(conn)
        return stored.advance(conn, day)


def forget(conn: psycopg.Connection[Any], collection: str) -> int:
    """Take back all releases of a collection, so that the next one parts it anew; returns how many there were.

    Whoever kept the old figures can compare them with the new ones: what is told of few may then be found out.
    """
    with conn.transaction():
        gone = conn.execute("DELETE FROM access.release WHERE collection = %s", (collection,)).rowcount
        for table in ("release_atom", "release_key", "released"):
            conn.execute(f"DELETE FROM access.{table} WHERE collection = %s", (collection,))
    for known in [known for known in _KNOWN if known[1] == collection]:
        del _KNOWN[known]
    return gone


def anonymous(collections: Iterable[Collection]) -> list[Collection]:
    """Those of which somebody is told counts alone."""
    return [collection for collection in collections if chain(collection)]


def _covers(schemes: Sequence[Sequence[int]], collection: Collection) -> bool:
    kept = [Anonymous(resolution, k, diversity) for k, resolution, diversity in schemes]
    return not _wanting(kept, collection)


def _wanting(kept: Sequence[Anonymous], collection: Collection) -> list[Anonymous]:
    """What the policy asks for and no release grants, as releases that can be made of the coarsest."""
    found = list(kept)
    for one in chain(collection):
        if not any(serves(there, one) for there in found):
            above = found[-1] if found else one
            found.append(
                Anonymous(
                    min(one.resolution, above.resolution), max(one.k, above.k), max(one.diversity, above.diversity)
                )
            )
    return found[len(kept) :]


def serves(there: Anonymous, wanted: Anonymous) -> bool:
    """Whether a release tells no more than somebody may be told."""
    return there.k >= wanted.k and there.resolution <= wanted.resolution and there.diversity >= wanted.diversity


@dataclass(frozen=True, slots=True)
class _Stored:
    """The newest release of a collection: its set date, its ranks, and the codes of its labels."""

    collection: Collection
    day: date | None
    schemes: list[Anonymous]
    fields: tuple[str, ...]
    codes: tuple[dict[str | None, int], ...]

    @classmethod
    def read(cls, conn: psycopg.Connection[Any], collection: Collection) -> "_Stored":
        rows = conn.execute(
            "SELECT on_date, resolution, k, diversity, fields FROM access.release WHERE collection = %s"
            " AND on_date = (SELECT max(on_date) FROM access.release WHERE collection = %s) ORDER BY rank",
            (collection.id, collection.id),
        ).fetchall()
        fields = tuple(rows[0][4]) if rows else coarse_fields(collection)
        return cls(
            collection, rows[0][0] if rows else None, [Anonymous(*row[1:4]) for row in rows], fields,
            tuple({None: 0} for _ in fields),
        )  # fmt: skip

    @property
    def wanting(self) -> list[Anonymous]:
        return _wanting(self.schemes, self.collection)

    def advance(self, conn: psycopg.Connection[Any], day: date) -> list[Anonymous]:
        """All ranks of the next set date."""
        schemes = [*self.schemes, *self.wanting]
        if not schemes:
            return []
        now = self._persons(conn, schemes[0].resolution, day)
        if not len(now.count):
            # nobody is registered yet: were this the release of the date, it would stay so until the next one
            return []
        least = 1
        for rank, scheme in enumerate(schemes):
            release = self._kept(conn, rank).after(now, scheme, day, least)
            self._keep(conn, rank, day, scheme, release)
            now, least = release.counted(), scheme.k
        return schemes

    def add_ranks(self, conn: psycopg.Connection[Any]) -> list[Anonymous]:
        """Coarser releases of the same set date, made of what is told already."""
        assert self.day is not None
        last = self._kept(conn, len(self.schemes) - 1)
        now, least = last.counted(), self.schemes[-1].k
        for rank, scheme in enumerate(self.wanting, len(self.schemes)):
            release = Release.none(len(self.fields)).after(now, scheme, self.day, least)
            self._keep(conn, rank, self.day, scheme, release)
            now, least = release.counted(), scheme.k
        return self.wanting

    def _persons(self, conn: psycopg.Connection[Any], resolution: int, day: date) -> Counted:
        """How many there are by place and label at the beginning of a day."""
        resolution = min(resolution, self.collection.cell_resolution)
        named = [f'"{name}"::text' for name in self.fields]
        keys = [f"coalesce({parent_sql('cell', resolution)}, 0)", "coalesce(division, 0)", *named]
        moment = Span.day(day).start
        rows = conn.execute(
            f"SELECT {', '.join(keys)}, count(*) FROM {Register.of(self.collection).table()}"
            " WHERE scenario = 0 AND valid_from <= %s AND valid_to > %s"
            f" GROUP BY {', '.join(str(at + 1) for at in range(len(keys)))}",
            (moment, moment), binary=True,
        ).fetchall()  # fmt: skip
        cell, division, count = (np.array([row[at] for row in rows], dtype=np.int64) for at in (0, 1, -1))
        labels = np.array([self._label(row[2:-1]) for row in rows], dtype=np.int64).reshape(len(rows), len(self.fields))
        return Counted((cell, division), Places.of(cell, division, resolution), labels, count)

    def _label(self, values: Sequence[str | None]) -> tuple[int, ...]:
        return tuple(codes.setdefault(v, len(codes)) for codes, v in zip(self.codes, values, strict=True))

    def _kept(self, conn: psycopg.Connection[Any], rank: int) -> Release:
        """A rank as it was at the last set date."""
        at = (self.collection.id, rank)
        none = Release.none(len(self.fields))
        found = conn.execute(
            "SELECT step, cell, division, fields FROM access.release_atom WHERE (collection, rank) = (%s, %s)"
            " ORDER BY atom", at,
        ).fetchall()  # fmt: skip
        if self.day is None or rank >= len(self.schemes):
            return none
        step, cell, division = (np.array([row[n] for row in found], dtype=np.int64) for n in range(3))
        chosen = np.array([row[3] for row in found], dtype=bool).reshape(len(found), len(self.fields))
        keys = conn.execute(
            "SELECT a, b, atom FROM access.release_key WHERE (collection, rank) = (%s, %s)", at
        ).fetchall()
        told = conn.execute(
            "SELECT atom, label, count, told_on FROM access.released WHERE (collection, rank, on_date) = (%s, %s, %s)",
            (*at, self.day),
        ).fetchall()
        return Release(
            {(a, b): atom for a, b, atom in keys},
            joined([none.nodes, Places(step, cell, division)]),
            chosen,
            {(atom, self._read_label(label)): Told(count, on) for atom, label, count, on in told},
        )

    def _read_label(self, label: dict[str, str | None]) -> tuple[int, ...]:
        return tuple(
            codes.setdefault(label[name], len(codes)) if name in label else UNTOLD
            for name, codes in zip(self.fields, self.codes, strict=True)
        )

    def _keep(self, conn: psycopg.Connection[Any], rank: int, day: date, scheme: Anonymous, release: Release) -> None:
        """Write a rank down: its figures, and what is new of its partition."""
        at = (self.collection.id, rank)
        conn.execute(
            "INSERT INTO access.release (collection, rank, on_date, k, resolution, diversity, fields)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (*at, day, scheme.k, scheme.resolution, scheme.diversity, list(self.fields)),
        )
        for table, columns, rows in (
            ("release_atom", "step, cell, division, fields, atom", _atoms(release)),
            ("release_key", "a, b, atom", ((a, b, atom) for (a, b), atom in release.atom_of.items())),
        ):
            conn.execute(f"DELETE FROM access.{table} WHERE (collection, rank) = (%s, %s)", at)
            _copy(conn, f"access.{table} (collection, rank, {columns})", ((*at, *row) for row in rows))
        names = "collection, rank, on_date, atom, cell, resolution, division, level, label, count, told_on"
        _copy(conn, f"access.released ({names})", ((*at, day, *row) for row in self._figures(release)))

    def _figures(self, release: Release) -> Iterator[tuple[Any, ...]]:
        nodes = release.nodes
        columns = (nodes.cell.tolist(), nodes.resolution.tolist(), nodes.division.tolist(), nodes.level.tolist())
        places = list(zip(*columns, strict=True))
        words = [{code: value for value, code in codes.items()} for codes in self.codes]
        for (atom, label), told in release.told.items():
            cell, resolution, division, level = places[atom]
            said = {n: w[code] for n, w, code in zip(self.fields, words, label, strict=True) if code != UNTOLD}
            yield (atom, cell or None, resolution, division or None, level, Jsonb(said), told.count, told.day)


def _atoms(release: Release) -> Iterator[tuple[Any, ...]]:
    nodes = release.nodes
    columns = (nodes.step.tolist(), nodes.cell.tolist(), nodes.division.tolist(), release.chosen.tolist())
    return ((*row, atom) for atom, row in enumerate(zip(*columns, strict=True)))


def _copy(conn: psycopg.Connection[Any], into: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with conn.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN".encode()) as copying:
        for row in rows:
            copying.write_row(row)
