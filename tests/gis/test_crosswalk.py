"""Shares of one partition in another: against brute force on small maps, and on the sample's split street."""

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pyproj
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis.access import PUBLIC
from gis.base.crosswalk import Crosswalk, Zones, crosswalk
from gis.catalog import Catalogue
from gis.errors import BadQuery, Forbidden
from gis.query.statement import Statement
from gis.store.database import Database
from layers import LAYERS

CATALOGUE = Catalogue(LAYERS)
BEFORE, AFTER = datetime(2021, 6, 1, tzinfo=UTC), datetime(2021, 8, 1, tzinfo=UTC)
_GEOD = pyproj.Geod(ellps="WGS84")
Box = tuple[int, int, int, int]
WEST, SOUTH, STEP = 116.4, 31.6, 0.01


def area_m2(shape: shapely.Geometry) -> float:
    """True area of polygons, on the ellipsoid; their edges are geodesics, so that a point more on one changes it."""
    if shape.is_empty:
        return 0.0
    parts = shapely.get_parts(shape)
    return float(sum(abs(_GEOD.geometry_area_perimeter(p)[0]) for p in parts if p.geom_type == "Polygon"))


def shape_of(box: Box) -> shapely.Polygon:
    west, south, width, height = box
    return shapely.box(
        WEST + STEP * west, SOUTH + STEP * south, WEST + STEP * (west + width), SOUTH + STEP * (south + height)
    )


def fill(
    url: str, sources: list[Box], targets: list[Box], people: list[tuple[float, float]], noun: str = "persons"
) -> None:
    with psycopg.connect(url) as conn:
        for table in ("divisions", "grids", "persons", "dwellings"):
            conn.execute(f"DELETE FROM base.{table}")
        for n, box in enumerate(sources, 1):
            conn.execute(
                "INSERT INTO base.divisions (fid, rec_from, digest, load, code, name, level, geom)"
                " VALUES (%s, 1, 0, 1, %s, 'x', 4, ST_GeomFromWKB(%s, 4326))",
                (n, f"S{n}", shape_of(box).wkb),
            )
        for n, box in enumerate(targets, 1):
            conn.execute(
                "INSERT INTO base.grids (fid, rec_from, digest, load, code, kind, geom)"
                " VALUES (%s, 1, 0, 1, %s, 'police', ST_GeomFromWKB(%s, 4326))",
                (n, f"T{n}", shape_of(box).wkb),
            )
        for n, (x, y) in enumerate(people, 1):
            conn.execute(
                f"INSERT INTO base.{noun} (fid, rec_from, digest, load, geom)"
                " VALUES (%s, 1, 0, 1, ST_SetSRID(ST_MakePoint(%s, %s), 4326))",
                (n, WEST + STEP * x, SOUTH + STEP * y),
            )


@pytest.fixture(scope="module")
def database(module_url: str) -> Iterator[Database]:
    opened = Database(module_url)
    yield opened
    opened.close()


def walk(database: Database) -> Crosswalk:
    return crosswalk(database, CATALOGUE, Zones.divisions(4), Zones.grids("police"))


boxes = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=5
)
spots = st.lists(st.tuples(st.integers(0, 26), st.integers(0, 26)), max_size=12)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(boxes, boxes, spots)
def test_shares_are_those_of_brute_force(database: Database, sources, targets, halves) -> None:
    people = [(x / 2 + 0.25, y / 2 + 0.25) for x, y in halves]  # off every border
    fill(database.url, sources, targets, people)
    found = walk(database)
    shapes = {f"S{n}": shape_of(b) for n, b in enumerate(sources, 1)}
    others = {f"T{n}": shape_of(b) for n, b in enumerate(targets, 1)}
    points = [shapely.Point(WEST + STEP * x, SOUTH + STEP * y) for x, y in people]
    rows = {(r["source"], r["target"]): r for r in found.rows.to_pylist()}
    for code, shape in shapes.items():
        pieces = {t: area_m2(shape & other) for t, other in others.items()}
        rest = area_m2(shape - shapely.union_all(list(others.values())))
        whole = sum(pieces.values()) + rest
        for target, area in [*pieces.items(), (None, rest)]:
            if area < 1:
                assert (code, target) not in rows or rows[code, target]["people"] > 0
                continue
            row = rows[code, target]
            assert row["area_m2"] == pytest.approx(area, rel=1e-4)
            assert row["area_share"] == pytest.approx(area / whole, rel=1e-4)
    # each counts once: in the first source and the first target that hold the point
    counts: dict[tuple[str, str | None], int] = {}
    for point in points:
        source = next((c for c in sorted(shapes) if shapes[c].intersects(point)), None)
        target = next((c for c in sorted(others) if others[c].intersects(point)), None)
        if source:
            counts[source, target] = counts.get((source, target), 0) + 1
    assert {pair: r["people"] for pair, r in rows.items() if r["people"]} == counts
    assert found.outside == len(points) - sum(counts.values())
    for by in ("area", "people"):
        for shares in found.shares(by).values():  # type: ignore[arg-type]
            assert sum(shares.values()) == pytest.approx(1.0, abs=1e-12)


