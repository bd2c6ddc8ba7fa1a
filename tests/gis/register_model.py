"""A register as the plain meaning of its deliveries: slow, in memory, and obviously right.

Nothing is kept but the deliveries themselves. Every question is answered anew from all of them:

    say(department, delivery, entity)   value, absent or silent: what that delivery says of the entity
    words(department, entity)           what the department said, in the order of editions, each with its valid time
    word(department, entity, t)         the last of these that holds at t
    fold(entity, t)                     what the register shows at t
    tasks()                             what departments must look into now

What the rules leave open is settled here as the people who deliver and correct would expect it:

1. Editions order words; of two of the same moment the one that was handed over later counts as the later.
2. Of several sound rows of one key in a batch the first counts, the others are returned as duplicates. A row that
   is returned for its form stands in nobody's way, and makes the delivery silent where its key can be read.
3. A full delivery says "absent" of every entity that it does not mention and of which the department's word before
    it is a value. One without a single sound row is not believed: it ends nothing.
4. A deletion holds from its date on, whichever of the two dates of a row that is; without one from its edition's day,
   even as a department's first word. A deletion of what was never said is a word like any other. What else a row of a
   deletion holds says nothing.
5. A row repeats when the word before it says the same with the same dates as written. Words that repeat one another
   without another between them are one statement, made again.
6. A department answers for its latest statement alone, at all times at which that holds: a correction, which holds
   from its edition's day on, closes the tasks of the row that it corrects.
7. A name that differs makes any department's row one about somebody else, also one whose word on names has no weight.
8. A row that is returned as a whole is not returned for single items as well.
9. A row on an entity of whose presence nobody with authority speaks at some time, though somebody does at others, is
   evidence for that time, not a fault.
10. A row returned for its form is answered by the department's next edition with a sound row of its key, or by its
    next full delivery, whatever it holds. Where the key cannot be read, by the next full delivery.
11. The facts of a row are its filled cells under the declared fields, its key included; dates and operations are none.
    A deletion has one, that the entity is no more. The facts of a row that repeats fare as the row does.
12. An account tells how the rows fared when the delivery was worked; what comes later changes tasks, not accounts.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from gis.exchange.registers import Deliverable

SHANGHAI = ZoneInfo("Asia/Shanghai")
#: Before and after every date that a test writes.
ALWAYS, NEVER = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)

Said = Literal["value", "absent", "silent"]
Outcome = Literal["accepted", "unchanged", "returned"]
Content = tuple[tuple[str, str], ...]


def midnight(moment: datetime) -> datetime:
    """The beginning of an instant's day in Shanghai."""
    return moment.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True)
class Rules:
    """Who is believed: for presence, and item by item, the prevailing department first."""

    presence: tuple[str, ...]
    authority: Mapping[str, tuple[str, ...]]
    overriding: frozenset[str] = frozenset()
    identity: str | None = None

    @classmethod
    def of(cls, deliverable: Deliverable) -> "Rules":
        """The rules of a declared register, on all that its files can hold but the key."""
        names = [f.name for f in deliverable.intake.fields if f.name != deliverable.key]
        return cls(
            deliverable.presence,
            {name: deliverable.authority(name) for name in names},
            frozenset(name for name in names if deliverable.item(name).disagreement == "override"),
            deliverable.identity,
        )


@dataclass(frozen=True)
class Row:
    """A row as handed over. `key` is None where it cannot be read; `fault` is the reason why its form is refused."""

    number: int
    key: str | None
    cells: Mapping[str, str] = field(default_factory=dict)
    deletes: bool = False
    start: datetime | None = None
    end: datetime | None = None
    fault: str = ""
    #: the item whose cell is at fault, where it is one
    fault_item: str = ""
    #: filled cells under declared fields that `cells` lacks: the key, and what cannot be read
    more_facts: int = 1

    @property
    def facts(self) -> int:
        """How many facts it delivers."""
        return len(self.cells) + self.more_facts


@dataclass(frozen=True)
class Delivery:
    """A batch: what one department said as of one moment."""

    id: int
    department: str
    edition: datetime
    full: bool
    rows: tuple[Row, ...]

    @cached_property
    def faults(self) -> Mapping[int, str]:
        """The rows whose form is refused, by number."""
        faults, seen = {}, set()
        for row in self.rows:
            fault = row.fault or ("duplicate" if row.key in seen else "")
            if fault:
                faults[row.number] = fault
            else:
                seen.add(row.key)
        return faults

    @cached_property
    def sound(self) -> Mapping[str, Row]:
        """The rows that count, by key."""
        return {row.key: row for row in self.rows if row.key is not None and row.number not in self.faults}

    def mentions(self, entity: str) -> bool:
        """Whether any row, sound or not, bears the key."""
        return any(row.key == entity for row in self.rows)


