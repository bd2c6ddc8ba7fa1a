"""What changed where, held in memory by each server: no answer is older than the last commit seen when it was asked.

A token of what a tile, or a register, was made from is the sum of the hashes of all changes there: a sum knows no
order, so that servers which started at different times, or read the log of changes in different portions, agree.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg

from gis.errors import Unavailable
from gis.store.changes_digests import Digests
from gis.store.changes_keys import WORLD, box_cover, tile_cover, tile_key, tile_of
from gis.store.changes_poll import Change, Line, News, read_incarnation, read_sums
from gis.store.changes_prune import PRUNE_EVERY_S, prune
from gis.store.database import AsyncDatabase

__all__ = ["Change", "Changes", "Told", "tile_key", "tile_of"]

#: How often the log is looked at for those who follow it.
_FOLLOW_EVERY_S = 0.25
#: A follower that falls behind by more is told that whole registers changed.
_MOST_PENDING = 5_000


@dataclass(frozen=True, slots=True)
class Told:
    """Changes, and the position up to which they are all that there are."""

    position: str
    changes: Sequence[Change]


class Changes:
    """The changes of one database; one a server process, on its event loop.

    Read `digest` first and the data after, from the same server: then the data may be newer than the token says, but
    never older.
    """

    def __init__(self, database: AsyncDatabase) -> None:
        self._database = database
        self._state = _State("", b"", False)
        self._line: Line | None = None
        #: Those who wait for a reading that has not begun.
        self._waiting: list[asyncio.Future[None]] = []
        self._polling: asyncio.Task[None] | None = None
        self._followers: set[_Follower] = set()
        self._is_ending = False
        self._tasks: list[asyncio.Task[None]] = []
        self._read_s: float | None = None
        #: How often the log was read, and how often something was found that changes a digest.
        self.polls = self.moves = 0

    @property
    def age_s(self) -> float | None:
        """Seconds since the log was last read; None where it never was. Nobody reads it while nobody asks."""
        return None if self._read_s is None else time.monotonic() - self._read_s

    @property
    def incarnation(self) -> str:
        """Names the life of the database that digests and positions belong to; empty before it was first reached."""
        return self._state.incarnation

    @property
    def following(self) -> int:
        """How many follow."""
        return len(self._followers)

    @property
    def position(self) -> str:
        """Where the log has been read to, for whoever goes on from here later: `incarnation-snapshot`."""
        return f"{self._state.incarnation}-{self._state.position.decode()}"

    async def open(self) -> None:
        """Read the log and keep it short from now on. That the database is away now is no error: it is asked again."""
        with suppress(Unavailable):
            await self.settled()
        self._tasks = [asyncio.create_task(self._keep_short()), asyncio.create_task(self._look_for_followers())]

    async def close(self) -> None:
        """Stop; who follows comes to an end."""
        self.end_following()
        tasks = [*self._tasks, *([self._polling] if self._polling else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._hang_up()

    async def settled(self) -> None:
        """Until the log has been read, from a moment on that lies after this call. Raises Unavailable."""
        await self.reading()

    def reading(self) -> asyncio.Future[None]:
        """The next reading of the log that begins after this call, to be awaited once. Brings Unavailable.

        All who call while a reading is under way share the next one.
        """
        # each its own, so that who gives up takes nobody with him
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll_while_asked())
        return waiting

    def digest(self, register: str, z: int, x: int, y: int) -> int:
        """64 bits that any visible change under a tile of WebMercatorQuad, near its edge, or around it changes.

        Above zoom 12 tiles of one z12 square share theirs.
        """
        return self._state.digests.of_place(register, (z, x, y), tile_cover)

    def digest_of_box(self, register: str, west: float, south: float, east: float, north: float) -> int:
        """The same for a box in degrees (WGS 84)."""
        return self._state.digests.of_place(register, (west, south, east, north), box_cover)

    def of(self, register: str) -> int:
        """64 bits that any visible change of a register changes."""
        return self._state.digests.of(register)

    async def follow(self) -> AsyncGenerator[Told, None]:
        """Changes as they become visible, each once, a few times a second; one who is slow gets many at a time.

        It ends when the database begins another life, or with `end_following`.
        """
        follower = _Follower()
        if self._is_ending:
            follower.end()
        self._followers.add(follower)
        try:
            while (found := await follower.take()) is not None:
                yield found
        finally:
            self._followers.discard(follower)

    def end_following(self) -> None:
        """Bring all who follow to an end, for good: the server is about to stop."""
        self._is_ending = True
        self._end_followers()

    async def _poll_while_asked(self) -> None:
        while asked := self._waiting:
            self._waiting = []
            failure: Unavailable | None = None
            try:
                await self._poll()
            except Unavailable as error:
                failure = error
            except BaseException as error:
                failure = Unavailable("the server is stopping", "服务正在停止")
                if not isinstance(error, Exception):
                    raise
            finally:
                for one in asked:
                    if not one.done():
                        one.set_exception(failure) if failure else one.set_result(None)

    async def _poll(self) -> None:
        """Read on; a connection that is lost is made again once. Raises Unavailable."""
        for is_last in (False, True):
            try:
                await self._read_on()
                break
            except (psycopg.Error, Unavailable, OSError) as error:
                await self._hang_up()
                if is_last:
                    raise Unavailable(
                        "the database does not answer; run onemap up, or check ONEMAP_DATABASE_URL",
                        "数据库无响应,请运行 onemap up 或检查 ONEMAP_DATABASE_URL",
                        inside=str(error).splitlines()[0] if str(error) else repr(error),
                    ) from error

    async def _read_on(self) -> None:
        state = self._state
        if self._line is None:
            self._line = await Line.open(self._database.url)
            life = await read_incarnation(self._database.url)
            if life != (state.incarnation, state.is_standby):
                state = await self._fresh(*life)
        news = await self._line.poll(state.position)
        if news.is_standby != state.is_standby:
            raise psycopg.OperationalError("the server was promoted")
        if news.lost:
            state = await self._fresh(state.incarnation, state.is_standby)
            news = await self._line.poll(state.position)
        self.polls, self._read_s = self.polls + 1, time.monotonic()
        # no await from here: digests, position and what followers are told are always of one moment
        if state is not self._state:
            self._end_followers()
            self._state = state
            self.moves += 1
        found = state.take(news)
        self.moves += bool(found)
        for follower in self._followers if found else ():
            follower.tell(found, self.position)

    async def _fresh(self, incarnation: str, is_standby: bool) -> "_State":
        """From the beginning: for another life of the database, or where what lies between was pruned."""
        position, sums = await read_sums(self._database.url)
        return _State(incarnation, position, is_standby, Digests(sums))

    async def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            with suppress(psycopg.Error):
                await line.close()

    async def _look_for_followers(self) -> None:
        while True:
            await asyncio.sleep(_FOLLOW_EVERY_S)
            if self._followers:
                with suppress(Unavailable):
                    await self.settled()

    async def _keep_short(self) -> None:
        while True:
            await asyncio.sleep(PRUNE_EVERY_S)
            with suppress(Unavailable):
                await prune(self._database)

    def _end_followers(self) -> None:
        for follower in self._followers:
            follower.end()


@dataclass(slots=True)
class _State:
    """What is known of the log up to a position. On a standby what was `seen` from there on will be found again."""

    incarnation: str
    position: bytes
    is_standby: bool
    digests: Digests = field(default_factory=Digests)
    seen: set[Change] = field(default_factory=set)

    def take(self, news: News) -> list[Change]:
        """Add what is new, and say what that is."""
        fresh = [(change, hashed) for change, hashed in news.changes if change not in self.seen]
        for change, hashed in fresh:
            self.digests.add(change.register, change.key, hashed)
        if self.is_standby:
            lower = int(news.position.partition(b":")[0])
            self.seen = {change for change, _ in news.changes if change.xid >= lower}
        self.position = news.position
        return [change for change, _ in fresh]


class _Follower:
    """What one has not been told yet."""

    def __init__(self) -> None:
        self._pending: list[Change] = []
        self._position = ""
        self._bell = asyncio.Event()
        self._ended = False

    def tell(self, changes: Sequence[Change], position: str) -> None:
        self._pending += changes
        self._position = position
        if len(self._pending) > _MOST_PENDING:
            latest = {change.register: change.xid for change in self._pending}
            self._pending = [Change(register, WORLD, xid) for register, xid in latest.items()]
        self._bell.set()

    def end(self) -> None:
        self._ended = True
        self._bell.set()

    async def take(self) -> Told | None:
        await self._bell.wait()
        self._bell.clear()
        found, self._pending = self._pending, []
        return None if self._ended else Told(self._position, found)