def test_what_no_target_covers_is_said(database: Database) -> None:
    fill(database.url, [(0, 0, 4, 4)], [(0, 0, 2, 4), (2, 0, 1, 4)], [(0.5, 0.5), (3.5, 1.5), (3.5, 2.5), (9.5, 9.5)])
    found = walk(database)
    assert found.uncovered()["area_share"].to_pylist() == pytest.approx([0.25], rel=1e-3)
    assert found.uncovered()["people"].to_pylist() == [2]
    assert (found.counted, found.outside) == ("persons", 1)
    assert found.overlap_m2 == pytest.approx(0, abs=0.01)
    assert found.carry({"S1": 300.0}) == pytest.approx({"T1": 100.0, "T2": 0.0, None: 200.0})
    assert found.carry({"S1": 300.0}, "area") == pytest.approx({"T1": 150, "T2": 75, None: 75}, rel=1e-3)
    assert found.carry({"S9": 5.0}) == {None: 5.0}


def test_ground_that_two_targets_claim_is_told(database: Database) -> None:
    fill(database.url, [(0, 0, 2, 2)], [(0, 0, 2, 2), (1, 0, 1, 2)], [])
    found = walk(database)
    twice = shape_of((1, 0, 1, 2))
    assert found.overlap_m2 == pytest.approx(area_m2(twice), rel=1e-4)
    assert found.shares()["S1"] == pytest.approx({"T1": 2 / 3, "T2": 1 / 3}, rel=1e-3)


def test_dwellings_stand_for_people_where_nobody_is_registered(database: Database) -> None:
    fill(database.url, [(0, 0, 2, 2)], [(0, 0, 1, 2), (1, 0, 1, 2)], [(0.5, 0.5), (0.5, 1.5), (1.5, 0.5)], "dwellings")
    found = walk(database)
    assert found.counted == "dwellings"
    assert found.shares("people")["S1"] == pytest.approx({"T1": 2 / 3, "T2": 1 / 3})


def test_nobody_anywhere(database: Database) -> None:
    fill(database.url, [(0, 0, 2, 2)], [], [])
    found = walk(database)
    assert found.shares("people") == {} and found.shares() == {"S1": {None: 1.0}}
    assert found.rows["people_share"].null_count == 1
    assert found.carry({"S1": 7.0}) == {None: 7.0}
    fill(database.url, [], [(0, 0, 2, 2)], [])
    assert len(walk(database).rows) == 0


def test_who_may_not_count_people_may_not_compare(database: Database) -> None:
    with pytest.raises(Forbidden, match=r"base\.persons"):
        crosswalk(database, CATALOGUE, Zones.divisions(4), Zones.grids("police"), identity=PUBLIC)
    with pytest.raises(BadQuery):
        Zones.divisions(6)


@pytest.fixture(scope="module")
def city(sample_city: str) -> Iterator[Database]:
    opened = Database(sample_city)
    yield opened
    opened.close()


def test_a_split_street_goes_to_two(city: Database) -> None:
    found = crosswalk(city, CATALOGUE, Zones.divisions(4, BEFORE), Zones.divisions(4, AFTER))
    shares = found.shares()
    assert shares["341502003000"] == pytest.approx({"341502003000": 0.2264, "341502005000": 0.7736}, abs=2e-4)
    others = {code: share for code, share in shares.items() if code != "341502003000"}
    assert len(others) > 100
    assert all(share.get(code, 0) > 0.9999 for code, share in others.items())
    villages = crosswalk(city, CATALOGUE, Zones.divisions(5, BEFORE), Zones.divisions(5, AFTER)).shares()
    assert villages["341502003103"]["341502005003"] > 0.999


def test_grids_and_communities_do_not_nest(city: Database) -> None:
    nested = crosswalk(city, CATALOGUE, Zones.grids("city_management"), Zones.divisions(5)).shares()
    assert all(max(share.values()) > 0.999 for share in nested.values())
    beats = crosswalk(city, CATALOGUE, Zones.grids("police"), Zones.divisions(5))
    cut = [share for share in beats.shares().values() if len([s for s in share.values() if s > 0.01]) > 1]
    assert len(cut) > 20
    back = crosswalk(city, CATALOGUE, Zones.divisions(5), Zones.grids("police"))
    everyone = city.rows(
        Statement(f"SELECT count(*) FROM base.{back.counted} WHERE valid_to > now() AND valid_from <= now()")
    )[0][0]
    assert sum(back.rows["people"].to_pylist()) + back.outside == everyone
    carried = back.carry(dict.fromkeys(back.shares(), 1.0), "area")
    assert sum(carried.values()) == pytest.approx(len(back.shares())) and carried[None] > 0
