"""From one partition of the city to another: how much ground and how many people each pair of zones shares.

Versions of divisions, and the grids of police, governance and city management, are different polygons: figures of one
are carried to another by these shares, never by assuming that one nests in the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, LiteralString, Self

import numpy as np
import psycopg
import pyarrow as pa
from numpy.typing import NDArray

from gis.access import OWNER, Identity
from gis.catalog import Catalogue
from gis.errors import BadQuery
from gis.query.plan import Plan
from gis.query.query import Query
from gis.query.span import Span, now
from gis.query.statement import Statement
from gis.store.database import Database, connect, translated

By = Literal["area", "people"]

LEAST_M2 = 1.0
"""Pairs that share less ground than this, and nobody, touch at a border that was not drawn to the centimetre."""


@dataclass(frozen=True, slots=True)
class Zones:
    """One partition: divisions of a level, or grids of a kind, as they are valid at a moment (None: now)."""

    collection: str
    condition: Statement
    at: datetime | None = None

    @classmethod
    def divisions(cls, level: int, at: datetime | None = None) -> Self:
        """Divisions of a level: 1 province … 5 village. Raises BadQuery for another."""
        if level not in range(1, 6):
            words = f"divisions have levels 1 to 5, not {level}", f"区划级别为 1 至 5,没有 {level}"
            raise BadQuery(*words, subject="level")
        return cls("base.divisions", Statement("level = %s", (level,)), at)

    @classmethod
    def grids(cls, kind: str, at: datetime | None = None) -> Self:
        """Grids of a kind: city_management, governance, police."""
        return cls("base.grids", Statement("kind = %s", (kind,)), at)

    def relation(self, catalogue: Catalogue, identity: Identity) -> Statement:
        """SELECT code, geom of the zones that `identity` may see. Raises Forbidden, UnknownName."""
        time = None if self.at is None else Span.at(self.at)
        plan = Plan(Query(collection=self.collection, fields=("code",), time=time), catalogue, identity, now())
        found = plan.relation(also=Statement(f"geom IS NOT NULL AND {self.condition.sql}", self.condition.args))
        return Statement(f"SELECT code, geom FROM ({found.sql}) z", found.args)  # noqa: S608  names are declared


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """What each source zone shares with each target zone.

    `rows` has source, target (null: the part of the source that no target covers), area_m2, area_share, people,
    people_share. The shares of each source add to 1, by area and (where anybody lives there) by people; people shares
    are null where nobody does. `counted` says who the people are; `overlap_m2` how much ground several targets claim,
    which then counts once for each; `outside` how many people are in no source, or nowhere.
    """

    rows: pa.Table
    counted: Literal["persons", "dwellings"]
    overlap_m2: float
    outside: int

    def uncovered(self) -> pa.Table:
        """The rows of what no target covers."""
        return self.rows.filter(self.rows["target"].is_null())

    def shares(self, by: By = "area") -> dict[str, dict[str | None, float]]:
        """By source, the share of each target; None is what none covers."""
        found: dict[str, dict[str | None, float]] = {}
        columns = (self.rows[name].to_pylist() for name in ("source", "target", f"{by}_share"))
        for source, target, share in zip(*columns, strict=True):
            if share is not None:
                found.setdefault(source, {})[target] = share
        return found

    def carry(self, figures: Mapping[str, float], by: By = "people") -> dict[str | None, float]:
        """Figures of the sources (sums, not rates) as figures of the targets; under None what goes to no target.

        The total stays. A source in which nobody lives is carried by area, one that is not known goes to None.
        """
        shares, ground = self.shares(by), self.shares("area")
        found: dict[str | None, float] = {}
        for source, figure in figures.items():
            for target, share in (shares.get(source) or ground.get(source) or {None: 1.0}).items():
                found[target] = found.get(target, 0.0) + figure * share
        return found


def crosswalk(
    database: Database,
    catalogue: Catalogue,
    source: Zones,
    target: Zones,
    *,
    identity: Identity = OWNER,
    people_at: datetime | None = None,
) -> Crosswalk:
    """Compare two partitions, by true area (on the ellipsoid) and by the people who live there.

    People are persons counted where they are placed, valid at `people_at` (None: now); while the register of persons
    is empty, dwellings stand for them. One who is on a border is in the zone with the smallest code.
    Raises Forbidden where the caller may not count persons or dwellings, UnknownName, Unavailable.
    """
    with translated(), connect(database.url) as conn, conn.transaction():
        conn.execute("SET LOCAL TIME ZONE 'UTC'")
        for name, zones in (("crosswalk_source", source), ("crosswalk_target", target)):
            _keep(conn, name, zones.relation(catalogue, identity))
        _run(conn, _PIECES)
        counted = _keep_people(conn, catalogue, identity, people_at)
        rows = _run(conn, _RESULT).fetchall()
        overlap, outside = _run(conn, _REMARKS).fetchall()[0]
    return Crosswalk(_table(rows), counted, float(overlap or 0.0), int(outside or 0))


def _keep(conn: psycopg.Connection[Any], name: LiteralString, relation: Statement) -> None:
    _run(conn, Statement(f"CREATE TEMP TABLE {name} ON COMMIT DROP AS {relation.sql}", relation.args))
    _run(conn, f"CREATE INDEX ON {name} USING gist (geom)")
    _run(conn, f"ANALYZE {name}")


def _keep_people(
    conn: psycopg.Connection[Any], catalogue: Catalogue, identity: Identity, at: datetime | None
) -> Literal["persons", "dwellings"]:
    """People by point, with the zones that each point is in."""
    time = None if at is None else Span.at(at)
    for noun in ("persons", "dwellings"):
        plan = Plan(Query(collection=f"base.{noun}", fields=(), time=time), catalogue, identity, now())
        found = plan.relation()
        _run(conn, "DROP TABLE IF EXISTS crosswalk_people")
        placed = f"SELECT geom, count(*) AS people FROM ({found.sql}) p GROUP BY geom"  # noqa: S608
        sql = f"CREATE TEMP TABLE crosswalk_people ON COMMIT DROP AS SELECT people, {_IN} FROM ({placed}) p"  # noqa: S608
        if _run(conn, Statement(sql, found.args)).rowcount:
            break
    return "persons" if noun == "persons" else "dwellings"


def _run(conn: psycopg.Connection[Any], asked: Statement | str) -> psycopg.Cursor[Any]:
    statement = Statement(asked) if isinstance(asked, str) else asked
    return conn.execute(statement.sql, statement.args or None)


_IN = ", ".join(
    f"(SELECT code FROM crosswalk_{side} z WHERE ST_Intersects(z.geom, p.geom) ORDER BY code LIMIT 1) AS {side}"  # noqa: S608
    for side in ("source", "target")
)
_PIECES = """
    CREATE TEMP TABLE crosswalk_piece ON COMMIT DROP AS
    SELECT source, target, geom, ST_Area(geom::geography) AS area_m2 FROM (
        SELECT s.code AS source, t.code AS target, CASE WHEN ST_CoveredBy(s.geom, t.geom) THEN s.geom
               ELSE ST_CollectionExtract(ST_Intersection(s.geom, t.geom), 3) END AS geom
        FROM crosswalk_source s JOIN crosswalk_target t ON ST_Intersects(s.geom, t.geom)
    ) piece WHERE NOT ST_IsEmpty(geom)
