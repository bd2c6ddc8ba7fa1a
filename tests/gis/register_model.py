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
    it is a value. One without a single sound row is not believed: it ends nothing. Nor does one end what a row that it
   returns for its identifier is evidently about: where the key cannot be read, or is that of another row of the file,
   and the key is one slip away from the entity's (one character wrong, missing, too many or in the wrong place), or
   the name and one item that tells one from another are as the department said them before.
4. A deletion holds from its date on, whichever of the two dates of a row that is; without one from its edition's day,
   even as a department's first word. A deletion of what was never said is a word like any other. What else a row of a
   deletion holds says nothing.
5. A row with a date of end and none of beginning says when all that its department says of the entity ends: from that
   date on no earlier word of it holds either. Where the date is not after the edition's day, that is all it says;
   what it holds beside that was never in force.
6. A row repeats when the word before it says the same with the same dates as written. Words that repeat one another
   without another between them are one statement, made again.
7. A department answers for its latest statement alone, at all times at which that holds: a correction, which holds
   from its edition's day on, closes the tasks of the row that it corrects.
8. A name that differs makes any department's row one about somebody else, also one whose word on names has no weight.
9. A row that is returned as a whole is not returned for single items as well.
10. A row on an entity of whose presence nobody with authority speaks at some time, though somebody does at others, is
   evidence for that time, not a fault.
11. A row returned for its form is answered by the department's next edition with a sound row of its key, or by its
    next full delivery, whatever it holds. Where the key cannot be read, by the next full delivery.
12. The facts of a row are its filled cells under the declared fields, its key included; dates and operations are none.
    A deletion has one, that the entity is no more. The facts of a row that repeats fare as the row does.
13. An account tells how the rows fared when the delivery was worked; what comes later changes tasks, not accounts.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from tests.gis.register_deliveries import ALWAYS, NEVER, Delivery, Row, midnight
from tests.gis.register_words import Account, Content, Outcome, Rules, Said, Task, Word


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
        earlier = ((d, self.say(department, d, entity)) for d in reversed(order[: order.index(delivery)]))
        last, said = next(((d, said) for d, said in earlier if said != "silent"), (delivery, "silent"))
        if said != "value" or delivery.means(entity, last.sound[entity], self.rules.identity, self.rules.telling):
            return "silent"
        return "absent"

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
        for word in reversed(self.words(department, entity)):
            if word.start <= t < word.end:
                return word
            if word.closes and t >= word.end:
                return None
        return None

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
