"""Codes of unit grids (万米单元网格), GB/T 30428.1: 6 division, 3 township or street, 3 community, 3 serial number.

Serial numbers run west to east, north to south within their community.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gis.codes import damage
from gis.codes.column import CodeColumn, byte_matrix, digits_to_int, lengths, tidy, tidy_column
from gis.codes.division import Division
from gis.codes.finding import ColumnFindings, Finding, Verdict, ok, reject
from gis.errors import BadInput
from gis.text import Text

DIGITS = 15

FINDINGS = (
    ok("网格编码格式正确", "well-formed grid code"),
    reject("empty", "网格编码为空", "the grid code is empty"),
    reject("characters", "网格编码只能是数字", "a grid code holds digits only"),
    reject(
        "length",
        "网格编码应为 15 位(区划 6、街道 3、社区 3、顺序号 3)",
        "a grid code has 15 digits (division 6, street 3, community 3, serial 3)",
    ),
    reject(
        "part",
        "网格编码的区县、街道、社区、顺序号都不能为 0",
        "neither division, street, community nor serial of a grid code may be 0",
    ),
    *(f for f in damage.FINDINGS if f.reason == "exponent"),
)
REASONS = {f.reason: place for place, f in enumerate(FINDINGS)}


@dataclass(frozen=True, slots=True, order=True)
class GridCode:
    """A grid code of 15 digits; make one with `parse`."""

    text: str

    @classmethod
    def parse(cls, text: str | int) -> "GridCode":
        """Read a code; raises BadInput naming the text when it is no grid code."""
        finding = check(text)
        if finding.verdict is Verdict.REJECT:
            raise BadInput(f"{text!r}: {finding.text.en}", f"{text!r}:{finding.text.zh}", subject=str(text))
        return cls(tidy(str(text)))

    @property
    def community(self) -> Division:
        """The community (level 5) that the grid is nested in."""
        return Division(self.text[:12])

    @property
    def street(self) -> Division:
        """The street or township (level 4)."""
        return self.community.at(4)

    @property
    def division(self) -> Division:
        """The county or district (level 3)."""
        return self.community.at(3)

    @property
    def serial(self) -> int:
        """The number within its community, 1 to 999."""
        return int(self.text[12:])

    @property
    def as_int(self) -> int:
        """The 15 digits as a number (bigint); `as_int // 1000` is the community's."""
        return int(self.text)

    def explain(self) -> Text:
        """Its parts, in words."""
        place = self.community.code
        return Text(f"社区 {place} 的第 {self.serial} 号网格", f"grid {self.serial} of community {place}")

    def __str__(self) -> str:
        return self.text


def check(text: str | int) -> Finding:
    """Judge the form of one code; the first rule that it breaks is the reason."""
    return check_column([str(text)])[0][0]


def check_column(column: CodeColumn) -> tuple[ColumnFindings, NDArray[np.int64]]:
    """Check a column of grid codes set-based; the numbers (15 digits) are 0 where refused."""
    texts = tidy_column(column)
    size = lengths(texts)
    reason = np.full(len(texts), REASONS["length"], dtype=np.uint8)
    reason[~damage.matches(texts, damage.DIGITS_FORM)] = REASONS["characters"]
    reason[damage.matches(texts, damage.EXPONENT_FORM)] = REASONS["exponent"]
    reason[size == 0] = REASONS["empty"]
    number = np.zeros(len(texts), dtype=np.int64)
    full = np.flatnonzero((size == DIGITS) & (reason == REASONS["length"]))
    number[full], _ = digits_to_int(byte_matrix(texts.take(full), DIGITS))
    sound = (number[full] >= 10 ** (DIGITS - 1)) & (number[full] // 10**9 % 100 > 0)
    for shift in (0, 3, 6):
        sound &= number[full] // 10**shift % 1000 > 0
    reason[full] = np.where(sound, REASONS["ok"], REASONS["part"])
    number[reason != REASONS["ok"]] = 0
    return ColumnFindings(reason, FINDINGS), number
