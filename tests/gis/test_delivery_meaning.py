"""What deliveries mean, one sentence a test: rows with an end alone, rows returned for their form and their answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gis.exchange.delivery import Delivered
from tests.gis.deliveries import Desk, Line, citizen_id, day, faulty, line
from tests.gis.delivery_histories import Batch, Chronicle
from tests.gis.register_deliveries import ALWAYS, NEVER


@pytest.fixture
def desk(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("ONEMAP_HOME", str(tmp_path / "home"))
    made = Desk(database_url, tmp_path)
    yield made
    made.city.close()


@pytest.fixture
def chronicle(desk: Desk) -> Chronicle:
    return Chronicle(desk)


def hand_over(chronicle: Chronicle, edition: int, *lines: Line, full: bool = True) -> Delivered:
    """Let the police deliver, and compare with the model."""
    done = chronicle.take(Batch("police", edition, full, lines))
    assert done is not None
    chronicle.compare()
    return done


def spans(desk: Desk, person: int) -> list[tuple[int | None, int | None]]:
    """When the register shows a person, as days."""
    fid = desk.fids([citizen_id(person)])[citizen_id(person)]
    return [
        (None if start == ALWAYS else (start - day(0)).days, None if end == NEVER else (end - day(0)).days)
        for start, end, _ in desk.spans().get(fid, [])
    ]


def open_reasons(desk: Desk) -> list[str]:
    return sorted(task.reason for task in desk.tasks())


ZHANG, LI = {"name": "张三", "household": "H1"}, {"name": "李四", "household": "H2"}


def test_a_later_row_with_a_past_end_and_no_beginning_ends_the_fact_on_that_date(
    desk: Desk, chronicle: Chronicle
) -> None:
    hand_over(chronicle, 10, line(0, ZHANG), line(1, LI))
    hand_over(chronicle, 20, line(0, ZHANG, end=day(15)), full=False)
    assert spans(desk, 0) == [(None, 15)]
    assert spans(desk, 1) == [(None, None)]
    chronicle.withdraw(2)
    chronicle.compare()
    assert spans(desk, 0) == [(None, None)]


def test_a_later_row_with_an_end_to_come_ends_the_fact_then_and_nothing_said_before_returns(
    desk: Desk, chronicle: Chronicle
) -> None:
    hand_over(chronicle, 10, line(0, ZHANG))
    hand_over(chronicle, 20, line(0, ZHANG | {"household": "H2"}, end=day(30)), full=False)
    assert spans(desk, 0) == [(None, 20), (20, 30)]


def test_a_faulty_row_of_a_late_delivery_is_answered_by_the_full_one_that_came_before_it(
    desk: Desk, chronicle: Chronicle
) -> None:
    hand_over(chronicle, 20, line(0, ZHANG))
    hand_over(chronicle, 10, faulty("bad_date", line(1, LI), 1), faulty("check_digit", line(2, LI), 2))
    assert open_reasons(desk) == []
    (closed,) = desk.rows("SELECT DISTINCT state, closed_by FROM exchange.returned")
    assert closed == ("answered", chronicle.ids[0])


def test_a_faulty_row_opens_again_when_its_answer_is_withdrawn_and_nothing_else_answers_it(
    desk: Desk, chronicle: Chronicle
) -> None:
    hand_over(chronicle, 10, line(0, ZHANG), faulty("bad_date", line(1, LI), 1))
    hand_over(chronicle, 20, line(1, LI), full=False)
    assert open_reasons(desk) == []
    chronicle.withdraw(2)
    chronicle.compare()
    assert open_reasons(desk) == ["bad_date"]
    hand_over(chronicle, 30, line(0, ZHANG), line(1, LI))
    hand_over(chronicle, 40, line(1, LI), full=False)
    chronicle.withdraw(3)
    chronicle.compare()
    assert open_reasons(desk) == []
    chronicle.withdraw(1)
    chronicle.compare()
    assert open_reasons(desk) == []
