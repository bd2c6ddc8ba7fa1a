"""A directory file as sheets of records: JSON as programs write it, a workbook as bureaus hand it over.

A sheet's records are texts by field; what they mean is decided in `gis.exchange.directory.reading`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from gis.errors import BadInput
from gis.exchange.column_names import normal
from gis.exchange.directory.entries import DataItem, Department, Entry, InformationClass, Request
from gis.exchange.readers.header import SEARCH_ROWS, find_header
from gis.exchange.readers.workbook import Sheet, load_sheets

#: For each kind of entry, its name in JSON, the names of its sheet, and the column titles of each field.
JSON_NAMES: Mapping[type[Entry], str] = {
    Department: "departments", InformationClass: "classes", DataItem: "items", Request: "requests",
}  # fmt: skip
_REGISTERS = "registers"
SHEET_NAMES: Mapping[type[Entry], tuple[str, ...]] = {
    Department: ("部门", "部门表", "departments"),
    InformationClass: ("信息类", "信息资源", "信息类表", "classes"),
    DataItem: ("数据项", "信息项", "数据项表", "items"),
    Request: ("需求", "共享需求", "需求清单", "requests"),
}
COLUMNS: Mapping[type[Entry], Mapping[str, tuple[str, ...]]] = {
    Department: {
        "code": ("部门编码", "部门代码", "编码", "代码"),
        "title_zh": ("部门名称", "名称", "部门"),
        "title_en": ("英文名称", "英文名"),
    },
    InformationClass: {
        "code": ("信息类编码", "信息类代码", "编码", "代码"),
        "department": ("部门编码", "提供部门", "责任部门", "部门"),
        "title_zh": ("信息类名称", "名称", "信息类"),
        "title_en": ("英文名称", "英文名"),
        "subject": ("主题", "所属主题", "基础库"),
        "period": ("归集周期", "更新周期", "周期"),
        "begins": ("起始日期", "归集起始日期", "启用日期"),
        "register": ("登记库", "归集到", "数据集"),
    },
    DataItem: {
        "code": ("数据项编码", "数据项代码", "编码", "代码"),
        "information_class": ("信息类编码", "信息类代码", "信息类", "所属信息类"),
        "title_zh": ("数据项名称", "名称", "数据项"),
        "title_en": ("英文名称", "英文名"),
        "type": ("数据类型", "类型"),
        "meaning_zh": ("含义", "说明", "释义"),
        "meaning_en": ("英文含义", "英文说明"),
        "unit": ("计量单位", "单位"),
        "sensitivity": ("敏感级别", "敏感程度", "密级"),
        "share": ("共享类型", "共享属性", "共享条件"),
        "terms": ("条件说明", "共享条件说明", "不予共享依据", "共享说明"),
        "period": ("归集周期", "更新周期", "周期"),
        "owner": ("责任部门", "采集部门"),
        "identifying": ("标识项", "是否标识项", "是否标识"),
        "element": ("标准数据元", "数据元标识符", "数据元编号"),
        "field": ("登记字段", "字段"),
    },
    Request: {
        "department": ("需求部门", "申请部门", "部门"),
        "item": ("数据项编码", "数据项代码", "数据项"),
        "purpose": ("用途", "使用目的", "需求事由"),
        "asked_on": ("提出日期", "申请日期", "日期"),
    },
}


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a sheet: the row number that a person sees (in JSON: the place in the list, from 1), its texts."""

    row: int
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DirectoryFile:
    """A file's records by kind, a kind that it does not hold left out; `sheets` are their names for messages.

    `registers` are declarations as JSON holds them, None where the file has no list of them.
    """

    path: Path
    records: Mapping[type[Entry], list[Record]]
    sheets: Mapping[type[Entry], str]
    registers: list[Any] | None = None


def open_directory(path: Path) -> DirectoryFile:
    """The records of a directory file, .json or a workbook. Raises BadInput for a file that is neither."""
    if not path.is_file():
        raise BadInput(f"there is no file {path}", f"没有文件 {path}", subject=str(path))
    return _open_json(path) if path.suffix.lower() == ".json" else _open_workbook(path)


