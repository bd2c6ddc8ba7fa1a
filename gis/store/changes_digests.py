"""Sums of changes by square, so that the token of any tile is a few look-ups, or one."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from gis.store.changes_keys import WORLD, Cover

_BITS = (1 << 64) - 1
_MOST_KEPT = 50_000


class _Register:
    """The changes of one register: of each square itself, and of each with all that lies in it."""

    __slots__ = ("kept", "of", "within")

    def __init__(self) -> None:
        self.of: defaultdict[int, int] = defaultdict(int)
        self.within: defaultdict[int, int] = defaultdict(int)
        #: Tokens that were asked for since the last change, by place.
        self.kept: dict[tuple[float, ...], int] = {}

    def add(self, key: int, hashed: int) -> None:
        self.kept = {}
        self.of[key] += hashed
        while key:
            self.within[key] += hashed
            key >>= 2

    def of_cover(self, cover: Cover) -> int:
        within, of = self.within.get, self.of.get
        return (sum(within(k, 0) for k in cover.squares) + sum(of(k, 0) for k in cover.around)) & _BITS


class Digests:
    """The sums of all registers."""

    def __init__(self, sums: Iterable[tuple[str, int, int]] = ()) -> None:
        self._registers: defaultdict[str, _Register] = defaultdict(_Register)
        for register, key, total in sums:
            self.add(register, key, total)

    def add(self, register: str, key: int, hashed: int) -> None:
        """One change, or the sum of several, in a square."""
        self._registers[register].add(key, hashed)

    def of(self, register: str) -> int:
        """The sum of a whole register, modulo 2^64."""
        known = self._registers.get(register)
        return known.within[WORLD] & _BITS if known else 0

    def of_place(self, register: str, place: tuple[float, ...], cover: Callable[..., Cover]) -> int:
        """The sum of what lies in the squares that cover a place, or is larger than they and around them, modulo 2^64.

        `cover` finds the squares; places of two kinds differ in length.
        """
        known = self._registers.get(register)
        if known is None:
            return 0
        found = known.kept.get(place)
        if found is None:
            if len(known.kept) > _MOST_KEPT:
                known.kept = {}
            found = known.kept[place] = known.of_cover(cover(*place))
        return found
