"""The scorecard by division, counted from the registers and written into its own: each time what is, with its history.

A row of a register lies where its place does; a returned row where the register's row of that entity lies.
"""

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import shapely

from gis.access import OWNER
from gis.catalog import Catalogue
from gis.codes.division_column import at_level_sql
from gis.exchange.directory.overdue import today
from gis.exchange.directory.registers import known_deliverables, with_declared
from gis.exchange.load import LoadOptions, load
from gis.exchange.readers import ReadOptions
from gis.exchange.scorecard.collection import SCORECARD, grade_of
from gis.exchange.scorecard.figure import STANDARD, digest
from gis.query.ask import Ask
from gis.query.query import Query
from gis.query.statement import Statement
from gis.store.database import Database
from gis.text import Text

#: The level of townships and streets.
LEVEL = 4
#: Divisions with fewer rows are not shown, so that no household can be told from the counts.
FEWEST_ROWS = 10
_DIVISIONS = "base.divisions"


@dataclass(frozen=True, slots=True)
class Published:
    """What was published: divisions and rows in them; and what could not be shown, and why, in rows.

    `unplaced` rows lie in no known division, `unplaced_returned` entities to look into have no row that lies anywhere;
    `withheld` rows lie in divisions with fewer than FEWEST_ROWS, `shapeless` ones in divisions without a shape.
    """

    divisions: int
    rows: int
    returned: int
    unplaced: int
    unplaced_returned: int
    withheld: int
    shapeless: int

    def as_dict(self) -> dict[str, int]:
        """As JSON carries it."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class _Counts:
    """Rows and entities to look into by division code, with the same by register for the digest."""

    rows: Counter[int] = field(default_factory=Counter)
    returned: Counter[int] = field(default_factory=Counter)
    inputs: dict[int, list[object]] = field(default_factory=dict)
    unplaced: int = 0
    unplaced_returned: int = 0


def publish(database: Database, catalogue: Catalogue) -> Published:
    """Count anew and record it as the present state of `exchange.scorecard`. Raises Conflict, Unavailable."""
    counts = _count(database, with_declared(catalogue, database))
    shapes = _shapes(database, catalogue)
    shown = {code for code, rows in counts.rows.items() if rows >= FEWEST_ROWS}
    drawn = sorted(shown & shapes.keys())
    if drawn:
        _write(database, catalogue, counts, {code: shapes[code] for code in drawn})
    return Published(
        divisions=len(drawn),
        rows=sum(counts.rows[code] for code in drawn),
        returned=sum(counts.returned[code] for code in drawn),
        unplaced=counts.unplaced,
        unplaced_returned=counts.unplaced_returned,
        withheld=sum(rows for code, rows in counts.rows.items() if code not in shown),
        shapeless=sum(counts.rows[code] for code in shown - shapes.keys()),
    )


def _count(database: Database, catalogue: Catalogue) -> _Counts:
    counts = _Counts()
    for name, register in sorted(known_deliverables(database).items()):
        if register.collection.division is None:
            continue
        held = Ask(query=Query(collection=name, fields=()), identity=OWNER).plan(catalogue).relation()
        rows = database.rows(
            Statement(
                "WITH open AS (SELECT DISTINCT fid FROM exchange.returned"  # noqa: S608  the protected relation
                " WHERE register = %s AND state = 'open' AND fid IS NOT NULL),"
                f" held AS (SELECT fid, {at_level_sql('division', LEVEL)} AS place FROM ({held.sql}) h),"
                " placed AS (SELECT fid, max(place) AS place FROM held GROUP BY fid)"
                " SELECT place, count(p.fid), count(o.fid) FROM placed p FULL JOIN open o USING (fid) GROUP BY place",
                (name, *held.args),
            )
        )
        for place, n, returned in rows:
            if place is None:
                counts.unplaced += n
                counts.unplaced_returned += returned
                continue
            counts.rows[place] += n
            counts.returned[place] += returned
            counts.inputs.setdefault(place, []).append([name, n, returned])
    return counts


def _shapes(database: Database, catalogue: Catalogue) -> dict[int, tuple[str, Any]]:
    """The name and shape of each township and street that there is now."""
    ask = Ask(query=Query(collection=_DIVISIONS, fields=("name", "level")), identity=OWNER)
    held = ask.plan(catalogue).relation()
    rows = database.rows(
        Statement(
            f"SELECT division, name, ST_AsBinary(geom) FROM ({held.sql}) d"  # noqa: S608  the protected relation
            " WHERE level = %s AND geom IS NOT NULL AND division IS NOT NULL ORDER BY division, valid_from",
            (*held.args, LEVEL),
        )
    )
    return {code: (name, shapely.from_wkb(shape)) for code, name, shape in rows}


def _write(database: Database, catalogue: Catalogue, counts: _Counts, shapes: dict[int, tuple[str, Any]]) -> None:
    """Hand the figures over as a file, by the way that every file takes."""
    import geopandas as gpd  # noqa: PLC0415  takes a third of a second, which other commands need not wait

    day = today()
    records = []
    for code, (name, shape) in shapes.items():
        rows, returned = counts.rows[code], counts.returned[code]
        quality = round(100 * (1 - returned / rows), 1)
        inputs = f"{STANDARD}:{digest(day, counts.inputs[code])}"
        records.append({
            "code": f"{code:012d}", "name": name, "rows": rows, "returned": returned, "quality": quality,
            "grade": grade_of(quality), "measured_on": day, "inputs": inputs, "geometry": shape,
        })  # fmt: skip
    frame = gpd.GeoDataFrame(records, geometry="geometry", crs="EPSG:4326")
    options = LoadOptions(
        read=ReadOptions(crs="EPSG:4326"),
        columns={name: name for name in SCORECARD.by_name},
        dataset="scorecard",
        source=Text("由各登记库和退回任务计算", "Computed from the registers and the returned rows"),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scorecard.parquet"
        frame.to_parquet(path)
        load(database, catalogue, path, SCORECARD.id, options)
