import csv

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.codes import Division, UrbanRural, Verdict, division, division_column
from gis.errors import BadInput

LEVELS = [
    ("340000000000", 1, None),
    ("341500000000", 2, "340000000000"),
    ("341502000000", 3, "341500000000"),
    ("341502001000", 4, "341502000000"),
    ("341502001001", 5, "341502001000"),
    ("441900003000", 4, "441900000000"),
    ("500103000000", 3, "500100000000"),
]
NAMED = {
    "500000": 1, "500103": 3, "341500": 2, "341502": 3, "341503": 3, "341504": 3,
    "371300": 2, "371302": 3, "321200": 2, "321202": 3,
}  # fmt: skip


@pytest.mark.parametrize(("code", "level", "parent"), LEVELS)
def test_level_and_parent(code, level, parent):
    place = Division.parse(code)
    assert place.level == level
    assert (place.parent.code if place.parent else None) == parent
    assert division_column.levels(np.array([place.as_int])).tolist() == [level]
    assert division_column.parents(np.array([place.as_int])).tolist() == [int(parent or 0)]


@pytest.mark.parametrize(("code", "level"), NAMED.items())
def test_six_digit_codes(code, level):
    place = Division.parse(code)
    assert (place.level, place.code) == (level, code + "000000")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("34", "340000000000"),
        ("3415", "341500000000"),
        (341502, "341502000000"),
        ("341502001", "341502001000"),
        (" 341502001001 ", "341502001001"),
        ("３４１５０２", "341502000000"),
        ("341502.0", "341502000000"),
    ],
)
def test_short_forms_are_filled_up(text, code):
    assert Division.parse(text).code == code
    assert division_column.check_column([str(text)]).code.tolist() == [int(code)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("34150", "length"),
        ("3415020010011", "length"),
        ("041502", "province"),
        ("34a502", "characters"),
        ("六安市", "characters"),
        ("3.41502E+11", "exponent"),
        ("-34", "characters"),
    ],
)
def test_other_texts_are_refused(text, reason):
    assert (division.check(text).verdict, division.check(text).reason) == (Verdict.REJECT, reason)
    assert division_column.check_column([text]).findings[0].reason == reason
    with pytest.raises(BadInput):
        Division.parse(text)


def test_a_decimal_tail_is_said():
    assert division.check("341502.0").verdict is Verdict.WARN


def test_ranges_hold_descendants_and_nothing_else():
    city = Division.parse("3415")
    assert city.range_ == (341500000000, 341599999999)
    assert city.contains(Division.parse("341502001001")) and city.contains(city)
    assert not city.contains(Division.parse("341600")) and not city.contains(Division.parse("34"))


def test_municipalities_and_groupings():
    district = Division.parse("500103")
    assert district.municipality and district.parent is not None
    assert district.parent.grouping and district.governed_by == Division.parse("50")
    direct = Division.parse("429004")
    assert not direct.municipality and direct.governed_by == Division.parse("42")
    ordinary = Division.parse("341502001")
    assert not ordinary.municipality and ordinary.governed_by == Division.parse("341502")
    assert Division.parse("50").governed_by is None


def test_words_and_order():
    assert Division.parse("341502").explain().zh == "县级区划 341502,上级 3415、34"
    assert Division.parse("50").explain().en == "province 50"
    assert sorted([Division.parse("341503"), Division.parse("34"), Division.parse("341502")])[0].short == "34"
    assert Division.from_int(341502000000) == Division.parse("341502")
    with pytest.raises(BadInput):
        Division.from_int(341502)


codes = st.integers(1, 9).flatmap(lambda first: st.from_regex(rf"{first}[0-9]{{11}}", fullmatch=True))


@given(codes, st.integers(1, 5))
def test_every_division_lies_in_the_range_of_its_ancestors(code, level):
    place = Division.parse(code)
    assert all(up.contains(place) and up.level < place.level for up in place.ancestors)
    assert place.at(level).contains(place)
    numbers = np.array([place.as_int])
    assert division_column.at_level(numbers, level)[0] == place.at(level).as_int
    assert division_column.levels(numbers)[0] == place.level
    assert division_column.parents(numbers)[0] == (place.parent.as_int if place.parent else 0)


@given(st.lists(codes | st.text("0123456789.E+a 中", max_size=14), max_size=10))
def test_column_and_scalar_always_agree(texts):
    found = division_column.check_column(pa.array(texts, pa.string()))
    for row, text in enumerate(texts):
        assert found.findings[row] == division.check(text)
        assert found.code[row] == (Division.parse(text).as_int if found.findings[row].taken else 0)


def test_columns_of_numbers_and_nulls():
    found = division_column.check_column(pa.array([341502, None, 341502001001]))
    assert found.code.tolist() == [341502000000, 0, 341502001001]
    assert found.findings.counts() == {"ok": 2, "empty": 1}


def test_urban_rural_classes():
    assert UrbanRural.parse(112).label.zh == "城乡结合区" and UrbanRural.parse("112").urban
    assert not UrbanRural.parse("220").urban and len(UrbanRural) == 7
    with pytest.raises(BadInput, match="111, 112"):
        UrbanRural.parse("300")


def test_at_level_in_sql_is_plain_arithmetic():
    assert division_column.at_level_sql("d.division", 3) == "(d.division / 1000000 * 1000000)"


def test_ancestors_in_sql_are_those_of_numpy(conn):
    numbers = [340000000000, 341500000000, 341502001001, 441900003000]
    for level in range(1, 6):
        rows = conn.execute(
            f"SELECT {division_column.at_level_sql('d', level)} FROM unnest(%s::bigint[]) AS d", (numbers,)
        ).fetchall()
        assert [row[0] for row in rows] == division_column.at_level(np.array(numbers), level).tolist()


@pytest.mark.realdata
def test_every_street_of_the_country_resolves_to_its_parents(realdata):
    folder = realdata / "admin" / "codes"
    known = {Division.parse(row["code"]).as_int for name in ("areas", "cities", "provinces")
             for row in _rows(folder / f"china-division_{name}.csv")}  # fmt: skip
    streets = _rows(folder / "china-division_streets.csv")
    found = division_column.check_column([row["code"] for row in streets])
    assert found.findings.counts() == {"ok": 41_352}
    # 金门县 has no streets in the list: the county stands there for itself
    assert found.code[division_column.levels(found.code) != 4].tolist() == [350527000000]
    assert set(division_column.parents(found.code).tolist()) <= known
    for column, level in (("areaCode", 3), ("cityCode", 2), ("provinceCode", 1)):
        stated = division_column.check_column([row[column] for row in streets]).code
        assert (division_column.at_level(found.code, level) == stated).all()


@pytest.mark.realdata
@pytest.mark.parametrize(("name", "count"), [("luan_341500", 1_970), ("chongqing_500000", 11_270)])
def test_villages_resolve_to_streets(realdata, name, count):
    folder = realdata / "admin" / "codes"
    streets = division_column.check_column([row["code"] for row in _rows(folder / "china-division_streets.csv")]).code
    villages = division_column.check_column([row["code"] for row in _rows(folder / f"villages_{name}.csv")]).code
    assert len(villages) == count and set(division_column.levels(villages).tolist()) == {5}
    assert set(division_column.parents(villages).tolist()) <= set(streets.tolist())


def _rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
