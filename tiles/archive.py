"""Archives of tiles: one PMTiles file (version 3) of a collection over a range of zooms, complete, of one moment.

An archive knows from what it was made and up to which change, so that it can be brought to the present by making only
the tiles under which something has changed; what comes of it is the file that a new export would be.
"""

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from heapq import merge
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from pmtiles.reader import MmapSource, Reader, all_tiles
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from gis.city import City
from gis.errors import BadQuery, Conflict, NotFound
from gis.query.ask import Ask
from gis.query.plan import Plan
from gis.query.query import Query
from gis.query.url import render
from gis.store.changes_poll import read_incarnation
from tiles import mvt
from tiles.archive_changes import Dirty, dirty_since
from tiles.grid import Tile
from tiles.snapshot import Snapshot
from tiles.tilejson import deepest_zoom, vector_layers

Progress = Callable[[str, int, int], None]
Box = tuple[float, float, float, float]

#: Under this name the archive's metadata tell from what it was made.
MADE_FROM: Final = "onemap"
_DEEPEST_ZOOM = 22
_E7 = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveOptions:
    """What an archive holds: a range of zooms (None: where the collection is drawn), tiles that touch a box of degrees
    (None: wherever there is something); and how many connections make it."""

    zooms: range | None = None
    bbox: Box | None = None
    jobs: int = 2


@dataclass(frozen=True, slots=True)
class Archived:
    """What came of an export: tiles in the archive, those made for it, and its size."""

    path: Path
    tiles: int
    made: int
    bytes: int


def export(
    city: City,
    query: Query,
    path: Path,
    options: ArchiveOptions,
    *,
    update: bool = False,
    progress: Progress | None = None,
) -> Archived:
    """Write the tiles of a question to an archive, in place of the file that is there only when all is done.

    With `update` the file must be an archive of the same question, zooms and box; only tiles under which something
    has changed are made, all of them where the log of changes does not go back so far.
    Raises NotFound, Conflict, BadQuery, UnknownName, Unavailable.
    """
    plan = Ask(query=query, identity=city.identity).plan(city.catalogue)
    zooms = options.zooms or range(plan.collection.min_zoom, deepest_zoom(plan.collection) + 1)
    _check(plan, zooms)
    incarnation, _ = asyncio.run(read_incarnation(city.database.url))
    with Snapshot(city.database.url, options.jobs) as snapshot:
        made_from = {
            "question": render(query),
            "zooms": [zooms[0], zooms[-1]],
            "bbox": options.bbox and list(options.bbox),
            "form": _form(plan, zooms),
            "now": plan.now.isoformat() if _follows_now(plan) else None,
            "position": f"{incarnation}-{snapshot.position}",
        }
        work = _Work(plan, zooms, options.bbox, snapshot, progress or (lambda *_: None))
        if update:
            with _Existing(path) as existing:
                return work.write(path, made_from, existing, existing.dirty(plan, made_from, snapshot))
        return work.write(path, made_from, None, None)


@dataclass(frozen=True, slots=True)
class _Work:
    """An archive while it is made."""

    plan: Plan
    zooms: range
    bbox: Box | None
    snapshot: Snapshot
    progress: Progress

    def write(self, path: Path, made_from: dict[str, Any], old: "_Existing | None", dirty: Dirty | None) -> Archived:
        """Write beside the file, then put it in place."""
        kept = old.kept(dirty) if old and dirty else iter(())
        wanted = sorted(self._wanted(dirty), key=_id)
        made = ((_id(tile), content, True) for tile, content in self.snapshot.made(self.plan, wanted))
        beside = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            with beside.open("wb") as file:
                writer = Writer(file)
                with writer.tile_f:
                    tiles = self._fill(writer, merge(made, kept, key=itemgetter(0)), len(wanted))
                    self._finish(writer, file, made_from, tiles)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        return Archived(path, tiles, len(wanted), path.stat().st_size)

    def _fill(self, writer: Writer, tiles: Iterable[tuple[int, bytes, bool]], wanted: int) -> int:
        """Write the tiles that hold something, and count them."""
        made = written = 0
        for tile_id, content, is_new in tiles:
            if is_new:
                made += 1
                self.progress("tiles", made, wanted)
            if content:
                writer.write_tile(tile_id, content)
                written += 1
        return written

    def _wanted(self, dirty: Dirty | None) -> Iterator[Tile]:
        """The tiles that hold something, zoom by zoom: below one that holds nothing there is nothing."""
        found = [Tile(0, 0, 0)]
        for zoom in range(self.zooms[-1] + 1):
            if zoom:
                found = [child for tile in found for child in _children(tile)]
            found = [tile for tile in found if self.bbox is None or _touches(tile, self.bbox)]
            if dirty is not None:
                found = dirty.among(found)
            found = self.snapshot.holding(self.plan, found)
            self.progress("zoom", zoom, self.zooms[-1])
            if zoom in self.zooms:
                yield from found

    def _finish(self, writer: Writer, file: Any, made_from: dict[str, Any], written: int) -> None:
        if not written:
            raise NotFound(
                f"{self.plan.collection.id} holds nothing at these zooms and places: there is nothing to write",
                f"{self.plan.collection.id} 在这些级别与范围内没有内容,无可导出",
                subject=self.plan.collection.id,
            )
        collection = self.plan.collection
        west, south, east, north = self.bbox or self._extent()
        header = {
            "tile_type": TileType.MVT, "tile_compression": Compression.GZIP,
            "min_lon_e7": round(west * _E7), "min_lat_e7": round(south * _E7),
            "max_lon_e7": round(east * _E7), "max_lat_e7": round(north * _E7),
            "center_zoom": self.zooms[0],
            "center_lon_e7": round((west + east) / 2 * _E7), "center_lat_e7": round((south + north) / 2 * _E7),
        }  # fmt: skip
        metadata = {
            "name": collection.title.zh,
            "description": collection.description.zh,
            "attribution": collection.source.zh,
            "type": "overlay",
            "vector_layers": vector_layers([collection], "zh"),
            MADE_FROM: made_from,
        }
        writer.finalize(header, metadata)
        file.flush()
        os.fsync(file.fileno())

    def _extent(self) -> Box:
        relation = Plan(
            self.plan.query.but(fields=()), self.plan.catalogue, self.plan.identity, self.plan.now
        ).relation()
        box = "ST_Extent(geom)"
        sides = ", ".join(f"ST_{side}({box})" for side in ("XMin", "YMin", "XMax", "YMax"))
        statement = replace(relation, sql=f"SELECT {sides} FROM ({relation.sql}) q")  # noqa: S608
        west, south, east, north = self.snapshot.rows(statement)[0]
        return west, south, east, north


