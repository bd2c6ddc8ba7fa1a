"""Spans: half-open inside, closed at the edge, days of Shanghai."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import BadQuery
from gis.query.span import SHANGHAI, TICK, Span, instant_text, moment

MAY_DAY = (datetime(2021, 4, 30, 16, tzinfo=UTC), datetime(2021, 5, 1, 16, tzinfo=UTC))

PARSED = [
    ("2021-05-01", *MAY_DAY),
    ("2021-05-01/2021-05-01", *MAY_DAY),
    ("2021-05-01/..", MAY_DAY[0], None),
    ("../2021-05-01", None, MAY_DAY[1]),
    ("/2021-05-01", None, MAY_DAY[1]),
    ("../..", None, None),
    ("2021-05-01T00:00:00+08:00", MAY_DAY[0], MAY_DAY[0] + TICK),
    ("2021-05-01T00:00:00 08:00", MAY_DAY[0], MAY_DAY[0] + TICK),
    ("2021-04-30T16:00:00Z/2021-05-01T16:00:00Z", MAY_DAY[0], MAY_DAY[1] + TICK),
    ("2021-04-30T16:00:00.000001Z", MAY_DAY[0] + TICK, MAY_DAY[0] + 2 * TICK),
    ("2021-05-01/P1D", *MAY_DAY),
    ("P1D/2021-05-01", *MAY_DAY),
    ("2021-04-30T16:00:00Z/P1D", MAY_DAY[0], MAY_DAY[1] + TICK),
    ("PT24H/2021-05-01T16:00:00Z", MAY_DAY[0], MAY_DAY[1] + TICK),
    ("2021-04-30T15:00:00Z/PT1H0.5S", MAY_DAY[0] - timedelta(hours=1), MAY_DAY[0] + timedelta(seconds=0.5) + TICK),
    ("2021-05-01/P1Y2M", MAY_DAY[0], datetime(2022, 6, 30, 16, tzinfo=UTC)),
    ("2024-01-31/P1M", datetime(2024, 1, 30, 16, tzinfo=UTC), datetime(2024, 2, 28, 16, tzinfo=UTC)),
    ("2021-05-01/P2W", MAY_DAY[0], MAY_DAY[0] + timedelta(days=14)),
]


@pytest.mark.parametrize(("text", "start", "end"), PARSED)
def test_texts(text: str, start: datetime | None, end: datetime | None) -> None:
    assert Span.parse(text) == Span(start, end)
    assert Span.parse(Span(start, end).text) == Span(start, end)


@pytest.mark.parametrize(
    "text",
    ["", "now", "2021-13-01", "2021-02-30", "2021-05-01T00:00:00", "2021-05-02/2021-05-01", "a/b/c", "0001-01-01",
     "9999-12-31", "2021-05-01/..//", "20210501", "2021-W01-1", "1/2", "2021-05-01T25:00:00Z",
     "P1D", "P1D/P1D", "2021-05-01/P", "2021-05-01/PT", "2021-05-01/P0D", "2021-05-01/P9999Y",
     "P9999Y/2021-05-01", "../P1D", "P1D/..", "2021-05-01/-P1D", "2021-05-01/P1D1Y", "2021-05-01/P1W2D"],
)  # fmt: skip
def test_refusals(text: str) -> None:
    with pytest.raises(BadQuery) as caught:
        Span.parse(text)
    assert caught.value.subject == "datetime"


def test_naive_and_backward_spans_are_refused() -> None:
    with pytest.raises(BadQuery, match="time zone"):
        Span(datetime(2021, 5, 1), None)
    with pytest.raises(BadQuery, match="not after"):
        Span(MAY_DAY[1], MAY_DAY[0])
    with pytest.raises(BadQuery, match="not after"):
        Span(MAY_DAY[0], MAY_DAY[0])


@given(st.dates(date(1, 1, 3), date(9999, 12, 29)))
def test_days_come_back(day: date) -> None:
    span = Span.day(day)
    assert Span.parse(span.text) == span
    assert span.start is not None and span.end is not None
    assert timedelta(hours=22) < span.end - span.start < timedelta(hours=26)


def test_a_day_with_a_clock_change_is_shorter() -> None:
    spring = Span.day(date(1986, 5, 4))
    assert spring.start is not None and spring.end is not None
    assert spring.end - spring.start == timedelta(hours=23)


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 31, 23, 59, 59), timezones=st.sampled_from([UTC, SHANGHAI])))
def test_instants_come_back(when: datetime) -> None:
    if when > datetime(9999, 12, 31, 23, 59, tzinfo=UTC):
        return
    span = Span.at(when)
    assert Span.parse(span.text) == span == Span.parse(instant_text(when))
    assert Span.parse(Span(when, None).text) == Span(when, None)


def test_a_moment_of_a_date_is_its_end() -> None:
    assert moment("2021-05-01", "as-of") == MAY_DAY[1] - TICK
    with pytest.raises(BadQuery) as caught:
        moment("soon", "as-of")
    assert caught.value.subject == "as-of"
