"""What the routes serve from: the catalogue, the database, and the caller's rules; handed to each by name."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

from fastapi import Depends, Request

from api.caller import CALLER, nameless
from api.facts import Facts, Known
from api.language import language_of
from api.noted import NOTED, note
from gis.access import PUBLIC, Identity, may_see, seen_in
from gis.access.purpose import is_stated
from gis.access.watermark import new_mark
from gis.catalog import Catalogue, Collection
from gis.errors import BadQuery, NotFound, UnknownName
from gis.exchange.scorecard import Tally
from gis.query.ask import Ask as QueryAsk
from gis.query.plan import Plan, rounded
from gis.query.query import Query
from gis.query.span import now
from gis.query.token import UNSEALED, Seal
from gis.query.url import pairs
from gis.settings import Settings
from gis.store.changes import Changes
from gis.store.database import AsyncDatabase, Database
from gis.store.trace import Trace
from gis.text import Language

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Served:
    """One city on the web.

    `database` answers what plans ask on the event loop and `readers` beside it, both as one who may only read what the
    caller may; `own` and `threads` do what else the server does, on the loop and beside it; `slow` runs what may take
    long, so that what is quick need not wait for it; `wake` tells the worker that a delivery has come; `tally` counts
    the questions; `changes` says what changed where;
    `anonymous` is who asks where nobody has signed in; `seal` signs where pages end; `trace` keeps who did what.
    """

    catalogue: Catalogue
    database: AsyncDatabase
    readers: Database
    own: AsyncDatabase
    changes: Changes
    threads: Database
    facts: Facts
    trace: Trace
    web: Path
    settings: Settings = field(default_factory=Settings)
    wake: Callable[[], None] = lambda: None
    tally: Tally = field(default_factory=Tally)
    slow: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(4, thread_name_prefix="slow"))
    anonymous: Identity = PUBLIC
    seal: Seal = UNSEALED
    #: All of `anonymous` on which answers depend.
    nobody: Identity = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "nobody", nameless(self.anonymous))

    @property
    def identity(self) -> Identity:
        """Who asks now."""
        found = CALLER.get()
        return self.anonymous if found is PUBLIC else found

    @property
    def rights(self) -> Identity:
        """All of who asks now on which answers depend, without the name."""
        found = CALLER.get()
        return self.nobody if found is PUBLIC else nameless(found)

    @property
    def consumer(self) -> str:
        """For whom a question is counted: the department, else the role; persons are not counted."""
        identity = self.identity
        return identity.department or identity.role

    async def slowly(self, work: Callable[..., T], *args: Any) -> T:
        """What a function brings that may take long; once asked for it is done, though the caller hangs up."""
        done = partial(copy_context().run, work, *args)
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self.slow, done))

    def collection(self, collection_id: str) -> Collection:
        """The collection of a path, as the caller sees it. Raises NotFound, Forbidden."""
        try:
            return seen_in(self.catalogue, self.identity, collection_id)
        except UnknownName as error:
            raise NotFound(error.text.en, error.text.zh, subject=error.subject) from None

    def collections(self) -> list[Collection]:
        """Everything that the caller may ask, as he sees it."""
        return [seen_in(self.catalogue, self.identity, c.id) for c in self.catalogue if may_see(self.identity, c)]

    def unasked(self) -> list[Collection]:
        """Everything that may be told where nobody named it: what needs a purpose only where one is stated."""
        return [collection for collection in self.collections() if is_stated(self.identity, collection)]

    async def known(self, collections: Iterable[Collection]) -> dict[str, Known]:
        """What the data say of collections as a whole, as far as the caller may know it, by id. Raises Unavailable."""
        identity, moment = self.identity, rounded(now())
        return await self.facts.seen(
            [Plan(Query(collection=c.id), self.catalogue, identity, moment) for c in collections]
        )

    def export_mark(self) -> str:
        """A new watermark for the export that answers this request; the trace names it."""
        mark = new_mark(self.trace.key.secret)
        noted = NOTED.get()
        if noted is not None:
            noted.mark = mark
        return mark

    def plan(self, query: Query) -> Plan:
        """The plan of the caller's question, which is counted. Raises UnknownName, Forbidden, BadQuery."""
        plan = QueryAsk(query=query, identity=self.identity).plan(self.catalogue)
        self.tally.count(self.consumer, query.collection)
        note(query)
        return plan


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the routes read it: its language, its decoded parameters, and where links begin."""

    language: Language
    parameters: list[tuple[str, str]]
    base: str
    path: str
    wants_html: bool

    def only(self, *names: str, forms: tuple[str, ...] = ("json",)) -> dict[str, str]:
        """The parameters, which may be these and `lang` and `f`. Raises BadQuery naming another, or one given twice."""
        allowed = {*names, "lang", "f"}
        found: dict[str, str] = {}
        for name, value in self.parameters:
            if name not in allowed:
                listed = ", ".join(sorted(allowed))
                raise BadQuery(f"there is no parameter {name[:40]!r} here; there are {listed}",
                               f"此处没有参数 {name[:40]!r};可用参数:{listed}", subject=name[:40])  # fmt: skip
            if name in found:
                raise BadQuery(f"the parameter {name} is given twice", f"参数 {name} 重复", subject=name)
            found[name] = value
        self._check(found, forms)
        return found

    def form(self, *names: str) -> str:
        """`json` or `html`, as `f` says, else what the caller likes better. Raises BadQuery as `only` does."""
        return self.only(*names, forms=("json", "html")).get("f", "html" if self.wants_html else "json")

    def question(self, *beside: str, forms: tuple[str, ...] = ("geojson", "json")) -> list[tuple[str, str]]:
        """The parameters of the question proper, without `lang`, `f` and those named."""
        beside_all = [name for name, _ in self.parameters if name in ("lang", "f")]
        if len(set(beside_all)) < len(beside_all):
            raise BadQuery("lang and f are given once", "lang 与 f 只能各给一次", subject=beside_all[0])
        self._check(dict(self.parameters), forms)
        return [(name, value) for name, value in self.parameters if name not in ("lang", "f", *beside)]

    @staticmethod
    def _check(parameters: dict[str, str], forms: tuple[str, ...]) -> None:
        for name, possible in (("f", forms), ("lang", ("zh", "en"))):
            if parameters.get(name, possible[0]) not in possible:
                listed = ", ".join(possible)
                raise BadQuery(f"{name} can be {listed}", f"{name} 可以是 {listed}", subject=name)

    def link(self, path: str, rel: str, kind: str, title: str = "") -> dict[str, str]:
        """A link to a place of this server."""
        found = {"href": f"{self.base}{path}", "rel": rel, "type": kind}
        return {**found, "title": title} if title else found


def asked(request: Request) -> Asked:
    """The request, read once."""
    return Asked(
        language=language_of(request.scope),
        parameters=pairs(request.url.query),
        base=str(request.base_url).rstrip("/"),
        path=request.url.path,
        wants_html="text/html" in request.headers.get("accept", ""),
    )


def served(request: Request) -> Served:
    """The city that this application serves."""
    found: Served = request.app.state.served
    return found


def encoded(pairs_: Iterable[tuple[str, str]]) -> str:
    """Parameters as a query string."""
    return "&".join(f"{quote(n, safe='')}={quote(v, safe=',:/()')}" for n, v in pairs_)


City = Annotated[Served, Depends(served)]
Ask = Annotated[Asked, Depends(asked)]
