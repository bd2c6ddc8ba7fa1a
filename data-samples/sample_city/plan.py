"""What stands where, and since when: a kind and a year for every quad, grown outward from the centre."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from sample_city.divisions import Frame
from sample_city.lattice import LINES, RIVER_COLUMN, Floats, Lattice, smooth_noise, stream

Quad = tuple[int, int]

FIRST_YEAR, LAST_YEAR = 1985, 2025
FRINGE_QUADS = 4
PEOPLE_PER_DWELLING = 1.7  # over all dwellings, the empty ones too


class Kind(IntEnum):
    """What a quad is used for."""

    OUTSIDE = 0
    RIVER = 1
    FIELD = 2
    FOREST = 3
    HAMLET = 4
    POND = 5
    OLD_TOWN = 10
    WALKUP = 11
    MIDRISE = 12
    TOWERS = 13
    COMMERCE = 14
    CIVIC = 15
    SCHOOL = 16
    HOSPITAL = 17
    PARK = 18
    LAKE = 19
    INDUSTRY = 20


#: Dwellings on a hectare of quad, streets included: measured on generated cities, used to size the next one.
DWELLINGS_PER_HA = {
    Kind.OLD_TOWN: 30.0, Kind.WALKUP: 65.0, Kind.MIDRISE: 115.0, Kind.TOWERS: 165.0, Kind.SCHOOL: 33.0,
    Kind.CIVIC: 22.0,
}  # fmt: skip

#: What each kind's blocks hold, in order; the number of entries is the number of blocks (1, 2 or 4).
USES: dict[Kind, tuple[str, ...]] = {
    Kind.OLD_TOWN: ("courtyards", "walkup", "courtyards", "shops"),
    Kind.WALKUP: ("walkup", "walkup"),
    Kind.MIDRISE: ("midrise", "midrise"),
    Kind.TOWERS: ("towers",),
    Kind.COMMERCE: ("mall", "offices", "shops", "offices"),
    Kind.CIVIC: ("government", "walkup"),
    Kind.SCHOOL: ("school", "walkup"),
    Kind.HOSPITAL: ("hospital", "shops"),
    Kind.PARK: ("park",),
    Kind.LAKE: ("lake",),
    Kind.INDUSTRY: ("factory", "factory"),
    Kind.HAMLET: ("hamlet",),
    Kind.FIELD: ("field",),
    Kind.FOREST: ("forest",),
    Kind.POND: ("pond",),
}
_LARGE_HA = 12.0  # quads beyond this size are cut into four where they would be halved, in two where left whole
_SERVICES = {0: Kind.COMMERCE, 5: Kind.SCHOOL, 9: Kind.COMMERCE, 12: Kind.LAKE, 16: Kind.HOSPITAL, 20: Kind.SCHOOL}
_SECOND_SERVICES = {2: Kind.CIVIC, 5: Kind.SCHOOL, 9: Kind.COMMERCE, 12: Kind.PARK, 20: Kind.SCHOOL}


@dataclass(frozen=True, eq=False)
class Plan:
    """The city's plan; arrays are indexed [i + LINES, j + LINES]. `quads` lists what is drawn, centre first."""

    lattice: Lattice
    frame: Frame
    kind: NDArray[np.int64]
    year: NDArray[np.int64]
    split: Floats
    large: NDArray[np.bool_]
    quads: list[Quad]

    def at(self, i: int, j: int) -> Kind:
        """What the quad is used for."""
        return Kind(int(self.kind[i + LINES, j + LINES]))

    def urban(self, i: int, j: int) -> bool:
        """Whether the quad belongs to the built city."""
        return bool(self.kind[i + LINES, j + LINES] >= Kind.OLD_TOWN)

    def year_of(self, i: int, j: int) -> int:
        """When the quad was first built on."""
        return int(self.year[i + LINES, j + LINES])

    def village(self, i: int, j: int) -> str:
        """The 12-digit code of the finest division that holds the quad."""
        return str(self.frame.finest[i + LINES, j + LINES])

    def uses(self, i: int, j: int) -> tuple[str, ...]:
        """What the quad's 1, 2 or 4 blocks hold."""
        uses = USES.get(self.at(i, j), ())
        whole = not self.large[i + LINES, j + LINES] or len(uses) == 4 or uses[:1] in (("park",), ("lake",))
        return uses if whole or not self.urban(i, j) else uses * 2

    def cut(self, i: int, j: int) -> tuple[float, float]:
        """At which fractions of its sides the quad is cut into blocks, eastward and northward."""
        return float(self.split[0, i + LINES]), float(self.split[1, j + LINES])


def built_up_quads(people: int) -> int:
    """How far from the centre, in quads, a city of so many people can reach, with its fringe; generous."""
    return min(LINES - 1, 12 + int(0.036 * people**0.5))


