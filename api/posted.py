"""What a request brings as JSON, read by a declared form: every member known, of its type, nothing else."""

from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import orjson
from fastapi import Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from api.body import body
from api.errors import Unreadable
from gis.errors import BadInput
from gis.text import Text

_MOST_BYTES = 64_000
_SHORTER = Text("请缩短内容", "send less")
#: Moments that anything can be meant to begin or to end at; what is far from them databases tell back as nothing.
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _checked(moment: datetime) -> datetime:
    if not _FIRST <= moment <= _LAST:
        raise ValueError(f"a moment between {_FIRST:%Y} and {_LAST:%Y}")
    return moment


Moment = Annotated[AwareDatetime, Field(strict=False), AfterValidator(_checked)]


class Form(BaseModel):
    """What may be sent."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Sent = TypeVar("Sent", bound=Form)


async def posted(request: Request, form: type[Sent]) -> Sent:
    """The object that was sent. Raises Unreadable, TooLarge; BadInput naming the member at fault, never its value."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    # a form of another server's page can send anything but this
    if kind != "application/json":
        raise Unreadable(415)
    try:
        found = orjson.loads(await body(request, _MOST_BYTES, _SHORTER))
    except orjson.JSONDecodeError:
        raise BadInput("the body is not JSON", "内容不是有效的 JSON") from None
    if not isinstance(found, dict):
        raise BadInput("the body is not a JSON object", "内容不是 JSON 对象")
    if _holds_nul(found):
        raise BadInput("the body holds a character that no text has (U+0000)", "内容含有无效字符(U+0000)")
    try:
        return form.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        name = ".".join(map(str, first["loc"]))[:60]
        there = ", ".join(form.model_fields)
        raise BadInput(
            f"{name}: {first['msg']}; the members are {there}", f"{name} 有误;可用成员:{there}", subject=name
        ) from None


def _holds_nul(found: Any) -> bool:
    """Whether any text holds the one character that the database cannot keep; however deep it lies."""
    left = [found]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left += [*one, *one.values()]
        elif isinstance(one, list):
            left += one
        elif isinstance(one, str) and "\0" in one:
            return True
    return False
