"""Whatever departments hand over, in whatever order: the register is the plain meaning of it, and adds up."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gis.query.span import now
from tests.gis.deliveries import Desk, Spans, put_dwellings
from tests.gis.delivery_histories import STEPS, TURNS, Batch, Chronicle, Step, as_known, batches
from tests.gis.register_words import Task

HISTORIES = st.lists(STEPS, min_size=1, max_size=5)
#: The register and its history as they are stored.
CONTENT = "SELECT t::text FROM base.persons t UNION ALL SELECT t::text FROM base.persons_past t ORDER BY 1"


@pytest.fixture(scope="module")
def desk(module_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    put_dwellings(module_url)
    made = Desk(module_url, tmp_path_factory.mktemp("deliveries"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEMAP_HOME", str(made.folder / "home"))
        yield made
    made.city.close()


def always(examples: int, scale: float) -> Any:
    """So many histories; one that fails is told as small as it can be."""
    return settings(
        max_examples=max(examples, round(100 * examples * scale)),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )


@pytest.mark.torture
def test_the_register_is_the_plain_meaning_of_its_deliveries(desk: Desk, torture_scale: float) -> None:
    def run(history: list[Step]) -> None:
        chronicle = Chronicle(desk)
        answers = []
        for step in history:
            chronicle.take(step)
            chronicle.compare()
            asked = now()
            answers.append((asked, as_known(desk, asked)))
        for asked, answer in answers:
            assert as_known(desk, asked) == answer, "an answer as of the past has changed"

    always(25, torture_scale)(given(HISTORIES)(run))()


@pytest.mark.torture
def test_the_order_of_arrival_does_not_matter(desk: Desk, torture_scale: float) -> None:
    def run(arriving: list[Batch]) -> None:
        order = sorted(range(len(arriving)), key=lambda place: arriving[place].edition)
        spans, tasks = after(desk, arriving)
        in_order, owed = after(desk, [arriving[place] for place in order])
        assert spans == in_order
        assert tasks == {replace(task, delivery=order[task.delivery]) for task in owed}

    always(15, torture_scale)(given(st.lists(batches(), min_size=2, max_size=4))(run))()


@pytest.mark.torture
def test_withdrawn_is_as_if_it_had_never_come(desk: Desk, torture_scale: float) -> None:
    def run(held: list[Batch], turn: int) -> None:
        gone = turn % len(held)
        spans, tasks = after(desk, [batch for place, batch in enumerate(held) if place != gone])
        chronicle = Chronicle(desk)
        for batch in held:
            chronicle.take(batch)
        chronicle.withdraw(gone + 1)
        left_spans, left = chronicle.outcome()
        assert left_spans == spans
        assert {replace(t, delivery=t.delivery - (t.delivery > gone)) for t in left} == tasks
        states = desk.rows("SELECT id FROM exchange.delivery WHERE state = 'withdrawn'")
        assert states == [(chronicle.ids[gone],)]

    always(15, torture_scale)(given(st.lists(batches(), min_size=1, max_size=4), TURNS)(run))()


@pytest.mark.torture
def test_delivered_again_nothing_changes(desk: Desk, torture_scale: float) -> None:
    def run(held: list[Batch]) -> None:
        chronicle = Chronicle(desk)
        first = [chronicle.take(batch) for batch in held][-1]
        before, register = chronicle.outcome()[0], desk.rows(CONTENT)
        again = chronicle.take(held[-1])
        assert first is not None
        assert again is not None
        assert (again.epoch, again.rows.accepted, again.facts.accepted) == (None, 0, 0)
        assert (again.rows.returned, again.facts.returned) == (first.rows.returned, first.facts.returned)
        assert (chronicle.outcome()[0], desk.rows(CONTENT)) == (before, register)
        chronicle.compare()

    always(15, torture_scale)(given(st.lists(batches(), min_size=1, max_size=3))(run))()


def after(desk: Desk, arriving: list[Batch]) -> tuple[Spans, set[Task]]:
    """What is shown and owed when these have come."""
    chronicle = Chronicle(desk)
    for batch in arriving:
        chronicle.take(batch)
    return chronicle.outcome()
