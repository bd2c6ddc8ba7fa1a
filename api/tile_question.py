"""Which tile an address asks for, of which collections and how narrowed: read once, then looked up."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from api.edition import edition
from api.served import Served
from gis.access import Identity
from gis.catalog import Collection, Sensitivity
from gis.errors import BadQuery, NotFound
from gis.query.ask import Ask as QueryAsk
from gis.query.query import Query
from gis.query.url import ROWS, pairs, parse_parameters, render
from tiles.freshness import Changes, digest, mixed
from tiles.grid import GRIDS, Grid, Tile

#: What narrows a tile's features, as it does those of items.
PARAMETERS = ROWS | {"properties"}

_PATH = re.compile(r"(?:/collections/([^/]+))?/tiles/([A-Za-z0-9_-]{1,64})/(\d{1,2})/(\d{1,9})/(\d{1,9})")

#: Questions that are kept as read.
_MOST_QUESTIONS = 2048

#: A question of one collection, a digest of it, of the rules in force and of what draws it, whether it follows now, and
#: what other registers it depends on.
Question = tuple[Query, str, bool, tuple[str, ...]]

#: The incarnation of the database, the digest of the changes, and the tick that counts as now where that matters.
Token = tuple[str, int, int]


@dataclass(slots=True)
class Part:
    """One collection's share of a tile. `key` names it among all shares: question, rules, what draws it, grid, place.

    `is_crowded`: it was found to hold too much for the short statement, which need not be tried again.
    """

    query: Query
    tile: Tile
    key: str
    follows_now: bool
    others: tuple[str, ...]
    is_crowded: bool = False

    def digest(self, changes: Changes) -> int:
        """What changed under the share."""
        found = digest(changes, self.query.collection, self.tile)
        return mixed([found, *map(changes.of, self.others)]) if self.others else found

    def token(self, changes: Changes, tick: int) -> Token:
        """What the share's content depends on beside its key."""
        return changes.incarnation, self.digest(changes), tick if self.follows_now else 0


@dataclass(slots=True)
class Asked:
    """A tile as an address asks for it: the shares of its collections."""

    key: str
    parts: tuple[Part, ...]
    follows_now: bool
    #: Whether some of it is not open, so that each answer is traced.
    is_watched: bool = False
    _token: Token = ("", 0, 0)
    _moves: int = -1

    @property
    def zoom(self) -> int:
        """The tile's zoom."""
        return self.parts[0].tile.z if self.parts else 0

    def token(self, changes: Changes, tick: int) -> Token:
        """What the tile's content depends on beside its key; looked up anew only when something changed anywhere."""
        if changes.moves != self._moves or (self.follows_now and tick != self._token[2]):
            self._token, self._moves = self._found(changes, tick), changes.moves
        return self._token

    def _found(self, changes: Changes, tick: int) -> Token:
        if len(self.parts) == 1:
            return self.parts[0].token(changes, tick)
        found = mixed([part.digest(changes) for part in self.parts])
        return changes.incarnation, found, tick if self.follows_now else 0


