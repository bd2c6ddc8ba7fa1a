"""Spans of time: half-open, aware, UTC inside; a date means the Shanghai day. Decided here and nowhere else."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from gis.errors import BadQuery
from gis.query.duration import Duration

SHANGHAI = ZoneInfo("Asia/Shanghai")
TICK = timedelta(microseconds=1)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


@dataclass(frozen=True, slots=True)
class Span:
    """The times `start <= t < end`; None is an open end. An instant is a span of one microsecond.

    Raises BadQuery where a time is naive or the end is not after the start.
    """

    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse naive and backward spans; keep UTC, since equal instants in other zones may be unequal values."""
        for name in ("start", "end"):
            value = getattr(self, name)
            if value is not None and value.tzinfo is None:
                raise BadQuery(
                    f"{value.isoformat()} has no time zone", f"{value.isoformat()} 缺少时区", subject="datetime"
                )
            object.__setattr__(self, name, value and value.astimezone(UTC))
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise BadQuery(
                "the end of the time span is not after its start", "时间段的终点应晚于起点", subject="datetime"
            )

    @classmethod
    def at(cls, when: datetime) -> "Span":
        """One instant."""
        when = when.astimezone(UTC)
        return cls(when, when + TICK)

    @classmethod
    def day(cls, when: date) -> "Span":
        """The Shanghai day of a date."""
        return cls(_midnight(when), _midnight(when + timedelta(days=1)))

    @classmethod
    def parse(cls, text: str) -> "Span":
        """The span of an OGC `datetime`: an instant, a date, or a closed interval `a/b` with `..` or nothing for open.

        Intervals are closed in the standard: the end's whole day, or its very microsecond, belongs to the span. One of
        the two may be a duration: `2021-05-01/P2D` is two whole days.
        """
        first, slash, last = text.partition("/")
        if not slash:
            return _moment(first)
        if (length := Duration.parse(last)) is not None:
            return _lasting(_moment(first), length.after, text)
        if (length := Duration.parse(first)) is not None:
            return _lasting(_moment(last), length.before, text)
        start = None if first in ("", "..") else _moment(first).start
        end = None if last in ("", "..") else _moment(last).end
        return cls(start, end)

    @property
    def text(self) -> str:
        """The OGC `datetime` that parses to this span."""
        if self.start is None or self.end is None:
            return f"{_edge(self.start)}/{_edge(self.end and self.end - TICK)}"
        if self.end - self.start == TICK:
            return _edge(self.start)
        day = self._day()
        if day is not None:
            return day.isoformat()
        return f"{_edge(self.start)}/{_edge(self.end - TICK)}"

    def _day(self) -> date | None:
        """The Shanghai day that this is, if it is one."""
        try:
            day = self.start.astimezone(SHANGHAI).date() if self.start else None
            return day if day and self == Span.day(day) else None
        except OverflowError:  # the last hours of the year 9999
            return None


def moment(text: str, parameter: str) -> datetime:
    """One aware instant in UTC; a date means the end of its Shanghai day. Raises BadQuery naming the parameter."""
    try:
        span = _moment(text)
    except BadQuery as error:
        raise BadQuery(error.text.en, error.text.zh, subject=parameter) from None
    assert span.end is not None
    return span.end - TICK


def instant_text(when: datetime) -> str:
    """An instant as RFC 3339 in UTC, with microseconds only where there are any."""
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _lasting(one: Span, other: Callable[[datetime], datetime], text: str) -> Span:
    """From one end of an interval to the other: a day counts whole, and of instants both belong to the span."""
    assert one.start is not None and one.end is not None
    try:
        if one.end - one.start == TICK:
            edges = sorted((one.start, other(one.start)))
            return Span(edges[0], edges[1] + TICK)
        later = other(one.start)
        return Span(one.start, later) if later >= one.start else Span(other(one.end), one.end)
    except (ValueError, OverflowError):
        raise BadQuery(f"{text!r} leaves the calendar", f"{text!r} 超出日历范围", subject="datetime") from None


def _edge(when: datetime | None) -> str:
    return ".." if when is None else instant_text(when)


def _midnight(when: date) -> datetime:
    return datetime(when.year, when.month, when.day, tzinfo=SHANGHAI).astimezone(UTC)


def _moment(text: str) -> Span:
    try:
        if _DATE.match(text):
            return Span.day(date.fromisoformat(text))
        # a "+" that a form decoded to a blank
        when = datetime.fromisoformat(text.strip().replace(" ", "+"))
        if when.tzinfo is not None:
            return Span.at(when)
    except (ValueError, OverflowError):
        pass
    raise BadQuery(
        f"{text!r} is not a date (2021-05-01) or an instant with a time zone (2021-05-01T08:00:00+08:00)",
        f"{text!r} 不是日期(2021-05-01)或带时区的时刻(2021-05-01T08:00:00+08:00)",
        subject="datetime",
    )


def now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)
