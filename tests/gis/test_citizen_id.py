import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.codes import CitizenId, Sex, Verdict, citizen_id, citizen_id_column, damage
from gis.errors import BadInput

TODAY = dt.date(2026, 11, 22)

VECTORS = [
    ("11010519491231002X", "ok", "11010519491231002X", "1949-12-31", True),
    ("440524188001010014", "ok", "440524188001010014", "1880-01-01", False),
    ("110101199003074610", "ok", "110101199003074610", "1990-03-07", False),
    ("11010119900101004X", "ok", "11010119900101004X", "1990-01-01", True),
    ("321202202002290051", "ok", "321202202002290051", "2020-02-29", False),
    ("500103201508310012", "ok", "500103201508310012", "2015-08-31", False),
    ("341501201909010029", "ok", "341501201909010029", "2019-09-01", True),
    ("371302201908311138", "ok", "371302201908311138", "2019-08-31", False),
    ("11010519491231002x", "ok", "11010519491231002X", "1949-12-31", True),
    (" １１０１０５１９４９１２３１００２ｘ\u3000", "ok", "11010519491231002X", "1949-12-31", True),
    ("130503670401001", "fifteen_digits", "130503196704010016", "1967-04-01", False),
]
REFUSED = [
    ("110101199003074611", "check_digit"),
    ("34150219990229001X", "birth_date"),
    ("341502199802290012", "birth_date"),
    ("130503670431001", "birth_date"),
    ("341502000000000000", "birth_date"),
    ("11010520491231002X", "birth_range"),
    ("11010517991231002X", "birth_range"),
    ("1101051949123100", "length"),
    ("1101051949123100200X", "length"),
    ("11010X19491231002X", "characters"),
    ("110105194912310028A"[:17] + "A", "characters"),
    ("身份证号码身份证号码身份证号码身份证", "characters"),
    ("", "empty"),
    ("   ", "empty"),
    ("3.42E+17", "exponent"),
    ("341502199001010000", "precision"),
    ("341502199001010000.0", "precision"),
]


@pytest.mark.parametrize(("text", "reason", "normal", "birth", "female"), VECTORS)
def test_valid_numbers_are_read(text, reason, normal, birth, female):
    person = CitizenId.parse(text, today=TODAY)
    assert citizen_id.check(text, today=TODAY).reason == reason
    assert (person.text, str(person.birth), person.female) == (normal, birth, female)
    assert person.division == normal[:6]
    assert person.sex is (Sex.FEMALE if female else Sex.MALE)


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_impossible_numbers_are_refused_with_the_reason(text, reason):
    finding = citizen_id.check(text, today=TODAY)
    assert (finding.verdict, finding.reason) == (Verdict.REJECT, reason)
    with pytest.raises(BadInput):
        CitizenId.parse(text, today=TODAY)


def test_checksum_alone_is_not_enough():
    for text in ("34150219990229001X", "341502199802290012"):
        assert citizen_id.check_character(text) == text[17]
        assert not citizen_id.check(text).taken


def test_divisions_that_no_longer_exist_are_taken():
    body = "34240119800101001"
    assert citizen_id.check(body + citizen_id.check_character(body)).reason == "ok"


def test_fifteen_digits_say_what_was_assumed():
    finding = citizen_id.check("130503670401001")
    assert finding.verdict is Verdict.WARN
    assert "19" in finding.text.en and "19" in finding.text.zh


def test_numbers_never_show_in_messages():
    person = CitizenId.parse("11010519491231002X")
    assert repr(person) == "CitizenId('110105********002X')"
    with pytest.raises(BadInput) as refused:
        CitizenId.parse("110101199003074611")
    for words in (*refused.value.text, refused.value.subject):
        assert "19900307" not in words
    assert "1949-12-31" in person.explain().en and "女" in person.explain().zh


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("110101199001011234", "110101********1234"),
        ("130503670401001", "130503*****1001"),
        ("12345", "1***5"),
        ("1", "***"),
        ("", "***"),
    ],
)
def test_masking_fails_closed(text, shown):
    assert citizen_id.mask(text) == shown


