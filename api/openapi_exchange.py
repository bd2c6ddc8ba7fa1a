"""The exchange in OpenAPI 3.0.3: its addresses, parameters, bodies, and the key that most of them need."""

from dataclasses import dataclass, field
from typing import Any

from api.parameters import MAX_LIMIT
from api.reply import HTML, JSON
from gis.exchange.delivery import ledger, tasks
from gis.text import Language, Text

_TEXT: dict[str, Any] = {"type": "string"}
_FLAG = {"type": "string", "enum": ["true", "false"], "default": "false"}
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_BINARY = {"type": "string", "format": "binary"}

#: Parameters that only the exchange has; `state` is another for deliveries and for tasks.
_PARAMETERS: dict[str, tuple[Text, dict[str, Any]]] = {
    "register": (Text("登记库,如 base.persons", "Register, e.g. base.persons"), _TEXT),
    "department": (Text("部门代码;数据中心可选任一部门", "Department's code; the data centre names any"), _TEXT),
    "class": (Text("信息类代码", "Code of an information class"), _TEXT),
    "delivery-state": (Text("批次状态", "State of a delivery"), {"type": "string", "enum": list(ledger.STATES)}),
    "task-state": (Text("处理状态", "State of a task"), {"type": "string", "enum": list(tasks.STATES)}),
    "reason": (Text("退回原因", "Reason"), {"type": "string", "enum": list(tasks.REASONS)}),
    "overdue": (Text("只看逾期未处理的", "Only open tasks whose day has passed"), _FLAG),
    "mode": (
        Text("全量、增量或自动判断", "All that there is, changes only, or as the file shows"),
        {"type": "string", "enum": list(ledger.MODES), "default": "auto"},
    ),
    "date": (Text("数据日期(上海)或时刻,默认为现在", "Day (Shanghai) or instant for which the data speak"), _TEXT),
    "file": (Text("文件名", "Name of the file"), _TEXT),
    "allow-ends": (Text("允许注销超过五分之一", "A full delivery may end more than a fifth"), _FLAG),
    "on": (
        Text("截至日期,默认为今天", "The last day that counts, today by default"),
        {"type": "string", "format": "date"},
    ),
    "days": (
        Text("统计天数", "How many days count"),
        {"type": "integer", "minimum": 1, "maximum": 3660, "default": 365},
    ),
    "page-limit": (
        Text("每页条数", "Entries a page"),
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
    ),
}
#: Components whose parameter has a shorter name.
_NAMED = {"delivery-state": "state", "task-state": "state", "page-limit": "limit"}
_PAGE = ("page-limit", "offset")
_ROWS = {
    "type": "object",
    "required": ["rows"],
    "additionalProperties": False,
    "properties": {"rows": {"type": "array", "minItems": 1, "items": {"type": "object", "minProperties": 1}}},
}
_FILES = ("text/csv", _XLSX, "application/vnd.apache.parquet", "application/octet-stream")


@dataclass(frozen=True, slots=True)
class _Operation:
    """One thing that can be asked or done at an address."""

    method: str
    words: Text
    parameters: tuple[str, ...] = ()
    answers: tuple[str, ...] = (JSON,)
    status: str = "200"
    is_open: bool = False
    body: dict[str, Any] = field(default_factory=dict)


_GET_TASKS = ("register", "department", "task-state", "reason", "overdue", *_PAGE)
_DIRECTORY = "/exchange/directory"

