"""The register as the deterministic fold of its claims: spans of valid time, the prevailing word of each item in each.

`touched(fid, since)` names the entities to fold, and from when on: always, or where a delivery in order changes nothing
before it, from that instant on. What is made of them stands in temporary tables:

- `held`: the register's open rows of these entities, as far as they may change;
- `spoken`: for each entity, span and department the claim that is its word there (that of the latest edition among
  those that cover the span; one with an end and no beginning also ends whatever was said before it); `latest` where
  it is of its department's latest statement: the last word, made in row `stated_row` of delivery `stated_by`, and the
  words right before it that say the same;
- `weighed`: for each entity and span whether it is there, the prevailing value of each item and whose it is;
- `folded`: the register's rows: spans where the entity is there, neighbours with equal content joined, placed.
"""

from collections.abc import Iterable
from typing import Any

import psycopg

from gis.base import BASE
from gis.exchange.registers import Deliverable
from gis.store.tables import Register

#: The field that holds a collection's code.
_KEYS = {c.id: c.key[0] for c in BASE.collections if c.key}

#: The start of the Shanghai day of an instant.
_DAY = "date_trunc('day', {0}, 'Asia/Shanghai')"


def touch(conn: psycopg.Connection[Any], select: str, args: dict[str, Any] | None = None) -> int:
    """Name the entities to fold, by a SELECT of their numbers; returns how many were not named before."""
    conn.execute(
        "CREATE TEMP TABLE IF NOT EXISTS touched (fid bigint PRIMARY KEY,"
        " since timestamptz NOT NULL DEFAULT '-infinity') ON COMMIT DROP"
    )
    named = conn.execute(
        f"INSERT INTO touched (fid) SELECT fid FROM ({select}) named(fid) ORDER BY fid ON CONFLICT DO NOTHING", args
    ).rowcount
    if named:
        conn.execute("ANALYZE touched")
    return named


def go_on(conn: psycopg.Connection[Any], register: Deliverable, department: str) -> int:
    """Of what was touched, fold from the department's new word on what nothing before it can have changed.

    To be called in a delivery in order, with `prior` made and its words kept. An entity goes on where its departments'
    latest words hold from then on without end, the department has said something else before, somebody of `presence`
    has a word, and nobody has been asked anything about it: the times before are then what the register shows.
    Returns how many entities go on.
    """
    named_by = register.authority(register.identity) if register.identity is not None else ()
    if not set(named_by) <= set(register.presence):
        return 0  # whose word makes an entity may mean somebody else, and nobody may be there
    begins = f"coalesce(c.valid_from, {_DAY.format('c.edition')})"
    presence = ", ".join(map(literal, register.presence))
    going_on = conn.execute(
        f"""
        UPDATE touched t SET since = w.since FROM (
            SELECT k.fid, w.since, w.digest FROM touched k CROSS JOIN LATERAL (  -- one by one, or all are read
                SELECT max({begins}) AS since, max(c.digest) FILTER (WHERE c.department = %(department)s) AS digest
                FROM {register.claims} c WHERE c.fid = k.fid AND c.latest
                HAVING bool_and(c.valid_to IS NULL) AND bool_or(c.department IN ({presence}))
                   AND max({begins}) = max({begins}) FILTER (WHERE c.department = %(department)s)
            ) w
        ) w JOIN prior p USING (fid)
        WHERE t.fid = w.fid AND p.digest <> w.digest AND NOT EXISTS (SELECT FROM exchange.returned o
            WHERE o.register = %(register)s AND o.fid = t.fid AND o.state = 'open')
        """,
        {"department": department, "register": register.collection.id},
    ).rowcount
    if going_on:
        conn.execute("ANALYZE touched")
    return going_on


def fold(conn: psycopg.Connection[Any], register: Deliverable) -> None:
    """Fold the claims on what was touched."""
    _hold(conn, register)
    weigh(conn, register)
    for statement in _folded(register):
        conn.execute(statement)


def _hold(conn: psycopg.Connection[Any], register: Deliverable) -> None:
    conn.execute(
        "CREATE TEMP TABLE held ON COMMIT DROP AS"
        f" SELECT o.* FROM touched t JOIN {Register.of(register.collection).table()} o USING (fid)"
        " WHERE o.scenario = 0 AND o.valid_to >= t.since"
    )


def weigh(conn: psycopg.Connection[Any], register: Deliverable) -> None:
    """Only say who said what of what was touched, and what prevails."""
    for statement in (*_spoken(register), *_weighed(register)):
        conn.execute(statement)


