"""What is shown of identifiers: the rules that are usual in government systems, and nothing of what they do not fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.access.masking import RULES, masked

VECTORS = [
    ("citizen_id", "110101199001011234", "110101********1234"),
    ("citizen_id", "11010119900101123X", "110101********123X"),
    ("citizen_id", "110101900101123", "110101*****1123"),
    ("citizen_id", "11010119900101123", "1***************3"),
    ("telephone", "13812348000", "138****8000"),
    ("telephone", "0564-3312345", "0**********5"),
    ("bank_card", "6222021234561234", "622202******1234"),
    ("name", "张三丰", "张**"),
    ("name", "张三", "张*"),
    ("name", "欧阳娜娜", "欧阳**"),
    ("name", "欧阳", "欧*"),
    ("name", "John Smith", "J********h"),
    ("name", "阿依古丽·买买提", "阿******提"),
    ("address", "安徽省六安市金安区三里桥街道梅山社区皖西路12号", "安徽省六安市金安区三里桥街道梅山社区****"),
    ("address", "六安市金安区东桥镇街西组7号", "六安市金安区东桥镇****"),
    ("address", "皖西路12号3单元402室", "皖***********室"),
    ("email", "zhang.san@example.cn", "z***@example.cn"),
    ("email", "not an address", "n************s"),
    ("plate", "皖N12345", "皖N***45"),
    ("plate", "皖AD12345", "皖A****45"),
    ("birth_date", "1990-05-17", "1990-01-01"),
    ("birth_date", "17.5.1990", "1*******0"),
    ("whatever", "secret", "s****t"),
    ("name", "张", "*"),
    ("name", "", ""),
    ("citizen_id", " 110101199001011234 ", "110101********1234"),
]


@pytest.mark.parametrize(("kind", "text", "shown"), VECTORS)
def test_the_vectors(kind: str, text: str, shown: str) -> None:
    assert masked(kind, text) == shown


@given(st.sampled_from([*sorted(RULES), "unknown"]), st.text(min_size=1, max_size=40))
def test_it_never_shows_a_whole_text(kind: str, text: str) -> None:
    shown = masked(kind, text)
    assert shown != text.strip() or not text.strip() or set(text.strip()) == {"*"} or text.endswith("-01-01")


@pytest.mark.parametrize(("kind", "text"), [vector[:2] for vector in VECTORS])
def test_what_was_masked_stays_as_it_is(kind: str, text: str) -> None:
    once = masked(kind, text)
    assert masked(kind, once) == once


@given(st.sampled_from(["citizen_id", "telephone", "bank_card", "name"]), st.text(min_size=3, max_size=40))
def test_what_fits_no_rule_shows_two_characters_at_most(kind: str, text: str) -> None:
    shown = masked(kind, text)
    if shown[1:-1].strip("*"):
        assert shown.count("*") >= 1 and masked(kind, text) == RULES[kind](text.strip())
    else:
        assert len(shown) == len(text.strip())
