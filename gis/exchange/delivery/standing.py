"""What a department's word on each entity was just before a delivery, as fingerprints."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from gis.exchange.delivery.claims import Place
from gis.exchange.delivery.words import Ints, among, array_literal, places
from gis.exchange.registers import Deliverable
from gis.store import copy

#: So many entities are looked up one by one; more are looked for among all, which are read then.
_FEW = 40_000
_NONE: Ints = np.empty(0, np.int64)
Connect = Callable[[], AbstractContextManager[psycopg.Connection[Any]]]


@dataclass(frozen=True, slots=True)
class Found:
    """Words on some entities: for each its place among `digests`, and whether there is any."""

    at: Ints
    known: NDArray[np.bool_]
    digests: Ints

    def say(self, digests: Ints) -> NDArray[np.bool_]:
        """Which of the words have these digests."""
        if not len(self.digests):
            return np.zeros(len(self.at), bool)
        return np.asarray(self.known & (self.digests[self.at] == digests))

    def take(self, where: NDArray[np.bool_]) -> "Found":
        """Those for which `where` is true."""
        return Found(self.at[where], self.known[where], self.digests)


@dataclass(slots=True)
class Standing:
    """What a department's word on each entity is just before an edition: digests, even for "no more".

    `late` says that the department has spoken for a later edition already. Small deliveries are answered from the
    index; all words are read once many are asked about. It also keeps which entities a delivery has told of.
    """

    register: Deliverable
    place: Place
    late: bool
    connect: Connect
    fids: Ints = field(default_factory=lambda: _NONE)
    digests: Ints = field(default_factory=lambda: _NONE)
    _told: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    _told_before: list[Ints] = field(default_factory=list)
    _looked_up: Ints = field(default_factory=lambda: _NONE)
    _is_whole: bool = False
    _asked: int = 0

    @classmethod
    def before(cls, conn: psycopg.Connection[Any], register: Deliverable, place: Place, connect: Connect) -> "Standing":
        """By what is on record. Only deliveries that are done have words."""
        late = conn.execute(
            "SELECT EXISTS (SELECT FROM exchange.delivery WHERE register = %(register)s"
            " AND department = %(department)s AND state = 'done' AND (edition, id) > (%(edition)s, %(delivery)s))",
            {**place.args, "register": register.collection.id},
        ).fetchone()
        return cls(register, place, bool(late and late[0]), connect)

    def words(self, fids: Ints) -> "Found":
        """The department's words on these entities."""
        self._asked += len(fids)
        if not self._is_whole and self._asked > _FEW:
            self.read()
        if self._is_whole:
            return Found(*places(self.fids, fids), self.digests)
        self._look_up(np.unique(fids[~among(fids, self._looked_up)]))
        return Found(*places(self.fids, fids), self.digests)

    def tell(self, fids: Ints, found: "Found | None" = None) -> None:
        """Note that the delivery tells of these entities; `found` are the words on them, where they are at hand."""
        if not self._is_whole:
            self._told_before.append(fids)
            return
        if found is None or found.digests is not self.digests:
            found = Found(*places(self.fids, fids), self.digests)
        self._told[found.at[found.known]] = True

    def untold(self) -> tuple[Ints, int]:
        """The entities that the department held and of which nothing was told; and how many it held."""
        self.read()
        alive = self.digests & 1 == 1
        return self.fids[alive & ~self._told], int(alive.sum())

    def read(self) -> None:
        """Read all words."""
        if self._is_whole:
            return
        self.fids, self.digests = self._select(None)
        self._is_whole, self._told = True, np.zeros(len(self.fids), bool)
        for fids in self._told_before:
            self.tell(fids)
        self._told_before.clear()

    def _look_up(self, fids: Ints) -> None:
        if len(fids):
            own, digests = self._select(fids)
            own, digests = np.concatenate([self.fids, own]), np.concatenate([self.digests, digests])
            order = np.argsort(own)
            self.fids, self.digests = own[order], digests[order]
            self._looked_up = np.concatenate([self._looked_up, fids])

    def _select(self, fids: Ints | None) -> tuple[Ints, Ints]:
        claims, place = self.register.claims, self.place
        which = "" if fids is None else "AND fid = ANY(%(fids)s::bigint[])"
        args = {**place.args, "fids": "{}" if fids is None else array_literal(fids)}
        if self.late:
            select = (
                f"SELECT DISTINCT ON (fid) fid, digest FROM {claims} WHERE department = %(department)s {which}"
                " AND NOT withdrawn AND (edition, delivery) < (%(edition)s, %(delivery)s)"
                " ORDER BY fid, edition DESC, delivery DESC"
            )
        else:
            select = f"SELECT fid, digest FROM {claims} WHERE department = %(department)s AND latest {which}"
        with self.connect() as conn:
            found = copy.numbers(conn, select, ("fid", "digest"), args)
        order = np.argsort(found["fid"], kind="stable")
        return found["fid"][order], found["digest"][order]
