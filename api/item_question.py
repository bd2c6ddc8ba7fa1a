"""What an address of items asks for: read once, then looked up, since programs ask the same again and again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.types import Scope

from api.language import language_of
from api.paging import DEFAULT_LIMIT, MAX_LIMIT
from api.served import Asked, Served
from gis.errors import BadQuery
from gis.export import FORMATS, Format
from gis.geo.area import Within
from gis.query.query import Query
from gis.query.url import GROUPS, PAGES, ROWS, pairs, parse_parameters

#: What narrows, orders and cuts features; groups are asked of the formats that are tables.
PARAMETERS = ROWS | PAGES | {"properties"}
#: What `f` may say, the first being what is answered where nothing is said.
FORMS = ("geojson", "json", *(name for name in FORMATS if name not in ("geojson", "gpkg")), "html")
_MOST_QUESTIONS = 4_096
_BESIDE = ("lang", "f", "crs")


@dataclass(frozen=True, slots=True)
class Question:
    """A question of items. `streamed`: everything in one go, else a page; `others` are registers that it rests on."""

    query: Query
    format: Format
    streamed: bool
    others: tuple[str, ...]
    follows_now: bool


class Questions:
    """The questions of one city that were asked lately."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._read: dict[tuple[str, bytes, str], Question] = {}

    def read(self, collection_id: str, parameters: bytes, accept: str) -> Question:
        """The question of an address. Raises NotFound, Forbidden, BadQuery."""
        key = (collection_id, parameters, accept)
        found = self._read.get(key)
        if found is None:
            found = self._parse(collection_id, pairs(parameters.decode("latin-1")), accept)
            if len(self._read) >= _MOST_QUESTIONS:
                self._read.clear()
            self._read[key] = found
        return found

    def _parse(self, collection_id: str, given: list[tuple[str, str]], accept: str) -> Question:
        collection = self._served.collection(collection_id)
        beside = beside_question(given)
        form = FORMATS[form_of(beside, accept)]
        allowed = PARAMETERS | GROUPS if form.tabular else PARAMETERS
        own = [(name, value) for name, value in given if name not in _BESIDE]
        query = parse_parameters(collection, own, allowed, seal=self._served.seal)
        page, streamed = query.page, form.name != "geojson"
        if form.name == "geojson":
            # the standard has a server lower a limit that is too high for a page; here such a page is a stream
            streamed = (page.limit or 0) > MAX_LIMIT
            query = query.but(page=replace(page, limit=page.limit or DEFAULT_LIMIT))
        others = (query.area.collection,) if isinstance(query.area, Within) else ()
        return Question(query, form, streamed, others, collection.timed and query.time is None)


def beside_question(given: list[tuple[str, str]]) -> dict[str, str]:
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


def form_of(beside: Mapping[str, str], accept: str) -> str:
    """The format: what `f` says, else what the caller names as acceptable, else GeoJSON."""
    form = beside.get("f")
    if form is None:
        media_types = {part.partition(";")[0].strip() for part in accept.split(",")}
        form = next((f.name for f in FORMATS.values() if f.media_type.partition(";")[0] in media_types), "geojson")
    return "geojson" if form in ("json", "gpkg", "html") else form


def asked_in(scope: Scope, headers: Mapping[bytes, bytes]) -> Asked:
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
