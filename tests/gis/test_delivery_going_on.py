"""Deliveries in order are folded from their own day on alone: that comes to the same end as folding all there is."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gis.exchange.delivery import fold
from gis.exchange.registers import Deliverable
from tests.gis.deliveries import DWELLINGS, Desk, day, line, put_dwellings
from tests.gis.delivery_histories import PERSONS, SAID, Again, Batch, Chronicle, Step, Withdrawal

GoOn = Callable[[psycopg.Connection[Any], Deliverable, str], int]


@pytest.fixture(scope="module")
def desk(module_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    put_dwellings(module_url)
    made = Desk(module_url, tmp_path_factory.mktemp("deliveries"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEMAP_HOME", str(made.folder / "home"))
        yield made
    made.city.close()


@pytest.fixture
def going_on(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many entities each delivery in order went on with."""
    counted: list[int] = []
    go_on: GoOn = fold.go_on

    def count(conn: psycopg.Connection[Any], register: Deliverable, department: str) -> int:
        counted.append(go_on(conn, register, department))
        return counted[-1]

    monkeypatch.setattr(fold, "go_on", count)
    return counted


@st.composite
def plain_batches(draw: st.DrawFn) -> Batch:
    """Mostly rows without dates, as departments hand them over week by week."""
    full = draw(st.booleans())
    department = draw(st.sampled_from(["police"] * 4 + ["civil_affairs"] * 2 + ["real_estate"]))
    edition = draw(st.integers(0, 8))
    held = []
    for person in draw(st.lists(st.integers(0, PERSONS - 1), min_size=1, max_size=PERSONS, unique=True)):
        dates = draw(st.sampled_from([{}] * 6 + [{"start": 2}, {"start": 12}, {"start": 1, "end": 6}, {"end": 4}]))
        deletes = not full and draw(st.integers(0, 7)) == 0
        if deletes:
            held.append(line(person, {}, deletes=True))
        else:
            held.append(line(person, draw(SAID), **{name: day(n) for name, n in dates.items()}))
    return Batch(department, edition, full, tuple(held))


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    """Deliveries each department's in order, now and then one taken back or handed over again."""
    editions = {"police": 0, "civil_affairs": 0, "real_estate": 0}
    steps: list[Step] = []
    for batch in draw(st.lists(plain_batches(), min_size=3, max_size=7)):
        editions[batch.department] += batch.edition
        steps.append(replace(batch, edition=editions[batch.department]))
        if draw(st.integers(0, 6)) == 0:
            more: list[Step] = [Withdrawal(0), Withdrawal(1), Again(0, later=True), Again(1, later=True)]
            steps.append(draw(st.sampled_from(more)))
    return steps


@pytest.mark.torture
def test_going_on_is_the_plain_meaning_of_all_deliveries(desk: Desk, torture_scale: float, going_on: list[int]) -> None:
    def run(history: list[Step]) -> None:
        chronicle = Chronicle(desk)
        for step in history:
            chronicle.take(step)
            chronicle.compare()

    settings(
        max_examples=max(15, round(1_500 * torture_scale)),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )(given(histories())(run))()
    assert sum(going_on) > 0


@pytest.fixture
def chronicle(desk: Desk) -> Chronicle:
    return Chronicle(desk)


def said(person: int, **items: str) -> Any:
    return line(person, {"name": "张三", **items})


def test_what_was_before_stays_and_what_is_the_same_goes_on(chronicle: Chronicle, going_on: list[int]) -> None:
    first, second = DWELLINGS[0], DWELLINGS[1]
    chronicle.take(
        Batch("police", 1, True, (said(0, dwelling=first), said(1, dwelling=first), said(2, dwelling=first)))
    )
    for edition, dwelling in ((5, second), (9, first), (13, second)):
        chronicle.take(Batch("police", edition, False, (said(0, dwelling=dwelling),)))
        chronicle.compare()
    # another number to call is no other row of the register
    chronicle.take(
        Batch("police", 15, False, (said(1, dwelling=first, telephone="13800000001"), said(0, dwelling=first)))
    )
    chronicle.compare()
    assert going_on == [1, 1, 1, 2]
    # who is asked something is folded whole: the police's word ends what civil affairs were asked about
    chronicle.take(Batch("civil_affairs", 3, False, (said(0, dwelling=second),)))
    chronicle.compare()
    chronicle.take(Batch("police", 17, False, (said(0, dwelling=second), said(2, dwelling=second))))
    chronicle.compare()
    assert going_on[-1] == 1
