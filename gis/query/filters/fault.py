"""What is wrong with a filter, and at which place of it."""

import json
from contextlib import suppress
from typing import Any

import cql2

from gis.errors import BadQuery

_LONGEST_PLACE = 120


class Fault(Exception):
    """A filter that cannot be used; `place` is the innermost part of it that is known to be wrong."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en, self.zh = en, zh
        self.place: Any = None

    @property
    def refusal(self) -> BadQuery:
        """The error for whoever asked, with the place written as CQL2 text."""
        if self.place is None:
            return BadQuery(f"the filter cannot be used: {self.en}", f"过滤条件不可用:{self.zh}", subject="filter")
        place = _written(self.place)
        return BadQuery(f"the filter cannot be used at {place}: {self.en}", f"过滤条件不可用,位于 {place}:{self.zh}",
                        subject="filter")  # fmt: skip


def _written(node: Any) -> str:
    text = json.dumps(node, ensure_ascii=False)
    with suppress(cql2.ParseError, ValueError, TypeError, RecursionError):  # what has no text is shown as it is
        text = str(cql2.parse_json(text).to_text())
    return text if len(text) <= _LONGEST_PLACE else text[: _LONGEST_PLACE - 1] + "…"