def _spoken(register: Deliverable) -> Iterable[str]:
    columns = ", ".join(f'c."{name}"' for name, _ in register.claim_columns)
    # only what is there can have been there always: a deletion ends from its edition's day, even as a first word
    begins = f"""coalesce(c.valid_from, CASE WHEN c.said AND lead(c.delivery) OVER on_before IS NULL
        THEN '-infinity' ELSE {_DAY.format("c.edition")} END)"""
    # all windows in one order, the last word first, and what they say fetched last: sorting costs more than all else;
    # fetched place by place (OFFSET keeps it so): for a join the planner would read all claims there are
    yield f"""
        CREATE TEMP TABLE spoken ON COMMIT DROP AS
        WITH claims AS (
            SELECT c.ctid AS place, c.fid, c.department, c.delivery, c.edition, c.digest,
                   first_value(c.digest) OVER on_before AS last_digest,
                   first_value(c.delivery) OVER on_before AS stated_by,
                   first_value(c.src_row) OVER on_before AS stated_row,
                   {begins} AS begins, coalesce(c.valid_to, 'infinity') AS ends,
                   CASE WHEN c.said AND c.valid_from IS NULL THEN c.valid_to END AS closes
            FROM {register.claims} c JOIN touched t USING (fid) WHERE NOT c.withdrawn AND t.since = '-infinity'
            WINDOW on_before AS (PARTITION BY c.fid, c.department ORDER BY c.edition DESC, c.delivery DESC)
        ), judged AS (
            SELECT *, bool_and(digest = last_digest) OVER on_before AS latest,
                   closes IS NULL AND (begins, ends) = (lag(begins) OVER on_before, lag(ends) OVER on_before)
                       AND lag(closes) OVER on_before IS NULL AS hidden
            FROM claims WINDOW on_before AS (PARTITION BY fid, department ORDER BY edition DESC, delivery DESC)
        ), c AS MATERIALIZED (
            -- a word with another right after it for the very same time is heard nowhere
            SELECT * FROM judged WHERE hidden IS NOT TRUE
        ), edges AS (
            SELECT fid, begins AS at FROM c UNION SELECT fid, ends FROM c WHERE ends < 'infinity'
        ), spans AS (
            SELECT fid, at AS starts, lead(at, 1, 'infinity') OVER (PARTITION BY fid ORDER BY at) AS stops FROM edges
        ), words AS (
            SELECT DISTINCT ON (s.fid, s.starts, c.department) s.starts, s.stops, c.place, c.latest, c.stated_by,
                   c.stated_row, c.closes
            FROM spans s JOIN c ON c.fid = s.fid
                AND (c.begins <= s.starts AND s.starts < c.ends OR c.closes <= s.starts)
            ORDER BY s.fid, s.starts, c.department, c.edition DESC, c.delivery DESC
        )
        SELECT w.starts, w.stops, c.fid, c.department, c.delivery, c.edition, c.src_row, c.said, w.stated_by,
               w.stated_row, w.latest, {columns}, false AS stranger
        FROM words w CROSS JOIN LATERAL (SELECT * FROM {register.claims} WHERE ctid = w.place OFFSET 0) c
        WHERE (w.closes <= w.starts) IS NOT TRUE
    """
    # from then on each department's latest word is the only one
    yield f"""
        INSERT INTO spoken SELECT t.since, 'infinity', c.fid, c.department, c.delivery, c.edition, c.src_row, c.said,
            c.delivery, c.src_row, true, {columns}, false
        FROM {register.claims} c JOIN touched t USING (fid) WHERE c.latest AND t.since > '-infinity'
    """
    yield "ANALYZE spoken (fid, starts)"
    if register.identity is not None:
        yield _strangers(register, register.identity)


def _strangers(register: Deliverable, identity: str) -> str:
    """Mark the words of departments that mean somebody else by the same key."""
    order = _order(register.authority(identity), "department")
    return f"""
        UPDATE spoken s SET stranger = true FROM (
            SELECT fid, starts, department, first_value("{identity}") OVER (PARTITION BY fid, starts
                ORDER BY (said AND "{identity}" IS NOT NULL AND {order} IS NOT NULL) DESC, {order}) AS prevails,
                first_value({order}) OVER (PARTITION BY fid, starts
                ORDER BY (said AND "{identity}" IS NOT NULL AND {order} IS NOT NULL) DESC, {order}) AS place
            FROM spoken
        ) w
        WHERE s.fid = w.fid AND s.starts = w.starts AND s.department = w.department
          AND s.said AND w.place IS NOT NULL AND s."{identity}" <> w.prevails
    """


def _order(departments: tuple[str, ...], column: str) -> str:
    """A department's place in an order of authority; null for those not in it."""
    return f"array_position(ARRAY[{', '.join(map(literal, departments))}]::text[], {column})"


def literal(text: str) -> str:
    """A text as it stands in a statement that takes no parameters."""
    return "'" + text.replace("'", "''") + "'"


