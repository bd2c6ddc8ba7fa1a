"""Who asks, and for what duty."""

from dataclasses import dataclass

from gis.access.roles import OWNER_ROLE, PUBLIC_ROLE


@dataclass(frozen=True, slots=True)
class Identity:
    """One caller.

    `role` is one of `gis.access.roles.ROLES`. `divisions` are the [low, high] ranges of division codes that the duty
    covers; None is everywhere. `department` is the one that the caller speaks for in the exchange, `*` the data centre
    that serves all of them. `emergency` are the ranges of the emergencies in force, where they raise the caller's
    rights. `purpose` is the duty for which the caller says to ask, "" where none is said. `collections` are those to
    which a system's key is confined; None is whatever the role may see.
    """

    name: str
    role: str
    divisions: tuple[tuple[int, int], ...] | None = None
    department: str | None = None
    emergency: tuple[tuple[int, int], ...] = ()
    purpose: str = ""
    collections: frozenset[str] | None = None


#: Anyone who has not signed in.
PUBLIC = Identity("public", PUBLIC_ROLE)

#: Whoever works at the machine itself: commands and notebooks beside the database.
OWNER = Identity("owner", OWNER_ROLE)