def _open_json(path: Path) -> DirectoryFile:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise BadInput(
            f"{path.name} is not JSON: {error}", f"{path.name} 不是有效的 JSON:{error}", subject=str(path)
        ) from error
    known = {*JSON_NAMES.values(), _REGISTERS}
    if not isinstance(content, dict) or not known & content.keys():
        raise BadInput(
            f"{path.name} is no directory: it should hold lists named {', '.join(sorted(known))}",
            f"{path.name} 不是目录文件:应包含名为 {'、'.join(sorted(known))} 的列表",
            subject=str(path),
        )
    for name, value in content.items():
        if name not in known or not isinstance(value, list):
            raise BadInput(
                f"{path.name}: {name!r} is not a list that a directory has ({', '.join(sorted(known))})",
                f"{path.name}:{name!r} 不是目录应有的列表({'、'.join(sorted(known))})",
                subject=name,
            )
    held = {kind: name for kind, name in JSON_NAMES.items() if name in content}
    records = {
        kind: [_record(path, kind, n, one) for n, one in enumerate(content[name], start=1)]
        for kind, name in held.items()
    }
    return DirectoryFile(path, records, held, content.get(_REGISTERS))


def _record(path: Path, kind: type[Entry], row: int, content: Any) -> Record:
    """One entry of a JSON list; a title in both languages becomes two texts."""
    flat: dict[str, Any] = {}
    for name, value in content.items() if isinstance(content, dict) else ():
        flat |= {f"{name}_{language}": v for language, v in value.items()} if isinstance(value, dict) else {name: value}
    wrong = [n for n, v in flat.items() if n not in COLUMNS[kind] or not isinstance(v, str | int | float | None)]
    if wrong or not isinstance(content, dict):
        what = wrong[0] if wrong else str(content)[:40]
        raise BadInput(
            f"{path.name}, {JSON_NAMES[kind]} {row}: {what!r} is nothing that an entry has",
            f"{path.name} 的 {JSON_NAMES[kind]} 第 {row} 项:不应有 {what!r}",
            subject=str(what),
        )
    return Record(row, {name: "" if value is None else str(value).strip() for name, value in flat.items()})


def _open_workbook(path: Path) -> DirectoryFile:
    sheets = {sheet.name: sheet for sheet in load_sheets(path)}
    found: dict[type[Entry], Sheet] = {}
    for kind, names in SHEET_NAMES.items():
        for name, sheet in sheets.items():
            if normal(name) in map(normal, names):
                found.setdefault(kind, sheet)
    if not found:
        wanted = "、".join(names[0] for names in SHEET_NAMES.values())
        raise BadInput(
            f"{path.name} has no sheet of a directory ({wanted}); it has {', '.join(sheets)}",
            f"{path.name} 中没有目录工作表({wanted});现有:{'、'.join(sheets)}",
            subject=str(path),
        )
    records = {kind: _sheet_records(path, kind, sheet) for kind, sheet in found.items()}
    return DirectoryFile(path, records, {kind: sheet.name for kind, sheet in found.items()})


def _sheet_records(path: Path, kind: type[Entry], sheet: Sheet) -> list[Record]:
    rows = list(sheet.rows())
    header = find_header(rows[:SEARCH_ROWS], f"{path.name} {sheet.name}")
    fields = _fields(path, kind, sheet.name, header.columns)
    records = []
    for index, row in enumerate(islice(rows, header.data, None), start=header.data + 1):
        texts = {field: row[column].strip() for field, column in fields.items()}
        if any(texts.values()):
            records.append(Record(index, texts))
    return records


def _fields(path: Path, kind: type[Entry], sheet: str, columns: tuple[str, ...]) -> dict[str, int]:
    """The column of each field; a title that two fields go by belongs to the one that it names first."""
    names = [normal(column) for column in columns]
    found: dict[str, int] = {}
    longest = max(len(aliases) for aliases in COLUMNS[kind].values())
    for rank in range(-1, longest):
        for field, aliases in COLUMNS[kind].items():
            title = field if rank < 0 else aliases[rank] if rank < len(aliases) else None
            if field in found or title is None or normal(title) not in names:
                continue
            column = names.index(normal(title))
            if column not in found.values():
                found[field] = column
    lost = [columns[i] for i in range(len(columns)) if i not in found.values()]
    if lost:
        raise BadInput(
            f"{path.name}, sheet {sheet}: column {lost[0]!r} is not known; known are "
            f"{', '.join(aliases[0] for aliases in COLUMNS[kind].values())}",
            f"{path.name} 工作表 {sheet}:不认识列 {lost[0]!r};可用列:"
            f"{'、'.join(aliases[0] for aliases in COLUMNS[kind].values())}",
            subject=lost[0],
        )
    return found
