"""Typed rows on their way into a register: numbered, placed in a cell and a division, fingerprinted, encoded."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
import xxhash
from numpy.typing import NDArray

from gis.catalog import Collection
from gis.codes import division_column
from gis.exchange.columns import Typed
from gis.geo import cells, mercator
from gis.store import copy

#: Numbers up to here survive JSON and JavaScript.
_FID_BITS = (1 << 53) - 1
_UNIT = "\x1f"
Locate = Callable[[NDArray[np.float64]], NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Frame:
    """What all rows of a load share."""

    collection: Collection
    load: int
    epoch: int
    scenario: int
    locate: Locate

    @property
    def columns(self) -> str:
        """The columns in the order in which they are encoded, for COPY."""
        tiled = ["geom_3857"] if self.collection.tiled else []
        own = ["fid", "scenario", "rec_from", "digest", "load", "src_row", "cell", "division", *tiled]
        content = ["valid_from", "valid_to", "geom", *(f.name for f in self.collection.fields)]
        return ", ".join(f'"{name}"' for name in own + content)

    def encode(self, typed: Typed) -> pa.LargeBinaryArray:
        """A batch as COPY rows: first what the platform adds, then the content, of which the digest is taken."""
        batch, n = typed.batch, len(typed.batch)
        geometry = [copy.points(batch.points, 4326)] if batch.points is not None else _shapes(batch.shapes, n)
        content = copy.encode(
            [
                _instants(typed.valid_from, copy.ALWAYS, n),
                _instants(typed.valid_to, copy.FOREVER, n),
                *geometry,
                *(copy.arrow(typed.table.column(f.name)) for f in self.collection.fields),
            ],
            n,
        )
        digest = _hashes(content).view(np.int64)
        xy = batch.points if batch.points is not None else _anchors(batch.shapes, n)
        placed = np.asarray(np.isfinite(xy).all(axis=1), bool)
        cell = cells.cells(xy[:, 0], xy[:, 1], self.collection.cell_resolution)
        division = self._divisions(typed, xy)
        own: list[copy.Column] = [
            copy.integers(self._fids(typed, digest)),
            copy.integers(np.full(n, self.scenario), width=4),
            copy.integers(np.full(n, self.epoch)),
            copy.integers(digest),
            copy.integers(np.full(n, self.load), width=4),
            copy.integers(batch.rows),
            copy.integers(cell, None if placed.all() else placed),
            copy.integers(division, None if division.all() else division != 0),
        ]
        if self.collection.tiled:
            own.append(_mercator(batch.points, batch.shapes, n))
        fields = len(own) + 3 + len(self.collection.fields)
        rows = copy.joined(copy.encode(own, n, counted=fields), content)
        # what is near on the map is near on the disk: whoever asks for a place reads a quarter faster for it
        return rows.take(pa.array(np.argsort(cell, kind="stable")))

    def encoded(self, batches: Iterator[Typed]) -> Iterator[pa.LargeBinaryArray]:
        """All batches, encoded."""
        return (self.encode(typed) for typed in batches if len(typed.batch))

    def _fids(self, typed: Typed, digest: NDArray[np.int64]) -> NDArray[np.int64]:
        """Hashes of the natural keys (of the content, where there is no key): stable over loads and over machines."""
        keys = [typed.table.column(name).cast(pa.large_string()) for name in self.collection.key]
        if not keys:
            return digest & _FID_BITS
        text = keys[0] if len(keys) == 1 else pc.binary_join_element_wise(*keys, pa.scalar(_UNIT, pa.large_string()))
        return (_hashes(text.combine_chunks().cast(pa.large_binary())) & np.uint64(_FID_BITS)).astype(np.int64)

    def _divisions(self, typed: Typed, xy: NDArray[np.float64]) -> NDArray[np.int64]:
        source = self.collection.division
        if source is None:
            return np.zeros(len(xy), np.int64)
        if source == "locate":
            return self.locate(xy)
        return division_column.check_column(typed.table.column(source).combine_chunks()).code


def key_sql(collection: Collection) -> str:
    """The natural key of a row as an SQL expression over its columns; the fid is its hash."""
    if not collection.key:
        return "to_hex(digest)"
    return "concat_ws(chr(31), " + ", ".join(f'"{name}"::text' for name in collection.key) + ")"


def _hashes(values: pa.LargeBinaryArray) -> NDArray[np.uint64]:
    """XXH3 of each byte string, 64 bits."""
    return np.fromiter(map(xxhash.xxh3_64_intdigest, values.to_pylist()), np.uint64, len(values))


def _instants(values: pa.Array | None, missing: int, n: int) -> copy.Column:
    if values is None:
        return copy.Fixed(np.full(n, missing, ">i8"))
    return copy.instants(np.asarray(values.cast(pa.timestamp("us", "UTC")).cast(pa.int64()).fill_null(missing)))


def _shapes(shapes: NDArray[np.object_] | None, n: int) -> list[copy.Column]:
    if shapes is None:
        return [copy.Variable(pa.nulls(n, pa.large_binary()))]
    return [copy.Variable(_ewkb(shapes, 4326))]


def _ewkb(shapes: NDArray[np.object_], srid: int) -> pa.LargeBinaryArray:
    return pa.array(shapely.to_wkb(shapely.set_srid(shapes, srid), include_srid=True, byte_order=1), pa.large_binary())


def _mercator(points: NDArray[np.float64] | None, shapes: NDArray[np.object_] | None, n: int) -> copy.Column:
    if points is not None:
        return copy.points(np.column_stack(mercator.to_mercator(points[:, 0], points[:, 1])), 3857)
    if shapes is None:
        return copy.Variable(pa.nulls(n, pa.large_binary()))
    return copy.Variable(_ewkb(shapely.transform(shapes, _project), 3857))


def _project(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack(mercator.to_mercator(xy[:, 0], xy[:, 1]))


def _anchors(shapes: NDArray[np.object_] | None, n: int) -> NDArray[np.float64]:
    """A point on each shape; NaN where there is none."""
    if shapes is None:
        return np.full((n, 2), np.nan)
    inside = shapely.point_on_surface(shapes)
    return np.column_stack([shapely.get_x(inside), shapely.get_y(inside)])