@dataclass(frozen=True)
class Word:
    """What a department says of an entity in a delivery, and from when to when. `row` is 0 where it says it by silence.

    `written` are the dates as the row has them.
    """

    delivery: int
    row: int
    said: bool
    cells: Mapping[str, str]
    written: tuple[datetime | None, datetime | None]
    start: datetime
    end: datetime

    def repeats(self, other: "Word") -> bool:
        """Whether it says what the other said."""
        return (self.said, self.cells, self.written) == (other.said, other.cells, other.written)


@dataclass(frozen=True, order=True)
class Task:
    """A row that its department must look into; `item` is empty where all of it is at fault."""

    department: str
    delivery: int
    row: int
    entity: str
    item: str
    reason: str


@dataclass(frozen=True)
class Account:
    """How many were delivered, accepted, unchanged and returned, in rows and in facts."""

    rows: Counter[Outcome]
    facts: Counter[Outcome]


@dataclass
class RegisterModel:
    """A register that departments deliver to."""

    rules: Rules
    deliveries: list[Delivery] = field(default_factory=list)
    withdrawn: set[int] = field(default_factory=set)

    def deliver(self, department: str, edition: datetime, rows: list[Row], *, full: bool) -> Delivery:
        """Take a batch in."""
        taken = Delivery(len(self.deliveries) + 1, department, edition, full, tuple(rows))
        self.deliveries.append(taken)
        return taken

    def withdraw(self, delivery: int) -> None:
        """Let a delivery never have come."""
        self.withdrawn.add(delivery)

    def in_order(self, department: str) -> list[Delivery]:
        """A department's standing deliveries in the order of their editions."""
        standing = [d for d in self.deliveries if d.department == department and d.id not in self.withdrawn]
        return sorted(standing, key=lambda d: (d.edition, d.id))

    @property
    def departments(self) -> list[str]:
        """Those with a standing delivery."""
        return sorted({d.department for d in self.deliveries if d.id not in self.withdrawn})

    @property
    def entities(self) -> list[str]:
        """All that any row that counts is about."""
        return sorted({key for d in self.deliveries for key in d.sound})

    def say(self, department: str, delivery: Delivery, entity: str) -> Said:
        """The map that everything rests on."""
        row = delivery.sound.get(entity)
        if row is not None:
            return "absent" if row.deletes else "value"
        if not delivery.full or not delivery.sound or delivery.mentions(entity):
            return "silent"
        order = self.in_order(department)
        before = (self.say(department, d, entity) for d in reversed(order[: order.index(delivery)]))
        return "absent" if next((said for said in before if said != "silent"), "silent") == "value" else "silent"

    def words(self, department: str, entity: str) -> list[Word]:
        """What a department said of an entity, in the order of editions."""
        words: list[Word] = []
        for delivery in self.in_order(department):
            said = self.say(department, delivery, entity)
            if said == "silent":
                continue
            row = delivery.sound.get(entity) or Row(0, entity, deletes=True)
            since = ALWAYS if said == "value" and not words else midnight(delivery.edition)
            cells, start, end = (row.cells, row.start, row.end) if said == "value" else ({}, row.start or row.end, None)
            dates = (start or since, end or NEVER)
            words.append(Word(delivery.id, row.number, said == "value", cells, (start, end), *dates))
        return words

    def word(self, department: str, entity: str, t: datetime) -> Word | None:
        """What a department says of an entity at a time."""
        holding = [w for w in self.words(department, entity) if w.start <= t < w.end]
        return holding[-1] if holding else None

    def heard(self, entity: str, t: datetime) -> tuple[dict[str, Word], set[str]]:
        """The words that count at a time, and the departments that speak of somebody else."""
        words = {d: w for d in self.departments if (w := self.word(d, entity, t)) is not None}
        name = self.rules.identity
        prevailing = self.prevailing(name, words) if name else None
        if name is None or prevailing is None:
            return words, set()
        names = (None, words[prevailing].cells[name])
        others = {d for d, w in words.items() if w.said and w.cells.get(name) not in names}
        return {d: w for d, w in words.items() if d not in others}, others

    def prevailing(self, item: str, words: Mapping[str, Word]) -> str | None:
        """The department whose value of an item prevails."""
        return next((d for d in self.rules.authority[item] if d in words and item in words[d].cells), None)

    def decider(self, words: Mapping[str, Word]) -> str | None:
        """The department that decides whether the entity is there."""
        return next((d for d in self.rules.presence if d in words), None)

    def fold(self, entity: str, t: datetime) -> Content | None:
        """What the register shows of an entity at a time: the filled items, or None where it is not there."""
        words, _ = self.heard(entity, t)
        decider = self.decider(words)
        if decider is None or not words[decider].said:
            return None
        chosen = {item: self.prevailing(item, words) for item in self.rules.authority}
        return tuple(sorted((item, words[d].cells[item]) for item, d in chosen.items() if d is not None))

    def instants(self, entity: str) -> list[datetime]:
        """Every time at which something may begin, and one before them all: between them nothing changes."""
        words = [w for d in self.departments for w in self.words(d, entity)]
        return sorted({ALWAYS, *(w.start for w in words), *(w.end for w in words)} - {NEVER})

    def spans(self, entity: str) -> list[tuple[datetime, datetime, Content]]:
        """The register's rows of an entity: from, to and the filled items, in order."""
        rows: list[tuple[datetime, datetime, Content]] = []
        times = [*self.instants(entity), NEVER]
        for start, end in pairwise(times):
            content = self.fold(entity, start)
            if content is None:
                continue
            since = rows.pop()[0] if rows and rows[-1][1:] == (start, content) else start
            rows.append((since, end, content))
        return rows

    def register(self) -> dict[str, list[tuple[datetime, datetime, Content]]]:
        """All rows of the register, by entity."""
        return {entity: spans for entity in self.entities if (spans := self.spans(entity))}

    def tasks(self) -> set[Task]:
        """What departments must look into now."""
        return self.form_tasks() | self.comparison_tasks()

    def form_tasks(self) -> set[Task]:
        """The rows returned for their form that no later edition has answered."""
        return {
            Task(
                d.department, d.id, row.number, row.key or "", row.fault_item if row.fault else "", d.faults[row.number]
            )
            for department in self.departments
            for d in self.in_order(department)
            for row in d.rows
            if row.number in d.faults and not self.answered(d, row)
        }

    def answered(self, delivery: Delivery, row: Row) -> bool:
        """Whether a later edition takes a row's place."""
        order = self.in_order(delivery.department)
        later = order[order.index(delivery) + 1 :]
        return any(d.full or row.key in d.sound for d in later)

    def comparison_tasks(self) -> set[Task]:
        """The latest statements that do not agree with the register."""
        return {
            Task(department, latest.delivery, latest.row, entity, item, reason)
            for entity in self.entities
            for department in self.departments
            for latest in self.words(department, entity)[-1:]
            for item, reason in self.faults(department, entity)
        }

    def faults(self, department: str, entity: str) -> set[tuple[str, str]]:
        """What is wrong with a department's latest statement: (item, reason), the item empty for all of it."""
        statement = self.latest_statement(department, entity)
        if not statement or not statement[-1].said:
            return set()
        found = {
            fault
            for t in self.instants(entity)
            if self.word(department, entity, t) in statement
            for fault in self.faults_at(department, entity, t)
        }
        return {fault for fault in found if not fault[0]} or found

    def latest_statement(self, department: str, entity: str) -> list[Word]:
        """A department's last word and the words right before it that say the same."""
        words = self.words(department, entity)
        first = len(words) - 1
        while first > 0 and words[first].repeats(words[first - 1]):
            first -= 1
        return words[max(first, 0) :]

    def faults_at(self, department: str, entity: str, t: datetime) -> Iterator[tuple[str, str]]:
        """What is wrong with what a department says of an entity at a time."""
        words, others = self.heard(entity, t)
        if department in others:
            yield "", "identity"
            return
        decider = self.decider(words)
        if decider is None:
            if not any(self.words(d, entity) for d in self.rules.presence):
                yield "", "unknown_entity"
            return
        if not words[decider].said:
            yield "", "ended"
            return
        for item, authority in self.rules.authority.items():
            own, prevailing = words[department].cells.get(item), self.prevailing(item, words)
            if own is None or prevailing is None or department not in authority or item in self.rules.overriding:
                continue
            if own != words[prevailing].cells[item]:
                yield item, "conflict"

    def account(self, delivery: Delivery) -> Account:
        """How the rows of the delivery that came last fared."""
        tasks = [t for t in self.comparison_tasks() if t.delivery == delivery.id]
        rows: Counter[Outcome] = Counter()
        facts: Counter[Outcome] = Counter()
        for row in delivery.rows:
            items = {t.item for t in tasks if t.row == row.number}
            if row.number in delivery.faults or "" in items:
                rows["returned"] += 1
                facts["returned"] += row.facts
                continue
            assert row.key is not None
            words = self.words(delivery.department, row.key)
            place = next(n for n, w in enumerate(words) if w.delivery == delivery.id)
            before = words[place - 1] if place else None
            repeats = before is not None and words[place].repeats(before)
            rows["returned" if items else "unchanged" if repeats else "accepted"] += 1
            facts.update(self._facts(row, before, items, repeats))
        return Account(rows, facts)

    @staticmethod
    def _facts(row: Row, before: Word | None, returned: set[str], repeats: bool) -> Iterator[Outcome]:
        known = before is not None and before.said and not row.deletes
        for _ in range(row.more_facts):
            yield "unchanged" if repeats or known else "accepted"
        for item, value in row.cells.items():
            if item in returned:
                yield "returned"
            elif repeats or (known and before is not None and before.cells.get(item) == value):
                yield "unchanged"
            else:
                yield "accepted"
