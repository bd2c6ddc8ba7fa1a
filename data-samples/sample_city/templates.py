"""How each kind of block is built up: housing of four generations, trade, public buildings, works, hamlets."""

from collections.abc import Callable

import numpy as np

from sample_city.blocks import Block
from sample_city.footprints import Placed
from sample_city.lattice import Floats, stream
from sample_city.site import Site


def build(block: Block, seed: int) -> tuple[list[Placed], list[tuple[str, Floats]]]:
    """The block's buildings and lanes, in its own frame; the same block always comes out the same."""
    site = Site(block, stream(seed, 5, block.quad[0], block.quad[1], block.number))
    template = TEMPLATES.get(block.use)
    if template is not None:
        template(site)
    return site.placed, site.lanes


def courtyards(site: Site) -> None:
    """Old town: rows of low houses around yards, back to back between lanes."""
    depth, lane = 12.5, 6.0
    pair = 2 * depth + 1.0 + lane
    rows = site.rows(2 * depth + 1.0, pair, 3.0)
    for k, middle in enumerate(rows):
        for y in (middle - depth / 2 - 0.5, middle + depth / 2 + 0.5):
            for span in site.halves(y - depth / 2, y + depth / 2, 2.5):
                for x, w in site.line_up(span, 0.8, lambda: site.between(9.5, 15.5)):
                    if site.chance(0.07):
                        continue
                    storeys = 1 if site.chance(0.35) else 2
                    shape = ("court", "ell", "jay", "box", "court")[site.pick(0, 4)]
                    deep = depth - site.between(0, 1.5)
                    year = site.year(1979, 1998)
                    site.placed.append(Placed(shape, x, y, w, deep, "住宅", storeys, year, "", 1, 1))
        if k:
            site.side_lane((rows[k - 1] + middle) / 2, 1.0)
    site.gate_lane()


def walkup(site: Site) -> None:
    """Slabs of five and six storeys without lifts, facing south, with shops along the southern street."""
    shops_depth = 11.0
    for span in site.halves(2, 2 + shops_depth, 3):
        for x, w in site.line_up(span, 3, lambda: site.between(18, 34)):
            year = site.year()
            site.placed.append(Placed("box", x, 2 + shops_depth / 2, w, shops_depth, "商业", 2, year))
    _slab_rows(site, (5, 6), 12.5, 25.0, first=2 + shops_depth + 11)


def midrise(site: Site) -> None:
    """Slabs of eight to eleven storeys with lifts, wider apart."""
    _slab_rows(site, (8, 11), 13.5, 36.0, first=10)


def _slab_rows(site: Site, storeys: tuple[int, int], depth: float, pitch: float, first: float) -> None:
    """Rows of slabs from a height on, a lane behind every second row, and a lane through the middle."""
    number, rows = 0, [y + first - 8 for y in _rows_above(site, depth, pitch, first)]
    high = site.pick(*storeys)
    for k, y in enumerate(rows):
        for span in site.halves(y - depth / 2, y + depth / 2, 7):
            for x, w in site.line_up(span, 9, lambda: 15.5 * site.pick(2, 4)):
                number += 1
                if site.chance(0.06):
                    site.placed.append(_amenity(site, x, y, min(w, 30.0), depth))
                    continue
                units = round(w / 15.5)
                here = high if site.chance(0.8) else site.pick(*storeys)
                placed = Placed(f"slab{units}", x, y, w, depth, "住宅", here, site.year(), "", units, 2, number)
                site.placed.append(placed)
        if k % 2:
            site.side_lane((rows[k - 1] + y) / 2, 4.0)
    site.gate_lane()


def _rows_above(site: Site, depth: float, pitch: float, first: float) -> list[float]:
    """Row middles of a site whose lowest strip, up to `first`, is taken; counted from 8 m."""
    full = site.height_m
    site.height_m = full - first + 8
    rows = site.rows(depth, pitch, 8)
    site.height_m = full
    return rows


def _amenity(site: Site, x: float, y: float, width: float, depth: float) -> Placed:
    name, use = (("幼儿园", "学校"), ("物业服务中心", "公共设施"), ("社区活动中心", "公共设施"))[site.pick(0, 2)]
    return Placed("ell", x, y, width, depth, use, site.pick(2, 3), site.year(), name)


