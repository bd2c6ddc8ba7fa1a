"""Random histories of deliveries: what departments hand over, when, for which moment, and what they take back."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from gis.exchange.delivery import Delivered
from gis.exchange.registers import deliverable
from gis.query.query import Query
from gis.query.span import Span
from tests.gis.deliveries import DWELLINGS, REGISTER, Desk, Line, Spans, day, faulty, line, shown, write_csv
from tests.gis.register_model import RegisterModel
from tests.gis.register_words import Outcome, Rules, Task

PERSONS = 4
UNREADABLE = ("check_digit", "excel_damaged", "no_key")
FAULTS = (*UNREADABLE, "missing", "unknown_value", "bad_date", "contradiction", "unknown_reference")
FORM = {*FAULTS, "duplicate"}

SAID = st.fixed_dictionaries(
    {"name": st.sampled_from(["张三"] * 8 + ["李四"])},
    optional={
        "telephone": st.sampled_from(["13800000001", "13800000002"]),
        "ethnicity": st.sampled_from(["汉族", "回族"]),
        "marital_status": st.sampled_from(["single", "married"]),
        "household": st.sampled_from(["H1", "H2"]),
        "dwelling": st.sampled_from(DWELLINGS),
    },
)
DAYS = st.integers(0, 40)
SPANS = st.one_of(
    st.just((None, None)),
    st.just((None, None)),
    st.tuples(DAYS, st.none()),
    st.tuples(DAYS, st.integers(41, 60)),
    st.tuples(st.none(), st.integers(0, 60)),
)


@dataclass(frozen=True)
class Batch:
    """A file that a department hands over, for a day."""

    department: str
    edition: int
    full: bool
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Withdrawal:
    """One of the deliveries so far is taken back, counted around."""

    turn: int


@dataclass(frozen=True)
class Again:
    """One of the deliveries so far is handed over again, counted around, for its own day or for a later one."""

    turn: int
    later: bool


@st.composite
def lines(draw: st.DrawFn, *, edition: int, full: bool) -> Line:
    person = draw(st.integers(0, PERSONS - 1))
    start, end = draw(SPANS)
    dates = {"start": None if start is None else day(start), "end": None if end is None else day(end)}
    if not full and draw(st.integers(0, 5)) == 0:
        written = draw(st.sampled_from(("start", "end")))
        return line(person, {}, deletes=True, **{written: start if start is None else day(min(start, edition))})
    made = line(person, draw(SAID), **dates)
    faults = (*FAULTS, *UNREADABLE) if full else FAULTS
    return faulty(draw(st.sampled_from(faults)), made, person) if draw(st.integers(0, 7)) == 0 else made


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    full = draw(st.booleans())
    department = draw(st.sampled_from(["police", "police", "civil_affairs", "civil_affairs", "real_estate"]))
    edition = draw(DAYS)
    held = draw(st.lists(lines(edition=edition, full=full), min_size=1, max_size=4))
    # which of the two counts where a file says and deletes the same is nowhere laid down
    told = {each.row.key for each in held if not each.row.deletes}
    kept = [each for each in held if not each.row.deletes or each.row.key not in told]
    return Batch(department, edition, full, tuple(kept))


TURNS = st.integers(0, 20)
STEPS = st.one_of(batches(), batches(), batches(), st.builds(Withdrawal, TURNS), st.builds(Again, TURNS, st.booleans()))
Step = Batch | Withdrawal | Again


@dataclass
class Chronicle:
    """The register and its model, taking the same steps."""

    desk: Desk

    def __post_init__(self) -> None:
        self.desk.empty()
        self.model = RegisterModel(Rules.of(deliverable(REGISTER)))
        self.batches: list[Batch] = []
        self.ids: list[int] = []

    def take(self, step: Step) -> Delivered | None:
        """Take a step in both; one that refers to a delivery is left out while there is none."""
        match step:
            case Batch():
                return self.deliver(step)
            case Withdrawal(turn) if self.standing:
                self.withdraw(self.standing[turn % len(self.standing)])
            case Again(turn, later) if self.batches:
                batch = self.batches[turn % len(self.batches)]
                edition = 50 + len(self.batches) if later else batch.edition
                return self.deliver(Batch(batch.department, edition, batch.full, batch.lines))
        return None

    @property
    def standing(self) -> list[int]:
        """The model's numbers of the deliveries that were not withdrawn."""
        return [d.id for d in self.model.deliveries if d.id not in self.model.withdrawn]

    def deliver(self, batch: Batch) -> Delivered:
        """Hand a batch over, and compare the accounts."""
        path = self.desk.folder / f"{batch.department}.csv"
        rows = write_csv(path, batch.lines, full=batch.full)
        delivered = self.desk.deliver(path, batch.department, day(batch.edition), full=batch.full)
        modelled = self.model.deliver(batch.department, day(batch.edition), rows, full=batch.full)
        self.batches.append(batch)
        self.ids.append(delivered.id)
        assert delivered.state == "done", delivered.error
        account = self.model.account(modelled)
        for what, counted, expected in (
            ("rows", delivered.rows, account.rows),
            ("facts", delivered.facts, account.facts),
        ):
            assert counted.delivered == counted.accepted + counted.unchanged + counted.returned
            outcomes: tuple[Outcome, ...] = ("accepted", "unchanged", "returned")
            held = {o: getattr(counted, o) for o in outcomes}
            assert held == {o: expected[o] for o in outcomes}, f"{what}: {held}, not {expected}"
        return delivered

    def outcome(self) -> tuple[Spans, set[Task]]:
        """What the register shows and what departments must look into, deliveries by their batches' places."""
        places = {id_: place for place, id_ in enumerate(self.ids)}
        return self.desk.spans(), {replace(t, delivery=places[t.delivery]) for t in nameless(self.desk.tasks())}

    def withdraw(self, delivery: int) -> None:
        """Take a delivery back."""
        self.desk.city.withdraw(self.ids[delivery - 1])
        self.model.withdraw(delivery)

    def expected_spans(self) -> dict[int, Any]:
        """The model's register in the register's own terms."""
        register = self.model.register()
        fids = self.desk.fids(register)
        return {fids[key]: shown(spans) for key, spans in register.items()}

    def compare(self) -> None:
        """The register and the tasks are the model's."""
        held = {fid: shown(spans) for fid, spans in self.desk.spans().items()}
        expected = self.expected_spans()
        assert held == expected, f"the register shows {held}, not {expected}"
        tasks, owed = nameless(self.desk.tasks()), nameless(self.expected_tasks())
        assert tasks == owed, f"too many: {tasks - owed}; too few: {owed - tasks}"

    def expected_tasks(self) -> set[Task]:
        """The model's tasks with the register's numbers."""
        tasks = self.model.tasks()
        fids = {"": ""} | {k: str(v) for k, v in self.desk.fids({t.entity for t in tasks} - {""}).items()}
        return {Task(t.department, self.ids[t.delivery - 1], t.row, fids[t.entity], t.item, t.reason) for t in tasks}


def nameless(tasks: set[Task]) -> set[Task]:
    """Tasks without what only some of them have: of bad form the entity and the item.

    Of a row that is returned as a whole that alone, not its items.
    """
    whole = {(t.delivery, t.row, t.entity) for t in tasks if not t.item}
    kept = {t for t in tasks if not t.item or t.reason in FORM or (t.delivery, t.row, t.entity) not in whole}
    return {replace(t, entity="", item="") if t.reason in FORM else t for t in kept}


def as_known(desk: Desk, instant: datetime) -> list[str]:
    """What the register answers as of an instant, over all valid time."""
    answer = desk.city.ask(Query(collection=REGISTER, as_of=instant, time=Span())).geojson()
    return sorted(map(repr, answer["features"]))
