import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.codes import Division, GridCode, Verdict, grid_code
from gis.errors import BadInput


def test_parts():
    grid = GridCode.parse("341502001002003")
    assert grid.community == Division.parse("341502001002")
    assert (grid.street.short, grid.division.short, grid.serial) == ("341502001", "341502", 3)
    assert grid.as_int // 1000 == grid.community.as_int
    assert grid.explain().en == "grid 3 of community 341502001002"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("341502001002003", "ok"),
        ("３４１５０２００１００２００３", "ok"),
        ("", "empty"),
        ("34150200100203", "length"),
        ("34150200100200A", "characters"),
        ("341502001002000", "part"),
        ("341502000002001", "part"),
        ("341502001000001", "part"),
        ("041502001002003", "part"),
        ("341500001002003", "part"),
        ("3.41502E+14", "exponent"),
    ],
)
def test_codes_are_judged(text, reason):
    finding = grid_code.check(text)
    assert finding.reason == reason
    findings, numbers = grid_code.check_column(["341502001002003", text, None])
    assert findings[1] == finding and findings[2].reason == "empty"
    assert (numbers[1] > 0) == finding.taken and numbers[0] == 341502001002003
    if finding.verdict is Verdict.REJECT:
        with pytest.raises(BadInput):
            GridCode.parse(text)


@given(st.integers(341502001001001, 341502999999999))
def test_numbers_and_texts_are_the_same_code(number):
    findings, numbers = grid_code.check_column([str(number)])
    assert numbers[0] == (number if findings[0].taken else 0)
    assert grid_code.check(number) == findings[0]
