"""The model against the rules in words, on an invented register small enough to follow with the finger."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from tests.gis.register_deliveries import ALWAYS, NEVER, SHANGHAI, Row
from tests.gis.register_model import RegisterModel
from tests.gis.register_words import Rules, Task

#: a and b say who is there, a first; c is heard on colour only, and first.
RULES = Rules(
    presence=("a", "b"),
    authority={"name": ("a", "b"), "colour": ("c", "a"), "size": ("a", "b"), "note": ("a", "b")},
    overriding=frozenset({"note"}),
    identity="name",
)


def day(n: int) -> datetime:
    return datetime(2024, 1, 1, tzinfo=SHANGHAI) + timedelta(days=n)


def rows(*said: str, **more: object) -> list[Row]:
    """Rows written as "x name=n colour=red"; "x -" deletes."""
    found = []
    for number, text in enumerate(said, 1):
        key, *cells = text.split()
        held = dict(cell.split("=") for cell in cells if "=" in cell)
        found.append(Row(number, key, held, deletes="-" in cells, **more))  # type: ignore[arg-type]
    return found


@pytest.fixture
def model() -> RegisterModel:
    return RegisterModel(RULES)


def shown(model: RegisterModel, entity: str = "x") -> list[tuple[int | None, int | None, Mapping[str, str]]]:
    """The register's rows as (day, day, items)."""

    def number(t: datetime) -> int | None:
        return None if t in (ALWAYS, NEVER) else (t - day(0)).days

    return [(number(start), number(end), dict(content)) for start, end, content in model.spans(entity)]


def owed(model: RegisterModel) -> set[tuple[str, str, str]]:
    return {(t.department, t.item, t.reason) for t in model.tasks()}


def test_a_first_word_without_date_holds_since_always_and_a_later_one_since_its_edition(model: RegisterModel) -> None:
    model.deliver("a", day(10), rows("x name=n size=1"), full=True)
    model.deliver("a", day(20), rows("x name=n size=2"), full=True)
    assert shown(model) == [(None, 20, {"name": "n", "size": "1"}), (20, None, {"name": "n", "size": "2"})]


def test_what_a_full_delivery_lacks_has_ended_and_what_an_incremental_one_lacks_has_not(model: RegisterModel) -> None:
    model.deliver("a", day(10), rows("x name=n", "y name=m"), full=True)
    model.deliver("a", day(20), rows("y name=m"), full=False)
    assert shown(model) == [(None, None, {"name": "n"})]
    model.deliver("a", day(30), rows("y name=m"), full=True)
    assert shown(model) == [(None, 30, {"name": "n"})]


def test_order_of_arrival_does_not_matter(model: RegisterModel) -> None:
    later = RegisterModel(RULES)
    batches = [("a", day(10), rows("x name=n size=1"), True), ("a", day(20), rows("y name=n"), True)]
    for target, order in ((model, batches), (later, batches[::-1])):
        for department, edition, held, full in order:
            target.deliver(department, edition, held, full=full)
    assert shown(later) == shown(model) == [(None, 20, {"name": "n", "size": "1"})]
    assert later.register() == model.register()


def test_a_deletion_ends_from_its_date_or_its_edition(model: RegisterModel) -> None:
    model.deliver("a", day(10), rows("x name=n", "y name=n"), full=True)
    model.deliver("a", day(20), rows("x -"), full=False)
    model.deliver("a", day(20), rows("y -", start=day(12)), full=False)
    assert shown(model, "x") == [(None, 20, {"name": "n"})]
    assert shown(model, "y") == [(None, 12, {"name": "n"})]


def test_a_later_row_with_an_end_and_no_beginning_ends_what_was_said(model: RegisterModel) -> None:
    model.deliver("a", day(10), rows("x name=n size=1", "y name=n size=1"), full=True)
    model.deliver("a", day(20), rows("x name=n size=2", end=day(15)), full=False)
    assert shown(model) == [(None, 15, {"name": "n", "size": "1"})]
    model.deliver("a", day(20), rows("y name=n size=2", end=day(30)), full=False)
    assert shown(model, "y") == [(None, 20, {"name": "n", "size": "1"}), (20, 30, {"name": "n", "size": "2"})]
    model.deliver("a", day(40), rows("x name=n size=3"), full=False)
    assert shown(model) == [(None, 15, {"name": "n", "size": "1"}), (40, None, {"name": "n", "size": "3"})]


