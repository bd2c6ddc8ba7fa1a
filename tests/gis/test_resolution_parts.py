"""What resolution is made of: names, numbers, days, entity names compared; pairs brought together; words said."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.codes.citizen_id import check_character
from gis.exchange.resolution import dates
from gis.exchange.resolution.blocking import LARGEST_BLOCK, Blocks, Probe
from gis.exchange.resolution.dates import DateLevel, days_of
from gis.exchange.resolution.entity_names import EntityNameLevel, EntityNames
from gis.exchange.resolution.names import NameLevel, Names, plain_names
from gis.exchange.resolution.numbers import NumberLevel, Numbers
from gis.exchange.resolution.places import neighbours

NUMBER = "341503198302048192"
ZERO = np.zeros(1, dtype=np.int64)


def names_compared(a: str, b: str) -> NameLevel | None:
    names, (first, second) = Names.of(plain_names([a]), plain_names([b]))
    level = int(names.compare(first, second)[0])
    return NameLevel(level) if level else None


@pytest.mark.parametrize(
    ("written", "registered", "level"),
    [
        ("陈杰", "陈杰", NameLevel.SAME),
        (" 陈 杰 ", "陈杰", NameLevel.SAME),
        ("阿依古丽·买买提", "阿依古丽买买提", NameLevel.SAME),
        ("张玮", "张伟", NameLevel.ALIKE),
        ("章伟", "张伟", NameLevel.ALIKE),
        ("未明", "末明", NameLevel.ALIKE),
        ("宁兰", "凌岚", NameLevel.ALIKE),
        ("陈子轩", "陈子豪", NameLevel.ONE_OFF),
        ("陈轩", "陈子轩", NameLevel.ONE_OFF),
        ("王明明", "王明", NameLevel.ONE_OFF),
        ("陈轩子", "陈子轩", NameLevel.ONE_OFF),
        ("陈某", "陈子轩", NameLevel.SHOWN),
        ("陈*轩", "陈子轩", NameLevel.SHOWN),
        ("陈＊＊", "李子轩", NameLevel.DIFFERENT),
        ("李子轩", "陈子轩", NameLevel.ONE_OFF),
        ("李杰", "陈杰", NameLevel.GIVEN),
        ("陈芳", "陈杰", NameLevel.SURNAME),
        ("李芳", "陈杰", NameLevel.DIFFERENT),
        ("", "陈杰", None),
        ("陈杰", "", None),
    ],
)
def test_names(written, registered, level):
    assert names_compared(written, registered) is level


NAMES = st.text(alphabet="王李张陈玮伟明铭子轩梓杰·*", max_size=5)


@given(NAMES, NAMES)
def test_names_are_compared_alike_from_both_sides_unless_one_is_hidden(a, b):
    if "*" not in a + b:
        assert names_compared(a, b) == names_compared(b, a)
    same = names_compared(a, a)
    assert same in ((None,) if not a.strip("·") else (NameLevel.SAME, NameLevel.SHOWN, NameLevel.DIFFERENT))


def numbers_compared(written: object, registered: str = NUMBER) -> NumberLevel | None:
    asked = Numbers.of_citizens(pa.array([written]))
    level = int(asked.compare(ZERO, Numbers.of_citizens([registered]), ZERO)[0])
    return NumberLevel(level) if level else None


@pytest.mark.parametrize(
    ("written", "level"),
    [
        (NUMBER, NumberLevel.SAME),
        (" 341503 19830204 8192 ", NumberLevel.SAME),
        ("341503198302048193", NumberLevel.ONE_OFF),
        ("351503198302048192", NumberLevel.ONE_OFF),
        ("341503198320048192", NumberLevel.ONE_OFF),
        ("34150319830204819", NumberLevel.ONE_OFF),
        ("3415031983020481922", NumberLevel.ONE_OFF),
        ("34150319830204892", NumberLevel.ONE_OFF),
        ("341503198302048000", NumberLevel.CUT),
        (341503198302048192.0, NumberLevel.CUT),
        ("3.41503198302048E+17", NumberLevel.CUT),
        ("3.41503E+17", NumberLevel.BEGINS),
        ("3.20106E+17", NumberLevel.DIFFERENT),
        ("341503********8192", NumberLevel.MASKED),
        ("341503********8193", NumberLevel.UNSOUND),
        ("320106********1149", NumberLevel.DIFFERENT),
        ("341503198302058292", NumberLevel.TWO_OFF),
        ("341503198312159192", NumberLevel.UNSOUND),
        ("341502200303254576", NumberLevel.DIFFERENT),
        ("E12345678", None),
        ("", None),
        (None, None),
    ],
)
def test_numbers(written, level):
    assert numbers_compared(written) is level


@given(st.integers(0, 16), st.integers(1, 9), st.integers(0, 99_999_999))
def test_a_number_with_one_wrong_digit_is_known_and_brought_together_with_the_right_one(at, by, body):
    whole = f"341503{1950 + body % 70}{body // 70 % 12 + 1:02d}{body // 840 % 28 + 1:02d}{body // 23520 % 1000:03d}"
    whole += check_character(whole)
    wrong = f"{whole[:at]}{(int(whole[at]) + by) % 10}{whole[at + 1 :]}"
    assert numbers_compared(wrong, whole) is NumberLevel.ONE_OFF
    one, other = Numbers.of_citizens([wrong]), Numbers.of_citizens([whole])
    assert any(a[0] == b[0] != 0 for a, b in zip(one.keys(), other.keys(), strict=True))


@pytest.mark.parametrize(
    ("written", "level"),
    [
        ("1983-02-04", DateLevel.SAME),
        ("1983年2月4日", DateLevel.SAME),
        ("19830204", DateLevel.SAME),
        ("1983-04-02", DateLevel.SWAPPED),
        ("1983-02-05", DateLevel.ONE_OFF),
        ("1983-20-04", DateLevel.ONE_OFF),
        ("1938-02-04", DateLevel.ONE_OFF),
        ("1983-01-01", DateLevel.PART),
        ("1992-02-04", DateLevel.PART),
        ("1991-07-19", DateLevel.DIFFERENT),
        ("不详", None),
        (None, None),
    ],
)
def test_days(written, level):
    found = int(dates.compare(days_of(pa.array([written], pa.string())), days_of(pa.array(["1983-02-04"])))[0])
    assert (DateLevel(found) if found else None) is level


def test_a_month_that_is_none_is_brought_together_with_the_day_it_was():
    asked, right = (days_of(pa.array([text])) for text in ("1983-25-04", "1983-04-25"))
    assert dates.compare(asked, right)[0] == DateLevel.SWAPPED
    assert dates.key_of(asked)[0] == dates.key_of(right)[0] != 0


@pytest.mark.parametrize(
    ("written", "registered", "level"),
    [
        ("六安市嘉禾商贸有限公司", "六安市嘉禾商贸有限公司", EntityNameLevel.SAME),
        ("六安市嘉禾商贸有限公司 ", "六安市嘉禾商贸有限公司", EntityNameLevel.SAME),
        ("嘉禾商贸(六安)有限公司", "嘉禾商贸（六安）有限公司", EntityNameLevel.SAME),
        ("嘉禾商贸有限公司", "六安市嘉禾商贸有限公司", EntityNameLevel.STEM),
        ("安徽省六安市嘉禾商贸有限责任公司", "六安嘉禾商贸有限公司", EntityNameLevel.STEM),
        ("嘉禾商贸(六安)有限公司", "六安市嘉禾商贸有限公司", EntityNameLevel.STEM),
        ("六安市嘉禾餐饮管理有限公司", "六安市嘉禾商贸有限公司", EntityNameLevel.OWN),
        ("六安市加禾商贸有限公司", "六安市嘉禾商贸有限公司", EntityNameLevel.ALIKE),
        ("六安市润泽置业有限公司", "六安市嘉禾商贸有限公司", EntityNameLevel.DIFFERENT),
        ("六安市嘉禾商贸有限公司第一分公司", "六安市嘉禾商贸有限公司", EntityNameLevel.OWN),
        ("有限公司", "六安市嘉禾商贸有限公司", EntityNameLevel.DIFFERENT),
        ("", "六安市嘉禾商贸有限公司", None),
    ],
)
def test_names_of_entities(written, registered, level):
    asked, register = EntityNames.of_both([written], [registered], ["安徽省", "六安市", "金安区"])
    found = int(asked.compare(ZERO, register, ZERO)[0])
    assert (EntityNameLevel(found) if found else None) is level


def test_blocks_bring_together_what_shares_a_key_once_and_tell_of_what_is_too_common():
    crowd = np.full(LARGEST_BLOCK + 1, 9, dtype=np.uint64)
    register = np.concatenate([np.array([5, 0, 7, 5], dtype=np.uint64), crowd])
    asked = np.array([0, 5, 7, 8, 9], dtype=np.uint64)
    blocks = Blocks.of([Probe(register, asked), Probe(register, asked)], len(register))
    row, other, common = blocks.candidates(0, 5)
    assert list(zip(row.tolist(), other.tolist(), strict=True)) == [(1, 0), (1, 3), (2, 2)]
    assert common.tolist() == [False, False, False, False, True]
    assert blocks.candidates(2, 4)[0].tolist() == [2]


def test_neighbouring_cells():
    cell = 622236750694711295  # a hexagon of resolution 10
    row, found = neighbours(np.array([0, cell], dtype=np.int64))
    assert set(row.tolist()) == {1}
    assert len(found) == 7
    assert cell in found.tolist()
