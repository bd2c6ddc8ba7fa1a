"""A trial of freshness: tiles are asked for while somebody writes, and each answer is held against what was committed.

Every row carries a counter. A writer notes a counter once its commit has returned; a reader looks at the notes, asks,
and finds in the answer no counter below those that it had seen. Readers keep answers by entity tag, as browsers and
proxies do, across all servers: what 304 tells them to show again must be as fresh as what 200 brings, and one tag must
never name two different tiles.
"""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol

import mapbox_vector_tile


class Answer(Protocol):
    """What came back: httpx's responses are such."""

    @property
    def status_code(self) -> int: ...
    @property
    def content(self) -> bytes: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


#: Asks for a path with headers.
Get = Callable[[str, dict[str, str]], Awaitable[Answer]]


@dataclass(frozen=True)
class Tile:
    """A tile under trial: its path, the layer in it, the field that counts, and the features that are written to."""

    path: str
    layer: str
    counter: str
    fids: tuple[int, ...]

    def counters(self, content: bytes) -> dict[int, int]:
        """The counters in an encoded tile, by feature; what is not in it is left out."""
        found = mapbox_vector_tile.decode(content).get(self.layer, {"features": []})["features"] if content else []
        return {f["id"]: int(f["properties"][self.counter]) for f in found if f["id"] in self.fids}


@dataclass
class Trial:
    """What was written, what was read, and what was wrong."""

    committed: dict[int, int] = field(default_factory=dict)
    #: When each commit returned, by feature and counter, until it was first seen in an answer.
    unseen_s: dict[tuple[int, int], float] = field(default_factory=dict)
    #: How long each commit took to be seen.
    seen_after_s: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    answers: int = 0
    not_modified: int = 0
    stop: bool = False
    _held: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    _by_tag: dict[tuple[str, str], bytes] = field(default_factory=dict)
    _decoded: dict[tuple[str, bytes], dict[int, int]] = field(default_factory=dict)

    def wrote(self, fid: int, counter: int) -> None:
        """Note a commit that has returned."""
        self.unseen_s[fid, counter] = perf_counter()
        self.committed[fid] = counter

    async def read(self, gets: Sequence[Get], tiles: Sequence[Tile], seed: int) -> None:
        """Ask any of several servers for any of the tiles, with and without a copy held, until told to stop."""
        rng = random.Random(seed)
        while not self.stop:
            await self.ask(rng.choice(gets), rng.choice(tiles), with_copy=rng.random() < 0.5)

    async def ask(self, get: Get, tile: Tile, *, with_copy: bool) -> None:
        """Ask once and judge the answer."""
        held = self._held.get(tile.path) if with_copy else None
        floor = {fid: self.committed.get(fid, 0) for fid in tile.fids}
        answer = await get(tile.path, {"if-none-match": held[0]} if held else {})
        content = self._content(tile, held, answer)
        if content is None:
            return
        found = self._counters(tile, content)
        self.answers += 1
        for fid, counter in floor.items():
            if found.get(fid, -1) < counter:
                how = f"{answer.status_code}, {'a copy held' if held else 'none held'}"
                self.faults.append(f"{tile.path} shows {found.get(fid)} of {fid}, {counter} was committed ({how})")
        self._note(found)

    def _content(self, tile: Tile, held: tuple[str, bytes] | None, answer: Answer) -> bytes | None:
        """The tile that an answer stands for; None where it stands for none, which is a fault."""
        if answer.status_code == 304 and held is not None:
            self.not_modified += 1
            return held[1]
        if answer.status_code not in (200, 204):
            self.faults.append(f"{tile.path} is answered with {answer.status_code}")
            return None
        content, tag = bytes(answer.content), answer.headers.get("etag", "")
        if tag:
            if self._by_tag.setdefault((tile.path, tag), content) != content:
                self.faults.append(f"{tile.path}: {tag} names two tiles")
            self._held[tile.path] = (tag, content)
        return content

    def _counters(self, tile: Tile, content: bytes) -> dict[int, int]:
        key = (tile.path, content)
        if key not in self._decoded:
            self._decoded[key] = tile.counters(content)
        return self._decoded[key]

    def _note(self, found: Mapping[int, int]) -> None:
        """Which commits are seen for the first time."""
        now = perf_counter()
        for fid, counter in found.items():
            for one in [c for (f, c) in list(self.unseen_s) if f == fid and c <= counter]:
                self.seen_after_s.append(now - self.unseen_s.pop((fid, one)))
