"""Records of a directory file as entries: every word checked, every fault told with sheet, row and field."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from gis.catalog import Sensitivity
from gis.errors import BadInput
from gis.exchange.directory.entries import DataItem, Entry, InformationClass, Request, key_of
from gis.exchange.directory.sheets import COLUMNS, DirectoryFile, Record
from gis.exchange.directory.words import ItemType, Period, Share, Subject, read_word, titles
from gis.text import Text

#: Codes stand in file names, addresses and SQL values of other systems.
_CODE_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")
_LONGEST_CODE = 64
_TOLD = 10
_YES, _NO = frozenset({"是", "yes", "y", "true", "1"}), frozenset({"", "否", "no", "n", "false", "0"})
E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where a person finds it: the sheet, the row of it, the column's title."""

    sheet: str
    row: int
    field: str
    text: Text

    @property
    def sentence(self) -> Text:
        """The fault with its place."""
        return Text(
            f"{self.sheet} 第 {self.row} 行「{self.field}」:{self.text.zh}",
            f"{self.sheet} row {self.row}, {self.field}: {self.text.en}",
        )


class Unreadable(Exception):
    """A text that cannot be a field's value."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


def read_entries(file: DirectoryFile, kind: type[E], faults: list[Fault]) -> dict[tuple[str, ...], E]:
    """The entries of a kind by their whole key; rows at fault are left out and told in `faults`."""
    found: dict[tuple[str, ...], E] = {}
    rows: dict[tuple[str, ...], int] = {}
    for record in file.records[kind]:  # type: ignore[index]
        entry = _entry(file, kind, record, faults)
        if entry is None:
            continue
        key = key_of(entry)  # type: ignore[arg-type]
        if key in found:
            faults.append(_again(file, kind, record, rows[key], key))
            continue
        found[key], rows[key] = entry, record.row
    return found


def refuse(file: DirectoryFile, faults: list[Fault]) -> None:
    """Raise BadInput that tells the first faults and how many there are, where there are any."""
    if not faults:
        return
    told = [fault.sentence for fault in faults[:_TOLD]]
    more = len(faults) - len(told)
    raise BadInput(
        f"{file.path.name} was not applied: " + "; ".join(t.en for t in told) + (f"; and {more} more" if more else ""),
        f"{file.path.name} 未应用:" + ";".join(t.zh for t in told) + (f";另有 {more} 处" if more else ""),
        subject=f"{faults[0].sheet} {faults[0].row} {faults[0].field}",
    )


def shown(kind: type[Entry], field: str) -> str:
    """The title under which people know a field."""
    return COLUMNS[kind][field][0]


def _entry(file: DirectoryFile, kind: type[E], record: Record, faults: list[Fault]) -> E | None:
    values: dict[str, Any] = {}
    before = len(faults)
    for f in fields(kind):  # type: ignore[arg-type]
        text = record.texts.get(f.name, "")
        try:
            if text or f.default is MISSING:
                values[f.name] = _value(f.name, text)
        except Unreadable as error:
            faults.append(_fault(file, kind, record, f.name, error.text))
    if len(faults) > before:
        return None
    entry = kind(**values)
    if isinstance(entry, DataItem) and entry.share is not Share.FREE and not entry.terms:
        faults.append(_fault(file, kind, record, "terms", _NO_TERMS))
        return None
    return entry


#: 政务信息资源共享管理暂行办法 (国发〔2016〕51号) articles 9 and 10.
_NO_TERMS = Text(
    "有条件共享须写明条件,不予共享须写明依据",
    "what is shared on conditions states them, what is not shared states the ground",
)


def _value(name: str, text: str) -> Any:
    if not text:
        raise Unreadable("is missing", "缺失")
    reader = _READERS.get(name)
    return text if reader is None else reader(text)


def _code(text: str) -> str:
    if not set(text) <= _CODE_CHARACTERS or len(text) > _LONGEST_CODE:
        raise Unreadable(
            f"{text[:80]!r} cannot be a code: letters, digits, '_', '-' and '.', at most {_LONGEST_CODE}",
            f"{text[:80]!r} 不能作编码:只用字母、数字、_、-、.,最多 {_LONGEST_CODE} 位",
        )
    return text


def _word(kind: type[StrEnum]) -> Callable[[str], StrEnum]:
    def read(text: str) -> StrEnum:
        word = read_word(kind, text)
        if word is None:
            raise Unreadable(
                f"{text!r} is none of {titles(kind)} ({', '.join(kind)})", f"{text!r} 不在可选值之中:{titles(kind)}"
            )
        return word

    return read


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.replace("/", "-").replace(".", "-"))
    except ValueError:
        raise Unreadable(f"{text!r} is no day; write 2026-01-31", f"{text!r} 不是日期,请写成 2026-01-31") from None


def _yes(text: str) -> bool:
    if text.casefold() not in _YES | _NO:
        raise Unreadable(f"{text!r} is neither 是 nor 否", f"{text!r} 应为 是 或 否")
    return text.casefold() in _YES


_READERS: Mapping[str, Callable[[str], Any]] = {
    "code": _code, "department": _code, "information_class": _code, "item": _code, "owner": _code, "element": _code,
    "subject": _word(Subject), "period": _word(Period), "type": _word(ItemType), "sensitivity": _word(Sensitivity),
    "share": _word(Share), "begins": _day, "asked_on": _day, "identifying": _yes,
}  # fmt: skip


def _again(file: DirectoryFile, kind: type[Any], record: Record, first: int, key: tuple[str, ...]) -> Fault:
    code = ", ".join(key)
    return _fault(
        file, kind, record, kind.key[-1], Text(f"{code} 在第 {first} 行已有", f"{code} stands in row {first} already")
    )


def _fault(file: DirectoryFile, kind: type[Any], record: Record, field: str, text: Text) -> Fault:
    return Fault(file.sheets[kind], record.row, shown(kind, field), text)


def row_of(file: DirectoryFile, entry: InformationClass | DataItem | Request) -> int:
    """The row that an entry came from; 0 where it is not of this file."""
    kind = type(entry)
    for record in file.records.get(kind, ()):
        if tuple(record.texts.get(name, "") for name in kind.key) == key_of(entry):
            return record.row
    return 0
