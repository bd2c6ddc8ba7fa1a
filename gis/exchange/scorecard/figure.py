"""A published number: never a value alone, but with what it was made of and for when it holds."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from typing import Any

#: The definition by which these scores are computed; another definition, another number behind the stroke.
STANDARD = "onemap.scorecard/1"
#: Figures are given to a tenth.
PRECISION = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One score from 0 to 100, None where there is nothing to judge.

    `n` is how many things of the unit `counted` it was made of; `inputs` is a digest of all that went in, so that an
    equal digest is an equal figure. It holds from `since` to `until`, both days included.
    """

    value: float | None
    counted: str
    n: int
    inputs: str
    since: date
    until: date

    def as_dict(self) -> dict[str, Any]:
        """As JSON carries it."""
        return {
            "value": self.value, "unit": "1", "range": [0, 100], "precision": PRECISION, "n": self.n,
            "counted": self.counted, "inputs": self.inputs, "standard": STANDARD, "privacy": "aggregate",
            "since": self.since.isoformat(), "until": self.until.isoformat(),
        }  # fmt: skip


def rounded(value: float | None) -> float | None:
    """A score as it is published."""
    return None if value is None else round(min(100.0, max(0.0, value)), 1)


def digest(*inputs: object) -> str:
    """16 hexadecimal digits that are equal for equal inputs."""
    text = json.dumps(inputs, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