def towers(site: Site) -> None:
    """A recent compound: staggered towers and long slabs of many storeys, shops at the gates, green between."""
    number, depth = 0, 17.0
    rows = site.rows(depth, 52, 16)
    top = (18, 26, 33)[site.pick(0, 2)]
    for k, y in enumerate(rows):
        for span in site.halves(y - depth / 2, y + depth / 2, 14):
            shift = 12 if k % 2 and span[1] - span[0] > 80 else 0
            for x, w in site.line_up((span[0] + shift, span[1]), 24, lambda: (25.0, 25.0, 46.0)[site.pick(0, 2)]):
                number += 1
                shape, units = ("tower", 1) if w < 30 else ("slab2", 2)
                storeys = max(11, top - 3 * site.pick(0, 3))
                flats = 4 if units == 1 else 3
                placed = Placed(shape, x, y, w, depth, "住宅", storeys, site.year(), "", units, flats, number)
                site.placed.append(placed)
        if k:
            site.side_lane((rows[k - 1] + y) / 2, 8.0)
    for span in site.halves(2, 9, 4) if site.height_m > 60 else []:
        for x, w in site.line_up(span, 4, lambda: site.between(24, 40)):
            site.placed.append(Placed("box", x, 4.8, w, 5.6, "商业", 1, site.year()))
    site.gate_lane()


def shops(site: Site) -> None:
    """Shop houses around the block, a market hall within."""
    for y, depth in ((8.0, 14.0), (site.height_m - 9.0, 14.0)):
        for x, w in site.line_up(site.band(y - 7, y + 7, 2), 1.2, lambda: site.between(12, 24)):
            year = site.year(1988, 2012)
            site.placed.append(Placed("box", x, y, w, depth, "商业", site.pick(2, 4), year, "", 1, 1))
    if site.height_m > 75 and site.width_m > 70:
        start, end = site.band(30, site.height_m - 30, 14)
        wide, deep = min(end - start, 92.0), min(site.height_m - 52, 58.0)
        hall = Placed("box", (start + end) / 2, site.height_m / 2, wide, deep, "商业", 2, site.year())
        hall.name = "综合市场"
        site.placed.append(hall)


def mall(site: Site) -> None:
    """A shopping centre with a hotel tower beside it."""
    start, end = site.band(8, site.height_m - 8, 8)
    width = (end - start) * 0.66
    depth = site.height_m - 22
    site.placed.append(
        Placed("ring", start + width / 2, site.height_m / 2, width, depth, "商业", 5, site.year(2008, 2021), "购物中心")
    )
    site.placed.append(
        Placed(
            "tower", end - 14, site.height_m * 0.3, 24, 24, "商业", site.pick(18, 26), site.year(2010, 2022), "大酒店"
        )
    )
    site.placed.append(Placed("box", end - 13, site.height_m * 0.75, 24, 26, "商业", 3, site.year(), "影城"))


def offices(site: Site) -> None:
    """Office towers on podiums, in two rows."""
    for y in site.rows(26, 46, 9):
        for x, w in site.line_up(site.band(y - 13, y + 13, 8), 16, lambda: site.between(26, 36)):
            tall = site.chance(0.5)
            shape = "octagon" if tall and site.chance(0.4) else "box"
            storeys = site.pick(14, 24) if tall else site.pick(4, 8)
            site.placed.append(Placed(shape, x, y, w, 26, "办公", storeys, site.year(1998, 2023)))


def government(site: Site) -> None:
    """A main building on an axis, a square before it, two wings."""
    start, end = site.band(10, site.height_m - 10, 10)
    middle, high = (start + end) / 2, site.height_m
    year = site.year(1996, 2008)
    site.placed.append(Placed("aitch", middle, high - 26, 70, 30, "办公", 8, year, "办公楼"))
    for side in (-1, 1):
        x = middle + side * min(70.0, (end - start) / 2 - 12)
        site.placed.append(Placed("ring", x, high * 0.42, 26, 36, "办公", 4, year, "附楼"))
    site.placed.append(Placed("box", middle, 12, 20, 7, "公共设施", 1, year, "门楼"))


def school(site: Site) -> None:
    """Classrooms as a comb in the west, a hall, and a running track in the east."""
    start, end = site.band(8, site.height_m - 8, 8)
    high, wide = site.height_m, end - start
    year = site.year(1986, 2019)
    deep = min(high - 22, 78.0)
    site.placed.append(Placed("comb", start + wide * 0.19, 10 + deep / 2, wide * 0.34, deep, "学校", 5, year, "教学楼"))
    site.placed.append(Placed("box", start + wide * 0.46, high * 0.68, wide * 0.13, 26, "学校", 3, year, "综合楼"))
    site.placed.append(Placed("box", start + wide * 0.46, high * 0.28, wide * 0.13, 20, "学校", 2, year, "食堂"))
    left, right = start + wide * 0.60, end - 6
    radius = min(34.0, (right - left) / 3.2, high / 2 - 14)
    site.lanes.append(("path", _track(left + radius, right - radius, high / 2, radius)))