class TileQuestions:
    """Reads addresses of tiles; each is read once, and so is each question, which a map asks of a thousand tiles."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._questions: dict[tuple[Identity, str | None, str], list[Question]] = {}

    def read(self, path: str, parameters: str) -> Asked | None:
        """The tile that an address asks for; None where it is no tile's.

        Raises NotFound, Forbidden, BadQuery, UnknownName.
        """
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        collection, grid_id, z, y, x = found.groups()
        tile = Tile(int(z), int(x), int(y), grid_of(grid_id))
        parts = tuple(
            Part(query, tile, f"{text}|{tile.grid.id}/{tile.text}", follows_now, others)
            for query, text, follows_now, others in self._asked_of(collection, parameters)
        )
        key = parts[0].key if len(parts) == 1 else "\n".join(part.key for part in parts)
        sensitivities = {self._served.catalogue[part.query.collection].sensitivity for part in parts}
        is_watched = not sensitivities <= {Sensitivity.OPEN}
        return Asked(key, parts, any(part.follows_now for part in parts), is_watched)

    def _asked_of(self, collection_id: str | None, parameters: str) -> list[Question]:
        rights = self._served.rights
        found = self._questions.get((rights, collection_id, parameters))
        if found is None:
            if len(self._questions) >= _MOST_QUESTIONS:
                self._questions.clear()
            found = questions(self._served, collection_id, _given(parameters))
            self._questions[rights, collection_id, parameters] = found
        return found


def grid_of(name: str) -> Grid:
    """The grid of a tile matrix set's name. Raises NotFound."""
    if name not in GRIDS:
        listed = ", ".join(GRIDS)
        raise NotFound(
            f"there is no tile matrix set {name[:40]!r}; there are {listed}",
            f"没有瓦片矩阵集 {name[:40]!r};现有:{listed}",
            subject=name[:40],
        )
    return GRIDS[name]


def tiled(served: Served, collection_id: str) -> Collection:
    """A collection that has tiles. Raises NotFound, Forbidden."""
    collection = served.collection(collection_id)
    if not collection.tiled or collection.geometry is None:
        raise NotFound(f"{collection.id} has no tiles", f"数据集 {collection.id} 没有瓦片", subject=collection.id)
    return collection


def named(served: Served, listed: str | None) -> list[Collection]:
    """The collections of the parameter `collections`, else all that have tiles and that the caller may ask."""
    if listed is None:
        return [c for c in served.collections() if c.tiled and c.geometry is not None]
    names = [name.strip() for name in listed.split(",")]
    if len(set(names)) < len(names):
        raise BadQuery("collections names one twice", "collections 中有重复的数据集", subject="collections")
    return [tiled(served, name) for name in names]


def questions(served: Served, collection_id: str | None, given: Sequence[tuple[str, str]]) -> list[Question]:
    """What decoded parameters ask of a collection, or of each collection of the dataset.

    Raises NotFound, Forbidden, BadQuery, UnknownName.
    """
    if collection_id is not None:
        return [_question(served, tiled(served, collection_id), given)]
    listed = [value for name, value in given if name == "collections"]
    if len(listed) > 1:
        raise BadQuery("the parameter collections is given twice", "参数 collections 重复", subject="collections")
    others = [(name, value) for name, value in given if name != "collections"]
    return [_question(served, c, _fitting(c, others)) for c in named(served, listed[0] if listed else None)]


def _given(parameters: str) -> list[tuple[str, str]]:
    given = pairs(parameters)
    for name, value in given:
        if name == "f" and value != "mvt":
            raise BadQuery("f can be mvt", "f 可以是 mvt", subject="f")
    return [(name, value) for name, value in given if name not in ("f", "lang")]


def _fitting(collection: Collection, given: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """What is asked of several collections, as one of them can be asked: a time where it has one, fields it has."""
    fitting = []
    for name, value in given:
        if name == "properties":
            fields = (part.strip() for part in value.split(","))
            fitting.append((name, ",".join(f for f in fields if f in collection.by_name)))
        elif name != "datetime" or collection.timed:
            fitting.append((name, value))
    return fitting


def _question(served: Served, collection: Collection, given: Sequence[tuple[str, str]]) -> Question:
    query = parse_parameters(collection, given, PARAMETERS)
    plan = QueryAsk(query=query, identity=served.identity).plan(served.catalogue)
    plan.relation()  # what cannot be asked is refused at every zoom, whatever is kept
    # a digest, since the text may be as long as an address, and a thousand tiles are kept under it
    about = f"{render(query)}|{plan.rules_digest}|{edition(collection)}"
    text = blake2b(about.encode(), digest_size=16).hexdigest()
    return query, text, plan.follows_now, plan.registers[1:]
