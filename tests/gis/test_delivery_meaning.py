"""What deliveries mean, one sentence a test: rows with an end alone, rows returned for their form, what ends nobody."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from gis.exchange.delivery import Delivered
from gis.exchange.delivery.traces import HELD_BACK
from tests.gis.deliveries import Desk, Line, broken_id, citizen_id, day, faulty, line, put_dwellings
from tests.gis.delivery_histories import Batch, Chronicle
from tests.gis.register_deliveries import ALWAYS, NEVER


@pytest.fixture
def desk(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("ONEMAP_HOME", str(tmp_path / "home"))
    put_dwellings(database_url)
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


def test_a_mistyped_identifier_in_a_full_delivery_does_not_end_the_right_person(
    desk: Desk, chronicle: Chronicle
) -> None:
    hand_over(chronicle, 10, line(0, ZHANG), line(1, LI))
    done = hand_over(chronicle, 20, faulty("check_digit", line(0, ZHANG), 0), line(1, LI))
    assert done.ended == 0
    assert spans(desk, 0) == [(None, None)]
    ((zh, en),) = desk.rows("SELECT text_zh, text_en FROM exchange.returned WHERE state = 'open'")
    assert zh.endswith(HELD_BACK.zh)
    assert en.endswith(HELD_BACK.en)
    hand_over(chronicle, 30, line(0, ZHANG), line(1, LI))
    assert open_reasons(desk) == []
    assert spans(desk, 0) == [(None, None)]


def test_the_next_full_delivery_that_lacks_the_person_too_ends_them(desk: Desk, chronicle: Chronicle) -> None:
    hand_over(chronicle, 10, line(0, ZHANG), line(1, LI))
    hand_over(chronicle, 20, faulty("check_digit", line(0, ZHANG), 0), line(1, LI))
    done = hand_over(chronicle, 30, line(1, LI))
    assert done.ended == 1
    assert spans(desk, 0) == [(None, 30)]
    chronicle.withdraw(2)
    chronicle.compare()
    assert spans(desk, 0) == [(None, 30)]


AT_HOME = {"name": "张三", "dwelling": "D1"}


@pytest.mark.parametrize("fault", ["excel_damaged", "no_key"])
def test_a_row_without_identifier_is_about_the_one_of_that_name_at_that_address(
    desk: Desk, chronicle: Chronicle, fault: str
) -> None:
    away = AT_HOME | {"dwelling": "D2"}
    hand_over(chronicle, 10, line(0, AT_HOME), line(1, LI), line(2, away))
    hand_over(chronicle, 20, faulty(fault, line(0, AT_HOME), 0), line(1, LI))
    assert spans(desk, 0) == [(None, None)]
    assert spans(desk, 2) == [(None, 20)]


def test_a_row_without_identifier_is_about_the_one_of_that_name_and_birth_date(
    desk: Desk, chronicle: Chronicle
) -> None:
    born, later = ({"name": "张三", "birth_date": text} for text in ("1950-01-01", "1950-01-02"))
    hand_over(chronicle, 10, line(0, born), line(1, LI), line(400, later))
    hand_over(chronicle, 20, faulty("no_key", line(0, born), 0), line(1, LI))
    assert spans(desk, 0) == [(None, None)]
    assert spans(desk, 400) == [(None, 20)]


def test_a_row_that_bears_the_identifier_of_another_row_is_about_the_one_of_its_name_and_address(
    desk: Desk, chronicle: Chronicle
) -> None:
    hand_over(chronicle, 10, line(0, AT_HOME), line(1, LI))
    hand_over(chronicle, 20, line(1, LI), line(1, AT_HOME))
    assert open_reasons(desk) == ["duplicate"]
    assert spans(desk, 0) == [(None, None)]


def test_what_is_held_back_does_not_depend_on_the_order_of_arrival(desk: Desk, chronicle: Chronicle) -> None:
    hand_over(chronicle, 20, faulty("no_key", line(0, AT_HOME), 0), line(1, LI))
    hand_over(chronicle, 30, line(1, LI))
    hand_over(chronicle, 10, line(0, AT_HOME), line(1, LI))
    assert spans(desk, 0) == [(None, 30)]
    # as the department said it last, he lived elsewhere; so the row is about somebody else
    hand_over(chronicle, 15, line(0, AT_HOME | {"dwelling": "D2"}), full=False)
    assert spans(desk, 0) == [(None, 15), (15, 20)]
    chronicle.withdraw(4)
    chronicle.compare()
    assert spans(desk, 0) == [(None, 30)]


def test_no_identifier_is_kept_with_a_returned_row(desk: Desk, chronicle: Chronicle) -> None:
    hand_over(chronicle, 20, faulty("check_digit", line(0, ZHANG), 0), line(1, LI))
    (kept,) = (text for (text,) in desk.rows("SELECT r::text FROM exchange.returned r"))
    assert broken_id(0)[:17] not in kept
    assert "张三" not in kept
    ((traces,),) = desk.rows("SELECT cardinality(traces) FROM exchange.returned")
    assert traces > 10


#: Valid credit codes of two enterprises, and the first one without one of its characters.
CODE, OTHER, MISTYPED = "91110108551385082Q", "91110000802100433B", "9111010855138082Q"


@pytest.mark.parametrize(
    ("row", "end"),
    [
        ((MISTYPED, "别名", ""), None),
        (("", "甲公司", "2010-05-01"), None),
        (("", "甲公司", "2011-05-01"), day(20)),
        (("", "乙公司", "2010-05-01"), day(20)),
    ],
    ids=["a slip away", "same name and founding", "another founding", "another name"],
)
def test_registers_without_persons_hold_back_ends_as_well(
    desk: Desk, row: tuple[str, str, str], end: datetime | None
) -> None:
    path, kept = desk.folder / "market.csv", (OTHER, "丙公司", "2001-01-01")
    market = Desk(desk.url, desk.folder, "base.entities")
    for edition, first in ((10, (CODE, "甲公司", "2010-05-01")), (20, row)):
        rows = [("统一社会信用代码", "单位名称", "成立日期"), first, kept]
        path.write_text("".join(",".join(cells) + "\n" for cells in rows), encoding="utf-8")
        done = market.deliver(path, "market", day(edition), full=True)
    assert (done.rows.returned, done.ended) == (1, 0 if end is None else 1)
    found = desk.rows("SELECT nullif(valid_to, 'infinity') FROM base.entities WHERE credit_code = %s", CODE)
    assert found == [(end,)]
    market.city.close()
