"""H3 cells as int64 arrays: from coordinates, and their families by bit arithmetic, in numpy and in SQL.

A cell id is 64 bits: 1 reserved, 4 mode (1 for cells), 3 reserved, 4 resolution, 7 base cell, then fifteen digits of
3 bits, 7 where finer than the resolution (h3geo.org, "H3 Index"). So a parent is three bit operations, and the
descendants of a cell at one resolution lie in one closed range of ids. 0 stands for "no cell". Longitude comes before
latitude, degrees, WGS 84. Shapes of cells are in `cell_shapes`.
"""

from functools import cache
from itertools import repeat

import numpy as np
from h3._cy import latlng_to_cell
from numpy.typing import ArrayLike, NDArray

from gis.errors import BadInput

NO_CELL = 0
FINEST = 15

CellArray = NDArray[np.int64]

_RESOLUTION_BIT = 52
_CHUNK = 16_384
_PENTAGON_BASE_CELLS = (4, 14, 24, 38, 49, 58, 63, 72, 83, 97, 107, 117)
_BASE_CELLS = 122


def cells(lon: ArrayLike, lat: ArrayLike, resolution: int) -> CellArray:
    """The cell of each point at a resolution (0 to 15); 0 where a coordinate is NaN or out of range.

    Longitudes from -180 to 180 and latitudes from -90 to 90 are in range. Raises BadInput for another resolution.
    """
    _check_resolution(resolution)
    x, y = np.broadcast_arrays(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
    good = usable(x, y)
    if good.all():
        return _cells(x.ravel(), y.ravel(), resolution).reshape(x.shape)
    found = np.zeros(x.shape, dtype=np.int64)
    found[good] = _cells(x[good], y[good], resolution)
    return found


def usable(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
    """Which points are on the earth, so that they have a cell."""
    return np.asarray((np.abs(np.asarray(lon)) <= 180.0) & (np.abs(np.asarray(lat)) <= 90.0))


def _cells(lon: NDArray[np.float64], lat: NDArray[np.float64], resolution: int) -> CellArray:
    """The loader's hot path.

    h3 has no function over arrays. Of the ways to call it a million times, `map` over lists of the compiled function
    is the fastest: a little under a comprehension over h3's integer interface, although that starts from lists. Chunks
    keep the lists in the processor's cache. `latlng_to_cell` of the public interface only adds a Python call to it.
    """
    found = np.empty(lon.size, dtype=np.int64)
    for start in range(0, lon.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        found[part] = list(map(latlng_to_cell, lat[part].tolist(), lon[part].tolist(), repeat(resolution)))
    return found


def resolution(cells: CellArray) -> NDArray[np.int64]:
    """The resolution of each cell."""
    return (np.asarray(cells) >> _RESOLUTION_BIT) & 15


def parents(cells: CellArray, res: int) -> CellArray:
    """The ancestor of each cell at a resolution (itself at its own); 0 stays 0.

    Raises BadInput when a cell is coarser than `res`.
    """
    _check_resolution(res)
    ids = np.asarray(cells, dtype=np.int64)
    coarser = (resolution(ids) < res) & (ids != NO_CELL)
    if coarser.any():
        raise BadInput(
            f"cell {int(ids[coarser].ravel()[0]):x} is coarser than resolution {res} and has no parent there",
            f"网格 {int(ids[coarser].ravel()[0]):x} 比 {res} 级更粗,在该级没有上级网格",
            subject="res",
        )
    return np.where(ids == NO_CELL, NO_CELL, (ids & ~np.int64(15 << _RESOLUTION_BIT)) | _tail(res))


def child_range(cell: int, res: int) -> tuple[int, int]:
    """The closed range of ids at resolution `res` that holds all descendants of a cell and no other cell.

    Raises BadInput when `res` is coarser than the cell.
    """
    own = (cell >> _RESOLUTION_BIT) & 15
    _check_resolution(res)
    if res < own:
        raise BadInput(
            f"cell {cell:x} has resolution {own} and no children at {res}",
            f"网格 {cell:x} 为 {own} 级,在 {res} 级没有下级网格",
            subject="res",
        )
    low = (cell & ~(15 << _RESOLUTION_BIT) & ~_digits(own, res, 7)) | (res << _RESOLUTION_BIT)
    return low, low | _digits(own, res, 6)


def parent_sql(column: str, res: int) -> str:
    """SQL for the ancestor at `res` of a bigint cell at least as fine; null stays null.

    `column` is an expression taken from a declaration, never from a user.
    """
    _check_resolution(res)
    return f"(({column} & ~(15::bigint << {_RESOLUTION_BIT})) | {_tail(res)}::bigint)"


def within_sql(column: str, cell: int, res: int) -> str:
    """SQL for "the cell in `column`, of resolution `res`, is a descendant of `cell`": one range for an index."""
    low, high = child_range(cell, res)
    return f"{column} BETWEEN {low}::bigint AND {high}::bigint"


def child_range_sql(column: str, own: int, res: int) -> tuple[str, str]:
    """SQL for both ends of the range at `res` of a bigint cell whose resolution is `own`, for joins to finer cells."""
    _check_resolution(own)
    low, high = child_range(own << _RESOLUTION_BIT, res)
    cleared = ~((15 << _RESOLUTION_BIT) | _digits(own, res, 7))
    return f"(({column} & {cleared}::bigint) | {low}::bigint)", f"(({column} & {cleared}::bigint) | {high}::bigint)"


def _tail(res: int) -> int:
    """The bits that make a cell one of resolution `res`: the number itself, and 7 for every finer digit."""
    return (res << _RESOLUTION_BIT) | ((1 << 3 * (FINEST - res)) - 1)


@cache
def _digits(above: int, res: int, digit: int) -> int:
    """`digit` written in the places of the resolutions above + 1 to res."""
    return sum(digit << 3 * (FINEST - place) for place in range(above + 1, res + 1))


def _check_resolution(res: int) -> None:
    if not 0 <= res <= FINEST:
        raise BadInput(
            f"H3 resolution {res} does not exist; use 0 to 15", f"H3 没有 {res} 级;请用 0 到 15", subject=str(res)
        )


def valid(cells: CellArray) -> NDArray[np.bool_]:
    """Which numbers are ids of cells that exist."""
    ids = np.asarray(cells, dtype=np.int64)
    base = (ids >> 45) & 127
    good = (ids > 0) & ((ids >> 56) == 0b1000) & (base < _BASE_CELLS)
    res = resolution(ids)
    leading = np.zeros_like(ids)
    for place in range(1, FINEST + 1):
        digit = (ids >> 3 * (FINEST - place)) & 7
        good &= (digit == 7) == (place > res)
        leading = np.where((leading == 0) & (place <= res), digit, leading)
    # a pentagon has five neighbours only: the subsequence 1 of its children is deleted
    return np.asarray(good & ~(np.isin(base, _PENTAGON_BASE_CELLS) & (leading == 1)))


def to_hex(cells: CellArray) -> NDArray[np.str_]:
    """Ids as the hexadecimal strings that JSON carries (15 characters); 0 gives an empty string."""
    ids = np.ascontiguousarray(cells, dtype=np.int64)
    letters = np.frombuffer(ids.astype(">i8").tobytes().hex().encode(), dtype="S1").reshape(-1, 16)
    texts = np.ascontiguousarray(letters[:, 1:]).view("S15").ravel().astype("U15")
    return np.asarray(np.where(ids == NO_CELL, "", texts), dtype=np.str_)


def from_hex(texts: ArrayLike) -> CellArray:
    """Ids from hexadecimal strings in any case; raises BadInput naming the first that is no cell."""
    given = [str(text).strip().lower() for text in np.atleast_1d(np.asarray(texts)).tolist()]
    ids = np.array([_id(text) for text in given], dtype=np.int64)
    wrong = ~valid(ids)
    if wrong.any():
        text = given[int(np.flatnonzero(wrong)[0])]
        raise BadInput(f"{text!r} is not an H3 cell", f"{text!r} 不是 H3 网格编号", subject=text)
    return ids


def _id(text: str) -> int:
    hexadecimal = len(text) == 15 and all(c in "0123456789abcdef" for c in text)
    return int(text, 16) if hexadecimal else NO_CELL
