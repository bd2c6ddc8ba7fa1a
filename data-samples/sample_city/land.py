"""Land use: a parcel for every block, fields and woods at the edge, and the wide cover of hills and plain beyond."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from sample_city import names
from sample_city.blocks import Block
from sample_city.lattice import LINES, RIVER_COLUMN, inside, smooth_noise, stream
from sample_city.partition import NONE, Labels, polygons
from sample_city.plan import Kind, Plan
from sample_city.waters import River, Water

USES = {
    "courtyards": "居住用地", "walkup": "居住用地", "midrise": "居住用地", "towers": "居住用地", "shops": "商业用地",
    "mall": "商业用地", "offices": "商业用地", "government": "其他用地", "hospital": "其他用地", "school": "教育用地",
    "park": "公园绿地", "lake": "公园绿地", "factory": "工业用地", "forest": "林地", "pond": "耕地", "field": "耕地",
    "hamlet": "耕地",
}  # fmt: skip

# Invented shapes at about the right places: (east, north, radius) in kilometres from the centre.
_RESERVOIRS = {
    "响洪甸水库": (-34, -33, 3.4), "梅山水库": (-49, -23, 3.2), "佛子岭水库": (9, -44, 2.6),
    "磨子潭水库": (16, -53, 2.2), "万佛湖": (37, -34, 4.2), "白莲崖水库": (-19, -51, 2.2),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parcel:
    """A land-use area in metres from the centre; `use` is the Chinese word."""

    code: str
    name: str
    use: str
    shape: shapely.Polygon


def parcels_of(block: Block, name: str, lake: Water | None) -> Iterator[Parcel]:
    """The block's own land: one parcel, or several where it is fields."""
    for number, (part, use) in enumerate(_parts(block)):
        shape = shapely.Polygon(part)
        if lake is not None and shape.contains_properly(lake.shape):
            shape = shapely.orient_polygons(shapely.Polygon(shape.exterior, [lake.shape.exterior]))
        elif lake is not None:
            shape = shapely.difference(shape, lake.shape)
        yield Parcel(f"L{block.code}{number}", name if use == USES[block.use] else "", use, shape)


def _parts(block: Block) -> Iterator[tuple[NDArray[np.float64], str]]:
    cuts = {"field": ((0.0, 0.48, 1.0), (0.0, 0.53, 1.0)), "hamlet": ((0.0, 1.0), (0.0, 0.25, 0.78, 1.0))}
    columns, rows = cuts.get(block.use, ((0.0, 1.0), (0.0, 1.0)))
    ridge = 0.006 if len(rows) > 2 else 0.0
    for t0, t1 in itertools.pairwise(rows):
        for s0, s1 in itertools.pairwise(columns):
            ends = ((s0, t0 + ridge), (s1 - ridge, t0 + ridge), (s1 - ridge, t1), (s0, t1))
            part = np.round(np.array([inside(block.corners, s, t) for s, t in ends]), 2)
            yield part, "居住用地" if block.use == "hamlet" and t0 == 0.25 else USES[block.use]


def river_greens(plan: Plan, river: River) -> Iterator[Parcel]:
    """Parks along both banks where the city or its fields reach the river, and on 月亮岛."""
    for j in range(-LINES + 2, LINES - 2):
        for east in (False, True):
            beside = plan.at(RIVER_COLUMN + (1 if east else -1), j)
            if beside > Kind.RIVER:
                name = (
                    f"淠河{'东' if east else '西'}岸公园"
                    if plan.urban(RIVER_COLUMN + (1 if east else -1), j)
                    else "淠河绿带"
                )
                shape = river.bank(j, 1, east=east, margin_m=16)
                yield Parcel(f"LB{'E' if east else 'W'}{j + 500}", name, "公园绿地", shape)
    yield Parcel("LB0000", "月亮岛公园", "公园绿地", river.island(0))


def wide_cover(plan: Plan, exact: NDArray[np.bool_]) -> tuple[list[Parcel], list[Water]]:
    """Woods, farmland and reservoirs of the whole city beyond what is drawn quad by quad; they leave no gaps."""
    labels, lakes = _cover_labels(plan)
    kept = exact.copy()
    kept[LINES + RIVER_COLUMN : LINES + RIVER_COLUMN + 2] = True  # smoothed, fields would reach into the river
    parcels: list[Parcel] = []
    waters: list[Water] = []
    for label, shape in polygons(plan.lattice, labels, kept).items():
        if label < len(lakes):
            waters += [
                Water(f"W3{label:02d}{n}", lakes[label], "水库", p) for n, p in enumerate(shapely.get_parts(shape))
            ]
            continue
        county, forest = divmod(label - len(lakes), 2)
        for n, part in enumerate(shapely.get_parts(shape)):
            parcels.append(Parcel(f"LW{county}{forest}{n:03d}", "", "林地" if forest else "耕地", part))
    return parcels, waters


def _cover_labels(plan: Plan) -> tuple[Labels, list[str]]:
    middle = plan.lattice.centres()
    x, y = middle[..., 0], middle[..., 1]
    rng = stream(plan.lattice.seed, 10)
    hills = (-0.55 * x - y) / 62_000 + 0.45 * smooth_noise(x, y, 16_000, rng)
    county = np.vectorize(lambda code: int(code[4:6] or 0), otypes=[np.int64])(plan.frame.finest)
    _, index = np.unique(county, return_inverse=True)
    labels = len(_RESERVOIRS) + 2 * index.reshape(county.shape) + (hills > 0.22)
    shore = smooth_noise(x, y, 3000, rng)
    for k, (east, north, radius) in enumerate(_RESERVOIRS.values()):
        away = np.hypot(x - east * 1000, (y - north * 1000) * 1.3) / (radius * 1000)
        labels[away + 0.55 * shore < 0.8] = k
    labels[(plan.frame.finest == "") | (plan.kind > Kind.OUTSIDE)] = NONE
    labels[LINES + RIVER_COLUMN] = NONE
    return labels, list(_RESERVOIRS)


def place_name(block: Block, village_name: str) -> str:
    """The name by which people know a block: its compound, school, park or works; "" for a plain one."""
    rng = stream(7, 11, block.quad[0], block.quad[1], block.number)
    first, other = rng.integers(len(names.COMPOUND_FIRST)), rng.integers(1000)
    word, firm = names.COMPOUND_FIRST[first], names.FIRM_NAMES[other % len(names.FIRM_NAMES)]
    stem = village_name.removesuffix("社区").removesuffix("村")
    if block.use == "walkup":
        return word + names.OLD_COMPOUND_LAST[other % len(names.OLD_COMPOUND_LAST)]
    if block.use in ("midrise", "towers"):
        return word + names.COMPOUND_LAST[other % len(names.COMPOUND_LAST)]
    return {
        "school": f"{stem}{('小学', '中学', '实验学校')[other % 3]}",
        "hospital": f"六安市{('第一人民医院', '第二人民医院', '第三人民医院', '第四人民医院', '中医院')[other % 5]}",
        "government": f"{stem}政务中心",
        "park": f"{word}公园",
        "lake": f"{word}湖公园",
        "factory": f"{firm}{('工业园', '机械厂', '食品厂', '纺织厂')[first % 4]}",
        "mall": f"{firm}广场",
        "offices": f"{word}商务中心",
        "hamlet": f"{stem}{names.LANE_FIRST[(7 * block.quad[0] + 11 * block.quad[1]) % len(names.LANE_FIRST)]}组",
    }.get(block.use, "")
