"""Days of birth compared although month and day were swapped or a digit was mistyped."""

from enum import IntEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.exchange.resolution.keys import Keys, joined
from gis.exchange.time_values import read_dates

Days = NDArray[np.int64]
"""Days as yyyymmdd, so that a 25th month can be kept; 0 is none."""

_LOOSE = r"^\s*(?P<y>[12][0-9]{3})[^0-9]*(?P<m>[0-9]{2})[^0-9]*(?P<d>[0-9]{2})(?:[^0-9].*)?$"
_TENS = 10 ** np.arange(7, -1, -1)


class DateLevel(IntEnum):
    """How well two days agree, best first; 0 where one is missing."""

    SAME = 1
    SWAPPED = 2
    ONE_OFF = 3
    PART = 4
    """The same year, or the same day of another year."""
    DIFFERENT = 5


def days_of(column: pa.Array | pa.ChunkedArray) -> Days:
    """A column of days of any type, as yyyymmdd; days that are none, like the 13th month, keep their digits."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_null(array.type):
        return np.zeros(len(array), dtype=np.int64)
    read = read_dates(array).array
    found = sum(part(read).cast(pa.int64()).fill_null(0).to_numpy() * scale
                for part, scale in ((pc.year, 10_000), (pc.month, 100), (pc.day, 1)))  # fmt: skip
    odd = np.flatnonzero(np.asarray(pc.and_(pc.is_null(read), pc.is_valid(array))))
    if len(odd) and pa.types.is_string(array.type):
        parts = pc.extract_regex(array.take(pa.array(odd)), _LOOSE)
        digits = [pc.struct_field(parts, n).cast(pa.int64()).fill_null(0).to_numpy() for n in ("y", "m", "d")]
        found[odd] = digits[0] * 10_000 + digits[1] * 100 + digits[2]
    days: Days = np.asarray(found, dtype=np.int64)
    return days


def key_of(days: Days) -> Keys:
    """Equal for a day and the one with month and day swapped."""
    year, month, day = days // 10_000, days // 100 % 100, days % 100
    key = joined(year, np.minimum(month, day) * 100 + np.maximum(month, day))
    key[days == 0] = 0
    return key


def year_key(days: Days) -> Keys:
    """Equal for days of one year."""
    return joined(days // 10_000)


def in_year_key(days: Days) -> Keys:
    """Equal for one day of any year."""
    return joined(days % 10_000)


def compare(a: Days, b: Days) -> NDArray[np.int8]:
    """The `DateLevel` of each pair."""
    level = np.full(len(a), DateLevel.DIFFERENT, dtype=np.int8)
    same_year, in_year = a // 10_000 == b // 10_000, a % 10_000
    level[same_year | (in_year == b % 10_000)] = DateLevel.PART
    first, second = a[:, None] // _TENS % 10, b[:, None] // _TENS % 10
    differ = first != second
    off = differ.sum(axis=1)
    neighbours = (off == 2) & (differ[:, 1:] & differ[:, :-1]).any(axis=1)
    at = np.minimum(differ.argmax(axis=1), 6)
    every = np.arange(len(a))
    crossed = (first[every, at] == second[every, at + 1]) & (first[every, at + 1] == second[every, at])
    level[(off == 1) | (neighbours & crossed)] = DateLevel.ONE_OFF
    level[same_year & (in_year % 100 * 100 + in_year // 100 == b % 10_000)] = DateLevel.SWAPPED
    level[a == b] = DateLevel.SAME
    level[(a == 0) | (b == 0)] = 0
    return level
