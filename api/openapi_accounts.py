"""Signing in, accounts and keys in OpenAPI 3.0.3; what can be sent is read off the forms that read it."""

from dataclasses import dataclass
from typing import Any

from api.posted import Form
from api.reply import JSON
from api.routes.emergencies import NewEmergency
from api.routes.me import Code, Passwords
from api.routes.policies import Draft, NewPolicy, Reason
from api.routes.publications import NewProposal, Verdict, Withdrawal
from api.routes.sign_in import Shown
from api.routes.system_keys import NewKey
from api.routes.users import NewUser, Office, Standing
from gis.text import Language, Text

#: By what a caller is known, beside what `api.openapi_exchange` names.
SECURITY: dict[str, dict[str, str]] = {
    "session": {"type": "apiKey", "in": "cookie", "name": "onemap_session"},
}


@dataclass(frozen=True, slots=True)
class _Operation:
    """One thing that can be done at an address; `form` is what is sent, `status` what a success answers.

    `parameters` are taken beside `lang`; what is `guarded` needs the header If-Match.
    """

    method: str
    words: Text
    form: type[Form] | None = None
    status: str = "200"
    is_open: bool = False
    parameters: tuple[str, ...] = ()
    guarded: bool = False


_OPERATIONS: dict[str, tuple[_Operation, ...]] = {
    "/sign-in": (
        _Operation("get", Text("登录方式", "By which ways people sign in"), is_open=True),
        _Operation("post", Text("登录", "Sign in"), Shown, is_open=True),
    ),
    "/sign-out": (_Operation("post", Text("退出", "Sign out"), None, "204", is_open=True),),
    "/me": (_Operation("get", Text("我的身份与权限", "Who I am and what I may see"), is_open=True),),
    "/me/access": (
        _Operation("get", Text("我的权限及依据", "What I may see, and why"), parameters=("collection", "purpose")),
    ),
    "/me/password": (_Operation("post", Text("修改密码", "Change my password"), Passwords, "204"),),
    "/me/second-factor": (
        _Operation("post", Text("开始设置第二因素", "Begin to set up a second factor")),
        _Operation("put", Text("确认第二因素", "Confirm the second factor"), Code),
    ),
    "/me/second-factor/remove": (
        _Operation("post", Text("取消第二因素", "Do without the second factor"), Code, "204"),
    ),
    "/users": (
        _Operation("get", Text("全部账号", "All accounts")),
        _Operation("post", Text("新建账号", "Make an account"), NewUser, "201"),
    ),
    "/users/{name}": (
        _Operation("get", Text("一个账号", "An account")),
        _Operation("patch", Text("停用或启用账号", "Shut or open an account"), Standing),
    ),
    "/users/{name}/role": (_Operation("put", Text("授予角色", "Give the role"), Office),),
    "/users/{name}/reset": (_Operation("post", Text("重置密码", "Reset the password")),),
    "/users/{name}/unlock": (_Operation("post", Text("解除锁定", "Unlock"), None, "204"),),
    "/users/{name}/second-factor": (_Operation("delete", Text("取消其第二因素", "Take the second factor away")),),
    "/users/{name}/access": (
        _Operation("get", Text("其权限及依据", "What it may see, and why"), parameters=("collection", "purpose")),
    ),
    "/policies": (_Operation("get", Text("全部访问策略", "All policies")),),
    "/policies/{collectionId}": (
        _Operation("get", Text("一个访问策略", "A policy")),
        _Operation("put", Text("修改访问策略", "Let another policy hold"), NewPolicy, guarded=True),
    ),
    "/policies/{collectionId}/reset": (
        _Operation("post", Text("恢复声明的策略", "Let the declared policy hold"), Reason, guarded=True),
    ),
    "/policies/{collectionId}/history": (_Operation("get", Text("策略修改记录", "What was changed")),),
    "/policies/{collectionId}/check": (_Operation("post", Text("预览策略效果", "What a policy would mean"), Draft),),
    "/emergencies": (
        _Operation("get", Text("全部紧急状态", "All emergencies")),
        _Operation("post", Text("宣布紧急状态", "Declare an emergency"), NewEmergency, "201"),
    ),
    "/emergencies/{number}/end": (_Operation("post", Text("结束紧急状态", "End an emergency")),),
    "/keys": (
        _Operation("get", Text("全部密钥", "All keys")),
        _Operation("post", Text("签发密钥", "Issue a key"), NewKey, "201"),
    ),
    "/keys/{number}": (_Operation("delete", Text("吊销密钥", "Revoke a key")),),
    "/publications": (
        _Operation("get", Text("公开的数据", "What is published"), is_open=True),
        _Operation("post", Text("提出公开申请", "Propose what is to be published"), NewProposal, "201"),
    ),
    "/publications/{number}/review": (_Operation("post", Text("审核公开申请", "Publish or refuse"), Verdict),),
    "/publications/{number}/refresh": (_Operation("post", Text("更新副本", "Bring a copy up to date")),),
    "/publications/{number}/withdraw": (_Operation("post", Text("撤回副本", "Take a copy away"), Withdrawal),),
}
_IN_PATH: dict[str, dict[str, Any]] = {
    "name": {"type": "string"}, "number": {"type": "integer", "minimum": 0}, "collectionId": {"type": "string"},
}  # fmt: skip


def paths(language: Language) -> dict[str, Any]:
    """Every address of accounts, with what can be done there."""
    return {path: {one.method: _operation(path, one, language) for one in told} for path, told in _OPERATIONS.items()}


def _operation(path: str, told: _Operation, language: Language) -> dict[str, Any]:
    parts = [part.strip("{}") for part in path.split("/") if part]
    answer: dict[str, Any] = {"description": told.words.in_(language)}
    if told.status != "204":
        answer["content"] = {JSON: {"schema": {"type": "object"}}}
    found: dict[str, Any] = {
        "operationId": told.method + "".join(part.title().replace("-", "") for part in parts),
        "summary": told.words.in_(language),
        "parameters": [
            *({"name": p, "in": "path", "required": True, "schema": _IN_PATH[p]} for p in parts if p in _IN_PATH),
            *({"name": p, "in": "query", "schema": {"type": "string"}} for p in told.parameters),
            *(
                [{"name": "If-Match", "in": "header", "required": True, "schema": {"type": "string"}}]
                if told.guarded
                else []
            ),
            {"$ref": "#/components/parameters/lang"},
        ],
        "responses": {told.status: answer, "default": {"$ref": "#/components/responses/problem"}},
    }
    if told.form is not None:
        found["requestBody"] = {"required": True, "content": {JSON: {"schema": _schema(told.form)}}}
    if not told.is_open:
        found["security"] = [{name: []} for name in SECURITY]
    return found


def _schema(form: type[Form]) -> dict[str, Any]:
    schema: dict[str, Any] = _plain(form.model_json_schema())
    return schema


def _plain(part: Any) -> Any:
    """JSON Schema as OpenAPI 3.0 has it: what may be null says so by a member of its own."""
    if isinstance(part, list):
        return [_plain(one) for one in part]
    if not isinstance(part, dict):
        return part
    found = {name: _plain(value) for name, value in part.items() if name not in ("title", "description", "default")}
    others = [one for one in found.pop("anyOf", []) if one.get("type") != "null"]
    return {**others[0], **found, "nullable": True} if others else found
