"""Days and instants as people and Excel write them (GB/T 7408, ISO 8601); a local time is Shanghai's."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.codes.column import byte_matrix
from gis.exchange.converted import Converted, mask_of, without_gaps
from gis.text import Text

ZONE = "Asia/Shanghai"
UTC_INSTANT = pa.timestamp("us", tz="UTC")

BAD_DATE = Text("不是完整的日期(年月日)", "it is not a full date (year, month and day)")
BAD_INSTANT = Text("不是日期时间", "it is not a date and time")

_DATE = r"(?P<y>\d{4})(?:(?:[-/.]|年)(?P<m>\d{1,2})(?:[-/.]|月)(?P<d>\d{1,2})[日号]?|(?P<mm>\d{2})(?P<dd>\d{2}))"
_TIME = r"(?P<H>\d{1,2})[:时点](?P<M>\d{1,2})(?:[:分](?:(?P<S>\d{1,2})(?P<F>\.\d{1,9})?秒?)?)?"
_INSTANT = rf"^{_DATE}(?:(?:T| +|)(?:{_TIME})\s*(?P<Z>[Zz]|[+-]\d{{2}}:?\d{{2}})?)?$"
_SERIAL = r"^\d{5}(\.\d+)?$"
#: Day 0 of Excel's 1900 system as it counts from March 1900 on (it believes in 29 February 1900).
_EXCEL_DAY_0 = -25_569
_DAY_US = 86_400_000_000
_NO_DAY = np.int32(-(2**31))
_PLACES = 10 ** np.arange(7, -1, -1)


@dataclass(frozen=True, slots=True)
class _Read:
    """Texts read as time: microseconds of local time since 1970; offset from UTC; NaT-like rows are not `valid`."""

    local_us: NDArray[np.int64]
    offset_us: NDArray[np.int64]
    valid: NDArray[np.bool_]
    zoned: NDArray[np.bool_]
    serial: NDArray[np.bool_]


def read_dates(column: pa.Array) -> Converted:
    """A column as date32; of an instant, the day in Shanghai. Faults: "bad-date", "error-cell".

    Read are 2021-03-05, 2021/3/5, 2021.3.5, 20210305, 2021年3月5日, with a time behind them, and Excel's day numbers.
    A month without a day is a fault.
    """
    kind = column.type
    if pa.types.is_date(kind):
        return Converted(pc.cast(column, pa.date32()))
    if pa.types.is_timestamp(kind):
        local = column if kind.tz is None else pc.local_timestamp(pc.cast(column, pa.timestamp(kind.unit, tz=ZONE)))
        return Converted(pc.cast(pc.floor_temporal(local, unit="day"), pa.date32()))
    plain, days = _plain_dates(column)
    if plain.all():
        return Converted(pa.array(days, pa.int32(), mask=days == _NO_DAY).cast(pa.date32()))
    return _with_plain(_read_any(column.filter(pa.array(~plain))), plain, days)


def _read_any(column: pa.Array) -> Converted:
    found, read = _read_column(column)
    found.fault(pc.and_(pc.is_valid(found.array), pa.array(~read.valid)), "bad-date", BAD_DATE)
    shanghai_us = np.where(read.zoned, read.local_us - read.offset_us + 8 * 3_600_000_000, read.local_us)
    if (read.valid & (shanghai_us % _DAY_US != 0)).any():
        found.remark("time-of-day", "只取日期,舍去时刻", "the day is taken, the time of day left out")
    days = (shanghai_us // _DAY_US).astype(np.int32)
    return found.with_array(pa.array(days, pa.int32(), mask=~read.valid).cast(pa.date32()))


def _plain_dates(column: pa.Array) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    """Which values are nulls or written 2021-03-05, and their days since 1970: read from the bytes, all at once."""
    days = np.full(len(column), _NO_DAY, np.int32)
    if not pa.types.is_string(column.type):
        return np.zeros(len(column), bool), days
    ten = mask_of(pc.equal(pc.binary_length(column), 10))
    shown = byte_matrix(column.filter(pa.array(ten)), 10)
    digits = shown[:, [0, 1, 2, 3, 5, 6, 8, 9]] - np.uint8(ord("0"))
    fits = (digits <= 9).all(axis=1) & (shown[:, 4] == ord("-")) & (shown[:, 7] == ord("-"))
    number = digits.astype(np.int64) @ _PLACES
    found, real = _days(number // 10_000, number // 100 % 100, number % 100)
    plain = mask_of(pc.is_null(column))
    rows = np.flatnonzero(ten)[fits & real]
    plain[rows], days[rows] = True, found[fits & real]
    return plain, days


def _with_plain(others: Converted, plain: NDArray[np.bool_], days: NDArray[np.int32]) -> Converted:
    """A column put together of those that were read at once and the others, with the others' faults."""
    rows = np.flatnonzero(~plain)
    whole = days.copy()
    whole[rows] = others.array.cast(pa.int32()).fill_null(int(_NO_DAY)).to_numpy()
    found = Converted(pa.array(whole, pa.int32(), mask=whole == _NO_DAY).cast(pa.date32()), [], others.remarks)
    for fault in others.faults:
        where = np.zeros(len(plain), bool)
        where[rows] = fault.where
        found.fault(where, fault.reason, fault.text)
    return found


