"""Where a page ended, as one opaque word in the link to the next."""

import base64
from datetime import UTC, datetime, timedelta

from gis.errors import BadQuery

_LARGEST_FID = 2**53 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def after_token(after: tuple[int, datetime | None]) -> str:
    """The key of a page's last row: its fid and when it became valid (None: it always was)."""
    fid, start = after
    ticks = "" if start is None else (start - _EPOCH) // _TICK
    return base64.urlsafe_b64encode(f"{fid}.{ticks}".encode()).decode().rstrip("=")


def read_after(token: str) -> tuple[int, datetime | None]:
    """The key in a token. Raises BadQuery for a word that no page gave."""
    try:
        fid, _, ticks = base64.b64decode(token.encode() + b"==", altchars=b"-_").decode().partition(".")
        start = _EPOCH + int(ticks) * _TICK if ticks else None
        if after_token((int(fid), start)) == token and 0 <= int(fid) <= _LARGEST_FID:
            return int(fid), start
    except (ValueError, OverflowError):
        pass
    raise BadQuery("after is not a token that a page gave", "after 不是翻页链接给出的标记", subject="after")
