"""The scorecard as the content of a page: words, columns and rows in one language, for whatever draws it."""

from typing import Any

from gis.exchange.scorecard.card import SCORES, Line, Scorecard
from gis.exchange.scorecard.figure import STANDARD
from gis.text import Language, Text

_TITLE = Text("部门数据归集评分", "Scorecard of departments")
_COLUMNS = {
    "department": Text("部门", "Department"),
    "title": Text("信息类", "Class"),
    "deliveries": Text("报送次数", "Deliveries"),
    "rows": Text("行数", "Rows"),
    "accepted_share": Text("入库率", "Accepted"),
    "quantity": Text("数量", "Quantity"),
    "quality": Text("质量", "Quality"),
    "timeliness": Text("更新", "Timeliness"),
    "use": Text("利用", "Use"),
    "questions": Text("被查询次数", "Questions"),
}
_DEFINITIONS = {
    "quantity": Text(
        "已报非空数据格 ÷(行数 × 目录中应归集的数据项数)",
        "non-empty cells delivered, of rows times the data items that the directory lists",
    ),
    "quality": Text(
        "100 减去每百行中按权重计的错误:本行有误计 1,部门间不一致计 0.5,地址过粗计 0.25",
        "100 less the weighted faults in a hundred rows: 1 for a row at fault, 0.5 where departments differ,"
        " 0.25 for a coarse address",
    ),
    "timeliness": Text(
        "最近一次报送未超过归集周期的天数占比", "share of days on which the last delivery was within its period"
    ),
    "use": Text(
        "实际查询过的使用方 ÷ 提出需求或查询过的使用方", "consumers that asked, of those that requested or asked"
    ),
}


def page(card: Scorecard, language: Language = "zh") -> dict[str, Any]:
    """Title, span, columns, definitions and rows; a row of a department comes before those of its classes.

    A score is a number from 0 to 100, or None where there was nothing to judge, which is not 0.
    """
    rows: list[dict[str, Any]] = []
    for department in card.departments:
        rows.append(_row(department, language))
        rows += [_row(line, language) for line in card.classes if line.department == department.department]
    return {
        "title": _TITLE.in_(language),
        "since": card.since.isoformat(),
        "until": card.until.isoformat(),
        "standard": STANDARD,
        "directory_version": card.directory_version,
        "columns": [{"name": name, "title": title.in_(language)} for name, title in _COLUMNS.items()],
        "definitions": [
            {"name": name, "title": _COLUMNS[name].in_(language), "text": text.in_(language)}
            for name, text in _DEFINITIONS.items()
        ],
        "rows": rows,
    }


def _row(line: Line, language: Language) -> dict[str, Any]:
    return {
        "level": "class" if line.information_class else "department",
        "code": line.information_class or line.department,
        "department": line.department_title.in_(language),
        "title": line.title.in_(language),
        "deliveries": line.deliveries,
        "rows": line.rows,
        "accepted_share": round((line.accepted + line.unchanged) / line.rows, 4) if line.rows else None,
        "questions": sum(asked.questions for asked in line.asked.values()),
        **{name: getattr(line, name).value for name in SCORES},
    }
