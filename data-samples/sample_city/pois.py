"""Points of interest: what people look for, from the buildings that house it, the bus stops and the bridges."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sample_city import names
from sample_city.lattice import Floats, stream
from sample_city.places import Building, District
from sample_city.streets import CLASSES

_NAMED = {"学校": "学校", "医院": "医疗"}
_CULTURE = ("社区活动中心", "影城", "茶室", "望江亭", "听雨轩")


@dataclass(frozen=True, slots=True)
class Poi:
    """A point of interest; `xy` is in metres from the centre."""

    code: str
    name: str
    kind: str
    address: str
    telephone: str
    since: str
    xy: Floats


def pois_of(district: District, seed: int) -> Iterator[Poi]:
    """The district's points of interest."""
    rng = stream(seed, 14, district.number)
    seen: set[str] = set()
    number = 0
    for building in district.buildings:
        for name, kind in _in_building(building, rng, seen):
            number += 1
            x0, y0, x1, y1 = building.shape.bounds
            jitter = (rng.random(2) - 0.5) * 0.4 * min(x1 - x0, y1 - y0)
            inside = building.shape.representative_point()
            xy = np.round(np.array([inside.x, inside.y]) + (jitter if kind in ("商店", "餐饮", "其他") else 0), 2)
            code = f"P{district.number:04d}{number:05d}"
            yield Poi(code, name, kind, building.address.text, _telephone(rng), building.since, xy)
    for road in district.roads:
        if road.kind in ("primary", "secondary", "trunk") and rng.random() < 0.22:
            number += 1
            xy = np.round(road.line.mean(axis=0) + CLASSES[road.kind].width_m * 0.4, 2)
            name = f"{road.name.removesuffix('路')}{names.LANE_FIRST[int(rng.integers(len(names.LANE_FIRST)))]}站"
            yield Poi(f"P{district.number:04d}{number:05d}", name, "交通设施", road.name, "", road.since, xy)


def _in_building(building: Building, rng: np.random.Generator, seen: set[str]) -> Iterator[tuple[str, str]]:
    compound = building.address.compound
    if building.name.endswith(_CULTURE):
        yield building.name, "文化体育"
    elif building.name.endswith("幼儿园"):
        yield building.name, "学校"
    elif building.use in _NAMED and compound not in seen:
        seen.add(compound)
        yield compound, _NAMED[building.use]
    elif building.block_use == "government" and compound not in seen:
        seen.add(compound)
        for office in ("政务服务中心", "街道办事处", "派出所", "税务所"):
            yield f"{compound.removesuffix('政务中心')}{office}", "政府机构"
    elif building.use == "商业":
        for _ in range(int(rng.integers(1, 3)) + 4 * building.name.endswith(("购物中心", "综合市场"))):
            yield _shop(building, rng)
    elif building.use == "办公" and building.name == "" and rng.random() < 0.5:
        yield f"{compound or building.address.street}写字楼", "其他"


def _shop(building: Building, rng: np.random.Generator) -> tuple[str, str]:
    group, kind = (("shop", "商店"), ("food", "餐饮"), ("other", "其他"))[int(np.digitize(rng.random(), [0.45, 0.8]))]
    brand = names.SHOP_BRANDS[int(rng.integers(len(names.SHOP_BRANDS)))]
    trade = names.SHOPS[group][int(rng.integers(len(names.SHOPS[group])))]
    branch = f"({building.address.street}店)" if building.address.street else ""
    return f"{brand}{trade}{branch}", kind


def _telephone(rng: np.random.Generator) -> str:
    return f"0564-555{int(rng.integers(10_000)):04d}" if rng.random() < 0.8 else ""
