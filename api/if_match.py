"""Which state of a thing a change is meant for: the entity tag that its reader was given (RFC 9110, 13.1.1).

The part of a tag before its dot says which state, what is behind it in which form that was told.
"""

import re
from collections.abc import Callable

from fastapi import Request

from gis.errors import Unguarded

_TAG = re.compile(r'(?:W/)?"([0-9a-f]+)\.[^"]*"')


def meant_by(request: Request) -> Callable[[str], bool]:
    """Whether a tag is of a state that the request means. Raises Unguarded where it does not say."""
    said = request.headers.get("if-match", "").strip()
    if not said:
        raise Unguarded(
            "say which state is to be changed: send the ETag with which it was read as If-Match",
            "须说明所修改的版本:请把读取时得到的 ETag 作为 If-Match 发送",
            subject="If-Match",
        )
    states = set(_TAG.findall(said))
    return lambda tag: said == "*" or tag.strip('"').partition(".")[0] in states
