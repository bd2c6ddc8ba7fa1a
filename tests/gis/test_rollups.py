"""Groups from rollups against groups from the rows, over whatever is written."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import h3
import psycopg
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis.access import OWNER, Identity
from gis.catalog import Catalogue
from gis.errors import BadQuery
from gis.geo.area import Area, Box, Cells, Circle, Division, Shape
from gis.geo.cells import parents
from gis.query import answers, rollup_bounds, rollups
from gis.query.filters import Filter
from gis.query.plan import Plan
from gis.query.query import By, ByCell, ByDivision, ByField, ByTime, Measure, Query
from gis.query.rollup_tables import RollupTables
from gis.query.span import Span
from gis.store import derived, rollup_folding
from gis.store import rollups as rollups_kept
from gis.store.database import translated
from gis.store.rollups import fold
from gis.store.tables import Register
from layers import LAYERS
from tests.policies import by_duty

CATALOGUE = by_duty(Catalogue(LAYERS))
BUILDINGS = CATALOGUE["base.buildings"]
REGISTER = Register.of(BUILDINGS)
NOW = datetime.now(UTC).replace(second=0, microsecond=0)
DAY = timedelta(days=1)

CELLS = [
    int(h3.latlng_to_cell(31.75 + i * d, 116.5 + j * d, 11), 16) for d in (0.0005, 0.3) for i in (0, 1) for j in (0, 1)
]
DIVISIONS = [341502001001, 341502001002, 341502002001, 341503001001]
INFINITE = float("inf")

places = st.tuples(st.sampled_from([*CELLS, None]), st.sampled_from([*DIVISIONS, None]))
validity = st.sampled_from([
    ("-infinity", "infinity"), ("-infinity", "infinity"), (NOW - 400 * DAY, "infinity"), (NOW - DAY / 2, "infinity"),
    (NOW + 3 * DAY, "infinity"), (NOW - 400 * DAY, NOW - DAY), (NOW - 400 * DAY, NOW + DAY),
    (NOW - 30 * DAY, "infinity"), (NOW - 12 * DAY, "infinity"), (NOW - 5 * DAY, "infinity"), (NOW - DAY, NOW + DAY),
])  # fmt: skip
heights = st.sampled_from([None, 3.25, 10.1, 10.1, 99.0, -1e-3, 1e15, float("nan"), INFINITE])
uses = st.sampled_from([None, "", "school", "office"])
rows = st.lists(
    st.tuples(places, validity, uses, st.sampled_from([None, 1, 2, 30]), heights, st.sampled_from([0, 0, 0, 1])),
    max_size=12,
)
writes = st.one_of(
    st.tuples(st.just("insert"), rows),
    st.tuples(st.just("update"), st.tuples(uses, heights)),
    st.tuples(st.just("move"), places),
    st.tuples(st.just("rename"), st.none()),
    st.tuples(st.just("end"), validity),
    st.tuples(st.just("delete"), st.integers(1, 3)),
    st.tuples(st.just("truncate"), st.none()),
    st.tuples(st.just("swap"), st.tuples(rows, st.sampled_from([2, 7, 20, 500]))),
    st.tuples(st.just("time"), st.integers(2, 40)),
    st.tuples(st.just("time"), st.integers(2, 40)),
    st.tuples(st.just("fold"), st.none()),
    st.tuples(st.just("fold"), st.none()),
)  # fmt: skip

bys: st.SearchStrategy[list[By]] = st.lists(
    st.sampled_from([ByCell(0), ByCell(5), ByCell(8), ByCell(9), ByDivision(2), ByDivision(5), ByField("use")]),
    max_size=3, unique_by=type,
)  # fmt: skip
measures = st.lists(
    st.sampled_from([
        Measure(), Measure("sum", "storeys"), Measure("mean", "storeys"), Measure("min", "storeys"),
        Measure("max", "height_m"), Measure("mean", "height_m"), Measure("min", "height_m"), Measure("sum", "height_m"),
        Measure("distinct", "use"), Measure("min", "use"), Measure("max", "use"),
    ]),
    max_size=4, unique=True,
)  # fmt: skip
areas: st.SearchStrategy[Area | None] = st.sampled_from([
    None, None, Division(341502000000), Division(341502001001),
    Cells((int(parents([CELLS[0]], 9)[0]),)), Cells((int(parents([CELLS[0]], 7)[0]), int(parents([CELLS[5]], 4)[0]))),
    Cells(()),
])  # fmt: skip
filters = st.sampled_from([
    None, None, Filter.parse("use = 'school'"), Filter.parse("use IS NULL"), Filter.parse("NOT use IN ('school', 'x')"),
    Filter.parse("use LIKE 's%' OR use = ''"),
])  # fmt: skip
callers = st.sampled_from([
    OWNER, Identity("clerk", "staff", ((341502001000, 341502001999),)), Identity("none", "staff", ()),
    Identity("two", "staff", ((0, 341502001001), (341503000000, 341503999999))),
])  # fmt: skip
questions = st.tuples(bys, measures, areas, filters, callers)


@pytest.fixture(scope="module")
def city(module_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(module_url, autocommit=True) as conn:
        yield conn


def _plan(question: tuple[list[By], list[Measure], Area | None, Filter | None, Identity]) -> Plan:
    by, measure, area, where, caller = question
    query = Query(collection=BUILDINGS.id, by=tuple(by), measure=tuple(measure), area=area, where=where)
    return Plan(query, CATALOGUE, caller, NOW)


_fids = count(1)


def _insert(conn: psycopg.Connection[Any], given: list[Any], table: str = REGISTER.table()) -> None:
    with conn.cursor() as cursor:
        kinds = ["%s"] * 4 + ["%s::bigint"] * 2 + ["%s", "%s::bigint", "%s::float8", "%s", "1, 1, 1"]
        values = [
            (next(_fids), scenario, start, end, cell, division, use, storeys, height, "n")
            for (cell, division), (start, end), use, storeys, height, scenario in given
        ]
        marks = ", ".join([f"({', '.join(kinds)})"] * len(values))
        if values:
            cursor.execute(
                f"INSERT INTO {table} (fid, scenario, valid_from, valid_to, cell, division, use, storeys, height_m,"
                f" name, rec_from, digest, load) VALUES {marks}",
                [value for row in values for value in row],
            )


def _write(conn: psycopg.Connection[Any], write: tuple[str, Any]) -> None:
    kind, what = write
    table = REGISTER.table()
    match kind:
        case "insert":
            _insert(conn, what)
        case "update":
            conn.execute(f"UPDATE {table} SET use = %s, height_m = %s::float8 WHERE fid %% 3 = 0", what)
        case "move":
            conn.execute(f"UPDATE {table} SET cell = %s::bigint, division = %s::bigint WHERE fid %% 2 = 0", what)
        case "rename":
            conn.execute(f"UPDATE {table} SET name = name || 'x'")
        case "end":
            conn.execute(f"UPDATE {table} SET valid_from = %s, valid_to = %s WHERE fid %% 4 = 0", what)
        case "delete":
            conn.execute(f"DELETE FROM {table} WHERE fid %% %s = 0", (what,))
        case "truncate":
            conn.execute(f"TRUNCATE {table}")
        case "fold":
            rollup_folding.fold(conn, RollupTables(BUILDINGS))
        case "time":
            rollup_folding.move_on(conn, RollupTables(BUILDINGS), NOW - what * DAY)
        case "swap":
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(rollups_kept, "newest_horizon", lambda: NOW - what[1] * DAY)
                _swap(conn, what[0])


def _swap(conn: psycopg.Connection[Any], given: list[Any]) -> None:
    copy = Register.of(BUILDINGS, "__new")
    with conn.transaction():
        for statement in (*copy.create_open(), *copy.index_open(), *copy.constrain_open(), *copy.index_identity()):
            conn.execute(statement)
        _insert(conn, given, copy.table())
        derived.copy(conn, BUILDINGS, "__new")
        for statement in REGISTER.replace_by(copy):
            conn.execute(statement)
        derived.swap(conn, BUILDINGS, "__new")


def _answer(conn: psycopg.Connection[Any], plan: Plan) -> dict[tuple[Any, ...], list[Any]]:
    keys = len(plan.query.by)
    statement = answers.groups(plan)
    return {row[:keys]: list(row[keys:]) for row in conn.execute(statement.sql, statement.args)}


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9) or (math.isnan(one) and math.isnan(other))
    return bool(one == other)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(writes, min_size=1, max_size=7), st.lists(questions, min_size=3, max_size=6))
def test_groups_are_those_of_the_rows(city: psycopg.Connection[Any], writings: Any, asked: Any) -> None:
    city.execute(f"TRUNCATE {REGISTER.table()}")
    for write in writings:
        _write(city, write)
        for question in asked:
            plan = _plan(question)
            names, measured = answers.group_names(plan), answers.measures(plan)
            assert rollups.grouped(plan, names, measured) is not None
            found = _answer(city, plan)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(rollups, "grouped", lambda *_: None)
                wanted = _answer(city, plan)
            assert found.keys() == wanted.keys(), question
            for key, figures in wanted.items():
                assert all(map(_same, found[key], figures)), (question, key, found[key], figures)


def _asked(*figures: Measure, by: tuple[By, ...] = (), area: Area | None = None) -> Plan:
    return _plan((list(by), list(figures), area, None, OWNER))


ALWAYS = ("-infinity", "infinity")
HIGHEST = Measure("max", "height_m")


def _house(cell: int | None, height_m: float, validity: Any = ALWAYS) -> Any:
    return ((cell, DIVISIONS[0]), validity, "office", 2, height_m, 0)


@pytest.fixture
def empty(city: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    city.execute(f"TRUNCATE {REGISTER.table()}")
    return city


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize("by", [(ByCell(9),), (ByCell(4),), (ByDivision(5),), ()])
@pytest.mark.parametrize("cell", [CELLS[0], None])
def test_the_largest_that_went_is_the_largest_no_more(
    empty: psycopg.Connection[Any], folded: bool, by: tuple[By, ...], cell: int | None
) -> None:
    _insert(empty, [_house(cell, 10.0), _house(cell, 99.0), _house(CELLS[5], 20.0)])
    assert fold(empty, BUILDINGS) == 2
    empty.execute("DELETE FROM base.buildings WHERE height_m = 99")
    if folded:
        assert fold(empty, BUILDINGS) == 1
    found = _answer(empty, _asked(HIGHEST, Measure(), by=by))
    assert max(figures[0] for figures in found.values()) == 20.0
    assert sum(figures[1] for figures in found.values()) == 2
    if by == (ByCell(9),):
        assert sorted(figures[0] for figures in found.values()) == [10.0, 20.0]


def test_a_question_reads_the_rollup_and_not_the_rows(empty: psycopg.Connection[Any]) -> None:
    ended, future = (NOW - 9 * DAY, NOW - DAY), (NOW + DAY, "infinity")
    _insert(empty, [_house(cell, 5.0, when) for cell in CELLS for when in (ALWAYS, ended, future) for _ in range(40)])
    fold(empty, BUILDINGS)
    empty.execute("ANALYZE base.buildings")
    empty.execute("SET enable_seqscan = off")
    clerk = Identity("clerk", "staff", ((341502000000, 341502999999),))
    school = Filter.parse("use = 'school'")
    block = Cells((int(parents([CELLS[0]], 9)[0]),))
    for question in (
        ([ByCell(5)], [HIGHEST], None, None, OWNER),
        ([ByDivision(3)], [], Division(341500000000), None, clerk),
        ([ByField("use")], [Measure("sum", "storeys")], block, school, OWNER),
    ):
        statement = answers.groups(_plan(question))
        explained = "\n".join(row[0] for row in empty.execute(f"EXPLAIN {statement.sql}", statement.args))
        scans = [line for line in explained.splitlines() if " on buildings " in line]
        stale = [line for line in scans if "buildings_cell" in line]
        assert scans and all("buildings_unrolled" in line or line in stale for line in scans), explained
        assert len(stale) <= (2 if question[1] == [HIGHEST] else 0), explained
    empty.execute("RESET enable_seqscan")


@pytest.mark.parametrize(
    "query",
    [
        Query(collection=BUILDINGS.id, time=Span.at(NOW - DAY)),
        Query(collection=BUILDINGS.id, as_of=NOW),
        Query(collection=BUILDINGS.id, scenario="new-town"),
        Query(collection=BUILDINGS.id, where=Filter.parse("storeys > 3")),
        Query(collection=BUILDINGS.id, area=Box(116, 31, 117, 32)),
        Query(collection=BUILDINGS.id, area=Cells((CELLS[0],))),
        Query(collection=BUILDINGS.id, by=(ByCell(11),)),
        Query(collection=BUILDINGS.id, by=(ByField("built_year"),)),
        Query(collection=BUILDINGS.id, by=(ByTime("day"),)),
        Query(collection=BUILDINGS.id, measure=(Measure("distinct", "storeys"),)),
        Query(collection="base.roads"),
    ],
    ids=repr,
)
def test_what_the_rollup_cannot_tell_is_read_from_the_rows(query: Query) -> None:
    plan = Plan(query, CATALOGUE, OWNER, NOW)
    assert rollups.grouped(plan, answers.group_names(plan), answers.measures(plan)) is None
    assert f'"{query.collection.partition(".")[2]}' in answers.groups(plan).sql


def test_a_question_of_an_old_now_is_read_from_the_rows() -> None:
    plan = Plan(Query(collection=BUILDINGS.id), CATALOGUE, OWNER, NOW - DAY)
    assert rollups.grouped(plan, [], (Measure(),)) is None


@pytest.mark.parametrize("area", [Box(116.4, 31.7, 116.6, 31.8), Circle(116.5, 31.75, 900.0), Box(-180, -90, 180, 90),
                                  Shape.of(shapely.box(116.4, 31.7, 116.6, 31.8))], ids=repr)  # fmt: skip
def test_too_many_rows_are_refused_with_a_way_out(
    empty: psycopg.Connection[Any], area: Area, monkeypatch: pytest.MonkeyPatch
) -> None:
    _insert(empty, [_house(CELLS[0], 5.0)] * 20)
    fold(empty, BUILDINGS)
    assert sum(v[0] for v in _answer(empty, _asked(area=area)).values()) == 0, "no row has a shape"
    monkeypatch.setattr(rollup_bounds, "MOST_ROWS", 19)
    with pytest.raises(BadQuery, match="zoom in") as told, translated():
        _answer(empty, _asked(area=area))
    en, zh = told.value.text.en, told.value.text.zh
    assert "放大" in zh and en.isascii() and "zoom" not in zh
    far = Box(121.4, 31.7, 121.6, 31.8)
    assert _answer(empty, _asked(area=far)) == {(): [0]}


def test_one_folds_at_a_time_and_readers_see_each_state_whole(empty: psycopg.Connection[Any], module_url: str) -> None:
    _insert(empty, [_house(cell, 5.0) for cell in CELLS])
    with psycopg.connect(module_url) as folding:
        assert fold(folding, BUILDINGS) > 0
        folding.execute("SELECT 1")
        with folding.transaction():
            folding.execute("SELECT pg_advisory_xact_lock(core.lock_key('rollup', %s))", (BUILDINGS.id,))
            _insert(empty, [_house(CELLS[0], 6.0)])
            assert fold(empty, BUILDINGS) == 0
            assert _answer(empty, _asked()) == {(): [len(CELLS) + 1]}
    assert fold(empty, BUILDINGS) == 1
    assert _answer(empty, _asked()) == {(): [len(CELLS) + 1]}


def test_an_update_that_changes_nothing_that_is_summed_up_writes_no_delta(empty: psycopg.Connection[Any]) -> None:
    _insert(empty, [_house(cell, 5.0) for cell in CELLS])
    fold(empty, BUILDINGS)
    empty.execute("UPDATE base.buildings SET name = 'other'")
    assert fold(empty, BUILDINGS) == 0


def test_tables_hold_cells_with_rows_only_and_each_has_its_boundary(empty: psycopg.Connection[Any]) -> None:
    _insert(empty, [_house(cell, 5.0) for cell in (*CELLS, None)])
    fold(empty, BUILDINGS)
    tables = RollupTables(BUILDINGS)
    kept = empty.execute(
        f"SELECT cell, ST_AsText(ST_Centroid(ST_Transform(_shape, 4326))) FROM {tables.table('_cell')}"
    )
    found = {cell: shape and shapely.from_wkt(shape) for cell, shape in kept}
    assert set(found) == {int(c) for r in range(10) for c in parents(CELLS, r)} | {0}
    for cell, point in found.items():
        if cell and cell >> 52 & 15 > 4:
            assert h3.latlng_to_cell(point.y, point.x, cell >> 52 & 15) == f"{cell:x}"
    empty.execute("DELETE FROM base.buildings")
    fold(empty, BUILDINGS)
    for part in ("", "_cell", "_delta"):
        assert empty.execute(f"SELECT count(*) FROM {tables.table(part)}").fetchone() == (0,)
