"""Legal entities: invented firms, shops and institutions with valid credit codes, in the district's buildings.

Industry codes are of GB/T 4754-2017 as remembered, not looked up.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sample_city import names
from sample_city.codes import credit_code
from sample_city.lattice import stream
from sample_city.people import Person
from sample_city.places import Building, District

#: By a building's use: (trade in the name, industry code, industry).
_TRADES = {
    "商业": (("商贸", "F5212", "超级市场零售"), ("餐饮管理", "H6210", "正餐服务"),
           ("茶业", "F5226", "酒、饮料及茶叶零售"),
           ("药业连锁", "F5251", "西药零售"), ("物业服务", "K7020", "物业管理")),
    "办公": (("信息科技", "I6513", "应用软件开发"), ("置业", "K7010", "房地产开发经营"),
           ("建筑工程", "E4710", "住宅房屋建筑"), ("物流", "G5431", "普通货物道路运输"),
           ("广告传媒", "L7259", "其他广告服务")),
    "工业": (("机械制造", "C3484", "机械零部件加工"), ("食品", "C1432", "速冻食品制造"),
           ("纺织", "C1711", "棉纺纱加工"), ("茶业加工", "C1530", "精制茶加工")),
}  # fmt: skip
_INSTITUTIONS = {"学校": ("P8321", "普通小学教育"), "医院": ("Q8411", "综合医院")}


@dataclass(frozen=True, slots=True)
class Firm:
    """One legal entity; `since` is the day of registration, `capital` in 万元."""

    code: str
    name: str
    kind: str
    industry: str
    industry_name: str
    address: str
    village: str
    since: str
    capital: int
    legal_person: str
    legal_number: str


class Registrar:
    """Registers firms; organisation codes run on through the whole city, so that each is given once."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._next = 60_000_000 + 1000 * (seed % 1000)

    def firms_of(self, district: District, owners: list[Person]) -> Iterator[Firm]:
        """The legal entities in a district; their representatives are people who live there."""
        adults = [p for p in owners if p.born < "2004"]
        rng = stream(self.seed, 16, district.number)
        seen: set[str] = set()
        for building in district.buildings if adults else []:
            for kind, trade in _occupants(building, rng, seen):
                yield self._firm(building, kind, trade, adults[int(rng.integers(len(adults)))], rng)

    def _firm(
        self, building: Building, kind: str, trade: tuple[str, str, str], owner: Person, rng: np.random.Generator
    ) -> Firm:
        self._next += 7
        public = kind == "事业单位"
        department, category = ("1", "2") if public else ("9", "1" if kind == "企业" else "2")
        word = names.FIRM_NAMES[int(rng.integers(len(names.FIRM_NAMES)))]
        place = building.address.street.removesuffix("路") or "六安"
        district = "裕安区" if building.village.startswith("341503") else "金安区"
        name = f"六安市{word}{trade[0]}有限公司" if kind == "企业" else f"{district}{place}{word}{trade[0]}店"
        first = int(building.since[:4])
        year = min(2025, first + int(rng.integers(0, max(1, 2026 - first))))
        return Firm(
            code=credit_code(department, category, building.village[:6], self._next),
            name=trade[0] if public else name,
            kind=kind,
            industry=trade[1],
            industry_name=trade[2],
            address=building.address.text,
            village=building.village,
            since=f"{year}-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d}",
            capital=int((10, 50, 100, 500, 1000)[rng.integers(5)]),
            legal_person=owner.name,
            legal_number=owner.number,
        )


def _occupants(
    building: Building, rng: np.random.Generator, seen: set[str]
) -> Iterator[tuple[str, tuple[str, str, str]]]:
    compound = building.address.compound
    if building.use in _INSTITUTIONS and compound not in seen and not building.name.endswith("幼儿园"):
        seen.add(compound)
        yield "事业单位", (compound, *_INSTITUTIONS[building.use])
    trades = _TRADES.get(building.use, ())
    many = {"办公": 4, "商业": 2, "工业": 1}.get(building.use, 0)
    for _ in range(int(rng.integers(0, many + 1)) if many and building.block_use != "government" else 0):
        kind = "个体工商户" if building.use == "商业" and rng.random() < 0.6 else "企业"
        yield kind, trades[int(rng.integers(len(trades)))]