"""
_RESULT = f"""
    WITH rest AS (
        SELECT s.code AS source, ST_Area(CASE WHEN p.geom IS NULL THEN s.geom
                   ELSE ST_Difference(s.geom, p.geom) END::geography) AS area_m2
        FROM crosswalk_source s LEFT JOIN (
            SELECT source, ST_Union(geom) AS geom FROM crosswalk_piece GROUP BY source) p ON p.source = s.code
    )
    SELECT source, target, sum(area_m2), sum(people)::bigint FROM (
        SELECT source, target, area_m2, 0 AS people FROM crosswalk_piece
        UNION ALL SELECT source, NULL, area_m2, 0 FROM rest
        UNION ALL SELECT source, target, 0, people FROM crosswalk_people WHERE source IS NOT NULL
    ) pair GROUP BY source, target
    HAVING sum(area_m2) >= {LEAST_M2} OR sum(people) > 0
    ORDER BY source, target NULLS LAST
"""  # noqa: S608  the bound is our own
_REMARKS = """
    SELECT (SELECT sum(area_m2) FROM crosswalk_piece)
         - (SELECT sum(ST_Area(geom::geography)) FROM
               (SELECT ST_Union(geom) AS geom FROM crosswalk_piece GROUP BY source) covered),
           (SELECT sum(people) FROM crosswalk_people WHERE source IS NULL)
"""


def _table(rows: list[tuple[Any, ...]]) -> pa.Table:
    source, target, area, people = zip(*rows, strict=True) if rows else ((), (), (), ())
    number = np.unique(np.array(source, dtype=object), return_inverse=True)[1].reshape(-1) if rows else np.zeros(0, int)

    def shares(values: tuple[float, ...]) -> pa.Array:
        figures = np.array(values, dtype=np.float64)
        total = np.bincount(number, weights=figures) if rows else figures
        whole: NDArray[np.float64] = total[number] if rows else figures
        with np.errstate(divide="ignore", invalid="ignore"):
            return pa.array(figures / whole, mask=whole == 0)

    return pa.table(
        {
            "source": pa.array(source, pa.string()),
            "target": pa.array(target, pa.string()),
            "area_m2": pa.array(area, pa.float64()),
            "area_share": shares(area),
            "people": pa.array(people, pa.int64()),
            "people_share": shares(people),
        }
    )
