"""What a check says of a code: taken, taken with a warning, or refused, and why, in words."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from gis.text import Text


class Verdict(IntEnum):
    """How a checked value is to be treated."""

    OK = 0
    WARN = 1
    REJECT = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check: the verdict, a stable short name of the reason, and a sentence for its reader."""

    verdict: Verdict
    reason: str
    text: Text

    @property
    def taken(self) -> bool:
        """Whether the value may be kept (with a warning or without)."""
        return self.verdict is not Verdict.REJECT


@dataclass(frozen=True, slots=True)
class ColumnFindings:
    """The findings for a whole column: `index[i]` is the place of row i's finding in the table `findings`."""

    index: NDArray[np.uint8]
    findings: tuple[Finding, ...]

    def __len__(self) -> int:
        """How many rows were checked."""
        return len(self.index)

    def __getitem__(self, row: int) -> Finding:
        """What was found for one row (from 0)."""
        return self.findings[int(self.index[row])]

    @property
    def verdict(self) -> NDArray[np.uint8]:
        """The `Verdict` of each row."""
        return np.array([f.verdict for f in self.findings], dtype=np.uint8)[self.index]

    @property
    def taken(self) -> NDArray[np.bool_]:
        """Which rows may be kept."""
        return self.verdict < Verdict.REJECT

    def counts(self) -> dict[str, int]:
        """How many rows have each reason; reasons that do not occur are left out."""
        numbers = np.bincount(self.index, minlength=len(self.findings))
        return {f.reason: int(n) for f, n in zip(self.findings, numbers, strict=True) if n}


def ok(zh: str, en: str, reason: str = "ok") -> Finding:
    """A value that is as it should be."""
    return Finding(Verdict.OK, reason, Text(zh, en))


def warn(reason: str, zh: str, en: str) -> Finding:
    """A value that is kept although something about it should be looked at."""
    return Finding(Verdict.WARN, reason, Text(zh, en))


def reject(reason: str, zh: str, en: str) -> Finding:
    """A value that cannot be taken."""
    return Finding(Verdict.REJECT, reason, Text(zh, en))
