"""The trace: what is kept of who did what, as one value, and how each entry seals all those before it.

A record holds time, user, event, success and whatever else is of use (GB/T 22239-2019, 8.1.4.3), and no direct
identifier of anybody it is about: whom a question meant stands in it as a pseudonym, which tells two persons apart and
none by name.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from gis.access.roles import PUBLIC_ROLE
from gis.access.watermark import is_mark
from gis.text import Text

Outcome = Literal["success", "refused", "failed"]
OUTCOMES: tuple[Outcome, ...] = ("success", "refused", "failed")

#: What happens, in people's words. Events of other names can be kept as well; they are shown as they are.
EVENTS: Mapping[str, Text] = {
    "read": Text("读取", "read"),
    "exported": Text("导出", "exported"),
    "export_ended": Text("导出结束", "export ended"),
    "edited": Text("编辑", "edited"),
    "delivered": Text("报送", "delivered"),
    "taken_in": Text("入库", "taken in"),
    "withdrawn": Text("撤回", "withdrawn"),
    "loaded": Text("加载", "loaded"),
    "signed_in": Text("登录", "signed in"),
    "signed_out": Text("退出", "signed out"),
    "refused": Text("拒绝访问", "refused"),
    "users_changed": Text("用户变更", "users changed"),
    "keys_changed": Text("密钥变更", "keys changed"),
    "policies_changed": Text("策略变更", "policies changed"),
    "emergency": Text("应急授权", "emergency"),
    "published": Text("公开数据发布", "published as open data"),
    "erased": Text("删除个人标识", "identifiers erased"),
    "audit_searched": Text("审计查询", "audit searched"),
    "trace_closed": Text("审计归档", "trace closed"),
    "backed_up": Text("备份", "backed up"),
    "restored": Text("恢复备份", "restored from a backup"),
    "trace_given_up": Text("放弃旧审计链", "a trace given up"),
    "changed": Text("变更", "changed"),
}

_NAME = re.compile(r"[a-z][a-z_]{1,39}\Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LONGEST = {"who": 200, "role": 40, "origin": 60, "purpose": 200, "collection": 120, "request": 60, "mark": 60}
_LONGEST_TEXT = 6_000

#: An id number of 18 characters stands for one person wherever it stands; fewer digits may be anything else.
_CITIZEN_ID = re.compile(r"(?<![\d.])\d{17}[\dXx](?![\dA-Za-z])")
#: In what people write freely, runs that long are id numbers, telephones or cards.
_LONG_NUMBER = re.compile(r"(?<!\d)\d{11,}[Xx]?|(?<!\d)\d{3,4}[- ]\d{4}[- ]?\d{4}(?!\d)")


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that somebody did, or was refused.

    `event` is one of `EVENTS` or another word of small letters; `who` and `role` are the identity's, `origin` the
    address or the machine from which it came, `purpose` the duty stated. `collection` is what it was about, `query` its
    canonical text with values that may identify anybody as pseudonyms; `rows` how many were given or changed (None: not
    known), `request` the id in the request's log line, `mark` the watermark of what was given away. `detail` are
    further facts, never a secret: names of accounts, numbers of keys and deliveries.
    """

    event: str
    who: str
    role: str = PUBLIC_ROLE
    origin: str = ""
    purpose: str = ""
    collection: str = ""
    query: str = ""
    rows: int | None = None
    outcome: Outcome = "success"
    request: str = ""
    mark: str = ""
    detail: Mapping[str, str | int | bool | None] = field(default_factory=dict, hash=False)
    at: datetime = field(default_factory=_now)

    def __post_init__(self) -> None:
        """Refuse what could not be read again. Raises ValueError."""
        if not _NAME.match(self.event) or self.outcome not in OUTCOMES or self.at.tzinfo is None:
            raise ValueError(f"no event: {self.event!r}, {self.outcome!r}, {self.at}")


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it is kept; texts are clean, cut to what is kept of them, and free of id numbers.

    `detail` is JSON text. `recorded_at` rises along the chain, `at` need not.
    """

    number: int
    recorded_at: datetime
    at: datetime
    event: str
    outcome: str
    who: str
    role: str
    origin: str
    purpose: str
    collection: str
    query: str
    rows: int | None
    request: str
    mark: str
    detail: str

    @classmethod
    def of(cls, event: Event, number: int, recorded_at: datetime, pseudonyms: "Pseudonyms") -> "Entry":
        """What is kept of an event."""
        said = {name: _clean(getattr(event, name))[:longest] for name, longest in _LONGEST.items()}
        for name in ("who", "purpose", "mark"):
            # a mark is what the trace is searched by; digits in it are chance
            if name != "mark" or not is_mark(said[name]):
                said[name] = pseudonyms.without_numbers(said[name])
        detail = json.dumps(dict(event.detail), ensure_ascii=False, sort_keys=True) if event.detail else ""
        return cls(
            number=number, recorded_at=recorded_at, at=event.at, event=event.event, outcome=event.outcome,
            rows=event.rows, query=_cut(pseudonyms.without_citizen_ids(_clean(event.query))),
            detail=_cut(pseudonyms.without_citizen_ids(_clean(detail))), **said,
        )  # fmt: skip

    @property
    def canonical(self) -> bytes:
        """The one text that says all of it: a JSON array, times in microseconds since 1970."""
        content = [
            self.number, _microseconds(self.recorded_at), _microseconds(self.at), self.event, self.outcome, self.who,
            self.role, self.origin, self.purpose, self.collection, self.query, self.rows, self.request, self.mark,
            self.detail,
        ]  # fmt: skip
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()

    def seal(self, before: bytes, key: bytes) -> bytes:
        """32 bytes that nobody can make without the key, of this entry and the seal of the one before it."""
        return hmac.digest(key, before + self.canonical, "sha256")


#: What stands before the first entry.
BEGINNING = bytes(32)


class Pseudonyms:
    """Words that stand for values: the same for the same value, and nobody counts through all values without the key.

    >>> named = Pseudonyms(b"key")
    >>> named.of("110101199001011234") == named.of(" 110101199001011234 "), named.of("张三")[0]
    (True, '~')
    """

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"pseudonyms of the trace", "sha256")

    def of(self, value: str) -> str:
        """The word for a value, of whatever case and space around it."""
        return f"~{hmac.digest(self._key, value.strip().upper().encode(), 'sha256').hex()[:16]}"

    def without_citizen_ids(self, text: str) -> str:
        """A text with its id numbers of 18 characters replaced."""
        return _CITIZEN_ID.sub(lambda found: self.of(found[0]), text)

    def without_numbers(self, text: str) -> str:
        """A text that somebody wrote freely, with all long numbers replaced."""
        return _LONG_NUMBER.sub(lambda found: self.of(found[0]), text)


def _microseconds(when: datetime) -> int:
    return (when - _EPOCH) // _MICROSECOND


def _clean(text: str) -> str:
    """What a database can keep and JSON can say."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _cut(text: str) -> str:
    """A text that is too long is cut, and a digest tells two such apart."""
    if len(text) <= _LONGEST_TEXT:
        return text
    return f"{text[:_LONGEST_TEXT]}…{hashlib.sha256(text.encode()).hexdigest()[:16]}"