def test_items_follow_their_own_authority_and_what_has_none_adds_nothing(model: RegisterModel) -> None:
    model.deliver("a", day(10), rows("x name=n colour=red size=1 note=p"), full=True)
    model.deliver("b", day(10), rows("x name=n colour=blue size=2 note=q"), full=True)
    model.deliver("c", day(10), rows("x name=n colour=green size=3 note=r"), full=True)
    assert shown(model) == [(None, None, {"name": "n", "colour": "green", "size": "1", "note": "p"})]
    assert owed(model) == {("a", "colour", "conflict"), ("b", "size", "conflict")}


def test_a_lower_department_fills_what_the_higher_leaves_open(model: RegisterModel) -> None:
    model.deliver("a", day(10), rows("x name=n"), full=True)
    model.deliver("b", day(10), rows("x name=n size=2"), full=True)
    assert shown(model) == [(None, None, {"name": "n", "size": "2"})]
    assert owed(model) == set()


def test_another_name_is_about_somebody_else(model: RegisterModel) -> None:
    model.deliver("a", day(10), rows("x name=n size=1"), full=True)
    model.deliver("b", day(10), rows("x name=m size=2"), full=True)
    model.deliver("c", day(10), rows("x name=o colour=red"), full=True)
    assert shown(model) == [(None, None, {"name": "n", "size": "1"})]
    assert owed(model) == {("b", "", "identity"), ("c", "", "identity")}


def test_nobody_knows_it_or_it_has_ended(model: RegisterModel) -> None:
    model.deliver("c", day(10), rows("x name=n", "y name=n"), full=True)
    assert model.register() == {}
    assert {t.reason for t in model.tasks()} == {"unknown_entity"}
    model.deliver("a", day(20), rows("x name=n", "y name=n"), full=True)
    assert owed(model) == set()
    model.deliver("a", day(30), rows("x name=n"), full=True)
    assert model.tasks() == {Task("c", 1, 2, "y", "", "ended")}
    assert shown(model, "y") == [(None, 30, {"name": "n"})]


def test_a_correction_closes_the_task_and_a_repetition_takes_it_over(model: RegisterModel) -> None:
    model.deliver("a", day(10), rows("x name=n size=1"), full=True)
    first = model.deliver("b", day(10), rows("x name=n size=2"), full=True)
    assert model.account(first).rows == {"returned": 1}
    again = model.deliver("b", day(20), rows("x name=n size=2"), full=True)
    assert model.tasks() == {Task("b", again.id, 1, "x", "size", "conflict")}
    assert model.account(again).facts == {"unchanged": 2, "returned": 1}
    corrected = model.deliver("b", day(30), rows("x name=n size=1"), full=True)
    assert model.tasks() == set()
    assert model.account(corrected).facts == {"unchanged": 2, "accepted": 1}


def test_a_row_of_bad_form_says_nothing_and_is_answered_by_the_next(model: RegisterModel) -> None:
    model.deliver("a", day(10), rows("x name=n"), full=True)
    faulty = model.deliver("a", day(20), rows("x name=m", fault="bad_date"), full=True)
    assert shown(model) == [(None, None, {"name": "n"})]
    assert model.account(faulty).rows == {"returned": 1}
    assert owed(model) == {("a", "", "bad_date")}
    model.deliver("a", day(30), rows("x name=n"), full=False)
    assert owed(model) == set()


def test_the_second_row_of_a_key_is_a_duplicate(model: RegisterModel) -> None:
    twice = model.deliver("a", day(10), rows("x name=n", "x name=m"), full=True)
    assert shown(model) == [(None, None, {"name": "n"})]
    assert model.account(twice).rows == {"accepted": 1, "returned": 1}


def test_withdrawn_is_as_if_it_had_never_come(model: RegisterModel) -> None:
    first = model.deliver("a", day(10), rows("x name=n size=1"), full=True)
    model.deliver("a", day(20), rows("x name=n size=1"), full=True)
    model.deliver("a", day(30), rows("y name=n"), full=True)
    assert shown(model) == [(None, 30, {"name": "n", "size": "1"})]
    model.withdraw(3)
    model.withdraw(first.id)
    assert shown(model) == [(None, None, {"name": "n", "size": "1"})]
    model.withdraw(2)
    assert model.register() == {}
