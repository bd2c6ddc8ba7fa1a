"""Who asked for how much: counts by day, consumer and collection, never what was asked."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from threading import Lock

from gis.exchange.directory.overdue import today
from gis.query.statement import Statement
from gis.store.database import Database


@dataclass(frozen=True, slots=True)
class Asked:
    """How often a collection was asked, and how many rows were given."""

    questions: int = 0
    rows: int = 0

    def __add__(self, other: "Asked") -> "Asked":
        """Both together."""
        return Asked(self.questions + other.questions, self.rows + other.rows)


def record_use(database: Database, consumer: str, collection: str, *, questions: int = 1, rows: int = 0) -> None:
    """Count questions of a consumer (a department's code, or a name) to a collection, on the present Shanghai day."""
    record_uses(database, {(consumer, collection): Asked(questions, rows)})


def record_uses(database: Database, asked: Mapping[tuple[str, str], Asked], *, day: date | None = None) -> None:
    """Count what several consumers asked, by (consumer, collection), in one statement; on a day, else today."""
    if not asked:
        return
    # in one order, so that two writers wait for one another rather than fail
    counted = sorted(asked.items())
    with database.connection() as conn:
        conn.execute(
            "INSERT INTO exchange.use AS u (day, consumer, collection, questions, rows)"
            " SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[])"
            " ON CONFLICT (day, consumer, collection)"
            " DO UPDATE SET questions = u.questions + excluded.questions, rows = u.rows + excluded.rows",
            (
                day or today(),
                [consumer for (consumer, _), _ in counted],
                [collection for (_, collection), _ in counted],
                [one.questions for _, one in counted],
                [one.rows for _, one in counted],
            ),
        )


class Tally:
    """Counts kept in memory between writes, for a server that is asked thousands of times a second.

    What was counted and not yet written is lost with the process.
    """

    def __init__(self) -> None:
        #: Questions and rows.
        self._asked: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        self._lock = Lock()

    def count(self, consumer: str, collection: str, rows: int = 0) -> None:
        """Count one question."""
        with self._lock:
            asked = self._asked[consumer, collection]
            asked[0] += 1
            asked[1] += rows

    def write(self, database: Database) -> None:
        """Add to the database what was counted since; where that fails, it is kept for the next time."""
        with self._lock:
            counted = {key: Asked(*asked) for key, asked in self._asked.items()}
            self._asked.clear()
        try:
            record_uses(database, counted)
        except BaseException:
            with self._lock:
                for key, one in counted.items():
                    asked = self._asked[key]
                    asked[0] += one.questions
                    asked[1] += one.rows
            raise


def used(database: Database, since: date, until: date) -> dict[str, dict[str, Asked]]:
    """What was asked of each collection and by whom, from one day to another, both included."""
    rows = database.rows(
        Statement(
            "SELECT collection, consumer, sum(questions)::bigint, sum(rows)::bigint FROM exchange.use"
            " WHERE day BETWEEN %s AND %s GROUP BY collection, consumer ORDER BY collection, consumer",
            (since, until),
        )
    )
    found: dict[str, dict[str, Asked]] = {}
    for collection, consumer, questions, given in rows:
        found.setdefault(collection, {})[consumer] = Asked(questions, given)
    return found
