"""Who asks under `/exchange`: the department whose key the request carries, and what it may do."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.noted import NOTED
from api.served import City
from gis.access.identity import Identity
from gis.access.keys import EVERY, holder
from gis.errors import Forbidden, NotSignedIn
from gis.store.database import Database

_SCHEME = "bearer"


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


async def caller(request: Request, city: City) -> Caller:
    """Whose key it is. Raises NotSignedIn without one, and with one that is not valid."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != _SCHEME or not key.strip():
        raise NotSignedIn(
            "a key is needed: send it as Authorization: Bearer KEY (onemap keys add makes one)",
            "需要密钥:请以 Authorization: Bearer 密钥 发送(用 onemap keys add 生成)",
        )
    found = Caller(await asyncio.to_thread(_holder, city.threads, key.strip()))
    noted = NOTED.get()
    if noted is not None:
        # clerks behind one address have turns of their own
        noted.asker = f"{found.department}/{found.identity.name}"
    return found


def _holder(database: Database, key: str) -> Identity:
    with database.connection() as conn:
        return holder(conn, key)


Clerk = Annotated[Caller, Depends(caller)]
