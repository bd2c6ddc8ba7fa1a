"""The token of a later page: of one question, of one city."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.base import BASE
from gis.catalog import Catalogue
from gis.errors import BadQuery
from gis.query.query import After
from gis.query.token import Seal
from gis.query.url import identity, parse

CATALOGUE = Catalogue((BASE,))

SEAL = Seal(b"a key of this city")
LATER = parse("base.pois?sortby=-name&kind=shop", CATALOGUE)
END = After(5, None, ("第1",), datetime(2026, 1, 1, tzinfo=UTC), 3)


def test_a_token_belongs_to_its_question_and_its_city() -> None:
    token = SEAL.token(END, identity(LATER))
    for same in ("base.pois?sortby=-name&kind=shop", "base.pois?kind=shop&sortby=-name&properties=code&limit=3"):
        assert parse(f"{same}&after={token}", CATALOGUE, SEAL).page.after == END
    for other in ("base.pois?kind=shop", "base.pois?sortby=name&kind=shop", "base.pois?sortby=-name&kind=food"):
        with pytest.raises(BadQuery, match="token"):
            parse(f"{other}&after={token}", CATALOGUE, SEAL)
    with pytest.raises(BadQuery, match="token"):
        parse(f"base.pois?sortby=-name&kind=shop&after={token}", CATALOGUE, Seal(b"another city's"))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**4), st.integers(0, 63))
def test_no_changed_token_is_taken(at: int, letter: int) -> None:
    token = SEAL.token(END, identity(LATER))
    at %= len(token)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    changed = token[:at] + alphabet[letter] + token[at + 1 :]
    if changed != token:
        with pytest.raises(BadQuery, match="token"):
            SEAL.read(changed, identity(LATER))
    with pytest.raises(BadQuery, match="token"):
        SEAL.read(token[:at], identity(LATER))
