"""Which program makes the answers: part of their entity tags, since another one may draw the same data otherwise."""

from collections.abc import Iterator
from functools import cache
from hashlib import blake2b
from pathlib import Path

from gis.catalog import Collection

#: What an answer is made by; the declarations of the base map among it.
_PACKAGES = ("api", "gis", "layers", "tiles")


@cache
def program() -> str:
    """A digest of the program's own text: an upgrade, or an edit, is another program."""
    root = Path(__file__).resolve().parent.parent
    found = blake2b(digest_size=8)
    for path in (path for package in _PACKAGES for path in _sources(root / package)):
        found.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes())
    return found.hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.suffix == ".py":
            yield path
        elif (path / "__init__.py").is_file():
            yield from _sources(path)


def edition(collection: Collection) -> str:
    """A digest of the program and of what is declared of a collection, which need not stand in the program."""
    style, detail, rollup = collection.style, collection.detail, collection.rollup
    fields = [(f.name, f.type, f.unit, sorted(f.values)) for f in collection.fields]
    zooms = (collection.min_zoom, collection.max_zoom, collection.tiled)
    told = (program(), collection.id, collection.geometry, collection.timed, zooms, fields, style, detail, rollup)
    return blake2b(repr(told).encode(), digest_size=8).hexdigest()
