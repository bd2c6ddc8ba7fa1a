"""Names of entities by their parts: region, what is their own (字号), trade, legal form (企业名称登记管理规定, 2020).

Only the middle two tell firms apart: 六安市嘉禾商贸有限公司 and 嘉禾商贸有限责任公司 may be one firm under two pens.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.codes.column import CodeColumn, strings
from gis.exchange.resolution.keys import Keys, joined, numbered
from gis.exchange.resolution.names import NameLevel, Names

Ints = NDArray[np.int64]

_LEGAL_FORM = re.compile(
    "(?:(?:集团)?(?:股份)?有限(?:责任)?(?:总)?公司|集团公司|总公司|公司|集团|[（(]?(?:普通|有限)合伙[)）]?|合伙企业|个人独资企业|"
    "(?:农民)?专业合作(?:社|联社)|个体工商户)+$"
)
_BRANCH = re.compile(r"(第?[一二三四五六七八九十\d]*(?:分公司|分店|分部|分社|分院|分校))$")
_TRADE = re.compile(
    "(?:(?:信息|网络|电子|生物|环保|农业|智能|建筑|装饰|机电|医疗|健康|文化|教育|汽车|房地产|人力资源|企业|餐饮|酒店|物业|"
    "食品|农产品|新能源|新材料|供应链|电子商务)?(?:科技|技术|商贸|贸易|工贸|工程|建设|建材|装饰|置业|开发|物流|运输|货运|餐饮|"
    "管理|服务|咨询|传媒|广告|传播|商务|销售|经营|机械|设备|器械|制造|加工|服饰|服装|食品|药房|医药|实业|投资|劳务|超市|便利店|"
    "饭店|餐馆|餐厅|酒楼|酒店|宾馆|面馆|小吃|火锅|茶楼|烟酒|百货|五金|家具|家电|家政|美容|美发|理发店|养殖|种植|农业|能源|材料|"
    "电子|网络|汽车|修理|维修|印刷|包装|培训|教育|幼儿园|诊所|经营部|服务部|门市部|商行|商店|工作室|事务所|中心|店|厂|部))+$"
)
_BRACKETS = re.compile(r"[\s()（）【】\[\]<>《》·.,，。\-]+")
_ENDINGS = re.compile("(?:省|市|区|县|街道|镇|乡)$")


class EntityNameLevel(IntEnum):
    """How well two names agree, best first; 0 where one is missing."""

    SAME = 1
    STEM = 2
    """The same but for region and legal form."""
    OWN = 3
    """The firm's own part, in another trade or without one."""
    ALIKE = 4
    """Its own part alike in sound or look, or one character off, in the same trade."""
    DIFFERENT = 5


@dataclass(frozen=True, slots=True)
class EntityNames:
    """The names of one side as numbers, the same numbers on both; 0 is none. `own` are numbers in `owns`."""

    whole: Ints
    stem: Ints
    trade: Ints
    own: Ints
    owns: Names

    @classmethod
    def of_both(
        cls, first: CodeColumn, second: CodeColumn, regions: Iterable[str]
    ) -> tuple["EntityNames", "EntityNames"]:
        """Two sides; `regions` are the names of divisions that may stand before a name."""
        region = _region(regions)
        sides = [_parts(_plain(column), region) for column in (first, second)]
        whole, stem, trade = (numbered(*(side[k] for side in sides)) for k in range(3))
        owns, own = Names.of(*(side[3] for side in sides))
        return cls(whole[0], stem[0], trade[0], own[0], owns), cls(whole[1], stem[1], trade[1], own[1], owns)

    def compare(self, rows: Ints, other: "EntityNames", others: Ints) -> NDArray[np.int8]:
        """The `EntityNameLevel` of each pair of own rows with rows of a register."""
        own = self.owns.compare(self.own[rows], other.own[others])
        trade, its_trade = self.trade[rows], other.trade[others]
        level = np.full(len(rows), EntityNameLevel.DIFFERENT, dtype=np.int8)
        near = (own >= NameLevel.SAME) & (own <= NameLevel.ONE_OFF)
        level[near & (trade == its_trade)] = EntityNameLevel.ALIKE
        level[own == NameLevel.SAME] = EntityNameLevel.OWN
        level[self.stem[rows] == other.stem[others]] = EntityNameLevel.STEM
        level[self.whole[rows] == other.whole[others]] = EntityNameLevel.SAME
        level[(self.whole[rows] == 0) | (other.whole[others] == 0)] = 0
        return level

    def keys(self) -> list[Keys]:
        """What brings names together: the stem, the own part as it sounds, and as it is written."""
        sound = self.owns.key_by_sound(self.own)
        return [
            joined(self.stem),
            joined(self.own),
            sound,
            joined(self.owns.key_by_sound(self.own, slice(0, 2)), self.trade),
        ]


def _plain(column: CodeColumn) -> pa.Array:
    return pc.utf8_upper(pc.utf8_normalize(strings(column), form="NFKC"))


def _region(regions: Iterable[str]) -> re.Pattern[str]:
    words = {w for name in regions for w in (name, _ENDINGS.sub("", name)) if len(w) >= 2}
    listed = "|".join(sorted(map(re.escape, words), key=lambda w: (-len(w), w)))
    return re.compile(rf"^(?:{listed})+" if listed else r"^(?!)")


def _parts(texts: pa.Array, region: re.Pattern[str]) -> tuple[pa.Array, pa.Array, pa.Array, pa.Array]:
    """The whole without signs, the stem, the trade, the own part; each distinct name is read once."""
    coded = texts.dictionary_encode()
    read = [_read(t, region) for t in coded.dictionary.to_pylist()]
    columns = [pa.array([r[k] for r in read], pa.string()) for k in range(4)]
    whole, stem, trade, own = (c.take(coded.indices) for c in columns)
    return whole, stem, trade, own


def _read(text: str, region: re.Pattern[str]) -> tuple[str, str, str, str]:
    """One name by its parts; a part that would leave nothing is left where it is."""
    whole = _BRACKETS.sub("", text)
    bare = _without(region, re.sub(r"[（(][^()（）]*[)）]", "", text))
    bare = _BRACKETS.sub("", bare)
    branch = _BRANCH.search(bare)
    stem = _without(_LEGAL_FORM, bare[: branch.start()] if branch and branch.start() >= 2 else bare)
    own = _without(_TRADE, stem)
    trade = stem[len(own) :] + (branch[1] if branch else "")
    return whole, stem + (branch[1] if branch else ""), trade, own


def _without(pattern: re.Pattern[str], text: str) -> str:
    rest = pattern.sub("", text)
    return rest if len(rest) >= 2 else text