class _Existing:
    """An archive that is there."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise NotFound(
                f"{path} is not there: leave --update out to make it", f"{path} 不存在:请去掉 --update 重新导出",
                subject=str(path),
            )  # fmt: skip
        self._path = path

    def __enter__(self) -> "_Existing":
        self._file = self._path.open("rb")
        try:
            self._source = MmapSource(self._file)
            self.made_from = Reader(self._source).metadata().get(MADE_FROM) or {}
        except Exception:
            self._file.close()
            raise self._foreign() from None
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def dirty(self, plan: Plan, made_from: dict[str, Any], snapshot: Snapshot) -> Dirty | None:
        """What must be made anew; None for everything. Raises Conflict where the archive is of something else."""
        if any(self.made_from.get(name) != made_from[name] for name in ("question", "zooms", "bbox")):
            raise self._foreign()
        if self.made_from.get("form") != made_from["form"]:
            return None
        return dirty_since(self.made_from["position"], self.made_from["now"], plan, snapshot, made_from["position"])

    def kept(self, dirty: Dirty) -> Iterator[tuple[int, bytes, bool]]:
        """The tiles that are as they were, in the archive's order."""
        for (z, x, y), data in all_tiles(self._source):
            tile = Tile(z, x, y)
            if not dirty.among([tile]):
                yield _id(tile), data, False

    def _foreign(self) -> Conflict:
        return Conflict(
            f"{self._path} was not made of this question, these zooms and this box: leave --update out to replace it",
            f"{self._path} 不是由同样的查询、级别与范围导出的:请去掉 --update 重新导出",
            subject=str(self._path),
        )


def _check(plan: Plan, zooms: range) -> None:
    plan.relation()
    if not plan.collection.tiled or plan.collection.geometry is None:
        raise NotFound(f"{plan.collection.id} has no tiles", f"数据集 {plan.collection.id} 没有瓦片",
                       subject=plan.collection.id)  # fmt: skip
    if not len(zooms) or zooms[0] < 0 or zooms[-1] > _DEEPEST_ZOOM:
        raise BadQuery(f"zooms are a range within 0-{_DEEPEST_ZOOM}, as in 0-14",
                       f"级别应为 0-{_DEEPEST_ZOOM} 之内的范围,如 0-14", subject="zooms")  # fmt: skip


def _follows_now(plan: Plan) -> bool:
    return plan.collection.timed and plan.query.time is None


def _form(plan: Plan, zooms: range) -> str:
    """Names how tiles are made: another where a declaration or the program has changed."""
    inner = (Tile(z, (1 << z) // 2, (1 << z) // 2) for z in zooms)
    texts = [(statement := mvt.statement(plan, tile)) and statement.sql for tile in inner]
    return blake2b(repr(texts).encode(), digest_size=8).hexdigest()


def _children(tile: Tile) -> Iterator[Tile]:
    return (Tile(tile.z + 1, 2 * tile.x + dx, 2 * tile.y + dy) for dx in (0, 1) for dy in (0, 1))


def _touches(tile: Tile, box: Box) -> bool:
    west, south, east, north = tile.bounds
    return west <= box[2] and east >= box[0] and south <= box[3] and north >= box[1]


def _id(tile: Tile) -> int:
    return int(zxy_to_tileid(tile.z, tile.x, tile.y))
