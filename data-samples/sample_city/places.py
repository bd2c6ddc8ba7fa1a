"""Buildings with their codes, names and standard addresses, block by block; and the ground they stand on."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import shapely

from sample_city.blocks import Block, blocks_of
from sample_city.footprints import Placed, footprint
from sample_city.land import Parcel, parcels_of, place_name
from sample_city.lattice import stream
from sample_city.plan import Plan, Quad
from sample_city.streets import GATED, Road, quad_roads
from sample_city.templates import build
from sample_city.waters import Water, lake_in

_ONE_GATE = (
    *(g for g in GATED if g != "courtyards"),
    "government",
    "school",
    "hospital",
    "factory",
    "park",
    "lake",
    "mall",
)
_SIDES = "东西南北上下前后"  # what tells apart the hamlets of a village that go by the same name
_EVEN = (2, 3)  # a block south or east of its street has the even numbers
_STOREY_M = {"住宅": 2.95, "工业": 6.5, "学校": 3.7, "医院": 3.9}


@dataclass(frozen=True, slots=True)
class Address:
    """A standard address down to the building; the parts join to `text`."""

    region: str
    street: str
    plate: str
    compound: str
    building: str

    @property
    def text(self) -> str:
        """The address in full."""
        plate = f"{self.plate}号" if self.plate else ""
        return f"{self.region}{self.street}{plate}{self.compound}{self.building}"


@dataclass(frozen=True, slots=True)
class Building:
    """A building as the registers know it; `shape` is in metres from the centre, `since` the day it was finished."""

    code: str
    name: str
    use: str
    storeys: int
    height_m: float
    since: str
    village: str
    block_use: str
    address: Address
    units: int
    flats: int
    shape: shapely.Polygon

    @property
    def dwellings(self) -> int:
        """How many dwellings it holds."""
        return self.units * self.flats * self.storeys


@dataclass(slots=True)
class District:
    """Some quads of the city with all that stands on them: as much as is held in memory at a time."""

    number: int
    buildings: list[Building] = field(default_factory=list)
    roads: list[Road] = field(default_factory=list)
    parcels: list[Parcel] = field(default_factory=list)
    waters: list[Water] = field(default_factory=list)


class Surveyor:
    """Turns quads into districts; numbers buildings within their village as they come."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.seed = plan.lattice.seed
        self._numbers: Counter[str] = Counter()
        self._hamlets: Counter[tuple[str, str]] = Counter()

    def district(self, number: int, quads: list[Quad]) -> District:
        """The district that these quads make up."""
        made = District(number)
        for quad in quads:
            made.roads += quad_roads(self.plan, *quad)
            for block in blocks_of(self.plan, quad):
                self._add_block(made, block)
        return made

    def region(self, village: str) -> str:
        """The divisions of an address, written out: 安徽省六安市金安区中市街道钟楼社区."""
        named = self.plan.frame.names
        codes = dict.fromkeys(village[:n].ljust(12, "0") for n in (2, 4, 6, 9, 12))
        return "".join(short_name(named[c]) for c in codes)

    def _add_block(self, made: District, block: Block) -> None:
        name = place_name(block, short_name(self.plan.frame.names[block.village]))
        if block.use == "hamlet":
            name = self.distinct(block.village, name)
        lake = lake_in(block, self.seed)
        if lake is not None:
            made.waters.append(lake)
        made.parcels += parcels_of(block, name, lake)
        placed, lanes = build(block, self.seed)
        for n, (kind, line) in enumerate(lanes):
            xy = np.round(block.world(line), 2)
            made.roads.append(Road(f"RL{block.code}{n:02d}", "", kind, xy, f"{block.year}-07-01"))
        made.buildings += self._buildings(block, name, _standing(block, placed, lake))

    def distinct(self, village: str, hamlet: str) -> str:
        """A hamlet's name, other than those of the village's hamlets so far: their houses have no other address."""
        before = self._hamlets[village, hamlet]
        self._hamlets[village, hamlet] += 1
        return f"{hamlet.removesuffix('组')}{_SIDES[before - 1]}组" if before else hamlet

    def _buildings(self, block: Block, name: str, standing: list[tuple[Placed, shapely.Polygon]]) -> Iterator[Building]:
        rng = stream(self.seed, 13, block.quad[0], block.quad[1], block.number)
        region, counts = self.region(block.village), Counter[str]()
        for placed, shape in standing:
            self._numbers[block.village] += 1
            address = _address(block, region, name, placed, counts)
            yield Building(
                code=f"{block.village}{self._numbers[block.village]:06d}",
                name=_building_name(block, name, placed),
                use=placed.use,
                storeys=placed.storeys,
                height_m=round(placed.storeys * _STOREY_M.get(placed.use, 3.8) + 0.9, 1),
                since=f"{placed.year}-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d}",
                village=block.village,
                block_use=block.use,
                address=address,
                units=placed.units,
                flats=placed.flats,
                shape=shape,
            )


