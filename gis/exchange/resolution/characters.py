"""Characters that are taken for one another: those that sound alike and those that look alike."""

import functools
import unicodedata

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int32]

_PLANE = 0x10000
_FIRST_GROUP = 1 << 22
"""Groups are numbered above every code point, so that a character without a group is alike to itself only."""

#: Sounds that speakers of the Jianghuai and southern dialects, and those who type by sound, do not keep apart.
_MERGED_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("l", "n"))
#: Characters that differ by a stroke or a radical and are mistaken in reading, writing and choosing from a list.
_LOOK_ALIKE = (
    "未末 己已巳 戊戌戍成 日曰 土士 天夫 干千于 人入 大太犬 田由甲申 玲铃伶 晴睛 杨扬 徒徙 候侯 "
    "赢羸 陈阵 季李 汪注 洪供 段叚 祁邢 龙尤 史吏 卢庐芦 丘兵 沈沉 吕昌 余佘 冯马 钱线 蒋将 "
    "谢射 欣歆 昕听 淑椒 俊峻骏竣 梓锌 轩杆 浩皓诰 晨晟 琪淇祺棋 瑶摇遥谣 珍诊 芳芬 洁浩 婷停 "
    "颖颍 宏宠 娟娓 敏每 建健键 博搏 涛祷 辉晖 秀透 桂佳住 春舂 飞弋 萍苹 桐铜洞 涵函 怡恰 "
    "思恩 诗持 妍研 宸寰 泽择译 睿濬 彤肜 筠均 茗名 锦棉绵 鸿鸣 "
)


def sounds(of: Codes) -> Codes:
    """The class of sounds of each code point (tone left out, zh as z, ng as n, n as l): equal where they sound alike.

    The commonest reading of a character counts. What has no reading is alike to itself only.
    """
    return _mapped(of, _sound_table())


def looks(of: Codes) -> Codes:
    """The class of looks of each code point: equal where one is easily mistaken for the other."""
    return _mapped(of, _look_table())


def _mapped(of: Codes, table: Codes) -> Codes:
    inside = of < _PLANE
    found: Codes = np.where(inside, table[np.where(inside, of, 0)], of).astype(np.int32)
    return found


@functools.cache
def _sound_table() -> Codes:
    from pypinyin.constants import PINYIN_DICT  # noqa: PLC0415  forty thousand readings, loaded when first needed

    table = np.arange(_PLANE, dtype=np.int32)
    groups: dict[str, int] = {}
    for point, readings in PINYIN_DICT.items():
        if point < _PLANE:
            sound = _plain(readings.partition(",")[0])
            table[point] = groups.setdefault(sound, _FIRST_GROUP + len(groups))
    return table


def _plain(reading: str) -> str:
    """A reading without its tone and without what is not kept apart."""
    bare = "".join(c for c in unicodedata.normalize("NFD", reading) if not unicodedata.combining(c))
    for written, spoken in _MERGED_INITIALS:
        if bare.startswith(written):
            bare = spoken + bare.removeprefix(written)
            break
    return bare.removesuffix("g") if bare.endswith("ng") else bare


@functools.cache
def _look_table() -> Codes:
    table = np.arange(_PLANE, dtype=np.int32)
    for number, group in enumerate(_LOOK_ALIKE.split()):
        for character in group:
            if table[ord(character)] == ord(character):
                table[ord(character)] = _FIRST_GROUP + number
    return table
