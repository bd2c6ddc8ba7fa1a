"""What is checked of a row beyond its form: codes with their check digits, dates, references, contradictions.

Each check takes a column and hands it back as it is to be kept, with its faults; whole columns at a time.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.codes import citizen_id_column, credit_code_column, division_column
from gis.codes.citizen_id_column import CitizenIds
from gis.codes.finding import ColumnFindings, Verdict
from gis.exchange.converted import mask_of
from gis.exchange.delivery.pseudonym import person_fids
from gis.exchange.delivery.references import References
from gis.exchange.matching.written import REASONS as WRITTEN_REASONS
from gis.exchange.matching.written import Written
from gis.exchange.registers import Deliverable
from gis.text import Text

#: What the checks of codes call it, and what a returned row is told.
_REASONS = {
    "empty": "missing",
    "exponent": "excel_damaged",
    "precision": "excel_damaged",
    "check_digit": "check_digit",
    "birth_date": "bad_date",
    "birth_range": "future_date",
}
_INDUSTRY = r"^[A-Ta-t]?[0-9]{1,4}$"
_FUTURE = Text("日期在将来", "the date is in the future")
_SEX = Text("与身份号码所示性别不符", "it contradicts the sex that the id number tells")
_BIRTH = Text("与身份号码所示出生日期不符", "it contradicts the date of birth that the id number tells")
_NO_PLACE = Text("登记库中没有这个编码", "the register holds no such code")
_NO_DIVISION = Text("不是有效的区划代码", "it is no division code")
_NO_INDUSTRY = Text("不是 GB/T 4754 行业代码的形式,予以保留", "it is not formed like a GB/T 4754 code; kept")


@dataclass(frozen=True, slots=True)
class Fault:
    """Rows that are returned for one item: which, why, and in what words (the same for all, or asked for by row)."""

    item: str
    where: NDArray[np.bool_]
    reason: str
    text: Text | Callable[[int], Text]


@dataclass(frozen=True, slots=True)
class Note:
    """Rows that are kept although something of an item should be looked at."""

    item: str
    where: NDArray[np.bool_]
    reason: str
    text: Text


@dataclass(slots=True)
class Checks:
    """The checks of one register in one delivery; `references` and `written` by the collection referred to."""

    deliverable: Deliverable
    secret: bytes
    today: dt.date
    references: Mapping[str, References]
    written: Callable[[str], Written]
    faults: list[Fault] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    persons: CitizenIds | None = None

    def run(self, table: pa.Table, ids: CitizenIds | None = None) -> pa.Table:
        """The table of the intake's fields as it is to be kept; faults and notes are those of this table.

        `ids` are the checked ids of persons that it holds, where a run before this one left them in `persons`.
        """
        self.faults, self.notes = [], []
        persons: CitizenIds | None = None
        columns = {name: table.column(name).combine_chunks() for name in table.column_names}
        for name in (self.deliverable.key, *columns):
            check = self.deliverable.item(name).check
            column = columns[name]
            if column.null_count == len(column) and name != self.deliverable.key and check != "reference":
                if check == "person":
                    columns[name] = pa.nulls(len(column), pa.int64())
                continue
            if check == "citizen_id" and persons is None:
                persons = citizen_id_column.check_column(column, today=self.today) if ids is None else ids
                self._codes(name, persons.findings, np.ones(len(table), bool))
                columns[name] = persons.text
            elif check == "credit_code" and name != self.deliverable.key:
                columns[name] = self._credit_codes(name, column)
            elif check:
                columns[name] = self._one(check, name, columns, persons)
        if self.deliverable.item(self.deliverable.key).check == "credit_code":
            columns[self.deliverable.key] = self._credit_codes(self.deliverable.key, columns[self.deliverable.key])
        self.persons = persons
        return pa.table(columns)

    def _one(self, check: str, name: str, columns: dict[str, pa.Array], persons: CitizenIds | None) -> pa.Array:
        column = columns[name]
        match check:
            case "division":
                return self._divisions(name, column)
            case "past_date":
                self._past(name, column)
            case "birth_date":
                self._past(name, column)
                self._birth(name, column, persons)
            case "sex":
                self._sex(name, column, persons)
            case "person":
                return self._persons(name, column)
            case "reference":
                return self._reference(name, columns)
            case "industry":
                self._industry(name, column)
        return column

    def _codes(self, name: str, found: ColumnFindings, given: NDArray[np.bool_]) -> None:
        for at, finding in enumerate(found.findings):
            where = (found.index == at) & given
            if finding.verdict is Verdict.OK or not where.any():
                continue
            if finding.verdict is Verdict.WARN:
                self.notes.append(Note(name, where, finding.reason, finding.text))
            else:
                self.faults.append(Fault(name, where, _REASONS.get(finding.reason, "bad_code"), finding.text))

    def _credit_codes(self, name: str, column: pa.Array) -> pa.Array:
        found = credit_code_column.check_column(column)
        given = np.ones(len(column), bool) if name == self.deliverable.key else mask_of(pc.is_valid(column))
        self._codes(name, found.findings, given)
        return found.text

    def _persons(self, name: str, column: pa.Array) -> pa.Array:
        found = citizen_id_column.check_column(column, today=self.today)
        self._codes(name, found.findings, mask_of(pc.is_valid(column)))
        return pa.array(person_fids(found.text, self.secret), mask=np.asarray(found.text.is_null()))

    def _divisions(self, name: str, column: pa.Array) -> pa.Array:
        code = division_column.check_column(column).code
        wrong = mask_of(pc.is_valid(column)) & (code == 0)
        self.faults.append(Fault(name, wrong, "unknown_division", _NO_DIVISION))
        texts = pc.utf8_lpad(pa.array(code).cast(pa.string()), 12, "0")
        return pc.if_else(pa.array(code > 0), texts, pa.scalar(None, pa.string()))

    def _past(self, name: str, column: pa.Array) -> None:
        self.faults.append(
            Fault(name, mask_of(pc.greater(column, pa.scalar(self.today, pa.date32()))), "future_date", _FUTURE)
        )

    def _birth(self, name: str, column: pa.Array, persons: CitizenIds | None) -> None:
        if persons is None:
            return
        told = pa.array(persons.birth.astype("datetime64[D]"), pa.date32())
        self.faults.append(Fault(name, mask_of(pc.not_equal(column, told)), "contradiction", _BIRTH))

    def _sex(self, name: str, column: pa.Array, persons: CitizenIds | None) -> None:
        if persons is None:
            return
        told = pc.if_else(pa.array(persons.female), "female", "male")
        known = pa.array(persons.findings.taken)
        wrong = pc.and_(known, pc.not_equal(column, told))
        self.faults.append(Fault(name, mask_of(wrong), "contradiction", _SEX))

    def _reference(self, name: str, columns: dict[str, pa.Array]) -> pa.Array:
        item, column = self.deliverable.item(name), columns[name]
        assert item.refers is not None
        given = mask_of(pc.is_valid(column))
        self.faults.append(
            Fault(name, given & ~self.references[item.refers].known(column), "unknown_reference", _NO_PLACE)
        )
        if item.written is None:
            return column
        texts = columns[item.written.name]
        asked = ~given & mask_of(pc.is_valid(texts))
        return self._written(name, item.refers, column, texts, asked) if asked.any() else column

    def _written(self, name: str, refers: str, column: pa.Array, texts: pa.Array, asked: NDArray[np.bool_]) -> pa.Array:
        """The codes of places that are given in words."""
        book = self.written(refers)
        asked_texts = texts.filter(pa.array(asked))
        found = book.codes(asked_texts)
        rows = np.flatnonzero(asked)
        for at, reason in enumerate(WRITTEN_REASONS):
            at_fault = found.reason == at
            if at and at_fault.any():
                where = np.zeros(len(column), bool)
                where[rows[at_fault]] = True
                told = dict(
                    zip(rows[at_fault].tolist(), book.sentences(asked_texts.filter(pa.array(at_fault))), strict=True)
                )
                self.faults.append(Fault(name, where, reason, told.__getitem__))
        codes = np.full(len(column), None, object)
        codes[rows] = found.codes.to_numpy(zero_copy_only=False)
        return pc.coalesce(column, pa.array(codes, pa.string()))

    def _industry(self, name: str, column: pa.Array) -> None:
        odd = mask_of(pc.invert(pc.match_substring_regex(column, _INDUSTRY)))
        if odd.any():
            self.notes.append(Note(name, odd, "industry", _NO_INDUSTRY))


def returned(faults: list[Fault]) -> Iterator[tuple[Fault, NDArray[np.int64]]]:
    """Each fault with the rows that it is the first to return."""
    gone: NDArray[np.bool_] | None = None
    for fault in faults:
        gone = np.zeros(len(fault.where), bool) if gone is None else gone
        yield fault, np.flatnonzero(fault.where & ~gone)
        gone |= fault.where
