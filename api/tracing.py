"""What the web puts into the trace: reads of what is not open, exports, changes, refusals; all in one place.

Which questions a request asks is noted on the way (`api.noted`); here it is seen how it ends. What is told of persons
goes out only when its entry is on disk, everything else within the trace's lag.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.asker import address_of
from api.errors import problem, status_of
from api.language import language_of
from api.noted import NOTED
from api.served import Served
from api.tile_question import Asked as AskedTile
from gis.access.identity import PUBLIC
from gis.access.roles import PUBLIC_ROLE
from gis.access.seen import rules_in
from gis.access.trace import Event, Outcome
from gis.catalog import Sensitivity
from gis.errors import OneMapError, UnknownName
from gis.query.query import Query
from gis.query.traced import traced

_LOG = logging.getLogger("onemap.trace")

_COLLECTION = re.compile(r"/collections/([a-z][a-z0-9]*\.[a-z][a-z0-9_]*)(?:/(.*))?\Z")
_FACTS = re.compile(r"/exchange/facts/([a-z][a-z0-9]*\.[a-z][a-z0-9_]*)/(\d{1,16})\Z")
#: What may be known of a collection without being told anything in it.
_DECLARED = frozenset({None, "", "schema", "queryables"})
#: What changes there is called so.
_PLACES = {"/sign-in": "signed_in", "/sign-out": "signed_out", "/users": "users_changed", "/keys": "keys_changed",
           "/me": "users_changed", "/policies": "policies_changed", "/emergencies": "emergency",
           "/publications": "published"}  # fmt: skip
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_SAID = "onemap.traced"
#: Bodies sent to ask, not to change anything.
_ASKING = re.compile(r"/(here|geocode)|/policies/[^/]+/check\Z")


class Tracing:
    """Inside of what gives every answer its form, outside of whatever gives answers."""

    def __init__(self, inner: ASGIApp, state: Any) -> None:
        self.inner, self.state = inner, state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises Unavailable for a change that could not be traced, before it is made."""
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        request = _Request(self.state.served, scope, send)
        if request.is_change:
            request.served.trace.check()
        try:
            await self.inner(scope, receive, request.send)
        except Exception as error:
            await request.ends(status_of(error))
            raise
        finally:
            request.ended()