def make_plan(lattice: Lattice, frame: Frame, people: int) -> Plan:
    """Lay out a city with dwellings for so many people."""
    rng = stream(lattice.seed, 3)
    order, angle = _growth_order(lattice, frame, rng)
    chance = rng.random((2 * LINES, 2 * LINES))
    count = _quads_needed(lattice, order, angle, chance, people / PEOPLE_PER_DWELLING)
    kind = np.zeros((2 * LINES, 2 * LINES), dtype=np.int64)
    year = np.full(kind.shape, FIRST_YEAR, dtype=np.int64)
    flat = order[:count]
    kind.flat[flat] = _kinds(count, angle.flat[flat], chance.flat[flat])
    growth = (np.arange(count) / count) ** 0.8 * 38 + chance.flat[flat] * 5 - 2
    year.flat[flat] = np.clip(FIRST_YEAR + growth.astype(np.int64), FIRST_YEAR, LAST_YEAR)
    fringe = _fringe(lattice, frame, kind, chance, rng)
    split = 0.44 + 0.12 * rng.random((2, 2 * LINES))
    cells = [*flat.tolist(), *fringe]
    quads = [(c // (2 * LINES) - LINES, c % (2 * LINES) - LINES) for c in cells]
    return Plan(lattice, frame, kind, year, np.round(split, 3), lattice.areas_ha() > _LARGE_HA, quads)


def _growth_order(lattice: Lattice, frame: Frame, rng: np.random.Generator) -> tuple[NDArray[np.int64], Floats]:
    """Flat indices of the quads that may be built on, in the order of growth, and every quad's direction."""
    middle = lattice.centres()
    x, y = middle[..., 0], middle[..., 1]
    distance = np.hypot(x, y) * (1 + 0.16 * smooth_noise(x, y, 4200, rng))
    distance[: LINES + RIVER_COLUMN] += 900
    distance[LINES + RIVER_COLUMN] = np.inf
    distance[frame.finest == ""] = np.inf
    order = np.argsort(np.round(distance.ravel(), 3), kind="stable")
    return order[: int(np.isfinite(distance).sum())], np.degrees(np.arctan2(y, x))


def _kinds(count: int, angle: Floats, chance: Floats) -> NDArray[np.int64]:
    """The kinds of the first `count` quads in the order of growth."""
    rank = np.arange(count)
    share = rank / count
    modern = min(1.0, count / 300)  # large cities have built most of their housing lately, and high
    kind = np.full(count, Kind.WALKUP, dtype=np.int64)
    kind[chance > 0.78 - 0.5 * modern * share] = Kind.MIDRISE
    kind[chance > 0.96 - 0.53 * modern * share] = Kind.TOWERS
    kind[(rank < max(1.5 * count**0.5, min(0.5 * count, 14))) & (chance < 0.93)] = Kind.OLD_TOWN
    kind[(share > 0.60) & (np.abs(angle + 30) < 55) & (chance < 0.75)] = Kind.INDUSTRY
    for period, table in ((0, _SERVICES), (1, _SECOND_SERVICES)):
        for place, service in table.items():
            kind[(rank % 48) == place + 24 * period] = service
    kind[rank == 2] = Kind.CIVIC
    return kind


def _quads_needed(lattice: Lattice, order: NDArray[np.int64], angle: Floats, chance: Floats, dwellings: float) -> int:
    """The smallest number of quads whose blocks are expected to hold so many dwellings."""
    area = lattice.areas_ha().ravel()[order]
    per_ha = np.zeros(max(Kind) + 1)
    for kind, value in DWELLINGS_PER_HA.items():
        per_ha[kind] = value

    def expected(count: int) -> float:
        first = order[:count]
        return float((per_ha[_kinds(count, angle.flat[first], chance.flat[first])] * area[:count]).sum())

    low, high = 12, len(order)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if expected(middle) >= dwellings else (middle + 1, high)
    return low


def _fringe(
    lattice: Lattice, frame: Frame, kind: NDArray[np.int64], chance: Floats, rng: np.random.Generator
) -> list[int]:
    """Give the land around the city its fields, woods and hamlets; the river's column becomes river."""
    near = kind > 0
    for _ in range(FRINGE_QUADS):
        grown = near.copy()
        grown[1:] |= near[:-1]
        grown[:-1] |= near[1:]
        wide = grown.copy()
        wide[:, 1:] |= grown[:, :-1]
        wide[:, :-1] |= grown[:, 1:]
        near = wide
    free = near & (kind == Kind.OUTSIDE) & (frame.finest != "")
    middle = lattice.centres()
    woods = smooth_noise(middle[..., 0], middle[..., 1], 2600, rng) > 0.42
    kind[free] = Kind.FIELD
    kind[free & woods] = Kind.FOREST
    kind[free & (chance < 0.16) & ~woods] = Kind.HAMLET
    kind[free & (chance > 0.96)] = Kind.POND
    column = kind[LINES + RIVER_COLUMN]
    column[column > 0] = Kind.RIVER
    return [int(c) for c in np.flatnonzero(free.ravel() & (kind.ravel() != Kind.RIVER))]
