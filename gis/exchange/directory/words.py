"""The words that a directory is written in, and how bureaus write them.

Source of the notions: 政务信息资源目录编制指南(试行), 发改高技〔2017〕1272号 (core metadata:
provider, item, type, shared how, updated how often).
"""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

from gis.catalog import Sensitivity
from gis.text import Text


class Period(StrEnum):
    """How often a class is collected (归集周期)."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    HALF_YEARLY = "half_yearly"
    YEARLY = "yearly"
    ONCE = "once"
    IRREGULAR = "irregular"

    def due_after(self, last: date) -> date | None:
        """The last day on which the next delivery is in time; None where none is owed.

        A month is a calendar month: after 31 January it is the last day of February.

        >>> Period.MONTHLY.due_after(date(2026, 1, 31)), Period.ONCE.due_after(date(2026, 1, 1))
        (datetime.date(2026, 2, 28), None)
        """
        if self in _DAYS:
            return last + timedelta(days=_DAYS[self])
        return _months_later(last, _MONTHS[self]) if self in _MONTHS else None


_DAYS = {Period.DAILY: 1, Period.WEEKLY: 7}
_MONTHS = {Period.MONTHLY: 1, Period.QUARTERLY: 3, Period.HALF_YEARLY: 6, Period.YEARLY: 12}


class Share(StrEnum):
    """Whether other departments may have an item (共享类型)."""

    FREE = "free"
    CONDITIONAL = "conditional"
    WITHHELD = "withheld"


class ItemType(StrEnum):
    """What an item's values are (数据类型)."""

    TEXT = "text"
    CODE = "code"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "instant"
    PLACE = "place"
    FILE = "file"


class Subject(StrEnum):
    """What a class is about: one of the state's basic databases, or a department's own business."""

    PERSON = "person"
    ENTITY = "entity"
    PLACE = "place"
    ECONOMY = "economy"
    LICENCE = "licence"
    BUSINESS = "business"


#: How each word is written: in Chinese, in English, and as else bureaus put it; apart by kind, since kinds share words.
_WRITTEN: Mapping[type[StrEnum], Mapping[str, tuple[str, ...]]] = {
    Period: {
        Period.DAILY: ("每日", "daily", "日", "天", "每天"),
        Period.WEEKLY: ("每周", "weekly", "周"),
        Period.MONTHLY: ("每月", "monthly", "月"),
        Period.QUARTERLY: ("每季度", "quarterly", "季", "季度", "每季"),
        Period.HALF_YEARLY: ("每半年", "half-yearly", "半年"),
        Period.YEARLY: ("每年", "yearly", "年", "年度"),
        Period.ONCE: ("一次性", "once"),
        Period.IRREGULAR: ("不定期", "irregular", "按需"),
    },
    Share: {
        Share.FREE: ("无条件共享", "shared without conditions", "无条件"),
        Share.CONDITIONAL: ("有条件共享", "shared on conditions", "有条件"),
        Share.WITHHELD: ("不予共享", "not shared", "不共享", "不予"),
    },
    ItemType: {
        ItemType.TEXT: ("字符型", "text", "字符", "字符型c", "文本", "c"),
        ItemType.CODE: ("代码型", "code", "代码"),
        ItemType.INTEGER: ("整型", "whole number", "整数", "整数型", "整型i", "i"),
        ItemType.NUMBER: ("数值型", "number", "数值", "数值型n", "n"),
        ItemType.BOOLEAN: ("逻辑型", "yes or no", "逻辑", "布尔型", "逻辑型l", "l"),
        ItemType.DATE: ("日期型", "date", "日期", "日期型d", "d"),
        ItemType.INSTANT: ("日期时间型", "date and time", "日期时间", "日期时间型t", "t"),
        ItemType.PLACE: ("空间型", "place", "坐标", "空间"),
        ItemType.FILE: ("文件型", "file", "文件", "附件"),
    },
    Sensitivity: {
        Sensitivity.OPEN: ("公开", "open"),
        Sensitivity.INTERNAL: ("内部", "internal", "内部使用"),
        Sensitivity.PERSONAL: ("个人信息", "personal", "个人"),
    },
    Subject: {
        Subject.PERSON: ("人口", "persons", "自然人"),
        Subject.ENTITY: ("法人", "legal entities", "法人单位"),
        Subject.PLACE: ("空间地理", "places", "空间", "地理"),
        Subject.ECONOMY: ("宏观经济", "economy", "经济"),
        Subject.LICENCE: ("电子证照", "licences", "证照"),
        Subject.BUSINESS: ("业务", "business"),
    },
}

Word = TypeVar("Word", bound=StrEnum)


def title(word: StrEnum) -> Text:
    """The word for its readers."""
    zh, en, *_ = _WRITTEN[type(word)][word]
    return Text(zh, en)


def titles(kind: type[StrEnum]) -> str:
    """All words of a kind, in Chinese, for a sentence that says what may be written."""
    return "、".join(title(word).zh for word in kind)


def read_word(kind: type[Word], written: str) -> Word | None:
    """The word that was written, as its code or as people say it; None for any other text.

    >>> read_word(Period, "每月"), read_word(Share, "conditional"), read_word(Period, "常常")
    (<Period.MONTHLY: 'monthly'>, <Share.CONDITIONAL: 'conditional'>, None)
    """
    text = written.strip().casefold()
    return next((word for word in kind if text == word.value or text in _WRITTEN[kind][word]), None)


def _months_later(day: date, months: int) -> date:
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    after = date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, min(day.day, (after - timedelta(days=1)).day))