def _weighed(register: Deliverable) -> Iterable[str]:
    def of(department: str, name: str, how: str = "max") -> str:
        return f"{how}({name}) FILTER (WHERE department = {literal(department)} AND NOT stranger)"

    present = ", ".join(of(d, "said", "bool_or") for d in register.presence)
    spoken = " ".join(f"WHEN {of(d, 'said', 'bool_or')} IS NOT NULL THEN {literal(d)}" for d in register.presence)
    leading = [", ".join(of(d, name) for d in register.presence) for name in ("delivery", "src_row")]
    items = []
    for name, _ in register.claim_columns:
        values = [of(d, f'"{name}"') for d in register.authority(name)]
        whose = " ".join(
            f"WHEN {v} IS NOT NULL THEN {literal(d)}" for d, v in zip(register.authority(name), values, strict=True)
        )
        items.append(f'coalesce({", ".join(values)}) AS "{name}", CASE {whose} END AS "{name}_by"')
    yield f"""
        CREATE TEMP TABLE weighed ON COMMIT DROP AS
        SELECT fid, starts, min(stops) AS stops, coalesce({present}) AS present, CASE {spoken} END AS ended_by,
               coalesce({leading[0]}) AS delivery, coalesce({leading[1]}) AS src_row, {", ".join(items)}
        FROM spoken GROUP BY fid, starts
    """
    yield "ANALYZE weighed (fid, starts)"


def _folded(register: Deliverable) -> Iterable[str]:
    names = ", ".join(f'"{f.name}"' for f in register.collection.fields)
    lags = ", ".join(f'lag("{f.name}") OVER w' for f in register.collection.fields)
    placed, joins = placing(register, "s")
    own, before, after = (", ".join(f'{side}."{f.name}"' for f in register.collection.fields) for side in "sow")
    # a run of equal spans is its first one, to the end of the last: that before the next run's first, or of all
    yield f"""
        CREATE TEMP TABLE folded ON COMMIT DROP AS
        WITH present AS (
            SELECT fid, starts, stops, delivery, src_row, {names} FROM weighed WHERE present
            UNION ALL  -- what the register shows right before, where it is cut off there or goes on the same
            SELECT o.fid, o.valid_from, t.since, o.load, o.src_row, {before}
            FROM touched t JOIN held o USING (fid) JOIN weighed w ON w.fid = t.fid AND w.starts = t.since
            WHERE o.valid_from < t.since AND (o.valid_to > t.since
                OR o.valid_to = t.since AND w.present AND ({before}) IS NOT DISTINCT FROM ({after}))
        ), marked AS (
            SELECT fid, starts, delivery, src_row, {names}, lag(stops) OVER w AS before,
                   last_value(stops) OVER (PARTITION BY fid ORDER BY starts
                       ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS finally,
                   lag(stops) OVER w IS DISTINCT FROM starts OR ({names}) IS DISTINCT FROM ({lags}) AS fresh
            FROM present WINDOW w AS (PARTITION BY fid ORDER BY starts)
        ), s AS (
            SELECT fid, starts AS valid_from,
                   coalesce(lead(before) OVER (PARTITION BY fid ORDER BY starts), finally) AS valid_to,
                   delivery, src_row, {names}
            FROM marked WHERE fresh
        )
        SELECT s.fid, 0 AS scenario, s.valid_from, s.valid_to, s.delivery, s.src_row, {placed}, {own}
        FROM s {joins}
    """
    yield "ANALYZE folded (fid)"


def placing(register: Deliverable, alias: str) -> tuple[str, str]:
    """(columns, joins) that place a register's row where the place is that it refers to: cell, division, geometry.

    A line or an area gives a point on it.
    """
    joins = []
    for i, name in enumerate(register.placed_by):
        refers = register.item(name).refers
        assert refers is not None
        layer, _, noun = refers.partition(".")
        joins.append(
            f'LEFT JOIN "{layer}"."{noun}" place{i} ON place{i}."{_KEYS.get(refers, "code")}" = {alias}."{name}"'
            f" AND place{i}.scenario = 0 AND place{i}.valid_from <= now() AND place{i}.valid_to > now()"
        )
    points = [f"place{i}" for i in range(len(joins))]

    def of(column: str) -> str:
        return f"coalesce({', '.join(f'{p}.{column}' for p in points)})" if points else "NULL"

    shape = f"{of('geom')}::geometry"
    point = f"CASE WHEN GeometryType({shape}) = 'POINT' THEN {shape} ELSE ST_PointOnSurface({shape}) END"
    columns = f"{of('cell')}::bigint AS cell, {of('division')}::bigint AS division, {point} AS geom"
    if register.collection.tiled:
        columns += f", ST_Transform({point}, 3857) AS geom_3857"
    return columns, " ".join(joins)
