"""What changed where: as it happens (`/live`, server-sent events) and since a position (`/changes`, for days)."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from api.noted import touched
from api.reply import json_reply
from api.served import Ask, City, Served, encoded
from api.told_changes import ToldChanges, check_rows_told, told_changes
from gis.errors import BadQuery, Gone, Unavailable
from gis.store.changes import tile_of
from gis.store.changes_since import since as changed_since
from tiles.grid import MATRIX_SET

router = APIRouter()

#: A line now and then, so that nobody on the way takes the silence for the end.
_HEARTBEAT_S = 15.0
_RETRY_MS = 2_000
#: Who listens comes again after so long, with whatever rights are his by then.
_LONGEST_S = 900.0
#: So many listen to one process; each keeps a connection open for as long as it likes.
MAX_LISTENERS = 1_000


@router.get("/changes")
async def changes(city: City, ask: Ask) -> Response:
    """The squares in which collections were written to since a position; without one, the position to begin from."""
    given = ask.only("since", "collection")
    told = await _told(city, given.get("collection"))
    if "since" in given:
        found = await changed_since(city.own, city.changes, given["since"], told.registers)
        position, written = found.position, found.written
    else:
        await city.changes.settled()
        position, written = city.changes.position, ()
    confined = [("collection", given["collection"])] if "collection" in given else []
    document = {
        "position": position,
        "tileMatrixSet": MATRIX_SET,
        "changes": [
            {"collection": one.register, "tile": tile_of(key), "at": one.at, "transactions": one.transactions}
            for one in written
            if (key := told.key(one.register, one.key)) is not None
        ],
        "links": [
            ask.link(f"/changes?{encoded(ask.parameters)}", "self", "application/json"),
            ask.link(f"/changes?{encoded([('since', position), *confined])}", "next", "application/json"),
            ask.link(f"/live?{encoded([('since', position), *confined])}", "monitor", "text/event-stream"),
        ],
    }
    answer = json_reply(document, ask.language)
    answer.headers["cache-control"] = "no-store"
    return answer


@router.get("/live")
async def live(request: Request, city: City, ask: Ask) -> Response:
    """Events `changes` with the tiles to ask for again; `reset` where everything is to be asked for again."""
    given = ask.only("since", "collection")
    told = await _told(city, given.get("collection"))
    since = request.headers.get("last-event-id") or given.get("since")
    if city.changes.following >= MAX_LISTENERS:
        raise Unavailable(f"{MAX_LISTENERS} listen already; ask /changes now and then instead",
                          f"已有 {MAX_LISTENERS} 个实时连接,请改为定期访问 /changes")  # fmt: skip
    await city.changes.settled()
    return StreamingResponse(
        _events(city, told, since),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _told(city: Served, named: str | None) -> ToldChanges:
    """What is told of the collections that the caller may see, or of those named. Raises NotFound, Forbidden."""
    wanted = city.collections() if named is None else [city.collection(name) for name in named.split(",")]
    for collection in wanted if named is not None else ():
        check_rows_told(city, collection)
    found = await told_changes(city, wanted)
    for register in found.registers:
        touched(register)
    return found


async def _events(city: Served, told_of: ToldChanges, since: str | None) -> AsyncIterator[bytes]:
    follow = city.changes.follow()
    upcoming = asyncio.ensure_future(anext(follow, None))
    life = city.changes.incarnation
    try:
        await asyncio.sleep(0)  # it is followed from here on; what lies before is looked up
        yield f"retry: {_RETRY_MS}\n\n".encode()
        yield await _missed(city, told_of, since)
        begun_s = time.monotonic()
        while time.monotonic() - begun_s < _LONGEST_S:
            await asyncio.wait({upcoming}, timeout=_HEARTBEAT_S)
            if not upcoming.done():
                yield b":\n\n"
                continue
            told = upcoming.result()
            if told is None:
                if city.changes.incarnation != life:
                    yield _event("reset", city.changes.position, {})
                return  # the server stops: the caller goes on from here at another, or later
            upcoming = asyncio.ensure_future(anext(follow, None))
            event = _changes(told.position, told_of.squares((one.register, one.key) for one in told.changes))
            if event:
                yield event
    finally:
        upcoming.cancel()
        await asyncio.gather(upcoming, return_exceptions=True)
        await follow.aclose()


async def _missed(city: Served, told: ToldChanges, since: str | None) -> bytes:
    """What came after the last event that the caller got; for one who begins, the position alone."""
    begin = _event("begin", city.changes.position, {"tileMatrixSet": MATRIX_SET})
    if since is None:
        return begin
    try:
        found = await changed_since(city.own, city.changes, since, told.registers)
    except (Gone, BadQuery, Unavailable):
        return _event("reset", city.changes.position, {})
    return _changes(found.position, told.squares((one.register, one.key) for one in found.written)) or begin


def _changes(position: str, squares: Iterable[tuple[str, int]]) -> bytes:
    """One event; nothing where there is nothing to tell."""
    tiles: dict[str, set[tuple[int, int, int]]] = {}
    for register, key in squares:
        tiles.setdefault(register, set()).add(tile_of(key))
    told = {"collections": [{"id": register, "tiles": sorted(tiles[register])} for register in sorted(tiles)]}
    return _event("changes", position, told) if tiles else b""


def _event(kind: str, position: str, data: dict[str, Any]) -> bytes:
    return b"event: %b\nid: %b\ndata: %b\n\n" % (kind.encode(), position.encode(), orjson.dumps(data))