class _Request:
    """One request on its way."""

    def __init__(self, served: Served, scope: Scope, send: Send) -> None:
        self.served, self.scope, self._outer = served, scope, send
        self.is_change = scope["method"] in _CHANGING and not _ASKING.match(scope["path"])
        self._told = self._withheld = self._complete = False

    async def send(self, message: Message) -> None:
        """Pass an answer on when what it tells is in the trace; in its place that it cannot be told now."""
        if message["type"] == "http.response.start" and not self._told:
            error = await self.ends(message["status"])
            if error is not None:
                self._withheld = True
                await self._refuse(error)
        if not self._withheld:
            await self._outer(message)
            self._complete |= message["type"] == "http.response.body" and not message.get("more_body")

    async def ends(self, status: int) -> OneMapError | None:
        """Put into the trace how the request ends; returns why it must not be answered, if it must not."""
        if self._told:
            return None
        self._told = True
        events = list(self._events(status))
        if not events:
            return None
        trace, is_read = self.served.trace, status < 400 and not self.is_change
        try:
            if is_read and any(_is_personal(self.served, event.collection) for event in events):
                await trace.written(*events)
            elif is_read:
                trace.note(*events)
            else:
                # it is done, or refused, whatever becomes of the trace
                trace.keep(*events)
        except OneMapError as error:
            return error
        return None

    def ended(self) -> None:
        """Put into the trace how much an export gave, and whether all of it."""
        noted = NOTED.get()
        if noted is None or not noted.mark or not self._told or self._withheld:
            return
        outcome: Outcome = "success" if self._complete else "failed"
        for query in noted.queries:
            self.served.trace.keep(self._event("export_ended", query.collection, outcome, mark=noted.mark,
                                               rows=noted.rows.get(query.collection)))  # fmt: skip

    def _events(self, status: int) -> Iterable[Event]:
        noted = NOTED.get()
        queries: list[Query] = noted.queries if noted is not None else []
        if self.is_change:
            yield self._change(status)
            return
        if status in (401, 403):
            named = next((query.collection for query in queries), self._named())
            yield self._event("refused", named, "refused", detail=self._detail(status))
            return
        outcome: Outcome = "success" if status < 400 else "failed"
        for query in queries:
            mark = noted.mark if noted is not None else ""
            if mark or is_watched(self.served, query.collection):
                yield self._read(query, status, outcome, mark)
        asked = {query.collection for query in queries}
        yield from self._touched(asked, status, outcome)
        if self._named() not in asked:
            yield from self._other(status, outcome)

    def _read(self, query: Query, status: int, outcome: Outcome, mark: str) -> Event:
        noted = NOTED.get()
        assert noted is not None
        text = traced(query, self.served.catalogue[query.collection], self.served.trace.key.pseudonyms)
        if noted.fid is not None:
            text += f"{'&' if '?' in text else '?'}fid={noted.fid}"
        rows = noted.rows.get(query.collection) if status < 400 else None
        return self._event("exported" if mark else "read", query.collection, outcome, query=text, mark=mark,
                           rows=None if mark else rows, detail=self._detail(status))  # fmt: skip

    def _touched(self, asked: set[str], status: int, outcome: Outcome) -> Iterable[Event]:
        """What was told of collections beside the questions, places of addresses for one."""
        noted = NOTED.get()
        for name, text in noted.touched.items() if noted is not None else ():
            if name not in asked and is_watched(self.served, name):
                rows = noted.rows.get(name) if noted is not None and status < 400 else None
                yield self._event("read", name, outcome, query=text, rows=rows, detail=self._detail(status))

    def _other(self, status: int, outcome: Outcome) -> Iterable[Event]:
        """What is told without a question: what departments said, and places of collections that are not open."""
        path, identity = self.scope["path"], self.served.identity
        if found := _FACTS.match(path):
            detail = {**self._detail(status), "fid": int(found[2])}
            yield self._event("read", found[1], outcome, detail=detail)
        elif path.startswith("/exchange/") and identity is not PUBLIC and not path.startswith("/exchange/directory"):
            yield self._event("read", "exchange", outcome, detail=self._detail(status))
        elif (named := _COLLECTION.match(path)) and named[2] not in _DECLARED and is_watched(self.served, named[1]):
            yield self._event("read", named[1], outcome, detail=self._detail(status))

    def _change(self, status: int) -> Event:
        path = self.scope["path"]
        outcome: Outcome = "success" if status < 400 else "refused" if status in (401, 403) else "failed"
        event = next((event for place, event in _PLACES.items() if path.startswith(place)), "changed")
        if path.startswith("/exchange/deliveries"):
            event = "withdrawn" if path.endswith("/withdraw") else "delivered"
        elif _COLLECTION.match(path):
            event = "edited"
        detail: dict[str, str | int | bool | None] = {**self._detail(status), "method": self.scope["method"]}
        said = dict(self.scope.get(_SAID, {}))
        # who signs in is known by the name that was shown, not yet by the session
        who = {"who": str(said.pop("who"))} if "who" in said else {}
        detail |= said
        last = path.rpartition("/")[2]
        if event == "edited" and last.isdecimal() and len(last) < 17 and status < 400:
            detail["fid"] = int(last)
        collection = str(detail.pop("collection", None) or self._named())
        return self._event(event, collection, outcome, detail=detail, **who)

    def _named(self) -> str:
        """The collection in the address, if there is one of that name."""
        found = _COLLECTION.match(self.scope["path"])
        return found[1] if found and _sensitivity(self.served, found[1]) is not None else ""

    def _detail(self, status: int) -> dict[str, str | int | bool | None]:
        """The route's template, never what stands in its place in the address."""
        noted = NOTED.get()
        route = noted.route if noted is not None else ""
        found = route or str(getattr(self.scope.get("route"), "path", ""))
        return {"route": found, "status": int(status)}

    def _event(
        self, event: str, collection: str, outcome: Outcome, *, detail: Mapping[str, str | int | bool | None] = {},
        **more: Any,
    ) -> Event:  # fmt: skip
        return event_of(self.served, self.scope, event, collection=collection, outcome=outcome, detail=detail, **more)

    async def _refuse(self, error: OneMapError) -> None:
        status, headers, body = problem(error, language_of(self.scope), self.scope["path"])
        _LOG.error("request %s withheld: %s", self.scope.get("onemap.request", ""), error)
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        raw.append((b"content-length", str(len(body)).encode()))
        await self._outer({"type": "http.response.start", "status": status, "headers": raw})
        await self._outer({"type": "http.response.body", "body": body})


