import h3
import h3.api.basic_int as h3int
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import BadInput, BadQuery
from gis.geo import cell_shapes, cells

RNG_SEED = 20_261_122
PLACES = 100_000


@pytest.fixture(scope="module")
def world():
    """100 000 cells of all resolutions all over the globe, every pentagon and pentagon children among them."""
    rng = np.random.default_rng(RNG_SEED)
    lon, lat = rng.uniform(-180, 180, PLACES), np.degrees(np.arcsin(rng.uniform(-1, 1, PLACES)))
    share = PLACES // 16
    found = [cells.cells(lon[r * share : (r + 1) * share], lat[r * share : (r + 1) * share], r) for r in range(16)]
    pentagons = [p for res in range(16) for p in h3int.get_pentagons(res)]
    near = [c for res in range(15) for p in h3int.get_pentagons(res) for c in h3int.cell_to_children(p)]
    return np.concatenate([*found, np.array(pentagons + near, dtype=np.int64)])


def test_points_get_the_cells_of_the_library(world):
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(-180, 180, 20_000), rng.uniform(-90, 90, 20_000)
    expected = [h3int.latlng_to_cell(y, x, 9) for x, y in zip(lon, lat, strict=True)]
    assert cells.cells(lon, lat, 9).tolist() == expected
    assert cells.cells(lon.reshape(2, -1), lat.reshape(2, -1), 9).ravel().tolist() == expected
    assert cells.valid(world).all()


def test_lu_an_cell_area_is_its_own():
    here = cells.cells([116.5167665], [31.7357571], 9)
    assert cell_shapes.areas_km2(here)[0] == pytest.approx(0.085395, rel=2e-3)
    shifted = cells.cells([116.52185809966477], [31.733700005197935], 9)
    assert here[0] != shifted[0]


@pytest.mark.parametrize(
    ("lon", "lat"),
    [(np.nan, 31), (116, np.nan), (np.inf, 31), (116, -np.inf), (180.1, 31), (116, 90.5), (31.7, 116.5), (1e300, 0)],
)
def test_points_off_the_earth_have_no_cell(lon, lat):
    assert cells.cells([lon, 116.5], [lat, 31.7], 10).tolist() == [0, h3int.latlng_to_cell(31.7, 116.5, 10)]
    assert cells.usable([lon, 116.5], [lat, 31.7]).tolist() == [False, True]


def test_edges_of_the_earth_have_cells():
    lon, lat = [-180, 180, 0, 0], [0, 0, 90, -90]
    assert cells.valid(cells.cells(lon, lat, 7)).all()
    assert cells.cells([], [], 7).size == 0


@pytest.mark.parametrize("resolution", [-1, 16])
def test_other_resolutions_are_refused(resolution):
    with pytest.raises(BadInput, match=str(resolution)):
        cells.cells([116.5], [31.7], resolution)


def test_resolution_and_parents_agree_with_the_library(world):
    resolution = cells.resolution(world)
    assert resolution.tolist() == [h3int.get_resolution(c) for c in world.tolist()]
    for res in range(16):
        finer = world[resolution >= res]
        assert cells.parents(finer, res).tolist() == [h3int.cell_to_parent(c, res) for c in finer.tolist()]


def test_parents_of_nothing_and_of_coarse_cells():
    assert cells.parents(np.array([0]), 5).tolist() == [0]
    with pytest.raises(BadInput, match="coarser"):
        cells.parents(cells.cells([116.5], [31.7], 5), 6)


