"""Who asks: set once a request by the outermost layer, read wherever an answer depends on it."""

from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Literal

from fastapi import Depends

from api.rates import Rates
from gis.access.identity import PUBLIC, Identity
from gis.access.keys import EVERY
from gis.access.roles import CLERKS, OWNER_ROLE, ROLES
from gis.errors import Forbidden, NotSignedIn

#: The caller of the request that is being answered; tasks and threads begun for it inherit it.
CALLER: ContextVar[Identity] = ContextVar("caller", default=PUBLIC)


@dataclass(frozen=True, slots=True)
class Signed:
    """A caller whose credentials are good: who it is, and by what that is known.

    A session `by` the provider is that of somebody who signed in there and has no account here. `account` is the number
    of the account whose session it is; a `restricted` one may do nothing but set up its second factor. A key may be for
    reading alone, and have a `rate` of its own.
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
                f"you act for {self.department}, not for {department[:63]}",
                f"您代表 {self.department},不能代 {department[:63]} 办理",
                subject="department",
            )

    def register(self, asked: str | None) -> str | None:
        """The register to which a list is confined; a key that is for some registers names one of them.

        Raises Forbidden.
        """
        reached = self.identity.collections
        if asked is None and reached is not None and len(reached) == 1:
            return next(iter(reached))
        self.check_register(asked or "")
        return asked

    def check_register(self, register: str) -> None:
        """Raises Forbidden for a register that the caller's key does not reach."""
        reached = self.identity.collections
        if reached is not None and register not in reached:
            listed = ", ".join(sorted(reached))
            raise Forbidden(
                f"this key is for {listed}; name one of them: register=…",
                f"此密钥仅限 {listed},请指明其一:register=…",
                subject="register",
            )


async def caller() -> Caller:
    """Who acts for a department: whoever has signed in with a duty in one, or shows its key.

    Raises NotSignedIn, and Forbidden for who has no such duty or belongs to none.
    """
    identity = CALLER.get()
    if identity is PUBLIC:
        raise NotSignedIn(
            "sign in, or send a department's key as Authorization: Bearer KEY (onemap keys add makes one)",
            "请先登录,或以 Authorization: Bearer 密钥 发送部门密钥(用 onemap keys add 生成)",
        )
    if identity.role not in (*CLERKS, OWNER_ROLE):
        raise Forbidden(
            f"{identity.name} may not act for a department: that takes one of the roles {', '.join(CLERKS)}",
            f"{identity.name} 不能代部门办理:须具有以下角色之一:{'、'.join(ROLES[role].zh for role in CLERKS)}",
            subject="role",
        )
    if not identity.department:
        raise Forbidden(
            f"{identity.name} belongs to no department and cannot act for one",
            f"{identity.name} 不属于任何部门,不能代部门办理",
            subject="department",
        )
    return Caller(identity)


Clerk = Annotated[Caller, Depends(caller)]
