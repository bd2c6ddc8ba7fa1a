"""One SELECT with its bound values; building it never touches the database."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with `%s` placeholders and their values in order."""

    sql: str
    args: tuple[Any, ...] = ()


def conjunction(parts: list[Statement]) -> Statement:
    """All conditions together; no condition is true."""
    if not parts:
        return Statement("true")
    return Statement(" AND ".join(p.sql for p in parts), tuple(v for p in parts for v in p.args))