def test_column_gives_the_same_answers_as_one_by_one():
    texts = [row[0] for row in VECTORS] + [row[0] for row in REFUSED] + [None]
    found = citizen_id_column.check_column(texts, today=TODAY)
    assert [f.reason for f in map(found.findings.__getitem__, range(len(texts)))] == (
        [row[1] for row in VECTORS] + [row[1] for row in REFUSED] + ["empty"]
    )
    n = len(VECTORS)
    assert found.text[:n].to_pylist() == [row[2] for row in VECTORS]
    assert found.birth[:n].astype(str).tolist() == [row[3] for row in VECTORS]
    assert found.female[:n].tolist() == [row[4] for row in VECTORS]
    assert found.text[n:].null_count == len(texts) - n
    assert np.isnat(found.birth[n:]).all() and not found.division[n:].any()


def test_column_may_be_a_slice_chunked_numpy_or_large():
    texts = pa.array(["x"] * 7 + [row[0] for row in VECTORS])
    expected = citizen_id_column.check_column([row[0] for row in VECTORS]).text
    for column in (
        texts[7:],
        pa.chunked_array([texts[7:9], texts[9:]]),
        np.array([row[0] for row in VECTORS]),
        texts[7:].cast(pa.large_string()),
        texts[7:].dictionary_encode(),
    ):
        assert citizen_id_column.check_column(column).text.equals(expected)
    many = pa.array(["11010519491231002X", "110101199003074611"] * 70_000)
    assert citizen_id_column.check_column(many).findings.counts() == {"ok": 70_000, "check_digit": 70_000}


def test_empty_column():
    found = citizen_id_column.check_column([])
    assert len(found.findings) == 0 and found.findings.counts() == {}


@st.composite
def near_ids(draw):
    body = f"{draw(st.integers(0, 999999)):06d}{draw(st.integers(1750, 2100)):04d}"
    body += f"{draw(st.integers(0, 14)):02d}{draw(st.integers(0, 33)):02d}{draw(st.integers(0, 999)):03d}"
    return body + draw(st.sampled_from([citizen_id.check_character(body), "X", "0", "x"]))


@given(
    st.lists(
        near_ids()
        | st.from_regex(r"[0-9]{15}", fullmatch=True)
        | st.text("0123456789Xx.E+ Ａ９中", max_size=20)
        | st.from_regex(r"[0-9]{14,19}0{3}(\.0?)?", fullmatch=True),
        max_size=8,
    )
)
def test_column_and_scalar_always_agree(texts):
    found = citizen_id_column.check_column(pa.array(texts, pa.string()), today=TODAY)
    for row, text in enumerate(texts):
        assert found.findings[row] == citizen_id.check(text, today=TODAY)
        if found.findings[row].taken:
            person = CitizenId.parse(text, today=TODAY)
            assert (found.text[row].as_py(), found.birth[row], found.female[row], found.division[row]) == (
                person.text,
                np.datetime64(person.birth),
                person.female,
                int(person.division),
            )


@given(near_ids(), st.integers(0, 16), st.integers(1, 9))
def test_every_single_wrong_digit_is_found(text, place, by):
    body = text[:17]
    sound = body + citizen_id.check_character(body)
    wrong = sound[:place] + str((int(sound[place]) + by) % 10) + sound[place + 1 :]
    assert citizen_id.check_character(wrong) != wrong[17]


DAMAGE = [
    ("3.42E+17", 18, "exponent"),
    ("3.41502E+11", 12, "exponent"),
    ("341502199001010000", 18, "precision"),
    ("341502199001012345", 18, "ok"),
    ("341502199001012345.0", 18, "decimal_tail"),
    ("341502.0", 6, "decimal_tail"),
    ("341502", 6, "ok"),
    ("10101", 6, "leading_zero"),
    ("11010519491231002X", 18, "ok"),
    ("名称", 6, "ok"),
    ("", 6, "ok"),
]


@pytest.mark.parametrize(("text", "width", "reason"), DAMAGE)
def test_spreadsheet_damage_is_explained(text, width, reason):
    assert damage.explain(text, width).reason == reason
    assert damage.explain_column([text], width)[0].reason == reason


@given(st.lists(st.text("0123456789.E+-X", max_size=22), max_size=10), st.sampled_from([6, 12, 15, 18]))
def test_damage_of_columns_and_single_codes_agree(texts, width):
    found = damage.explain_column(pa.array(texts, pa.string()), width)
    assert [found[row] for row in range(len(texts))] == [damage.explain(text, width) for text in texts]
