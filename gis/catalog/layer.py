"""A layer brings collections; a catalogue is all layers of a city, by name."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points

from gis.catalog.collection import Collection
from gis.catalog.raster import Raster
from gis.errors import UnknownName
from gis.text import Text


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One folder of the house: its name is its schema, `migrations` the package that makes its tables."""

    name: str
    title: Text
    collections: tuple[Collection, ...]
    migrations: str | None = None
    rasters: tuple[Raster, ...] = ()


class Catalogue:
    """Everything a city can be asked, looked up by id."""

    def __init__(self, layers: Iterable[Layer]) -> None:
        self.layers = tuple(layers)
        self._by_id = {c.id: c for layer in self.layers for c in layer.collections}
        self._rasters = {r.id: r for layer in self.layers for r in layer.rasters}
        if twice := self._by_id.keys() & self._rasters.keys():
            raise ValueError(f"declared as a collection and as a raster: {', '.join(sorted(twice))}")

    @property
    def rasters(self) -> Mapping[str, Raster]:
        """The rasters by id, in declared order."""
        return self._rasters

    def __iter__(self) -> Iterator[Collection]:
        """The collections, in declared order."""
        return iter(self._by_id.values())

    def __getitem__(self, collection_id: str) -> Collection:
        """The collection of that id. Raises UnknownName."""
        found = self._by_id.get(collection_id)
        if found is None:
            raise UnknownName(
                f"there is no collection {collection_id!r}; there are {', '.join(self._by_id)}",
                f"没有数据集 {collection_id!r};现有:{'、'.join(self._by_id)}",
                subject=collection_id,
            )
        return found


def registered_layers() -> tuple[Layer, ...]:
    """The layers that installed packages name in the entry-point group `onemap.layers`."""
    found: list[Layer] = []
    for entry in entry_points(group="onemap.layers"):
        found.extend(entry.load())
    return tuple(found)
