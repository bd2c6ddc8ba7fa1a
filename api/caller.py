"""Who asks: set once a request by the outermost layer, read wherever an answer depends on it."""

from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Literal

from fastapi import Depends

from api.rates import Rates
from gis.access.identity import PUBLIC, Identity
from gis.access.keys import EVERY
from gis.errors import Forbidden, NotSignedIn

#: The caller of the request that is being answered; tasks and threads begun for it inherit it.
CALLER: ContextVar[Identity] = ContextVar("caller", default=PUBLIC)


@dataclass(frozen=True, slots=True)
class Signed:
    """A caller whose credentials are good: who it is, and by what that is known.

    By `provider`: a session of somebody who signed in there and has no account here. `account` is the number of the
    account whose session it is; a `restricted` one may do nothing but set up its second
    factor. A key may be for reading alone, and have a `rate` of its own.
    """

    identity: Identity
    by: Literal["session", "provider", "key", "token"]
    account: int | None = None
    restricted: bool = False
    writes: bool = True
    rate: Rates | None = None


#: How the caller has signed in; None for who has not.
SIGNED: ContextVar[Signed | None] = ContextVar("signed", default=None)


@lru_cache(maxsize=4096)
def nameless(identity: Identity) -> Identity:
    """All of a caller on which answers depend: whoever has the same duty may share what is kept in memory."""
    return replace(identity, name="")


@dataclass(frozen=True, slots=True)
class Caller:
    """A clerk or a program of one department, or of the data centre, which acts for all."""

    identity: Identity

    @property
    def department(self) -> str:
        """The department's code; `*` is the data centre."""
        return self.identity.department or ""

    @property
    def is_centre(self) -> bool:
        """Whether the caller sees all departments."""
        return self.department == EVERY

    def only(self, asked: str | None) -> str | None:
        """The department to which a list is confined: the caller's own; the data centre chooses. Raises Forbidden."""
        if self.is_centre:
            return asked
        if asked is not None:
            self.check(asked)
        return self.department

    def check(self, department: str) -> None:
        """Raises Forbidden unless the caller speaks for a department."""
        if not self.is_centre and department != self.department:
            raise Forbidden(
                f"this key is that of {self.department}; it cannot be used for {department[:63]}",
                f"此密钥属于 {self.department},不能用于 {department[:63]}",
                subject="department",
            )


async def caller() -> Caller:
    """Who acts for a department. Raises NotSignedIn, and Forbidden for who belongs to none."""
    identity = CALLER.get()
    if identity is PUBLIC:
        raise NotSignedIn(
            "a key is needed: send it as Authorization: Bearer KEY (onemap keys add makes one)",
            "需要密钥:请以 Authorization: Bearer 密钥 发送(用 onemap keys add 生成)",
        )
    if not identity.department:
        raise Forbidden(
            f"{identity.name} belongs to no department and cannot act for one",
            f"{identity.name} 不属于任何部门,不能代部门办理",
            subject="department",
        )
    return Caller(identity)


Clerk = Annotated[Caller, Depends(caller)]