def traced_as(scope: Scope, **detail: str | int | bool | None) -> None:
    """Put further facts of a change into its entry: whose account, which key; never a secret."""
    scope[_SAID] = {**scope.get(_SAID, {}), **detail}


def event_of(served: Served, scope: Scope, event: str, **more: Any) -> Event:
    """An event of a request: who, from where, for which purpose, under which number."""
    identity = served.identity
    facts = {"who": identity.name, "role": identity.role, "origin": address_of(scope), "purpose": identity.purpose,
             "request": scope.get("onemap.request", "")}  # fmt: skip
    return Event(event=event, **(facts | more))


async def trace_tile(served: Served, scope: Scope, asked: AskedTile) -> None:
    """Put a tile of what is not open into the trace, before it is answered. Raises Unavailable."""
    events = []
    personal = False
    for part in asked.parts:
        collection = served.catalogue[part.query.collection]
        if collection.sensitivity is Sensitivity.OPEN:
            continue
        personal |= collection.sensitivity is Sensitivity.PERSONAL
        text = traced(part.query, collection, served.trace.key.pseudonyms)
        detail = {"tile": f"{part.tile.grid.id}/{part.tile.text}"}
        events.append(event_of(served, scope, "read", collection=collection.id, query=text, detail=detail))
    if personal:
        await served.trace.written(*events)
    elif events:
        served.trace.note(*events)


def trace_refused_tile(served: Served, scope: Scope, error: Exception) -> None:
    """Put into the trace that a tile was refused to somebody, if that is what went wrong."""
    status = status_of(error)
    if status in (401, 403):
        subject = error.subject if isinstance(error, OneMapError) else ""
        named = subject if _sensitivity(served, subject) is not None else ""
        detail = {"route": "tiles", "status": int(status)}
        served.trace.keep(event_of(served, scope, "refused", collection=named, outcome="refused", detail=detail))


def is_watched(served: Served, collection_id: str) -> bool:
    """Whether each read of a collection by the caller is traced: all but open ones.

    Figures that name nobody, as everybody is told them, are open too.
    """
    if _sensitivity(served, collection_id) in (None, Sensitivity.OPEN):
        return False
    return served.identity.role != PUBLIC_ROLE or not _is_told_anonymously(served, collection_id)


def _is_told_anonymously(served: Served, collection_id: str) -> bool:
    try:
        return rules_in(served.catalogue, served.identity, collection_id).anonymous is not None
    except OneMapError:
        return False


def _is_personal(served: Served, collection_id: str) -> bool:
    return _sensitivity(served, collection_id) is Sensitivity.PERSONAL


def _sensitivity(served: Served, collection_id: str) -> Sensitivity | None:
    catalogue = served.catalogue
    if collection_id in catalogue.rasters:
        return catalogue.rasters[collection_id].sensitivity
    try:
        return catalogue[collection_id].sensitivity
    except UnknownName:
        return None
