"""Rasters: what a tile, a point and a box tell is what the file's pixels hold; time chooses the file."""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import PIL.Image
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_bounds

from api.app import create_app
from gis.catalog import Catalogue, Layer, Ramp, Raster, RasterFile, Sensitivity
from gis.catalog.field import number
from gis.errors import SetupError
from gis.geo.mercator import from_mercator
from gis.query.span import Span
from gis.store.cluster import Cluster
from gis.store.rasters import RasterFiles
from gis.text import Text
from layers import LAYERS
from tests.api.conftest import served
from tests.conftest import copied_database
from tiles import raster as rasters
from tiles.grid import CGCS2000, Tile

# what rasterio does with affine 3
pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")

WEST, SOUTH, EAST, NORTH = 116.0, 31.0, 117.0, 32.0
SIDE = 400
PM, NO2 = number("pm25", "细颗粒物", "PM2.5", unit="ug/m3"), number("no2", "二氧化氮", "NO2", unit="ug/m3")
RAMP = Ramp(((0.0, "#000000"), (100.0, "#ff0000"), (200.0, "#ff00ff")))
WORDS = {"title": Text("空气", "Air"), "description": Text("空气质量网格", "Air quality on a grid")}
STACK = Raster(id="air.grid", bands=(PM, NO2), stack="air/pm25-%Y%m%dT%H%M%S%z.tif", ramps={"pm25": RAMP}, max_zoom=14,
               **WORDS)  # fmt: skip
FIXED = Raster(id="land.height", bands=(number("h_m", "高程", "Height", unit="m"),),
               files=(RasterFile("dem.tif"),), **WORDS)  # fmt: skip
PHOTO = Raster(id="land.photo", bands=tuple(number(n, n, n) for n in ("red", "green", "blue")), resampling="nearest",
               files=(RasterFile("photo.tif"),), rgb=("red", "green", "blue"), **WORDS)  # fmt: skip
SECRET = Raster(id="land.secret", bands=(PM,), files=(RasterFile("dem.tif"),), sensitivity=Sensitivity.INTERNAL,
                **WORDS)  # fmt: skip
BROKEN = Raster(id="land.broken", bands=(PM,), files=(RasterFile("broken.tif"),), ramps={"pm25": RAMP}, **WORDS)
GRID = "/collections/air.grid"
PLACE = "/map/tiles/WebMercatorQuad/9/208/421"  # inside the files' square


def plane(lon: NDArray[Any], lat: NDArray[Any], hour: int = 0) -> NDArray[Any]:
    """What the files hold: values that rise to the north-east; none in the south-west quarter."""
    found = 50 * (lon - WEST) + 50 * (lat - SOUTH) + hour
    return np.where((lon < (WEST + EAST) / 2) & (lat < (SOUTH + NORTH) / 2), np.nan, found)


def grid(side: int = SIDE) -> tuple[NDArray[Any], NDArray[Any]]:
    steps = (np.arange(side) + 0.5) / side
    lon, lat = np.meshgrid(WEST + steps * (EAST - WEST), NORTH - steps * (NORTH - SOUTH))
    return lon, lat


