"""What one request did, noted while it is answered: its questions, and what it had of the database."""

from contextvars import ContextVar
from dataclasses import dataclass, field

from gis.query.query import Query
from gis.query.statement import Statement

#: A request's longest statements that are kept.
_MOST = 3


@dataclass(slots=True)
class Noted:
    """One request. `route` is the template of its address, `statements` the longest that it waited for, in seconds.

    `asker` names in whose turn its questions are asked. Of what goes into the trace: `rows` told by collection, `fid`
    the one feature that was asked for and is there, `mark` the watermark of an export, `touched` what was told of
    without a question, with what was looked for in it.
    """

    request_id: str = ""
    asker: str = ""
    route: str = ""
    queries: list[Query] = field(default_factory=list)
    statements: list[tuple[float, Statement]] = field(default_factory=list)
    database_s: float = 0.0
    waited_s: float = 0.0
    cache: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    fid: int | None = None
    mark: str = ""
    touched: dict[str, str] = field(default_factory=dict)

    def took(self, waited_s: float, held_s: float, statement: Statement | None) -> None:
        """A connection was waited for and held."""
        self.waited_s += waited_s
        self.database_s += held_s
        if statement is not None:
            self.statements.append((held_s, statement))
            if len(self.statements) > _MOST:
                self.statements.remove(min(self.statements, key=lambda one: one[0]))


#: The request that is being answered; tasks begun for it inherit it.
NOTED: ContextVar[Noted | None] = ContextVar("noted", default=None)


def note(query: Query, route: str = "") -> None:
    """Note a question of the request that is being answered; its route too where no framework knows it."""
    noted = NOTED.get()
    if noted is not None:
        noted.route = route or noted.route
        if query not in noted.queries:
            noted.queries.append(query)


def told(collection_id: str, rows: int, fid: int | None = None) -> None:
    """Note how many rows of a collection the answer tells; of one feature that is there also which."""
    noted = NOTED.get()
    if noted is not None:
        noted.rows[collection_id] = noted.rows.get(collection_id, 0) + rows
        noted.fid = fid if rows else None


def touched(collection_id: str, asked: str = "", rows: int | None = None) -> None:
    """Note that the answer tells of a collection without a question to it; `asked` is what the trace says was sought.

    Values in it that may name anybody are pseudonyms already.
    """
    noted = NOTED.get()
    if noted is not None:
        noted.touched[collection_id] = asked
        if rows is not None:
            noted.rows[collection_id] = noted.rows.get(collection_id, 0) + rows
