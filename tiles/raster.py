"""What a raster shows and holds: tiles as images or numbers, values at a point, figures of a box.

Files are Cloud Optimized GeoTIFFs, which are read in part: what is read never depends on how large a file is, since
a file without overviews is refused. Importing this costs half a second; servers do it when the first is asked for.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.errors import RasterioError
from rio_tiler import reader
from rio_tiler.errors import PointOutsideBounds, RioTilerError
from rio_tiler.models import ImageData

from gis.catalog import Ramp, Raster
from gis.errors import BadQuery, SetupError
from tiles.grid import Tile

Format = Literal["png", "webp", "npy"]

SIDE_PIXELS = 256
#: Figures of a box are of at most so many pixels on a side, taken from the overview that fits.
MOST_PIXELS = 1024
#: A file larger than this on its shorter side needs overviews.
_WHOLE_PIXELS = 2048
_PERCENTILES = (5, 25, 50, 75, 95)
_WGS84 = CRS.from_epsg(4326)

#: One driver, one file: what lies beside it is not looked at, and what it keeps in memory is bounded.
_ENVIRONMENT = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_PAM_ENABLED": False, "GDAL_CACHEMAX": 64}

#: Else a pixel without value counts as one with a value wherever another band has one, and its stand-in is mixed in.
_BAND_BY_BAND = {"UNIFIED_SRC_NODATA": "NO"}


def tile(raster: Raster, path: Path, tile_: Tile, band: str | None, form: Format) -> bytes:
    """A tile of a file: coloured, clear where there is no value; `npy` has the values, float32 (bands, 256, 256), NaN.

    `band` None means what the raster is drawn by. Empty where the tile holds no value. Raises BadQuery where the band
    has no colours, SetupError where the file is not as declared.
    """
    names = _drawn(raster, band, form)
    crs = CRS.from_epsg(tile_.grid.srid)
    with _opened(raster, path) as dataset:
        found = reader.part(
            dataset, tile_.envelope, width=SIDE_PIXELS, height=SIDE_PIXELS, bounds_crs=crs, dst_crs=crs,
            indexes=_indexes(raster, names), nodata=raster.nodata, unscale=_is_scaled(dataset),
            resampling_method=raster.resampling, reproject_method=raster.resampling, vrt_options=_BAND_BY_BAND,
        )  # fmt: skip
    values = _values(found)
    if np.isnan(values).all():
        return b""
    if form == "npy":
        content = io.BytesIO()
        np.save(content, values)
        return content.getvalue()
    colours = values.clip(0, 255) if len(names) > 1 else _coloured(values[0], raster.ramps[names[0]])
    clear = np.isnan(values).any(axis=0)
    image = np.where(clear, 0, np.nan_to_num(colours)).round().astype(np.uint8)
    masked = np.ma.MaskedArray(image, mask=np.broadcast_to(clear, image.shape))
    if form == "webp":
        return bytes(ImageData(masked).render(img_format="WEBP", lossless=True))
    return bytes(ImageData(masked).render(img_format="PNG"))


def at(raster: Raster, path: Path, lon: float, lat: float, names: Sequence[str]) -> list[float | None]:
    """The values of the pixel at a point; None where there is none. Raises SetupError."""
    with _opened(raster, path) as dataset:
        try:
            found = reader.point(
                dataset, (lon, lat), indexes=_indexes(raster, names), coord_crs=_WGS84, nodata=raster.nodata,
                unscale=_is_scaled(dataset),
            )  # fmt: skip
        except PointOutsideBounds:
            return [None] * len(names)
    values = np.ma.filled(found.array.astype(np.float64), np.nan)
    return [None if np.isnan(value) else _plain(value, found.array.dtype) for value in values]


def figures(
    raster: Raster, path: Path, box: tuple[float, float, float, float], names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Of each band in a box (degrees: west, south, east, north), of pixels of the file's own grid.

    `pixels` counts those read and `count` those with a value; the other figures are None where no pixel has one. Of a
    large box an overview is read. Pixels count alike, whatever area they cover. Raises SetupError.
    """
    with _opened(raster, path) as dataset:
        found = reader.part(
            dataset, box, bounds_crs=_WGS84, dst_crs=dataset.crs, max_size=MOST_PIXELS,
            indexes=_indexes(raster, names), nodata=raster.nodata, unscale=_is_scaled(dataset),
        )  # fmt: skip
    return {name: _figures(values) for name, values in zip(names, _values(found).astype(np.float64), strict=True)}


