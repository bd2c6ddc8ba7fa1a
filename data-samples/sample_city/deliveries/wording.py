"""How people write: addresses with levels left out and numerals changed, names with the wrong character, days."""

from dataclasses import dataclass, field

import numpy as np

from sample_city.names import words as _words
from sample_city.people import Dwelling
from sample_city.places import short_name

_WIDE = str.maketrans("0123456789-", "０１２３４５６７８９－")
_NUMERALS = "零一二三四五六七八九"
#: Characters that sound or look alike, as a clerk at a counter mistakes them.
_ALIKE = _words(
    "伟玮炜 磊蕾 军君钧 洋阳扬 勇永 杰洁捷 涛滔 超朝 明铭鸣 刚钢 平萍苹 辉晖 鹏朋 华桦 飞菲 "
    "鑫欣 波博 斌彬 宇雨羽语 浩皓昊 凯恺 健建 俊峻骏 帆凡 志智 文雯 芳方 静婧靖 丽莉俐 "
    "艳燕雁 娟鹃 霞侠 玲铃灵 红洪虹 梅玫 琴芹 云芸 慧惠 颖莹 佳嘉家 露璐 秀绣 英瑛 兰岚 "
    "春椿 晓小 雅娅 怡宜 涵晗 桐童 琪琦 瑶遥 紫梓 熙曦 嫣妍 清青 月悦 凤风 珍贞 一依 陈程 "
    "张章 王汪 刘柳 杨 吴伍武 周邹 徐许 何贺 肖萧 于余 江蒋姜 陆卢鲁 钟仲 付傅 白柏 段断 "
    "顾古 石时 方房 田天 董懂 严颜 秦覃 国帼 强墙 子紫 思斯 诗施 大达 学雪 德得 长常 "
)
_LIKE = {c: group.replace(c, "") for group in reversed(_ALIKE) for c in group if len(group) > 1}


@dataclass(slots=True)
class AddressWriter:
    """Writes the address of a home as bureaus have it."""

    names: dict[str, str]
    _parts: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def divisions(self, village: str) -> tuple[str, ...]:
        """Province, city, county, township and village as addresses write them."""
        if village not in self._parts:
            codes = dict.fromkeys(village[:n].ljust(12, "0") for n in (2, 4, 6, 9, 12))
            self._parts[village] = tuple(short_name(self.names[c]) for c in codes)
        return self._parts[village]

    def tail(self, home: Dwelling) -> str:
        """What follows the divisions: street, plate, compound, building, staircase, room."""
        return home.text.removeprefix("".join(self.divisions(home.village)))

    def full(self, home: Dwelling) -> str:
        """In full."""
        return home.text

    def full_width(self, home: Dwelling) -> str:
        """With full-width digits."""
        return home.text.translate(_WIDE)

    def numerals(self, home: Dwelling) -> str:
        """With building and staircase in Chinese numerals: 三栋二单元501室."""
        head = "".join(self.divisions(home.village))
        tail = self.tail(home)
        for number in range(1, 100):
            for ending in ("栋", "单元", "号楼"):
                digits = f"{number}{ending}"
                at = tail.find(digits)
                if at > 0 and not tail[at - 1].isdigit():
                    tail = f"{tail[:at]}{chinese(number)}{ending}{tail[at + len(digits) :]}"
        return head + tail

    def without_upper(self, home: Dwelling) -> str:
        """Without province and city."""
        return "".join(self.divisions(home.village)[2:]) + self.tail(home)

    def without_township(self, home: Dwelling) -> str:
        """Without the township."""
        parts = self.divisions(home.village)
        return "".join((*parts[:3], *parts[4:])) + self.tail(home)

    def spaced(self, home: Dwelling) -> str:
        """With a blank after the divisions."""
        return f"{''.join(self.divisions(home.village))} {self.tail(home)}"

    def without_lower(self, home: Dwelling) -> str:
        """Without township and village."""
        return "".join(self.divisions(home.village)[:3]) + self.tail(home)

    def bare(self, home: Dwelling) -> str:
        """Without any division."""
        return self.tail(home)

    def building(self, home: Dwelling) -> str:
        """No finer than the building."""
        return home.text.removesuffix(f"{home.unit}单元{home.room}室")

    def without_staircase(self, home: Dwelling) -> str:
        """With the room but not the staircase."""
        return f"{self.building(home)}{home.room}室"

    def coarse(self, home: Dwelling) -> str:
        """No finer than the village."""
        return "".join(self.divisions(home.village))


def chinese(number: int) -> str:
    """The Chinese numeral of 1 to 99."""
    tens, ones = divmod(number, 10)
    head = ("" if tens == 1 else _NUMERALS[tens]) + "十" if tens else ""
    return head + (_NUMERALS[ones] if ones else "")


def mistaken_name(name: str, rng: np.random.Generator) -> str:
    """A name with one character mistaken for one that sounds or looks alike; without such a one, its last doubled."""
    places = [k for k, c in enumerate(name) if c in _LIKE]
    if not places:
        return name + name[-1]
    at = places[int(rng.integers(len(places)))]
    others = _LIKE[name[at]]
    return name[:at] + others[int(rng.integers(len(others)))] + name[at + 1 :]


def day_as_written(day: str, way: int) -> str:
    """An ISO day in one of the ways in which bureaus write days (0: ISO)."""
    year, month, of_month = day.split("-")
    return (
        day,
        f"{year}/{int(month)}/{int(of_month)}",
        f"{year}{month}{of_month}",
        f"{year}年{int(month)}月{int(of_month)}日",
        f"{year}.{month}.{of_month}",
    )[way]
