"""Who asks, and for what duty."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["public", "staff", "owner"]


@dataclass(frozen=True, slots=True)
class Identity:
    """One caller.

    `divisions` are the [low, high] ranges of division codes that the duty covers; None is everywhere. `department` is
    the one that the caller speaks for in the exchange, `*` the data centre that serves all of them.
    """

    name: str
    role: Role
    divisions: tuple[tuple[int, int], ...] | None = None
    department: str | None = None


#: Anyone who has not signed in.
PUBLIC = Identity("public", "public")

#: Whoever works at the machine itself: commands and notebooks beside the database.
OWNER = Identity("owner", "owner")
