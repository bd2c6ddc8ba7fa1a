"""Two loads in turn, pair by pair, and loads that ask every address once."""

from collections.abc import Callable, Sequence

from tests.bench.load_generator import Load, wrk
from tests.bench.pairs import Comparison

SECONDS = 4


def compared(
    name: str, peer: str, goal: float, ours: Callable[[], Load], theirs: Callable[[], Load], pairs: int
) -> Comparison:
    """Both in turn, changing who goes first; the first pair warms up. What either refuses ends the run."""
    loads: tuple[list[Load], list[Load]] = ([], [])
    for number in range(pairs + 1):
        order = [(ours, loads[0]), (theirs, loads[1])]
        for run, kept in order if number % 2 else reversed(order):
            kept.append(run())
            if kept[-1].errors:
                raise RuntimeError(f"{name} beside {peer}: {kept[-1].errors} answers failed")
    one, other = loads[0][1:], loads[1][1:]
    notes: dict[str, object] = {"ours": [vars(load) for load in one], "peer": [vars(load) for load in other]}
    return Comparison(name, peer, goal, [1 / load.rate for load in one], [1 / load.rate for load in other], notes)


def each_once(base: str, paths: Sequence[str], clients: int = 8) -> Callable[[], Load]:
    """A load that goes on in the list where it ended the last time, so that no answer can be in anybody's memory.

    Raises RuntimeError where the list is so short that it came round in one run.
    """
    at = 0

    def run() -> Load:
        nonlocal at
        load = wrk(base, [*paths[at:], *paths[:at]], clients, SECONDS)
        asked = int(load.rate * SECONDS) + clients
        if asked > len(paths):
            raise RuntimeError(f"{len(paths)} addresses are too few: {asked} were asked")
        at = (at + asked) % len(paths)
        return load

    return run
