"""Errors on the web: one table from kind to status, one shape (problem+json, RFC 9457), in the reader's language."""

from http import HTTPStatus
from typing import Any

import orjson
from starlette.exceptions import HTTPException

from gis.errors import (
    BadInput,
    BadQuery,
    Conflict,
    Forbidden,
    Gone,
    NotFound,
    NotSignedIn,
    OneMapError,
    SetupError,
    Stale,
    Unavailable,
    Unguarded,
)
from gis.text import Language, Text

MEDIA_TYPE = "application/problem+json"

#: The first class that fits decides.
STATUS: tuple[tuple[type[OneMapError], HTTPStatus], ...] = (
    (BadQuery, HTTPStatus.BAD_REQUEST),
    (BadInput, HTTPStatus.BAD_REQUEST),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Gone, HTTPStatus.GONE),
    (NotSignedIn, HTTPStatus.UNAUTHORIZED),
    (Forbidden, HTTPStatus.FORBIDDEN),
    (Stale, HTTPStatus.PRECONDITION_FAILED),
    (Conflict, HTTPStatus.CONFLICT),
    (Unguarded, HTTPStatus.PRECONDITION_REQUIRED),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (SetupError, HTTPStatus.SERVICE_UNAVAILABLE),
)

#: Seconds after which a question that was turned away for lack of a database may be asked again.
RETRY_AFTER_S = 2

_TITLES = {
    400: Text("请求有误", "The request cannot be understood"),
    401: Text("请先登录", "Sign in first"),
    403: Text("无权访问", "Not allowed"),
    404: Text("未找到", "Not found"),
    405: Text("不支持此方法", "Method not allowed"),
    406: Text("没有此格式", "Not acceptable"),
    410: Text("已不再保留", "No longer kept"),
    409: Text("操作冲突", "Conflict"),
    412: Text("内容已变化", "It has changed meanwhile"),
    413: Text("请求过大", "The request is too large"),
    414: Text("网址过长", "The address is too long"),
    415: Text("不支持此内容类型", "Unsupported kind of content"),
    428: Text("须说明所依据的版本", "It must say which state it changes"),
    429: Text("请求过于频繁", "Too many requests"),
    500: Text("服务器内部错误", "Internal error"),
    503: Text("服务暂不可用", "Not available now"),
}
_OTHER = Text("请求未能完成", "The request was not fulfilled")
_DETAILS = {
    404: Text("此地址没有内容", "There is nothing at this address"),
    405: Text("此地址只能读取(GET、HEAD)", "This address can only be read (GET, HEAD)"),
    500: Text("出现意外错误,已记入日志;请凭请求编号查询", "Something went wrong; it is logged under the request id"),
}


class TooLong(OneMapError):
    """An address beyond what any question needs."""


class TooLarge(OneMapError):
    """A body beyond what this server takes."""


class TooMany(OneMapError):
    """More questions than one caller may ask in so short a time; `wait_s` seconds later it may ask again."""

    def __init__(self, en: str, zh: str, *, wait_s: int) -> None:
        super().__init__(en, zh)
        self.wait_s = wait_s


class Unreadable(OneMapError):
    """A method or a form of answer that an address does not have; `status` is the HTTP one."""

    def __init__(self, status: int) -> None:
        text = _DETAILS.get(status, _OTHER)
        super().__init__(text.en, text.zh)
        self.status = status


def status_of(error: Exception) -> int:
    """The HTTP status of an error; 500 for one that nobody foresaw."""
    if isinstance(error, Unreadable):
        return error.status
    if isinstance(error, TooLong):
        return HTTPStatus.REQUEST_URI_TOO_LONG
    if isinstance(error, TooLarge):
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    if isinstance(error, TooMany):
        return HTTPStatus.TOO_MANY_REQUESTS
    if isinstance(error, HTTPException):
        return error.status_code
    return next((status for kind, status in STATUS if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)


def problem(error: Exception, language: Language, instance: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an error's answer. Nothing of an unforeseen error's own text is told."""
    status = int(status_of(error))
    detail = error.text if isinstance(error, OneMapError) else _DETAILS.get(status, _OTHER)
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": _TITLES.get(status, _OTHER).in_(language),
        "status": status,
        "detail": detail.in_(language),
        "instance": instance,
    }
    if isinstance(error, OneMapError) and error.subject:
        body["subject"] = error.subject
    headers = {"content-type": MEDIA_TYPE, "content-language": language, "cache-control": "no-store"}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["retry-after"] = str(RETRY_AFTER_S)
    if isinstance(error, TooMany):
        headers["retry-after"] = str(error.wait_s)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = 'Bearer realm="OneMap"'
    return status, headers, orjson.dumps(body)