def extent(raster: Raster, path: Path) -> tuple[float, float, float, float]:
    """West, south, east, north of a file in degrees. Raises SetupError."""
    with _opened(raster, path) as dataset:
        west, south, east, north = rasterio.warp.transform_bounds(dataset.crs, _WGS84, *dataset.bounds)
    return float(west), float(south), float(east), float(north)


def _drawn(raster: Raster, band: str | None, form: Format) -> list[str]:
    """The bands of a tile. Raises BadQuery, UnknownName."""
    if band is not None:
        names = [raster.band(band).name]
    elif form == "npy":
        return [b.name for b in raster.bands]
    else:
        names = list(raster.rgb or list(raster.ramps)[:1] or [raster.bands[0].name])
    if form != "npy" and len(names) == 1 and names[0] not in raster.ramps:
        raise BadQuery(
            f"no colours are declared for the band {names[0]} of {raster.id}; ask for f=npy",
            f"{raster.id} 的波段 {names[0]} 未声明配色;请用 f=npy",
            subject="f",
        )
    return names


@contextmanager
def _opened(raster: Raster, path: Path) -> Iterator[Any]:
    """A file, if it is as declared. Raises SetupError."""
    try:
        with rasterio.Env(**_ENVIRONMENT), rasterio.open(path, driver="GTiff", sharing=False) as dataset:
            _check(raster, path, dataset)
            yield dataset
    except (RasterioError, RioTilerError) as error:
        raise _fault(raster, path, f"cannot be read ({type(error).__name__})", "无法读取") from error


def _check(raster: Raster, path: Path, dataset: Any) -> None:
    if dataset.count < len(raster.bands):
        count = len(raster.bands)
        raise _fault(raster, path, f"has {dataset.count} bands, declared are {count}",
                     f"有 {dataset.count} 个波段,声明为 {count} 个")  # fmt: skip
    if dataset.crs is None:
        raise _fault(raster, path, "names no CRS", "没有坐标系信息")
    if min(dataset.shape) > _WHOLE_PIXELS and not dataset.overviews(1):
        raise _fault(raster, path, "has no overviews; write it with gdal_translate -of COG",
                     "没有概览层,请用 gdal_translate -of COG 转换")  # fmt: skip


def _fault(raster: Raster, path: Path, en: str, zh: str) -> SetupError:
    return SetupError(
        f"{raster.id}: the file {path.name} {en}", f"{raster.id}:文件 {path.name} {zh}", subject=raster.id
    )


def _indexes(raster: Raster, names: Sequence[str]) -> tuple[int, ...]:
    order = [band.name for band in raster.bands]
    return tuple(order.index(name) + 1 for name in names)


def _is_scaled(dataset: Any) -> bool:
    return any(scale != 1 for scale in dataset.scales) or any(offset != 0 for offset in dataset.offsets)


def _values(found: ImageData) -> NDArray[np.float32]:
    return np.ma.filled(found.array.astype(np.float32), np.nan)


def _plain(value: float, kind: Any) -> float:
    return int(value) if np.issubdtype(kind, np.integer) else float(np.float32(value)) if kind == np.float32 else value


def _coloured(values: NDArray[np.float32], ramp: Ramp) -> NDArray[np.float64]:
    """Red, green and blue, 0 to 255, of each value."""
    at_, colours = zip(*ramp.stops, strict=True)
    channels = np.array([[int(colour[i : i + 2], 16) for colour in colours] for i in (1, 3, 5)])
    return np.stack([np.interp(values, at_, channel) for channel in channels])


def _figures(values: NDArray[np.float64]) -> dict[str, Any]:
    held = values[~np.isnan(values)]
    names = ["min", "max", "mean", "std", *(f"percentile_{p}" for p in _PERCENTILES)]
    found: dict[str, Any] = dict.fromkeys(names)
    if held.size:
        told = [held.min(), held.max(), held.mean(), held.std(), *np.percentile(held, _PERCENTILES)]
        found = {name: float(value) for name, value in zip(names, told, strict=True)}
    return {"pixels": int(values.size), "count": int(held.size), **found}
