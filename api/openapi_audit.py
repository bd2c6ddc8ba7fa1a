"""The search of the trace in OpenAPI 3.0.3."""

from typing import Any

from api.reply import JSON
from api.routes.audit import DEFAULT_LIMIT, EXACT, MAX_ROWS
from api.routes.exchange_returned import XLSX
from gis.access.trace import OUTCOMES
from gis.text import Language, Text

_WORDS = Text("查询审计日志(仅限审计管理员)", "The trace searched, by the audit administrator alone")
_TEXT: dict[str, Any] = {"type": "string"}
_BINARY = {"type": "string", "format": "binary"}
#: The parameters beside those that compare whole words.
_PARAMETERS: dict[str, tuple[Text, dict[str, Any]]] = {
    "from": (Text("起始日期(上海)或时刻", "From this day (Shanghai) or instant on"), _TEXT),
    "to": (Text("截止日期或时刻(含)", "Up to this day or instant"), _TEXT),
    "limit": (
        Text("条数", "Entries"),
        {"type": "integer", "minimum": 1, "maximum": MAX_ROWS, "default": DEFAULT_LIMIT},
    ),
    "next": (Text("翻页标记,见 next 链接", "Where the page before ended; from a next link"),
             {"type": "integer", "minimum": 1}),
    "f": (Text("格式", "Form of the answer"), {"type": "string", "enum": ["json", "csv", "xlsx"]}),
}  # fmt: skip


def paths(language: Language) -> dict[str, Any]:
    """The one address."""
    exact = [_parameter(name, Text("等于", "Equal to"), _schema(name), language) for name in EXACT]
    others = [_parameter(name, *said, language) for name, said in _PARAMETERS.items()]
    content = {JSON: {"schema": {"type": "object"}}, "text/csv": {"schema": _BINARY}, XLSX: {"schema": _BINARY}}
    return {
        "/audit": {
            "get": {
                "operationId": "getAudit",
                "summary": _WORDS.in_(language),
                "parameters": [*exact, *others, {"$ref": "#/components/parameters/lang"}],
                "responses": {
                    "200": {"description": _WORDS.in_(language), "content": content},
                    "default": {"$ref": "#/components/responses/problem"},
                },
                "security": [{"session": []}],
            }
        }
    }


def _schema(name: str) -> dict[str, Any]:
    return {**_TEXT, "enum": list(OUTCOMES)} if name == "outcome" else _TEXT


def _parameter(name: str, words: Text, schema: dict[str, Any], language: Language) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": words.in_(language), "schema": schema}
