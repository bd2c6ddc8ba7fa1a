"""The geocoder that stays: one index for each set of rights, following the registers as they change."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from gis.access import OWNER, Identity, rules_for
from gis.catalog import Catalogue
from gis.exchange.matching.index import AddressIndex
from gis.exchange.matching.reverse import ReverseGeocoder
from gis.exchange.matching.sources import SOURCES, register_of, visible
from gis.exchange.matching.surroundings import ROADS, reverse_of
from gis.query.span import SHANGHAI, now
from gis.query.statement import Statement
from gis.store.database import Database, Wall

_LOG = logging.getLogger("onemap.geocoder")

_REGISTERS = (*SOURCES, ROADS)
_SCOPES = 4
"""So many sets of rights have an index at a time; the one asked longest ago goes first."""

Scope = tuple[str, ...]


def looked_through(catalogue: Catalogue, identity: Identity) -> list[str]:
    """The collections whose places the answers to a caller may tell."""
    return [name for name in _REGISTERS if visible(catalogue, name, identity)]


@dataclass(frozen=True, slots=True)
class State:
    """What an index was made of: the last recorded epoch of each register, and the Shanghai day of valid time."""

    epochs: tuple[tuple[str, int], ...]
    day: str

    @property
    def registers(self) -> Mapping[str, int]:
        """The epochs by register."""
        return dict(self.epochs)


@dataclass(slots=True)
class Gazetteer:
    """All places of the city as they stood in one state, for several threads."""

    index: AddressIndex
    state: State
    _build_reverse: Callable[[], ReverseGeocoder]
    _reverse: ReverseGeocoder | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _idle: list[AddressIndex] = field(default_factory=list)

    @contextmanager
    def reader(self) -> Iterator[AddressIndex]:
        """An index for this thread alone; its memory of texts is kept for the next one."""
        with self._lock:
            own = self._idle.pop() if self._idle else None
        own = own or self.index.clone()
        try:
            yield own
        finally:
            with self._lock:
                self._idle.append(own)

    def reverse(self) -> ReverseGeocoder:
        """From points to places; made when it is first asked for."""
        with self._lock:
            if self._reverse is None:
                self._reverse = self._build_reverse()
            return self._reverse


class Geocoder:
    """Hands out the gazetteer for a caller.

    The first question waits until there is one. When a register has changed, or a day has begun, a new one is made in
    the background, and the old one answers until it is there: its `state` says of what it speaks. `wall` is what
    stands before the registers when they are read for somebody.
    """

    def __init__(
        self,
        database: Database,
        catalogue: Catalogue,
        wall: Callable[[Identity, Catalogue], Wall | None] = lambda identity, catalogue: None,
    ) -> None:
        self._database, self._catalogue, self._wall = database, catalogue, wall
        self._lock = threading.Lock()
        self._kept: OrderedDict[Scope, _Kept] = OrderedDict()

    def follow(self, catalogue: Catalogue) -> None:
        """Make gazetteers by another catalogue from now on; one made by other rules answers nobody any more."""
        self._catalogue = catalogue

    def current(self, identity: Identity = OWNER) -> Gazetteer:
        """The places that `identity` may see. Raises Unavailable, Forbidden."""
        scope, state = self._scope(identity), self._state()
        with self._lock:
            kept = self._kept.setdefault(scope, _Kept())
            self._kept.move_to_end(scope)
            while len(self._kept) > _SCOPES:
                self._kept.popitem(last=False)
        return kept.at(state, lambda: self._make(identity, state))

    def _scope(self, identity: Identity) -> Scope:
        """What tells callers apart: of each register the rules, "" where they may see nothing."""
        return tuple(
            rules_for(identity, self._catalogue[name]).text if visible(self._catalogue, name, identity) else ""
            for name in _REGISTERS
        )

    def _state(self) -> State:
        sql = "SELECT register, max(epoch) FROM core.epoch WHERE register = ANY(%s) GROUP BY register ORDER BY register"
        rows = self._database.rows(Statement(sql, (list(_REGISTERS),)))
        return State(tuple((str(r), int(e)) for r, e in rows), now().astimezone(SHANGHAI).date().isoformat())

    def _make(self, identity: Identity, state: State) -> Gazetteer:
        moment: datetime = now()
        catalogue = self._catalogue
        database = self._database.behind(self._wall(identity, catalogue))
        index = AddressIndex(register_of(database, catalogue, identity, at=moment))
        return Gazetteer(index, state, lambda: reverse_of(index, database, catalogue, identity, moment))


class _Kept:
    """The gazetteer of one scope, and whether the next one is being made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: Gazetteer | None = None
        self._is_building = False

    def at(self, state: State, make: Callable[[], Gazetteer]) -> Gazetteer:
        with self._lock:
            if self._found is None:
                self._found = make()
            elif self._found.state != state and not self._is_building:
                self._is_building = True
                threading.Thread(target=self._renew, args=(make,), name="gazetteer", daemon=True).start()
            return self._found

    def _renew(self, make: Callable[[], Gazetteer]) -> None:
        try:
            self._found = make()
        except Exception:  # the next question tries again; meanwhile the old one answers
            _LOG.exception("the gazetteer was not renewed")
        finally:
            self._is_building = False
