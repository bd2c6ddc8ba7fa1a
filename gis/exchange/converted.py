"""A column in its field's type: the array, the values that did not fit, and what must be said of the others."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.text import Text

#: What Excel shows in a cell whose formula failed; it is no value.
ERROR_CELLS = ("#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#DIV/0!", "#CALC!", "#SPILL!", "#FIELD!")
#: What fields that are no text take for "no value".
MISSING_WORDS = ("-", "--", "—", "——", "/", "\\", "\\N", "无", "暂无", "空", "null", "none", "nan", "n/a", "na",
                 "<null>", "(null)", "未知", "不详", "nat")  # fmt: skip

ERROR_CELL = Text("公式错误值", "a formula's error")


@dataclass(frozen=True, slots=True)
class Fault:
    """Values that could not be taken (`where` is a mask over the column) and why; they are null in the array."""

    where: NDArray[np.bool_]
    reason: str
    text: Text


@dataclass(frozen=True, slots=True)
class Remark:
    """How some values of a column were understood: said once for a file."""

    kind: str
    text: Text
    sure: bool = True


@dataclass(slots=True)
class Converted:
    """A column in its field's type, with faults and remarks."""

    array: pa.Array
    faults: list[Fault] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    def fault(self, where: pa.Array | NDArray[np.bool_], reason: str, text: Text) -> None:
        """Note a fault if it has any value."""
        mask = mask_of(where)
        if mask.any():
            self.faults.append(Fault(mask, reason, text))

    def remark(self, kind: str, zh: str, en: str, *, sure: bool = True) -> None:
        """Note a remark."""
        self.remarks.append(Remark(kind, Text(zh, en), sure))

    def with_array(self, array: pa.Array) -> "Converted":
        """The same faults and remarks with another array."""
        return Converted(array, self.faults, self.remarks)


def mask_of(where: pa.Array | NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask as numpy has it; null is False."""
    if isinstance(where, np.ndarray):
        return where
    return np.asarray(pc.fill_null(where, False).to_numpy(zero_copy_only=False))


def without_gaps(texts: pa.Array) -> Converted:
    """Texts of a field that is no text: trimmed, half-width, with words for "no value" and errors made null."""
    text = pc.utf8_trim_whitespace(pc.utf8_normalize(texts, form="NFKC"))
    errors = pc.is_in(text, value_set=pa.array(ERROR_CELLS))
    absent = pc.is_in(pc.utf8_lower(text), value_set=pa.array(MISSING_WORDS))
    gone = pc.or_(pc.or_(errors, absent), pc.equal(text, ""))
    found = Converted(pc.if_else(gone, pa.scalar(None, pa.string()), text))
    found.fault(errors, "error-cell", ERROR_CELL)
    said_absent = mask_of(pc.and_(absent, pc.is_valid(text)))
    if said_absent.any():
        word = text[int(np.flatnonzero(said_absent)[0])].as_py()
        found.remark("missing", f"“{word}”等视为没有值", f"{word!r} and the like are read as no value")
    return found


def by_word(texts: pa.Array, meaning: Callable[[str], object], kind: pa.DataType) -> pa.Array:
    """Each text replaced by what its word means, asked once for each different word; None becomes null."""
    indexed = texts.dictionary_encode()
    words: Iterable[str] = indexed.dictionary.to_pylist()
    return pa.array([meaning(word) for word in words], kind).take(indexed.indices)
