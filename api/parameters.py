"""Parameters that several addresses read alike: one of some words, whole numbers, days; refused by name."""

from collections.abc import Collection, Mapping
from datetime import datetime
from math import isfinite

from gis.errors import BadQuery, NotFound
from gis.exchange.delivery.ledger import Page
from gis.query.span import Span, now

MAX_LIMIT = 1_000
_MOST_DIGITS = 9


def choice(values: Mapping[str, str], name: str, words: Collection[str]) -> str | None:
    """A parameter that is one of some words. Raises BadQuery."""
    given = values.get(name)
    if given is not None and given not in words:
        listed = ", ".join(words)
        raise BadQuery(f"{name} can be {listed}", f"{name} 可以是 {listed}", subject=name)
    return given


def yes(values: Mapping[str, str], name: str) -> bool:
    """A parameter that is true or false, the latter where it is absent. Raises BadQuery."""
    return choice(values, name, ("true", "false")) == "true"


def page(values: Mapping[str, str], default: int = 20) -> Page:
    """`limit` and `offset`; a limit that is too high is lowered. Raises BadQuery."""
    limit, offset = whole(values, "limit", 1, default), whole(values, "offset", 0, 0)
    return Page(limit=min(limit, MAX_LIMIT), offset=offset)


def number_in_path(text: str) -> int:
    """A number that is part of an address. Raises NotFound for anything else."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise NotFound(f"there is nothing with the number {text[:40]!r}", f"没有编号为 {text[:40]!r} 的记录",
                       subject=text[:40])  # fmt: skip
    return int(text)


def edition(values: Mapping[str, str], name: str) -> datetime | None:
    """The moment for which data speak; a date means the beginning of its Shanghai day. Raises BadQuery."""
    text = values.get(name)
    if text is None:
        return None
    try:
        if "/" in text:
            raise BadQuery(f"{text[:40]!r} is a span of time", f"{text[:40]!r} 是时间段")
        start = Span.parse(text).start
    except BadQuery as error:
        raise BadQuery(error.text.en, error.text.zh, subject=name) from None
    if start is None or start > now():
        raise BadQuery(f"{name} is in the future", f"{name} 在将来", subject=name)
    return start


def whole(values: Mapping[str, str], name: str, least: int, default: int) -> int:
    """A whole number from `least` on. Raises BadQuery."""
    text = values.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS and int(text) >= least):
        raise BadQuery(f"{name} is a whole number from {least}", f"{name} 应为不小于 {least} 的整数", subject=name)
    return int(text)


def degrees(text: str, name: str, most: float) -> float:
    """A number of degrees. Raises BadQuery."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value) or abs(value) > most:
        raise BadQuery(
            f"{name} is a number of degrees from {-most:g} to {most:g}, not {text[:40]!r}",
            f"{name} 应为 {-most:g} 至 {most:g} 的度数,不能是 {text[:40]!r}",
            subject=name,
        )
    return value
