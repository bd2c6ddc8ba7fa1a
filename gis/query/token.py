"""Where a page ended, as one opaque word in the link to the next: signed, and good for its own question only."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from gis.errors import BadQuery
from gis.query.query import After

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_LARGEST_FID = 2**53 - 1
_SIGNATURE_BYTES = 16


class Seal:
    """Signs tokens with a city's key (HMAC-SHA256, RFC 2104) and knows its own again.

    A token is bound to its question, as `gis.query.url.identity` writes it: which rows, in which order; not to how
    many, which fields or in which form.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token(self, after: After, question: str) -> str:
        """The token of a place in the answer to a question."""
        content = [after.fid, _ticks(after.valid_from), list(after.values), _ticks(after.now), after.epoch]
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        return _word(self._signature(body, question) + body)

    def read(self, token: str, question: str) -> After:
        """What a token of this question says. Raises BadQuery for any word that no page of it gave."""
        try:
            raw = base64.b64decode(token.encode() + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
            signature, body = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
            # one word for one place: spare bits at the end of base64 make no second one
            if hmac.compare_digest(signature, self._signature(body, question)) and _word(raw) == token:
                return _after(json.loads(body))
        except (ValueError, TypeError, OverflowError):
            pass
        raise BadQuery(
            "after is not a token that a page of this question gave; begin again without it",
            "after 不是本次查询的翻页标记,请去掉它重新开始",
            subject="after",
        )

    def _signature(self, body: bytes, question: str) -> bytes:
        return hmac.digest(self._key, hashlib.sha256(question.encode()).digest() + body, "sha256")[:_SIGNATURE_BYTES]


#: For questions that are written and read in one process: their tokens are safe against nothing.
UNSEALED = Seal(b"")


def _word(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _after(content: list[Any]) -> After:
    fid, start, values, now, epoch = content
    well = isinstance(fid, int) and 0 <= fid <= _LARGEST_FID and (epoch is None or isinstance(epoch, int))
    if not (well and all(v is None or isinstance(v, str) for v in values)):
        raise ValueError
    return After(fid, _instant(start), tuple(values), _instant(now), epoch)


def _ticks(when: datetime | None) -> int | None:
    return None if when is None else (when - _EPOCH) // _TICK


def _instant(ticks: int | None) -> datetime | None:
    return None if ticks is None else _EPOCH + ticks * _TICK
