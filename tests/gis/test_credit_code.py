import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.codes import CreditCode, Verdict, credit_code, credit_code_column
from gis.errors import BadInput

VECTORS = [
    ("91350100M000100Y43", "ok"),
    ("91110000600037341L", "ok"),
    ("91230184MA1BUFLT44", "ok"),
    ("92371000MA3MXH0E3W", "ok"),
    (" 91110000600037341l ", "ok"),
    ("９１１１００００６０００３７３４１Ｌ", "ok"),
    ("91350100M0001TGQXM", "check_character"),
    ("91350211M0000XUF46", "check_character"),
    ("91350203M0001FUE2P", "check_character"),
    ("911100006000373410", "check_character"),
    ("", "empty"),
    ("9111000060003734", "length"),
    ("110000600037341", "registration_number"),
    ("9111000060003734IL", "characters"),
    ("91110000600037341中", "characters"),
    ("91X50100M000100Y43", "division"),
    ("9.1E+17", "exponent"),
    ("911100006000373000", "precision"),
]
KEPT = {"ok", "check_character", "organisation_check"}


@pytest.mark.parametrize(("text", "reason"), VECTORS)
def test_codes_are_judged(text, reason):
    finding = credit_code.check(text)
    assert finding.reason == reason
    assert finding.taken == (reason in KEPT)
    assert credit_code_column.check_column([text]).findings[0] == finding


def test_pilot_codes_are_kept_with_a_warning():
    code = "91350100M0001TGQXM"
    assert credit_code.check(code).verdict is Verdict.WARN
    assert CreditCode.parse(code).text == code
    assert credit_code_column.check_column([code, "I"]).text.to_pylist() == [code, None]


def test_parts():
    firm = CreditCode.parse("91350100m000100y43")
    assert (firm.department, firm.category, firm.division, firm.organisation) == ("9", "1", "350100", "M000100Y4")
    assert "350100" in firm.explain().en


def test_refusals_name_the_code():
    with pytest.raises(BadInput, match="9111000060003734IL") as refused:
        CreditCode.parse("9111000060003734IL")
    assert "I、O、S、V、Z" in refused.value.text.zh


@pytest.mark.parametrize(
    ("body", "check"), [("60003734", "1"), ("M000100Y", "4"), ("MA1BUFLT", "4"), ("MA3MXH0E", "3"), ("D2143569", "X")]
)
def test_organisation_code_check(body, check):
    assert credit_code.organisation_check(body) == check


def test_inner_organisation_code_is_checked():
    body = "91350100M000100Y5"
    assert credit_code.check(body + credit_code.check_character(body)).reason == "organisation_check"


near_codes = st.builds(
    lambda body, tail: body + (tail or credit_code.check_character(body)),
    st.from_regex(r"[19][0-9A][0-9]{6}[0-9A-HJ-NP-RTUWXY]{9}", fullmatch=True),
    st.sampled_from(["", "0", "A", "I"]),
)


@given(st.lists(near_codes | st.text("0123456789AIXoz.E+ 中", max_size=20) | st.just("911100006000373000"), max_size=8))
def test_column_and_scalar_always_agree(texts):
    found = credit_code_column.check_column(pa.array(texts, pa.string()))
    for row, text in enumerate(texts):
        assert found.findings[row] == credit_code.check(text)
        assert found.text[row].as_py() == (CreditCode.parse(text).text if found.findings[row].taken else None)


@given(st.from_regex(r"9[0-9]{7}[0-9A-HJ-NP-RTUWXY]{9}", fullmatch=True), st.integers(0, 16), st.integers(1, 30))
def test_every_single_wrong_character_is_found(body, place, by):
    wrong = credit_code.ALPHABET[(credit_code.ALPHABET.index(body[place]) + by) % 31]
    assert credit_code.check_character(body) != credit_code.check_character(body[:place] + wrong + body[place + 1 :])
