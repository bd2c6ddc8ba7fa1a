"""Tileset metadata of OGC Two Dimensional Tile Matrix Set and Tile Set Metadata 2.0 (17-083r4), clause 13."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api.served import Asked, encoded
from api.style_links import CITY_STYLE, style_links
from api.style_links import MEDIA_TYPE as STYLE
from gis.catalog import Collection, Geometry
from gis.query.url import CRS84
from tiles import mvt
from tiles.grid import MAX_ZOOM, WEB_MERCATOR, Grid
from tiles.matrix_sets import limits
from tiles.style import is_drawn
from tiles.tilejson import zooms

_OGC = "http://www.opengis.net/def/rel/ogc/1.0/"
_DIMENSION = {Geometry.POINT: 0, Geometry.LINE: 1, Geometry.POLYGON: 2}

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Told:
    """Whose tiles are described: the place of a collection ("" for the dataset), its title, what is in the tiles."""

    place: str
    title: str
    collections: tuple[Collection, ...]
    ask: Asked


@dataclass(frozen=True, slots=True)
class Tileset:
    """One tileset: on one grid, narrowed by the given parameters."""

    told: Told
    grid: Grid
    given: Sequence[tuple[str, str]] = ()

    @property
    def path(self) -> str:
        """Where it is."""
        return f"{self.told.place}/tiles/{self.grid.id}"

    def summary(self) -> dict[str, Any]:
        """What a list of tilesets tells."""
        ask = self.told.ask
        links = [ask.link(self.path, "self", "application/json"), matrix_set_link(self.grid, ask)]
        return {**self._head(), "links": links}

    def tiles_url(self, level: str, row: str, column: str) -> str:
        """The template of its tiles' addresses."""
        question = encoded(self.given)
        return f"{self.told.ask.base}{self.path}/{level}/{row}/{column}{question and '?'}{question}"

    def document(self, bounds: Box | None) -> dict[str, Any]:
        """All of it; `bounds` is west, south, east, north in degrees."""
        span = _levels(self.told.collections, self.grid)
        found = {**self._head(), "layers": [self._layer(c) for c in self.told.collections], "links": self._links()}
        if bounds is None:
            return found
        west, south, east, north = bounds
        box = {"lowerLeft": [west, south], "upperRight": [east, north], "crs": CRS84}
        return {**found, "boundingBox": box, "tileMatrixSetLimits": limits(self.grid, span, bounds)}

    def _head(self) -> dict[str, Any]:
        return {
            "title": self.told.title,
            "dataType": "vector",
            "crs": self.grid.crs,
            "tileMatrixSetId": self.grid.id,
            "tileMatrixSetURI": self.grid.uri,
        }

    def _layer(self, collection: Collection) -> dict[str, Any]:
        levels = _levels((collection,), self.grid)
        return {
            "id": collection.id,
            "title": collection.title.in_(self.told.ask.language),
            "dataType": "vector",
            "geometryDimension": _DIMENSION[collection.geometry] if collection.geometry else None,
            "minTileMatrix": str(levels[0]),
            "maxTileMatrix": str(levels[-1]),
        }

    def _links(self) -> list[dict[str, Any]]:
        ask, place = self.told.ask, self.told.place
        item = {"href": self.tiles_url("{tileMatrix}", "{tileRow}", "{tileCol}"), "rel": "item",
                "type": mvt.MEDIA_TYPE, "templated": True}  # fmt: skip
        links: list[dict[str, Any]] = [
            ask.link(self.path, "self", "application/json"),
            item,
            matrix_set_link(self.grid, ask),
        ]
        if self.grid is WEB_MERCATOR:
            narrowed = encoded([*self.given, ("f", "tilejson")])
            links.append(ask.link(f"{self.path}?{narrowed}", "alternate", "application/json", "TileJSON"))
        shown = CITY_STYLE if not place else self.told.collections[0].id
        links += [ask.link(f"/styles/{shown}", "styles", STYLE), *style_links(shown, ask)] if self._is_drawn() else []
        if place:
            links.append(ask.link(place, f"{_OGC}geodata", "application/json"))
        else:
            links.append(ask.link("/", f"{_OGC}dataset", "application/json"))
        return links

    def _is_drawn(self) -> bool:
        return self.grid is WEB_MERCATOR and all(map(is_drawn, self.told.collections))


def matrix_set_link(grid: Grid, ask: Asked, rel: str = f"{_OGC}tiling-scheme") -> dict[str, str]:
    """A link to a grid's definition."""
    return ask.link(f"/tileMatrixSets/{grid.id}", rel, "application/json", grid.title.in_(ask.language))


def _levels(collections: Sequence[Collection], grid: Grid) -> range:
    """The zooms of a grid that hold something: they are declared for WebMercatorQuad."""
    declared, deeper = zooms(collections), grid.columns - 1
    return range(max(declared["minzoom"] - deeper, 0), min(max(declared["maxzoom"] - deeper, 0), MAX_ZOOM) + 1)
