"""Connections: a city that was closed can be asked again."""

from gis.query.statement import Statement
from gis.store.database import Database


def test_who_was_closed_is_opened_again_by_the_next_question(database_url: str) -> None:
    database = Database(database_url, size=2)
    for _ in range(3):
        assert database.rows(Statement("SELECT 1", ())) == [(1,)]
        database.close()
    database.close()
