"""Measured collections: the newest value of each feature, its values over a time, and their figures by bin of time.

Values are found by the primary key of their register, (fid, scenario, valid_from), feature by feature: how long a
series is does not matter to its newest value.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self, get_args

from gis.catalog import Collection, Field, Measured
from gis.catalog.measured import BESIDE
from gis.errors import BadQuery, UnknownName
from gis.query.plan import Plan
from gis.query.query import Query
from gis.query.span import TICK, Span
from gis.query.statement import Statement, conjunction

Bin = Literal["hour", "day", "week", "month"]
BINS: tuple[Bin, ...] = get_args(Bin)

#: Rows in which none of the asked parameters was measured are passed over, at most so many of one feature.
_PASSED_OVER = 100
_ZONE = "Asia/Shanghai"
#: What is told of each parameter in a bin, and its function in SQL.
FIGURES = {"count": "count", "mean": "avg", "min": "min", "max": "max"}


@dataclass(frozen=True, slots=True)
class Series:
    """A question to a measured collection: `features` plans where, `values` plans what was measured there and when."""

    features: Plan
    values: Plan

    @classmethod
    def of(cls, collection: Collection, query: Query, plan: Callable[[Query], Plan], names: Sequence[str] = ()) -> Self:
        """The question where, when and as of what `query` says, of the named parameters (none: of all).

        The features are those that are there in the query's time; `plan` makes the plans. Raises BadQuery where the
        collection is not measured, UnknownName for another parameter, Forbidden.
        """
        values = plan(Query(collection=collection.id, time=query.time, as_of=query.as_of))
        collection, measured = values.collection, values.collection.measured
        if measured is None:
            raise BadQuery(
                f"{collection.id} is not measured: it has no series",
                f"数据集 {collection.id} 不是观测数据,没有时间序列",
                subject="collection",
            )
        offered = parameters(collection)
        for name in names:
            if name not in offered:
                listed = ", ".join(offered)
                raise UnknownName(
                    f"{collection.id} has no parameter {name[:40]!r}; it has {listed}",
                    f"{collection.id} 没有观测项 {name[:40]!r};可用观测项:{listed}",
                    subject="parameter-name",
                )
        columns = tuple(dict.fromkeys(names)) or tuple(offered)
        values = replace(values, query=values.query.but(fields=columns))
        there = query.but(collection=measured.of, time=query.time if values.catalogue[measured.of].timed else None)
        features_ = plan(there)
        named = _named(features_.collection, measured)
        features_ = replace(features_, query=there.but(fields=named))
        return cls(replace(features_, now=values.now), values)

    @property
    def measured(self) -> Measured:
        """The declaration of what is measured."""
        found = self.values.collection.measured
        assert found is not None
        return found

    @property
    def columns(self) -> tuple[str, ...]:
        """What is told of each time: the parameters asked for, and what accompanies them."""
        return self.values.fields

    @property
    def parameters(self) -> tuple[str, ...]:
        """The measured ones among the columns; all columns where none is."""
        return tuple(n for n in self.columns if n in self.measured.parameters) or self.columns


def parameters(collection: Collection) -> dict[str, Field]:
    """What can be asked of a measured collection: its parameters, and how sure, of how many and how good they are."""
    names = collection.measured.parameters if collection.measured else ()
    return {n: collection.by_name[n] for n in (*names, *BESIDE) if n in collection.by_name}


def _named(place: Collection, measured: Measured) -> tuple[str, ...]:
    """What is told of a feature: its key, its name, its height."""
    names = [*place.key, place.style.label if place.style else None, measured.height]
    return tuple(dict.fromkeys(n for n in names if n in place.by_name))


def newest(series: Series, fid: str, time: Span | None = None) -> Statement:
    """The newest row of one feature, in which a parameter asked for was measured, that began in or before a time.

    `fid` is SQL for the feature, of the caller's own. Columns: fid, valid_from, valid_to, then `series.columns`. The
    value may be older than the time: when it stopped being valid is told, and left to the reader.
    """
    until = time.end if time is not None and time.end is not None else series.values.now + TICK
    plan = replace(series.values, query=series.values.query.but(time=Span(None, until)))
    rows = plan.relation(also=Statement(f"fid = {fid} AND valid_from > '-infinity'"))
    names = ", ".join(f'm."{n}"' for n in series.columns)
    some = ", ".join(f'm."{n}"' for n in series.parameters)
    return Statement(
        f"SELECT m.fid, m.valid_from, nullif(m.valid_to, 'infinity') AS valid_to, {names} FROM ("
        f"SELECT * FROM ({rows.sql}) o ORDER BY o.valid_from DESC LIMIT {_PASSED_OVER}) m"
        f" WHERE num_nonnulls({some}) > 0 ORDER BY m.valid_from DESC LIMIT 1",
        rows.args,
    )


def features(series: Series, limit: int, also: Statement | None = None) -> Statement:
    """The features of the question, each once, as it was last in the asked time: fid, geom, what is told of it."""
    found = series.features.relation(also=also)
    names = ", ".join(f'w."{n}"' for n in series.features.fields)
    return Statement(
        f"SELECT DISTINCT ON (w.fid) w.fid, w.geom{', ' + names if names else ''} FROM ({found.sql}) w"
        f" ORDER BY w.fid, w.valid_from DESC LIMIT {int(limit)}",
        found.args,
    )


def nearest(series: Series, lon: float, lat: float, also: Statement | None = None) -> Statement:
    """A condition: the one feature that is nearest to a point, in metres, of those of the question."""
    near = series.features.relation(also=also)
    metres = "ST_Distance(w.geom::geography, ST_SetSRID(ST_MakePoint(%s, %s), 4326)::geography)"
    sql = f"fid = (SELECT w.fid FROM ({near.sql}) w ORDER BY {metres}, w.fid LIMIT 1)"
    return Statement(sql, (*near.args, lon, lat))


def latest(series: Series, limit: int, also: Statement | None = None) -> Statement:
    """One row a feature: fid, geometry (GeoJSON text), what is told of it, valid_from and valid_to of its newest value,
    the values; a feature at which nothing was measured has nulls for these.
    """
    places, value = features(series, limit, also), newest(series, "f.fid", series.values.query.time)
    told = "".join(f', f."{n}" AS "of_{n}"' for n in series.features.fields)
    names = "".join(f', v."{n}"' for n in series.columns)
    return Statement(
        f"SELECT f.fid, ST_AsGeoJSON(f.geom, 7){told}, v.valid_from, v.valid_to{names}"
        f" FROM ({places.sql}) f LEFT JOIN LATERAL ({value.sql}) v ON true ORDER BY f.fid",
        (*places.args, *value.args),
    )


def over_time(series: Series, features_at_most: int, rows_at_most: int, also: Statement | None = None) -> Statement:
    """The values in the asked time, or the newest of each feature where none is asked: one row a value.

    Columns: fid, lon, lat (of the middle of the feature), what is told of it, valid_from, `series.columns`; in the
    order of features and time.
    """
    places = features(series, features_at_most, also)
    if series.values.query.time is None:
        rows = newest(series, "f.fid")
    else:
        rows = series.values.relation(also=Statement("fid = f.fid AND valid_from > '-infinity'"))
    told = "".join(f', f."{n}" AS "of_{n}"' for n in series.features.fields)
    names = ", ".join(f'm."{n}"' for n in ("valid_from", *series.columns))
    return Statement(
        f"SELECT f.fid, ST_X(ST_Centroid(f.geom)), ST_Y(ST_Centroid(f.geom)){told}, {names} FROM ({places.sql}) f"
        f" CROSS JOIN LATERAL ({rows.sql}) m ORDER BY f.fid, m.valid_from LIMIT {int(rows_at_most)}",
        (*places.args, *rows.args),
    )


def bins(series: Series, by: Bin, span: Span, limit: int, also: Statement | None = None) -> Statement:
    """One row a feature and bin of Shanghai time: fid, what is told of it, start and end of the bin, then of each
    parameter count, mean, min, max. A bin in which nothing was measured has a count of 0 and no figures.

    A value belongs to the bin in which it began. Both ends of the span must be given.
    """
    places = features(series, limit, also)
    plan = replace(series.values, query=series.values.query.but(time=span))
    began = conjunction([Statement("fid = f.fid"), Statement("valid_from >= %s", (span.start,))])
    rows = plan.relation(also=began)
    figures = ", ".join(f'{sql}(m."{p}") AS "{p}_{name}"' for p in series.parameters for name, sql in FIGURES.items())
    told = "".join(f', f."{n}" AS "of_{n}"' for n in series.features.fields)
    empty = {"count": "coalesce({}, 0)"}
    names = ", ".join(empty.get(n, "{}").format(f'g."{p}_{n}"') for p in series.parameters for n in FIGURES)
    step = f"interval '1 {by}'"
    return Statement(
        f"WITH place AS MATERIALIZED ({places.sql}), bin AS MATERIALIZED (SELECT b AT TIME ZONE '{_ZONE}' AS start,"
        f" (b + {step}) AT TIME ZONE '{_ZONE}' AS stop FROM generate_series(date_trunc('{by}', %s AT TIME ZONE"
        f" '{_ZONE}'), (%s - interval '1 microsecond') AT TIME ZONE '{_ZONE}', {step}) b), grouped AS ("
        f"SELECT f.fid, date_trunc('{by}', m.valid_from, '{_ZONE}') AS start, {figures}"
        f" FROM place f CROSS JOIN LATERAL ({rows.sql}) m GROUP BY 1, 2)"
        f" SELECT f.fid{told}, bin.start, bin.stop, {names} FROM place f CROSS JOIN bin"
        " LEFT JOIN grouped g ON g.fid = f.fid AND g.start = bin.start ORDER BY f.fid, bin.start",
        (*places.args, span.start, span.end, *rows.args),
    )
