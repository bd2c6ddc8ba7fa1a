"""The city's own seal of pages: its key is kept in the database, and is the same for each server of the city."""

from gis.query.statement import Statement
from gis.query.token import Seal
from gis.store.database import Database

_KEY = Statement("SELECT key FROM core.page_key")


def seal(database: Database) -> Seal:
    """The seal of the city. Raises Unavailable."""
    return Seal(bytes(database.rows(_KEY)[0][0]))
