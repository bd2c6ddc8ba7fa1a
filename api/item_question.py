"""What an address of items asks for: read once, then looked up, since programs ask the same again and again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.types import Scope

from api.edition import edition
from api.language import language_of
from api.paging import DEFAULT_LIMIT, MAX_LIMIT
from api.served import Asked, Served
from gis.access import Identity
from gis.errors import BadQuery
from gis.export import FORMATS, Format
from gis.query.ask import Ask as QueryAsk
from gis.query.query import Query
from gis.query.url import GROUPS, PAGES, ROWS, pairs, parse_parameters

#: What narrows, orders and cuts features; groups are asked of the formats that are tables.
PARAMETERS = ROWS | PAGES | {"properties"}
#: What `f` may say, the first being what is answered where nothing is said.
FORMS = ("geojson", "json", *(name for name in FORMATS if name not in ("geojson", "gpkg")), "html")
#: Questions that are kept as read, and how long their addresses and headers are; longer ones are read each time.
_MOST_QUESTIONS, _LONGEST_BYTES = 4_096, 4_096
_BESIDE = ("lang", "f", "crs")
#: Headers of a request on which its answer depends.
_MATTER = (b"host", b"accept", b"accept-language")


@dataclass(frozen=True, slots=True)
class Question:
    """A question of items. `streamed`: everything in one go, else a page; `registers` are what it rests on.

    `about` is all that its answer depends on but the data: the address, the language, the rules in force, the program
    and what is declared.
    """

    ask: Asked
    query: Query
    format: Format
    streamed: bool
    registers: tuple[str, ...]
    follows_now: bool
    about: str


class Questions:
    """The questions of one city that were asked lately."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._read: dict[tuple[str | bytes | Identity | None, ...], Question] = {}
        self._editions: dict[str, str] = {}

    def read(self, scope: Scope, headers: Mapping[bytes, bytes], collection_id: str) -> Question:
        """The question of a request. Raises NotFound, Forbidden, BadQuery."""
        key: tuple[str | bytes | Identity | None, ...] = (
            self._served.rights, scope["scheme"], scope.get("root_path"), scope["path"], scope["query_string"],
            *map(headers.get, _MATTER),
        )  # fmt: skip
        found = self._read.get(key)
        if found is None:
            ask = _asked(scope, headers)
            found = self._parse(collection_id, ask, headers.get(b"accept", b"").decode("latin-1"))
            if len(self._read) >= _MOST_QUESTIONS:
                self._read.clear()
            if sum(len(part) for part in key if isinstance(part, (str, bytes))) <= _LONGEST_BYTES:
                self._read[key] = found
        return found

    def _parse(self, collection_id: str, ask: Asked, accept: str) -> Question:
        collection = self._served.collection(collection_id)
        beside = _beside(ask.parameters)
        form = FORMATS[_form(beside, accept)]
        allowed = PARAMETERS | GROUPS if form.tabular else PARAMETERS
        own = [(name, value) for name, value in ask.parameters if name not in _BESIDE]
        query = parse_parameters(collection, own, allowed, seal=self._served.seal)
        page, streamed = query.page, form.name != "geojson"
        if form.name == "geojson":
            # the standard has a server lower a limit that is too high for a page; here such a page is a stream
            streamed = (page.limit or 0) > MAX_LIMIT
            query = query.but(page=replace(page, limit=page.limit or DEFAULT_LIMIT))
        plan = QueryAsk(query=query, identity=self._served.identity).plan(self._served.catalogue)
        declared = self._editions.get(collection.id) or self._editions.setdefault(collection.id, edition(collection))
        about = f"{ask.base}{ask.path}{ask.parameters}{ask.language}{plan.rules_digest}{declared}"
        return Question(ask, query, form, streamed, plan.registers, plan.follows_now, about)


def _beside(given: list[tuple[str, str]]) -> dict[str, str]:
    """`lang`, `f` and `crs`. Raises BadQuery for one that is given twice or cannot be."""
    found: dict[str, str] = {}
    for name, value in given:
        if name in _BESIDE:
            if name in found:
                raise BadQuery(f"the parameter {name} is given twice", f"参数 {name} 重复", subject=name)
            found[name] = value
    for name, possible in (("f", FORMS), ("lang", ("zh", "en"))):
        if found.get(name, possible[0]) not in possible:
            listed = ", ".join(possible)
            raise BadQuery(f"{name} can be {listed}", f"{name} 可以是 {listed}", subject=name)
    return found


def _form(beside: Mapping[str, str], accept: str) -> str:
    """The format: what `f` says, else what the caller names as acceptable, else GeoJSON."""
    form = beside.get("f")
    if form is None:
        media_types = {part.partition(";")[0].strip() for part in accept.split(",")}
        form = next((f.name for f in FORMATS.values() if f.media_type.partition(";")[0] in media_types), "geojson")
    return "geojson" if form in ("json", "gpkg", "html") else form


def _asked(scope: Scope, headers: Mapping[bytes, bytes]) -> Asked:
    """The request as the routes know it."""
    host = headers.get(b"host", b"").decode("latin-1") or "{}:{}".format(*(scope.get("server") or ("localhost", 80)))
    parameters = pairs(scope["query_string"].decode("latin-1"))
    form = dict(parameters).get("f")
    return Asked(
        language=language_of(scope),
        parameters=parameters,
        base=f"{scope['scheme']}://{host}{scope.get('root_path', '')}",
        path=scope["path"],
        wants_html=form == "html" or (form is None and b"text/html" in headers.get(b"accept", b"")),
    )