def read_instants(column: pa.Array) -> Converted:
    """A column as timestamp[us, UTC]; a day is its beginning in Shanghai. Faults: "bad-instant", "error-cell"."""
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return Converted(pc.cast(column, UTC_INSTANT, safe=False))
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        found = Converted(_from_shanghai(pc.cast(column, pa.timestamp("us"), safe=False)))
        if column.null_count < len(column):
            _say_local(found)
        return found
    found, read = _read_column(column)
    found.fault(pc.and_(pc.is_valid(found.array), pa.array(~read.valid)), "bad-instant", BAD_INSTANT)
    local = pa.array(read.local_us, pa.int64(), mask=~read.valid | read.zoned).cast(pa.timestamp("us"))
    zoned = pa.array(read.local_us - read.offset_us, pa.int64(), mask=~read.valid | ~read.zoned).cast(UTC_INSTANT)
    if (read.valid & ~read.zoned).any():
        _say_local(found)
    return found.with_array(pc.coalesce(_from_shanghai(local), zoned))


def _say_local(found: Converted) -> None:
    found.remark("local-time", "未注明时区的时间按北京时间", "times without a zone are Shanghai's")


def _from_shanghai(local: pa.Array) -> pa.Array:
    # Shanghai's clocks were changed in 1940–1949 and 1986–1991: an hour is then missing, and one comes twice
    zoned = pc.assume_timezone(local, ZONE, ambiguous="earliest", nonexistent="latest")
    return pc.cast(zoned, UTC_INSTANT)


def _read_column(column: pa.Array) -> tuple[Converted, _Read]:
    found = without_gaps(pc.cast(column, pa.string()))
    read = _read(found.array)
    if read.serial.any():
        example = found.array[int(np.flatnonzero(read.serial)[0])].as_py()
        found.remark("excel-day", f"{example} 等为 Excel 日期序号", f"{example} and the like are Excel's day numbers")
    return found, read


def _read(text: pa.Array) -> _Read:
    parts = pc.extract_regex(text, _INSTANT)
    part = {name: pc.struct_field(parts, name) for name in ("y", "m", "d", "mm", "dd", "H", "M", "S", "F", "Z")}
    month = np.maximum(_int(part["m"]), _int(part["mm"]))
    day = np.maximum(_int(part["d"]), _int(part["dd"]))
    days, real = _days(_int(part["y"]), month, day)
    hour, minute, second = (_int(part[name]) for name in ("H", "M", "S"))
    fraction = pc.if_else(pc.equal(pc.fill_null(part["F"], ""), ""), "0", part["F"])
    fraction_us = np.round(pc.cast(fraction, pa.float64()).to_numpy(zero_copy_only=False) * 1e6).astype(np.int64)
    offset_us, offset_real = _offset(part["Z"])
    real &= (hour < 24) & (minute < 60) & (second < 60) & offset_real & mask_of(pc.is_valid(parts))
    local = days * _DAY_US + ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction_us
    serial = mask_of(pc.match_substring_regex(text, _SERIAL))
    number = pc.if_else(pa.array(serial), text, "0")
    serial_us = np.round((pc.cast(number, pa.float64()).to_numpy(zero_copy_only=False) + _EXCEL_DAY_0) * 86_400) * 1e6
    zoned = mask_of(pc.not_equal(part["Z"], "")) & real
    return _Read(np.where(serial, serial_us.astype(np.int64), local), offset_us, real | serial, zoned, serial)


def _int(part: pa.Array) -> NDArray[np.int64]:
    filled = pc.if_else(pc.equal(pc.fill_null(part, ""), ""), "0", part)
    return np.asarray(pc.cast(filled, pa.int64()).to_numpy(zero_copy_only=False))


def _days(
    year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Days since 1970, and whether the date is one of the calendar (30 February is not; nor are years before 1000)."""
    months = (year - 1970) * 12 + np.clip(month, 1, 12) - 1
    first = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    following = (months + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    real = (year >= 1000) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= following - first)
    return first + day - 1, real


def _offset(zone: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Offsets from UTC such as +08:00 or Z, and whether they are below a day."""
    parts = pc.extract_regex(pc.fill_null(zone, ""), r"^(?P<sign>[+-])(?P<h>\d{2}):?(?P<m>\d{2})$")
    hours, minutes = _int(pc.struct_field(parts, "h")), _int(pc.struct_field(parts, "m"))
    sign = np.where(mask_of(pc.equal(pc.struct_field(parts, "sign"), "-")), -1, 1)
    return sign * (hours * 60 + minutes) * 60_000_000, (hours < 24) & (minutes < 60)
