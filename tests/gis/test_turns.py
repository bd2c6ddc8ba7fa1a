"""Turns: whoever asks the most waits the longest, and nothing is lost when somebody goes away."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.errors import Unavailable
from gis.store.turns import Turns

LONG_S = 3_600.0


class Trial:
    """Questions that are answered when they are told to be, in the order in which they got a place."""

    def __init__(self, places: int = 4, most_waiting: int = 12, patience_s: float = LONG_S) -> None:
        self.turns = Turns(places, most_waiting, patience_s)
        self.answered: list[str] = []
        self.under_way: list[tuple[str, asyncio.Event]] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def ask(self, caller: str, times: int = 1) -> None:
        self.tasks += [asyncio.create_task(self._ask(caller)) for _ in range(times)]
        await settle()

    async def answer_first(self) -> None:
        self.under_way.pop(0)[1].set()
        await settle()

    async def _ask(self, caller: str) -> None:
        async with self.turns.turn(caller):
            done = asyncio.Event()
            self.under_way.append((caller, done))
            await done.wait()
            self.answered.append(caller)

    @property
    def seated(self) -> list[str]:
        return [caller for caller, _ in self.under_way]

    def refused(self) -> int:
        return sum(isinstance(t.exception(), Unavailable) for t in self.tasks if t.done() and not t.cancelled())

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def run(visit: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(visit())  # type: ignore[arg-type]


def test_one_place_is_kept_from_whoever_holds_all_others() -> None:
    async def visit() -> None:
        trial = Trial()
        await trial.ask("greedy", 20)
        assert trial.seated == ["greedy"] * 3
        await trial.ask("modest")
        assert trial.seated == ["greedy"] * 3 + ["modest"]
        await trial.end()

    run(visit)


def test_callers_who_wait_are_served_in_turn() -> None:
    async def visit() -> None:
        trial = Trial(places=1)
        for caller in ("greedy", "greedy", "greedy", "greedy", "modest", "third", "modest"):
            await trial.ask(caller)
        for _ in range(7):
            await trial.answer_first()
        assert trial.answered == ["greedy", "greedy", "modest", "third", "greedy", "modest", "greedy"]

    run(visit)


def test_a_caller_has_a_share_of_those_who_wait_and_another_finds_room() -> None:
    async def visit() -> None:
        trial = Trial(places=2, most_waiting=12)
        await trial.ask("greedy", 50)
        # alone it has half of the room
        assert (trial.turns.waiting, trial.refused()) == (6, 50 - 1 - 6)
        await trial.ask("modest", 5)
        assert (trial.turns.waiting, trial.refused()) == (10, 43)
        await trial.ask("greedy")
        assert trial.refused() == 44
        await trial.ask("third", 9)
        assert trial.turns.waiting == 12
        await trial.end()

    run(visit)


def test_whoever_waits_too_long_is_sent_away_and_its_place_is_not_lost() -> None:
    async def visit() -> None:
        trial = Trial(places=1, patience_s=0.01)
        await trial.ask("a")
        await trial.ask("b")
        with pytest.raises(Unavailable, match=r"0\.01 s"):
            await trial.tasks[1]
        assert trial.turns.waiting == 0
        await trial.answer_first()
        await trial.ask("c")
        assert trial.seated == ["c"]
        await trial.end()

    run(visit)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.sampled_from(["ask", "answer", "leave", "both"]), st.integers(0, 3)), max_size=60),
)
def test_no_place_is_lost_or_given_twice(places: int, steps: list[tuple[str, int]]) -> None:
    async def visit() -> None:
        trial = Trial(places=places, most_waiting=1_000)
        for kind, number in steps:
            if kind == "ask":
                await trial.ask(str(number))
            if kind in ("answer", "both") and trial.under_way:
                trial.under_way.pop(number % len(trial.under_way))[1].set()
            if kind in ("leave", "both") and trial.tasks:
                # with "both" it may go at the very moment in which its turn comes
                trial.tasks[number % len(trial.tasks)].cancel()
            await settle()
            trial.under_way = [one for one in trial.under_way if not one[1].is_set()]
            alive = sum(not task.done() for task in trial.tasks)
            assert alive - trial.turns.waiting <= places
            assert trial.turns.waiting == 0 or places == 1 or alive - trial.turns.waiting >= places - 1
        await trial.end()
        with suppress(Unavailable):
            await trial.ask("last", places)
        assert trial.turns.waiting == (1 if places > 1 else 0)
        await trial.end()

    run(visit)