def test_child_ranges_hold_descendants_and_nothing_else(world):
    resolution = cells.resolution(world)
    for res in range(1, 16):
        at = np.unique(world[resolution == res])
        for above in {0, res - 1, res // 2}:
            up = cells.parents(at, above)
            for parent in np.unique(up)[:40].tolist():
                low, high = cells.child_range(parent, res)
                assert ((at >= low) & (at <= high)).tolist() == (up == parent).tolist()


@pytest.mark.parametrize("res", range(0, 13))
def test_child_ranges_of_pentagons_are_tight(res):
    for pentagon in h3int.get_pentagons(res)[:3]:
        low, high = cells.child_range(pentagon, res + 2)
        children = sorted(h3int.cell_to_children(pentagon, res + 2))
        assert low == children[0] and high == children[-1]
    with pytest.raises(BadInput, match="no children"):
        cells.child_range(h3int.get_pentagons(res + 1)[0], res)


def test_validity_agrees_with_the_library(world):
    rng = np.random.default_rng(2)
    broken = world ^ (np.int64(1) << rng.integers(0, 63, world.size))
    some = np.concatenate([world[:20_000], broken[:40_000], broken[-8_000:], rng.integers(0, 2**63 - 1, 5_000)])
    assert cells.valid(some).tolist() == [h3int.is_valid_cell(c) for c in some.tolist()]
    assert not cells.valid(np.array([0, -1])).any()


def test_hexadecimal_there_and_back(world):
    texts = cells.to_hex(world)
    assert texts[:1000].tolist() == [h3.int_to_str(c) for c in world[:1000].tolist()]
    assert (cells.from_hex(texts) == world).all()
    assert cells.to_hex(np.array([0])).tolist() == [""]
    assert cells.from_hex(["891F1D48B33FFFF".lower(), "891F1D48B33FFFF"]).size == 2


@pytest.mark.parametrize(
    "text", ["", "zz", "891f1d48b33fff", "ffffffffffffffff", "08001fffffffffff", "-8001ffffffffff"]
)
def test_other_texts_are_no_cells(text):
    with pytest.raises(BadInput, match="H3"):
        cells.from_hex([text])


@given(st.integers(0, 15), st.floats(-180, 180), st.floats(-90, 90), st.integers(0, 15))
def test_a_cell_lies_in_the_range_of_each_ancestor(fine, lon, lat, coarse):
    coarse = min(fine, coarse)
    cell = cells.cells([lon], [lat], fine)
    parent = int(cells.parents(cell, coarse)[0])
    low, high = cells.child_range(parent, fine)
    assert low <= int(cell[0]) <= high and (coarse < fine or low == high == parent)


def test_sql_equals_numpy(conn, world):
    fine = world[cells.resolution(world) >= 6][::10]
    conn.execute("CREATE TEMP TABLE c (id bigint, cell bigint)")
    with conn.cursor().copy("COPY c FROM STDIN") as copy:
        for row in enumerate(fine.tolist()):
            copy.write_row(row)
    for res in (0, 3, 6):
        rows = conn.execute(f"SELECT {cells.parent_sql('cell', res)} FROM c ORDER BY id").fetchall()
        assert [row[0] for row in rows] == cells.parents(fine, res).tolist()
    assert conn.execute(f"SELECT {cells.parent_sql('NULL::bigint', 3)}").fetchone() == (None,)


def test_ranges_in_sql(conn):
    rng = np.random.default_rng(3)
    points = cells.cells(rng.uniform(116, 117, 2000), rng.uniform(31, 32, 2000), 10)
    conn.execute("CREATE TEMP TABLE p (cell bigint)")
    conn.execute("INSERT INTO p SELECT unnest(%s::bigint[])", (points.tolist(),))
    up = cells.parents(points, 6)
    parent = int(up[0])
    count = conn.execute(f"SELECT count(*) FROM p WHERE {cells.within_sql('p.cell', parent, 10)}").fetchone()
    assert count == (int((up == parent).sum()),)
    low, high = cells.child_range_sql("g.cell", 6, 10)
    grouped = conn.execute(
        f"SELECT g.cell, count(*) FROM (SELECT DISTINCT {cells.parent_sql('cell', 6)} AS cell FROM p) g "
        f"JOIN p ON p.cell BETWEEN {low} AND {high} GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert grouped == list(zip(*(part.tolist() for part in np.unique(up, return_counts=True)), strict=True))


def test_boundaries_are_the_library_s(world):
    some = world[(cells.resolution(world) > 2)][::400]
    for shape, cell in zip(cell_shapes.boundaries(some), some.tolist(), strict=True):
        ring = [(lon, lat) for lat, lon in h3int.cell_to_boundary(cell)]
        if max(x for x, _ in ring) - min(x for x, _ in ring) < 180:
            assert shape.equals(shapely.Polygon(ring))


def test_boundaries_over_antimeridian_and_poles_tile_the_globe():
    whole = np.array(h3int.get_res0_cells(), dtype=np.int64)
    shapes = cell_shapes.boundaries(whole)
    assert shapely.is_valid(shapes).all()
    assert all(s.bounds[0] >= -180 and s.bounds[2] <= 180 and s.bounds[2] - s.bounds[0] <= 360 for s in shapes)
    assert shapely.area(shapes).sum() == pytest.approx(360 * 180, rel=0.002)
    crossing = cells.cells([179.9999, -179.9999], [10, 10], 4)
    for shape in cell_shapes.boundaries(crossing):
        assert shape.geom_type == "MultiPolygon" and shape.area < 1
    assert cell_shapes.boundaries(np.array([], dtype=np.int64)).size == 0


def test_areas_sum_to_the_globe():
    whole = np.array(h3int.get_res0_cells(), dtype=np.int64)
    assert cell_shapes.areas_km2(whole).sum() == pytest.approx(510_065_622, rel=1e-6)


def test_disk_and_covering():
    cell = int(cells.cells([116.5], [31.7], 8)[0])
    assert sorted(cell_shapes.grid_disk(cell, 2).tolist()) == sorted(h3int.grid_disk(cell, 2))
    box = shapely.box(116.4, 31.6, 116.6, 31.8)
    found = cell_shapes.covering(box, 7)
    assert shapely.union_all(cell_shapes.boundaries(found)).buffer(1e-9).covers(box)
    assert shapely.intersects(cell_shapes.boundaries(found), box).all()
    rng = np.random.default_rng(4)
    inside = cells.cells(rng.uniform(116.4, 116.6, 2000), rng.uniform(31.6, 31.8, 2000), 7)
    assert set(inside.tolist()) <= set(found.tolist())
    tiny = shapely.Point(116.5, 31.7).buffer(1e-7)
    assert cell_shapes.covering(tiny, 8).tolist() == [cell]


def test_coverings_are_bounded():
    with pytest.raises(BadQuery, match="coarser"):
        cell_shapes.covering(shapely.box(110, 30, 120, 40), 12)
    with pytest.raises(BadQuery):
        cell_shapes.grid_disk(int(cells.cells([116.5], [31.7], 8)[0]), 1000)
    with pytest.raises(BadInput, match="Point"):
        cell_shapes.covering(shapely.Point(0, 0), 5)
    with pytest.raises(BadInput, match="degrees"):
        cell_shapes.covering(shapely.box(450000, 3500000, 450100, 3500100), 5)
    with pytest.raises(BadInput, match="H3"):
        cell_shapes.areas_km2(np.array([1]))
