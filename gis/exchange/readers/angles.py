"""Numbers as people write coordinates: decimal degrees, degrees-minutes-seconds in all usual forms, and metres."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

#: What tables write where there is no value.
MISSING_WORDS = ("", "-", "--", "—", "——", "/", "\\", "\\N", "无", "暂无", "空", "null", "NULL", "Null", "None", "none",
                 "nan", "NaN", "NAN", "N/A", "n/a", "#N/A", "<Null>", "<null>", "未知", "不详")  # fmt: skip

_H, _H_AFTER = r"(?P<before>[NSEW]?)(?P<sign>[+-]?)", r"(?P<after>[NSEW]?)$"
_PART = r"\d{1,2}(?:\.\d+)?"
_SYMBOLS = rf"^{_H}(?P<d>\d{{1,3}}(?:\.\d+)?)°(?:(?P<m>{_PART})′?(?:(?P<s>{_PART})″?)?)?{_H_AFTER}"
_SEPARATED = tuple(
    rf"^{_H}(?P<d>\d{{1,3}}){between}(?P<m>\d{{1,2}}){between}(?P<s>{_PART}){_H_AFTER}"
    for between in (":", " ", "-", r"\.")
)
_MINUTES = rf"^{_H}(?P<d>\d{{1,3}})[: ](?P<m>{_PART})(?P<s>){_H_AFTER}"
_DECIMAL = rf"^{_H}(?P<d>\d+(?:\.\d*)?|\.\d+)(?P<m>)(?P<s>){_H_AFTER}"
_FORMS = (_SYMBOLS, *_SEPARATED, _MINUTES, _DECIMAL)

#: Rewritten in this order, after full-width forms have become half-width ones.
_SPELLINGS = (
    (r"[\s\p{Z}]+", " "),
    (r"东经|[Ee]ast", "E"), (r"西经|[Ww]est", "W"), (r"北纬|[Nn]orth", "N"), (r"南纬|[Ss]outh", "S"),
    (r"\s*(?:度|°|º|˚|[Dd]eg)\s*", "°"),
    (r"\s*(?:''|′′|‵‵|″|”|“|\"|〃|秒)\s*", "″"),
    (r"\s*(?:'|′|‵|’|‘|`|´|分)\s*", "′"),
    (r"\s*:\s*", ":"),
    (r"^([NSEWnsew])[ :]*", r"\1"), (r" *([NSEWnsew])$", r"\1"),
    (r"[−–—]", "-"),
    (r"(\d) *(?:米|m)$", r"\1"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Readings:
    """One coordinate column: numbers (NaN where there is none), which rows are empty, and which axis it names.

    `axis` is "x" when the values carry E or W, "y" when they carry N or S, None when they carry neither or both.
    `angles` counts the values that were not plain numbers.
    """

    values: NDArray[np.float64]
    missing: NDArray[np.bool_]
    axis: Literal["x", "y"] | None
    angles: int


def read_coordinates(column: pa.Array) -> Readings:
    """The coordinates of a text column; a value that cannot be read is NaN and not missing.

    Read are 116.5, 116.5E, 116°30′59.2″, 116度30分59.2秒, 116°30.5′, 116:30:59.2, E116.30.59, 116 30 59.2, 东经116°,
    1,234,567.8 and 512345.6m, in half-width and full-width characters. Minutes and seconds must be below 60, and
    only the last part may have a fraction. South and west are negative.
    """
    missing = pc.or_(pc.is_null(column), pc.is_in(column, value_set=pa.array(MISSING_WORDS)))
    plain = _plain(column, missing)
    values = plain.fill_null(np.nan).to_numpy(zero_copy_only=False).copy()
    missing_at = missing.to_numpy(zero_copy_only=False).copy()
    left = np.flatnonzero(np.isnan(values) & ~missing_at)
    if not len(left):
        return Readings(values, missing_at, None, 0)
    written = column.take(pa.array(left))
    angles, east_west, north_south = _written(_normal(written))
    values[left] = angles
    missing_at[left] = pc.equal(pc.utf8_trim_whitespace(written), "").to_numpy(zero_copy_only=False)
    named = "x" if east_west and not north_south else "y" if north_south and not east_west else None
    return Readings(values, missing_at, named, int(np.count_nonzero(~np.isnan(angles))))  # type: ignore[arg-type]


def _plain(column: pa.Array, missing: pa.Array) -> pa.Array:
    """The values that are plain decimal numbers; null for the others."""
    cells = pc.if_else(missing, pa.scalar(None, pa.string()), column)
    try:
        numbers = pc.cast(cells, pa.float64())
    except pa.ArrowInvalid:
        trimmed = pc.utf8_trim_whitespace(cells)
        number = pc.match_substring_regex(trimmed, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?$")
        numbers = pc.cast(pc.if_else(number, trimmed, pa.scalar(None, pa.string())), pa.float64())
    return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))


def _normal(column: pa.Array) -> pa.Array:
    # º, ˚ and ″ must be rewritten before NFKC turns them into o, a space and a pair of primes
    text = pc.replace_substring_regex(column, "[º˚]", "°")
    text = pc.utf8_trim_whitespace(pc.utf8_normalize(text, form="NFKC"))
    for pattern, replacement in _SPELLINGS:
        text = pc.replace_substring_regex(text, pattern, replacement)
    thousands = pc.match_substring_regex(text, r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$")
    return pc.utf8_upper(pc.if_else(thousands, pc.replace_substring(text, ",", ""), text))


def _written(text: pa.Array) -> tuple[NDArray[np.float64], bool, bool]:
    """Degrees of normal spellings (NaN where none fits), and whether E/W and N/S are written."""
    degrees = np.full(len(text), np.nan)
    hemispheres: set[str] = set()
    for form in _FORMS:
        parts = pc.extract_regex(text, form)
        found = np.flatnonzero(pc.is_valid(parts).to_numpy(zero_copy_only=False) & np.isnan(degrees))
        if not len(found):
            continue
        part = parts.take(pa.array(found))
        degrees[found] = _degrees(part)
        for side in ("before", "after"):
            hemispheres.update(pc.unique(pc.struct_field(part, side)).to_pylist())
    return degrees, bool(hemispheres & {"E", "W"}), bool(hemispheres & {"N", "S"})


def _degrees(parts: pa.StructArray) -> NDArray[np.float64]:
    d, m, s = (_number(pc.struct_field(parts, name)) for name in ("d", "m", "s"))
    before, after, sign = (pc.struct_field(parts, name) for name in ("before", "after", "sign"))
    west_south = pa.array(["W", "S"])
    marked = pc.or_(pc.is_in(before, value_set=west_south), pc.is_in(after, value_set=west_south))
    negative = pc.or_(marked, pc.equal(sign, "-")).to_numpy(zero_copy_only=False)
    twice = pc.and_(pc.not_equal(before, ""), pc.not_equal(after, "")).to_numpy(zero_copy_only=False)
    broken = (m >= 60) | (s >= 60) | ((d % 1 > 0) & (m + s > 0)) | ((m % 1 > 0) & (s > 0)) | twice
    value = np.where(negative, -1.0, 1.0) * (d + m / 60 + s / 3600)
    return np.where(broken, np.nan, value)


def _number(part: pa.Array) -> NDArray[np.float64]:
    return np.asarray(pc.cast(pc.if_else(pc.equal(part, ""), "0", part), pa.float64()).to_numpy(zero_copy_only=False))
