"""Rows that come as JSON, written out as a CSV in UTF-8, so that they pass the same door as a file.

`{"rows": [{"姓名": "…", "citizen_id": "…"}, …]}`; values are texts, numbers, true, false or null. Numbers keep the
digits that they were written with. Read piece by piece, twice: for the columns, and for the rows.
"""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gis.errors import BadInput
from gis.exchange.readers.json_stream import JsonStream
from gis.exchange.readers.text import BROKEN

MOST_COLUMNS = 1_000
_PIECE_CHARACTERS = 1 << 16
_MEMBER = "rows"


def write_csv(given: Path, into: Path) -> int:
    """Write the rows of a JSON document as a CSV with a header; returns how many. Raises BadInput naming the row."""
    columns: dict[str, None] = {}
    for number, row in _rows(given):
        columns |= dict.fromkeys(row)
        if len(columns) > MOST_COLUMNS:
            raise _refused(number, f"there are more than {MOST_COLUMNS} different names", f"字段超过 {MOST_COLUMNS} 个")
    if not columns:
        raise BadInput("there are no rows", "没有数据行", subject=_MEMBER)
    count = 0
    with into.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(columns)
        for _, row in _rows(given):
            writer.writerow([row.get(name, "") for name in columns])
            count += 1
    return count


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows with their numbers from 1, their values as texts."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        stream = _Posted(iter(lambda: file.read(_PIECE_CHARACTERS), ""), _MEMBER)
        try:
            for number, row in enumerate(_members(stream), 1):
                yield number, _texts(number, row)
        except UnicodeDecodeError as error:
            raise BadInput("the body is not UTF-8", "请求内容不是 UTF-8 编码", subject=_MEMBER) from error


def _members(stream: JsonStream) -> Iterator[Any]:
    """The array of the member `rows`, which is the only one."""
    stream.expect("{")
    if stream.peek() != '"' or stream.value() != _MEMBER:
        raise BadInput('the body is {"rows": [{…}, …]}', '请求内容应为 {"rows": [{…}, …]}', subject=_MEMBER)
    stream.expect(":")
    yield from stream.items()
    stream.expect("}")
    if stream.peek():
        raise BadInput("something follows the rows", "rows 之后还有多余内容", subject=_MEMBER)


class _Posted(JsonStream):
    """JSON whose numbers stay the texts that they are, so that no digit of an id number is lost."""

    def __init__(self, pieces: Iterator[str], subject: str) -> None:
        super().__init__(pieces, subject)
        self._decoder = json.JSONDecoder(
            parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=self._object
        )

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = ", ".join(found)[:80]
            raise BadInput(
                f"a name is given twice in a row with {names}", f"一行中有重复的字段名:{names}", subject=_MEMBER
            )
        return found

    def _broken(self, en: str, zh: str) -> BadInput:
        return BadInput(f"the body is no JSON: {en}", f"请求内容不是有效的 JSON:{zh}", subject=self.subject)


def _texts(number: int, row: Any) -> dict[str, str]:
    if not isinstance(row, dict) or not row:
        raise _refused(number, "it is no object with values", "不是含有值的对象")
    texts = {" ".join(name.split()): _text(number, name, value) for name, value in row.items()}
    if len(texts) < len(row) or "" in texts:
        raise _refused(number, "it has empty names, or names that differ by spaces only", "字段名为空或重复")
    if not any(text.strip() for text in texts.values()):
        raise _refused(number, "it has no value", "没有任何值")
    return texts


def _text(number: int, name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise _refused(number, f"{name[:40]!r} holds a list or an object", f"{name[:40]!r} 的值是数组或对象")
    if "\0" in value or BROKEN in value:
        raise _refused(number, f"{name[:40]!r} holds half a character or NUL", f"{name[:40]!r} 含有残缺字符或空字符")
    return value


def _refused(number: int, en: str, zh: str) -> BadInput:
    return BadInput(f"row {number}: {en}", f"第 {number} 行:{zh}", subject=f"{_MEMBER}[{number - 1}]")