PATHS: dict[str, tuple[_Operation, ...]] = {
    "/exchange": (_Operation("get", Text("部门交换页面", "The clerks' page"), (), (HTML,), is_open=True),),
    "/exchange/me": (_Operation("get", Text("密钥所属部门", "Whose key it is")),),
    "/exchange/registers": (_Operation("get", Text("可报送的登记库", "Registers that take deliveries")),),
    "/exchange/deliveries": (
        _Operation("get", Text("报送批次", "Deliveries"), ("register", "department", "delivery-state", *_PAGE)),
        _Operation(
            "post",
            Text("报送文件或数据行", "Hand over a file, or rows"),
            ("register", "department", "mode", "date", "file", "allow-ends"),
            status="202",
            body={**{kind: {"schema": _BINARY} for kind in _FILES}, JSON: {"schema": _ROWS}},
        ),
    ),
    "/exchange/deliveries/{deliveryId}": (_Operation("get", Text("一个批次", "A delivery")),),
    "/exchange/deliveries/{deliveryId}/withdraw": (_Operation("post", Text("撤回批次", "Take a delivery back")),),
    "/exchange/deliveries/{deliveryId}/returned": (
        _Operation("get", Text("该批次的退回行", "Returned rows of a delivery"), _GET_TASKS, (JSON, _XLSX)),
    ),
    "/exchange/returned": (_Operation("get", Text("退回任务", "Returned rows as tasks"), _GET_TASKS),),
    "/exchange/returned/{taskId}": (_Operation("get", Text("一项退回任务", "A task with its row")),),
    "/exchange/facts/{registerId}/{entityId}": (
        _Operation("get", Text("一个对象每项数据的来源", "Where each fact of an entity comes from")),
    ),
    _DIRECTORY: (_Operation("get", Text("信息资源目录", "The directory"), is_open=True),),
    **{
        f"{_DIRECTORY}/{name}": (_Operation("get", words, ("department", "class", *_PAGE), is_open=True),)
        for name, words in (
            ("departments", Text("部门", "Departments")),
            ("classes", Text("信息类", "Information classes")),
            ("items", Text("数据项", "Data items")),
        )
    },
    "/exchange/scorecard": (
        _Operation("get", Text("部门评分", "Scorecard of departments"), ("on", "days"), (JSON, HTML), is_open=True),
    ),
    **{
        f"{_DIRECTORY}/{name}": (_Operation("get", words, _PAGE, is_open=True),)
        for name, words in (
            ("overdue", Text("逾期未报", "Overdue deliveries")),
            ("double", Text("重复采集", "Collected twice")),
            ("absent", Text("有需求未提供", "Asked for, never delivered")),
        )
    },
}

SECURITY = {"key": {"type": "http", "scheme": "bearer"}}


def paths(language: Language) -> dict[str, Any]:
    """The addresses with all that can be asked and done there."""
    return {
        path: {one.method: _operation(path, one, language) for one in operations} for path, operations in PATHS.items()
    }


def parameters(language: Language) -> dict[str, Any]:
    """What the operations refer to."""
    found: dict[str, Any] = {
        name: {
            "name": _NAMED.get(name, name), "in": "query", "required": False, "description": words.in_(language),
            "schema": schema,
        }
        for name, (words, schema) in _PARAMETERS.items()
    }  # fmt: skip
    numbers = {"type": "integer", "minimum": 1}
    for name, schema in (("deliveryId", numbers), ("taskId", numbers), ("entityId", numbers), ("registerId", _TEXT)):
        found[name] = {"name": name, "in": "path", "required": True, "schema": schema}
    return found


def _operation(path: str, one: _Operation, language: Language) -> dict[str, Any]:
    in_path = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    names = "".join(part.strip("{}").capitalize() for part in path.split("/"))
    found: dict[str, Any] = {
        "operationId": f"{one.method}{names}",
        "summary": one.words.in_(language),
        "parameters": [_ref("parameters", name) for name in (*in_path, *one.parameters, "lang", "f")],
        "responses": {
            one.status: {
                "description": one.words.in_(language),
                "content": {kind: {"schema": {} if kind == JSON else _BINARY} for kind in one.answers},
            },
            "default": _ref("responses", "problem"),
        },
    }
    if not one.is_open:
        found["security"] = [{"key": []}]
    if one.body:
        found["requestBody"] = {"required": True, "content": one.body}
    return found


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}