def _track(left: float, right: float, y: float, radius: float) -> Floats:
    """A running track: two straights and two half circles, closed."""
    turn: Floats = np.linspace(-0.5, 0.5, 9) * np.pi
    east = np.stack([right + radius * np.cos(turn), y + radius * np.sin(turn)], axis=-1)
    west = np.stack([left - radius * np.cos(turn), y - radius * np.sin(turn)], axis=-1)
    return np.round(np.concatenate([east, west, east[:1]]), 2)


def hospital(site: Site) -> None:
    """Outpatients at the street, wards behind, a service building."""
    start, end = site.band(8, site.height_m - 8, 10)
    middle, high = (start + end) / 2, site.height_m
    year = site.year(1994, 2016)
    site.placed.append(Placed("aitch", middle, 26, min(84.0, end - start), 32, "医院", 6, year, "门诊楼"))
    site.placed.append(Placed("slab3", middle - 24, high - 22, 62, 20, "医院", 16, year + 6, "住院楼"))
    site.placed.append(Placed("box", middle + 42, high - 22, 26, 18, "医院", 4, year, "医技楼"))


def factory(site: Site) -> None:
    """Halls in rows, an office at the gate, sheds between."""
    start, _ = site.band(8, 26, 8)
    site.placed.append(Placed("box", start + 18, 16, 36, 15, "办公", 4, site.year(2001, 2020), "综合楼"))
    for k, y in enumerate(site.rows(34, 48, 8)):
        span = site.band(y - 17, y + 17, 8)
        for x, w in site.line_up((span[0] + (48 if k == 0 else 0), span[1]), 14, lambda: site.between(52, 88)):
            shape = "ell" if site.chance(0.12) else "box"
            year = site.year(1999, 2022)
            site.placed.append(Placed(shape, x, y, w, site.between(27, 34), "工业", site.pick(1, 2), year, "厂房"))


def park(site: Site) -> None:
    """Pavilions and a tea house, joined by paths."""
    start, end = site.band(20, site.height_m - 20, 20)
    for x, y, size, name in (
        (start + 12, 30, 9.0, "望江亭"), (end - 16, site.height_m - 30, 22.0, "茶室"), (end - 20, 34, 8.0, "听雨轩"),
    ):  # fmt: skip
        site.placed.append(Placed("octagon", x, y, size, size, "公共设施", 1, site.year(), name))
    curve = np.linspace(0, 1, 13)
    wave = np.sin(curve * 2 * np.pi) * site.height_m * 0.05
    middle = site.height_m * (0.14 if site.block.use == "lake" else 0.5)
    line: Floats = np.stack([start + (end - start) * curve, middle + wave], axis=-1).astype(np.float64)
    site.lanes.append(("path", np.round(line, 2)))


def hamlet(site: Site) -> None:
    """Farm houses in short rows along a lane, yards between, a pond's width away from the fields."""
    depth = 11.0
    low, high = site.height_m * 0.3, site.height_m * 0.72
    for y in np.arange(low, high, 24.0 + site.between(0, 8)).tolist():
        for side, (start, end) in enumerate(site.halves(y - depth / 2, y + depth / 2, 12)):
            reach = min(end - start, site.between(24, 92))
            span = (end - reach, end) if side == 0 else (start, start + reach)
            for x, w in site.line_up(span, 6, lambda: site.between(10, 15)):
                if site.chance(0.2):
                    continue
                year = site.year(1984, 2018)
                shape = "box" if site.chance(0.7) else "ell"
                site.placed.append(Placed(shape, x, y, w, depth, "住宅", site.pick(1, 3), year, "", 1, 1))
    site.gate_lane("residential")


TEMPLATES: dict[str, Callable[[Site], None]] = {
    "courtyards": courtyards,
    "walkup": walkup,
    "midrise": midrise,
    "towers": towers,
    "shops": shops,
    "mall": mall,
    "offices": offices,
    "government": government,
    "school": school,
    "hospital": hospital,
    "factory": factory,
    "park": park,
    "lake": park,
    "hamlet": hamlet,
}
