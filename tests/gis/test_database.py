"""Connections: a city that was closed can be asked again; what is said where none can be made."""

import pytest

from gis.errors import Unavailable
from gis.query.statement import Statement
from gis.store.database import Database, connect


def test_who_was_closed_is_opened_again_by_the_next_question(database_url: str) -> None:
    database = Database(database_url, size=2)
    for _ in range(3):
        assert database.rows(Statement("SELECT 1", ())) == [(1,)]
        database.close()
    database.close()


def test_who_asks_is_not_told_where_the_database_is() -> None:
    with pytest.raises(Unavailable) as caught:
        connect("postgresql://clerk@127.0.0.1:1/registers")
    told = f"{caught.value.text.zh} {caught.value.text.en}"
    assert "127.0.0.1" not in told and "clerk" not in told
    # logs and commands say it
    assert "127.0.0.1" in str(caught.value) and "127.0.0.1" in caught.value.inside
