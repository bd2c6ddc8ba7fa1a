"""What is cut out of texts by the database is what the rules in Python cut out, whatever the text."""

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis.access.masking import RULES, SPACE, masked
from tests.gis.test_masking import VECTORS

KINDS = [*sorted(RULES), "closed"]
#: Pieces of which texts are made that nearly fit a rule, or fit it from some place on.
_PIECES = st.sampled_from(
    [
        "110101199001011234", "11010119900101123X", "13812348000", "6222021234561234", "皖N12345", "张三丰", "欧阳",
        "欧阳娜娜", "𠮷", "皖西路12号", "三里桥街道", "梅山社区", "东桥镇", "镇路", "街道路", "居委会", "村委会", "\n",
        "a@b.cn", "@", ".", "1990-05-17", "-01-01", " ", "\u3000", "\xa0",
        "\x1c", "０１", "x", "*", "'", "\\", "%s", "$",
    ]
)  # fmt: skip
_TEXTS = st.one_of(
    st.lists(_PIECES, max_size=5).map("".join),
    st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=40),
)


def _sql(conn: psycopg.Connection, kind: str, text: str | None) -> str | None:
    row = conn.execute(
        f"SELECT access.mask_{kind}(%s::text), access.masked(%s, %s::text)", (text, kind, text)
    ).fetchone()
    assert row is not None and row[0] == row[1]
    return row[0]


@pytest.mark.parametrize(("kind", "text", "shown"), [v for v in VECTORS if v[0] in KINDS])
def test_the_vectors(conn: psycopg.Connection, kind: str, text: str, shown: str) -> None:
    assert _sql(conn, kind, text) == shown


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(_TEXTS, min_size=1, max_size=20))
def test_every_text_is_shown_alike(conn: psycopg.Connection, texts: list[str]) -> None:
    for kind in KINDS:
        rows = conn.execute(
            f"SELECT t, access.mask_{kind}(t) FROM unnest(%s::text[]) WITH ORDINALITY AS u(t, n) ORDER BY n", (texts,)
        ).fetchall()
        assert rows == [(text, masked(kind, text)) for text in texts]


def test_what_no_rule_is_known_for_is_hidden_and_missing_stays_missing(conn: psycopg.Connection) -> None:
    shown = conn.execute("SELECT access.masked('shoe size', 'forty-two'), access.masked('name', NULL)").fetchone()
    assert shown == ("f*******o", None)
    for kind in KINDS:
        assert _sql(conn, kind, None) is None and _sql(conn, kind, SPACE) == ""


def test_a_date_of_birth_keeps_its_year(conn: psycopg.Connection) -> None:
    row = conn.execute("SELECT access.mask_birth_date('1990-05-17'::date)::text").fetchone()
    assert row == ("1990-01-01",)