def short_name(official: str) -> str:
    """A division's name as addresses write it: 迎宾居委会 is 迎宾社区, 青松村委会 is 青松村."""
    for ending, short in (("社区居民委员会", "社区"), ("社区居委会", "社区"), ("村民委员会", "村"), ("村委会", "村")):
        if official.endswith(ending):
            return official.removesuffix(ending) + short
    for ending in ("居民委员会", "居委会"):
        if official.endswith(ending):
            return official.removesuffix(ending) + "社区"
    return official


def _standing(block: Block, placed: list[Placed], lake: Water | None) -> list[tuple[Placed, shapely.Polygon]]:
    """What fits: within the property line, out of the lake, clear of what was set out before."""
    plot = shapely.Polygon(block.corners)
    found: list[tuple[Placed, shapely.Polygon]] = []
    for one in placed:
        shape = footprint(block, one)
        if not plot.contains(shape) or (lake is not None and shape.distance(lake.shape) < 3):
            continue
        if len(placed) > 30 or not any(shape.intersects(other) for _, other in found):
            found.append((one, shape))
    return found


def _building_name(block: Block, name: str, placed: Placed) -> str:
    if placed.number:
        return f"{name}{placed.number}栋" if placed.use == "住宅" else f"{name}{placed.name}"
    return f"{name}{placed.name}" if placed.name else ""


def _address(block: Block, region: str, name: str, placed: Placed, counts: Counter[str]) -> Address:
    """The building's own door plate, or its compound's with the building's number."""
    fronts = [(k, f) for k, f in enumerate(block.fronts) if f is not None]
    own = block.use not in _ONE_GATE or (not placed.number and placed.use == "商业")
    if not fronts or block.use == "hamlet":
        counts["hamlet"] += 1
        return Address(region, "", "", name, f"{counts['hamlet']}号")
    if not own:
        side, front = fronts[0]
        counts["inner"] += not placed.number
        building = f"{placed.number}栋" if placed.number else f"{counts['inner']}号楼"
        return Address(region, front.name, str(front.first + 1 + (side in _EVEN)), name, building)
    side, front = min(fronts, key=lambda f: _distance(block, placed, f[0]))
    rank = counts[f"{side}"]
    counts[f"{side}"] += 1
    number = front.first + 3 + (side in _EVEN) + 2 * (rank % 8)
    plate = f"{number}" if rank < 8 else f"{number}-{rank // 8}"
    return Address(region, front.name, plate, "", "")


def _distance(block: Block, placed: Placed, side: int) -> float:
    ring = block.local(block.corners)
    (x0, y0), (x1, y1) = ring[side], ring[(side + 1) % 4]
    length = float(np.hypot(x1 - x0, y1 - y0))
    return abs(float((x1 - x0) * (placed.y - y0) - (y1 - y0) * (placed.x - x0))) / length