def write(path: Path, *bands: NDArray[Any], driver: str = "COG", **more: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = bands[0].shape
    kind = {"dtype": "float32", "nodata": -9999.0, "crs": "EPSG:4326",
            "transform": from_bounds(WEST, SOUTH, EAST, NORTH, width, height), **more}  # fmt: skip
    with rasterio.open(path, "w", driver=driver, width=width, height=height, count=len(bands), **kind) as out:
        for n, band in enumerate(bands, 1):
            out.write(np.nan_to_num(band, nan=-9999.0).astype(kind["dtype"]), n)


def hourly(folder: Path, hour: int, name: str = "pm25") -> Path:
    lon, lat = grid()
    path = folder / "air" / f"{name}-20260101T{hour:02d}0000Z.tif"
    write(path, plane(lon, lat, hour), np.full(lon.shape, 7.0))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("rasters")
    for hour in (0, 6):
        hourly(found, hour)
    (found / "air" / "readme.txt").write_text("not a raster")
    lon, lat = grid()
    write(found / "dem.tif", plane(lon, lat))
    write(found / "photo.tif", *(np.full((64, 64), v) for v in (10, 200, 30)), dtype="uint8", nodata=None)
    (found / "broken.tif").write_bytes(b"II*\0 this is no raster")
    return found


@pytest.fixture(scope="module")
def get(cluster: Cluster, template: str, folder: Path) -> Iterator[Callable[..., httpx.Response]]:
    layer = Layer(
        name="grids", title=Text("栅格", "Grids"), collections=(), rasters=(STACK, FIXED, PHOTO, SECRET, BROKEN)
    )
    with pytest.MonkeyPatch.context() as patch, copied_database(cluster, template, "rasters") as url:
        patch.setenv("ONEMAP_RASTERS", str(folder))
        with served(create_app(url, Catalogue((*LAYERS, layer)), folder)) as request:
            yield request


def numbers(answer: httpx.Response) -> NDArray[Any]:
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/x-npy", answer.text
    found: NDArray[Any] = np.load(io.BytesIO(answer.content))
    return found


def pixel_centres(tile: Tile) -> tuple[NDArray[Any], NDArray[Any]]:
    west, south, east, north = tile.envelope
    steps = (np.arange(rasters.SIDE_PIXELS) + 0.5) / rasters.SIDE_PIXELS
    x, y = np.meshgrid(west + steps * (east - west), north - steps * (north - south))
    return (x, y) if tile.grid is CGCS2000 else from_mercator(x, y)


@pytest.mark.parametrize(
    "tile", [Tile(9, 421, 208), Tile(8, 210, 103), Tile(6, 52, 25), Tile(12, 3374, 1667), Tile(8, 421, 82, CGCS2000)]
)
def test_a_tile_holds_what_the_pixels_hold(get: Any, tile: Tile) -> None:
    found = numbers(get(f"{GRID}/map/tiles/{tile.grid.id}/{tile.text}?f=npy&datetime=2026-01-01T03:00:00Z"))
    assert found.shape == (2, 256, 256) and found.dtype == np.float32
    lon, lat = pixel_centres(tile)
    expected = plane(lon, lat)
    outside = (lon < WEST) | (lon > EAST) | (lat < SOUTH) | (lat > NORTH)
    expected[outside] = np.nan
    known = ~np.isnan(found[0])
    # at the edges of what holds values a pixel of the tile lies on both sides
    assert np.mean(known != ~np.isnan(expected)) < 0.02
    both = known & ~np.isnan(expected)
    step = 100 * max(tile.envelope[2] - tile.envelope[0], 1e-9) / (111_320 if tile.grid is not CGCS2000 else 1) / 256
    assert both.any() and np.abs(found[0][both] - expected[both]).max() < 2 * step + 0.5
    assert np.all(found[1][known] == 7)


def test_colours_are_those_of_the_ramp_and_none_is_clear(get: Any) -> None:
    values = numbers(get(f"{GRID}{PLACE}?f=npy&parameter-name=pm25"))[0]
    for form in ("png", "webp"):
        answer = get(f"{GRID}{PLACE}?f={form}")
        assert answer.headers["content-type"] == f"image/{form}"
        image = np.asarray(PIL.Image.open(io.BytesIO(answer.content)).convert("RGBA")).astype(float)
        clear = np.isnan(values)
        assert clear.any() and (~clear).any() and np.array_equal(image[..., 3] == 0, clear)
        red = np.interp(values, (0, 100, 200), (0, 255, 255))
        blue = np.interp(values, (0, 100, 200), (0, 0, 255))
        for channel, expected in ((0, red), (1, np.zeros_like(red)), (2, blue)):
            assert np.abs(image[..., channel] - expected)[~clear].max() <= 1


def test_time_chooses_the_newest_file_that_is_not_after_it(get: Any, folder: Path) -> None:
    def middle(query: str) -> float:
        return float(numbers(get(f"{GRID}{PLACE}?f=npy&parameter-name=pm25{query}"))[0, 20, 230])

    first, second = middle("&datetime=2026-01-01T00:00:00Z"), middle("&datetime=2026-01-01T06:00:00Z")
    assert second - first == pytest.approx(6, abs=1e-3)
    assert middle("&datetime=2026-01-01T05:59:59Z") == first
    assert middle("&datetime=2026-01-01") == second  # all of that day in Shanghai
    assert middle("") == second
    assert get(f"{GRID}{PLACE}?datetime=2025-12-31T23:59:59Z").status_code == 204
    before = get(f"{GRID}{PLACE}")
    hourly(folder, 12)
    after = get(f"{GRID}{PLACE}")
    assert middle("") - first == pytest.approx(12, abs=1e-3) and before.headers["etag"] != after.headers["etag"]
    (folder / "air" / "pm25-20260101T120000Z.tif").unlink()


def test_a_copy_that_the_caller_holds_is_not_sent_again(get: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = get(f"{GRID}{PLACE}?datetime=2026-01-01T01:00:00Z")
    monkeypatch.setattr(rasters, "tile", None)  # from here on nothing is read
    assert get(f"{GRID}{PLACE}?datetime=2026-01-01T01:00:00Z").content == first.content
    assert get(f"{GRID}{PLACE}?datetime=2026-01-01T02:00:00Z").headers["etag"] == first.headers["etag"]
    held = get(f"{GRID}{PLACE}?datetime=2026-01-01T01:00:00Z", headers={"if-none-match": first.headers["etag"]})
    assert held.status_code == 304 and not held.content


@pytest.mark.parametrize(
    ("path", "status", "subject"),
    [
        (f"{GRID}/map/tiles/WebMercatorQuad/9/207/300", 204, None),
        (f"{GRID}/map/tiles/WebMercatorQuad/15/13280/26990", 204, None),
        (f"{GRID}/map/tiles/WebMercatorQuad/9/512/0", 404, "9/512/0"),
        (f"{GRID}/map/tiles/WebMercatorQuad/9/x/0", 404, "9/-1/0"),
        (f"{GRID}/map/tiles/Other/9/208/421", 404, "Other"),
        (f"{GRID}{PLACE}?f=jpg", 400, "f"),
        (f"{GRID}{PLACE}?file=/etc/passwd", 400, "file"),
        (f"{GRID}{PLACE}?parameter-name=so2", 400, "so2"),
        (f"{GRID}{PLACE}?parameter-name=no2", 400, "f"),
        (f"{GRID}{PLACE}?parameter-name=no2,pm25", 400, "parameter-name"),
        (f"{GRID}{PLACE}?datetime=yesterday", 400, "datetime"),
        (f"/collections/land.height{PLACE}?datetime=2026-01-01", 400, "datetime"),
        (f"/collections/land.height{PLACE}", 400, "f"),
        (f"/collections/base.pois{PLACE}", 404, "base.pois"),
        (f"/collections/..%2Fdem.tif{PLACE}", 404, None),
        (f"/collections/land.secret{PLACE}", 403, "land.secret"),
        (f"/collections/land.broken{PLACE}", 503, "land.broken"),
        (f"{GRID}/statistics", 400, "bbox"),
        (f"{GRID}/statistics?bbox=117,31,116,32", 400, "bbox"),
        (f"{GRID}/statistics?bbox=116,31,117,32&datetime=2020-01-01", 404, "datetime"),
        (f"{GRID}/position?coords=POINT(116.5 31.5),x", 400, "coords"),
        (f"{GRID}/position?coords=MULTIPOINT((116.5 31.5),(116.6 31.5))", 400, "coords"),
        (f"{GRID}/position", 400, "coords"),
    ],
)
def test_what_is_not_there_or_cannot_be_asked(get: Any, path: str, status: int, subject: str | None) -> None:
    answer = get(path)
    assert answer.status_code == status, answer.text
    if subject:
        assert answer.json()["subject"] == subject
        assert "/tmp" not in answer.text and "passwd" not in answer.json()["detail"]


def test_the_value_at_a_point_is_that_of_its_pixel(get: Any) -> None:
    lon, lat = grid()
    for row, column in ((10, 10), (5, 399), (200, 250), (399, 399)):
        spot = f"POINT({lon[row, column]} {lat[row, column]})"
        told = get(f"{GRID}/position?coords={spot}&datetime=2026-01-01T06:00:00Z").json()
        assert told["ranges"]["pm25"]["values"] == [pytest.approx(plane(lon, lat, 6)[row, column], abs=1e-3)]
        assert told["ranges"]["no2"]["values"] == [7]
        assert told["domain"]["axes"]["t"]["values"] == ["2026-01-01T06:00:00Z"]
        assert told["parameters"]["pm25"]["unit"]["symbol"]["value"] == "ug/m3"
    for spot in ("POINT(116.1 31.1)", "POINT(10 10)"):  # no value, outside
        assert get(f"{GRID}/position?coords={spot}&parameter-name=pm25").json()["ranges"]["pm25"]["values"] == [None]


def test_a_span_gives_a_series_of_all_files_in_it(get: Any) -> None:
    spot = "POINT(116.9 31.9)"
    told = get(f"{GRID}/position?coords={spot}&datetime=2026-01-01T00:00:00Z/..").json()
    assert told["domain"]["axes"]["t"]["values"] == ["2026-01-01T00:00:00Z", "2026-01-01T06:00:00Z"]
    first, second = told["ranges"]["pm25"]["values"]
    assert second - first == pytest.approx(6, abs=1e-3) and told["ranges"]["pm25"]["shape"] == [2]
    fixed = get(f"/collections/land.height/position?coords={spot}").json()
    assert fixed["domain"]["domainType"] == "Point" and fixed["ranges"]["h_m"]["values"] == [
        pytest.approx(first, abs=0.5)
    ]


def test_figures_of_a_box_are_those_of_its_pixels(get: Any) -> None:
    lon, lat = grid()
    inside = plane(lon, lat)[(lon > 116.25) & (lon < 116.75) & (lat > 31.25) & (lat < 31.75)]
    held = inside[~np.isnan(inside)]
    told = get(f"{GRID}/statistics?bbox=116.25,31.25,116.75,31.75&datetime=2026-01-01T00:00:00Z").json()
    pm25 = told["bands"]["pm25"]
    assert told["datetime"] == "2026-01-01T00:00:00Z" and pm25["unit"] == "ug/m3"
    assert (pm25["pixels"], pm25["count"]) == (inside.size, held.size)
    for name, value in (("min", held.min()), ("max", held.max()), ("mean", held.mean()), ("std", held.std()),
                        ("percentile_50", np.median(held))):  # fmt: skip
        assert pm25[name] == pytest.approx(value, abs=1e-2)
    nothing = get(f"{GRID}/statistics?bbox=10,10,11,11").json()["bands"]["pm25"]
    assert nothing["count"] == 0 and nothing["mean"] is None


def test_bands_that_are_colours(get: Any) -> None:
    image = PIL.Image.open(io.BytesIO(get(f"/collections/land.photo{PLACE}").content)).convert("RGBA")
    assert image.getpixel((128, 128)) == (10, 200, 30, 255)


def test_a_raster_describes_itself(get: Any) -> None:
    told = get(GRID).json()
    assert told["extent"]["spatial"]["bbox"] == [pytest.approx([WEST, SOUTH, EAST, NORTH])]
    assert told["extent"]["temporal"]["newest"] == "2026-01-01T06:00:00Z"
    listed = [c["id"] for c in get("/collections").json()["collections"]]
    # one that cannot be read is listed, without where it lies
    assert {"air.grid", "land.broken"} <= set(listed) and "land.secret" not in listed
    assert get(f"{GRID}?f=html").status_code == get("/collections?f=html").status_code == 200
    tileset = get(f"{GRID}/map/tiles/WebMercatorQuad").json()
    item = next(link["href"] for link in tileset["links"] if link["rel"] == "item")
    tile = item.replace("{tileMatrix}", "9").replace("{tileRow}", "208").replace("{tileCol}", "421")
    assert tileset["dataType"] == "map" and get(tile.removeprefix("http://city.test")).status_code == 200
    assert len(get(f"{GRID}/map/tiles").json()["tilesets"]) == 2


def test_the_description_of_the_api_has_rasters_by_name(get: Any) -> None:
    paths = get("/api").json()["paths"]
    tile = paths["/collections/{collectionId}/map/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}"]["get"]
    assert set(tile["responses"]["200"]["content"]) == {"image/png", "image/webp", "application/x-npy"}
    named = next(p for p in tile["parameters"] if p.get("name") == "collectionId")
    assert "air.grid" in named["schema"]["enum"] and "land.secret" not in named["schema"]["enum"]
    assert {"/metrics", "/health/live", "/health/ready"} <= paths.keys()


class TestFiles:
    def _read(self, folder: Path, raster: Raster) -> list[float | None]:
        moment = RasterFiles(folder).newest(raster, None, datetime.now(UTC))
        assert moment is not None
        return rasters.at(raster, moment.path, 116.9, 31.9, [b.name for b in raster.bands])

    def test_a_zone_of_cgcs2000_and_scaled_numbers(self, tmp_path: Path) -> None:
        values = np.full((100, 100), 250)
        write(tmp_path / "dem.tif", values, crs="EPSG:4548", dtype="int16", driver="GTiff",
              transform=from_bounds(480_000, 3_400_000, 620_000, 3_600_000, 100, 100))  # fmt: skip
        with rasterio.open(tmp_path / "dem.tif", "r+") as out:
            out.scales, out.offsets = (0.1,), (5.0,)
        assert self._read(tmp_path, FIXED) == [30.0]

    def test_declared_nodata_counts_as_none(self, tmp_path: Path) -> None:
        write(tmp_path / "dem.tif", np.full((64, 64), 3.0), nodata=None)
        assert self._read(tmp_path, FIXED) == [3.0]
        declared = Raster(id="land.height", bands=FIXED.bands, files=FIXED.files, nodata=3.0, **WORDS)
        assert self._read(tmp_path, declared) == [None]

    @pytest.mark.parametrize(
        ("make", "word"),
        [
            (lambda p: None, "is not in the folder"),
            (lambda p: p.write_bytes(b"no raster"), "cannot be read"),
            (lambda p: p.write_text("<VRTDataset rasterXSize='1' rasterYSize='1'></VRTDataset>"), "cannot be read"),
            (lambda p: p.symlink_to("/etc/hostname"), "lies outside"),
            (lambda p: write(p, np.ones((8, 8)), crs=None), "names no CRS"),
            (lambda p: write(p, np.ones((2050, 2050)), driver="GTiff", dtype="uint8", nodata=0), "has no overviews"),
        ],
    )
    def test_a_file_that_is_not_as_declared(self, tmp_path: Path, make: Callable[[Path], Any], word: str) -> None:
        make(tmp_path / "dem.tif")
        with pytest.raises(SetupError, match=word) as refused:
            self._read(tmp_path, FIXED)
        assert str(tmp_path) not in str(refused.value) and refused.value.subject == "land.height"

    def test_fewer_bands_than_declared(self, folder: Path) -> None:
        with pytest.raises(SetupError, match="has 1 bands, declared are 3"):
            rasters.at(PHOTO, folder / "dem.tif", 116.9, 31.9, ["red"])

    def test_a_name_that_says_no_time_is_left_out_and_told(self, folder: Path, caplog: Any) -> None:
        stray = folder / "air" / "pm25-20261301T000000Z.tif"
        stray.touch()
        try:
            assert len(RasterFiles(folder).listed(STACK)) == 2
        finally:
            stray.unlink()
        assert stray.name in caplog.text

    def test_a_folder_that_is_not_there_yet_holds_nothing(self, tmp_path: Path) -> None:
        files = RasterFiles(tmp_path)
        assert files.newest(STACK, None, datetime.now(UTC)) is None
        assert files.within(STACK, Span(), 9) == []
