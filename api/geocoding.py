"""The geocoder behind the web: its own connections and its own few threads, so that nothing else waits for it."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from api.noted import touched
from api.served import Served
from api.threads import Threads
from gis.access import Identity
from gis.catalog import Catalogue
from gis.errors import BadQuery
from gis.exchange.matching import Gazetteer, Geocoder, looked_through
from gis.store.database import Database
from gis.store.reading import Reading
from gis.store.wall_roles import Reader

#: What one question may hold: addresses, characters of each, bytes of all.
MAX_ADDRESSES, MAX_CHARACTERS, MAX_BODY_BYTES = 1_000, 300, 2_000_000

_THREADS = max(2, (os.cpu_count() or 2) // 2)

_Found = TypeVar("_Found")


def address_text(text: str, subject: str) -> str:
    """A text that is asked for as an address. Raises BadQuery for one without end, or with nothing in it."""
    if not text.strip():
        raise BadQuery("the address is empty", "地址为空", subject=subject)
    if len(text) > MAX_CHARACTERS:
        raise BadQuery(
            f"an address of {len(text)} characters; at most {MAX_CHARACTERS} are read",
            f"地址长 {len(text)} 字,最多 {MAX_CHARACTERS} 字",
            subject=subject,
        )
    return text


def note_places(city: Served, sought: str) -> None:
    """Note for the trace that places of the collections were looked through which the caller may see."""
    for name in looked_through(city.catalogue, city.identity):
        touched(name, sought)


def note_addresses(city: Served, texts: Sequence[str]) -> None:
    """The same for addresses: one stands in the trace as the word that stands for it, several as their number."""
    word = city.trace.key.pseudonyms.of
    note_places(city, f"geocode?address={word(texts[0])}" if len(texts) == 1 else f"geocode?addresses={len(texts)}")


class Geocoding:
    """Asks the geocoder aside from the event loop."""

    def __init__(self, reader: Reader, catalogue: Catalogue) -> None:
        self._database = Database(reader.url, size=_THREADS + 2)
        self._geocoder = Geocoder(self._database, catalogue, partial(Reading.of, reader))
        self._threads = Threads(_THREADS, "geocoder")

    def follow(self, catalogue: Catalogue) -> None:
        """Answer by another catalogue from now on: by its policies, for one."""
        self._geocoder.follow(catalogue)

    async def ask(self, identity: Identity, question: Callable[[Gazetteer], _Found]) -> tuple[_Found, dict[str, Any]]:
        """The answer to a question, and what it was found in. Raises Unavailable when too many wait already."""
        return await self._threads.run(self._ask, identity, question)

    def _ask(self, identity: Identity, question: Callable[[Gazetteer], _Found]) -> tuple[_Found, dict[str, Any]]:
        places = self._geocoder.current(identity)
        return question(places), {"registers": places.state.registers, "date": places.state.day}

    def close(self) -> None:
        """Let the threads end and close the connections."""
        self._threads.close(wait=False)
        self._database.close()
