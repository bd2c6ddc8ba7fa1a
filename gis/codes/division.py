"""Division codes: GB/T 2260 (province, prefecture, county: 2 digits each) and the statistical code (3 more, 3 more).

Every code is held with 12 digits, zeros for the levels below its own. Read as a whole number, a division and all its
descendants are one closed range: rights, filters and group-bys are ranges and divisions of integers. Codes change
owner, split and vanish with time: which codes exist when is the register's matter, not this module's.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from gis.codes import damage
from gis.codes.column import tidy
from gis.codes.finding import Finding, Verdict, ok, reject, warn
from gis.errors import BadInput
from gis.text import Text

DIGITS = 12
LEVEL_ENDS = (2, 4, 6, 9, 12)
"""How many digits name a division of level 1 province, 2 prefecture, 3 county, 4 township, 5 village."""
SPANS = tuple(10 ** (DIGITS - end) for end in LEVEL_ENDS)
"""By level (from 1): how many 12-digit numbers begin with the same digits."""
MUNICIPALITIES = frozenset({11, 12, 31, 50})
WHOLE_COUNTRY = (0, 10**DIGITS - 1)
"""The closed range that holds every division."""

LEVEL_NAMES = (
    Text("省级", "province"),
    Text("地级", "prefecture"),
    Text("县级", "county"),
    Text("乡级", "township"),
    Text("村级", "village"),
)

FINDINGS = (
    ok("区划代码格式正确", "well-formed division code"),
    warn(
        "decimal_tail",
        "编码带有小数尾巴(如 .0),已去掉,未丢失数字",
        "the code had a decimal tail (like .0), which was dropped; no digit is lost",
    ),
    reject("empty", "区划代码为空", "the division code is empty"),
    reject("characters", "区划代码只能是数字", "a division code holds digits only"),
    reject("length", "区划代码应为 2、4、6、9 或 12 位", "a division code has 2, 4, 6, 9 or 12 digits"),
    reject(
        "province",
        "省级代码不以 0 开头;可能是开头的数字丢失或位数不对",
        "no province begins with 0; a digit may be missing or there are too many",
    ),
    *(f for f in damage.FINDINGS if f.reason == "exponent"),
)
REASONS = {f.reason: place for place, f in enumerate(FINDINGS)}


@dataclass(frozen=True, slots=True, order=True)
class Division:
    """A division code of 12 digits; make one with `parse` or `from_int`. Codes sort as their numbers do."""

    code: str

    @classmethod
    def parse(cls, text: str | int) -> "Division":
        """Read a code of 2, 4, 6, 9 or 12 digits and fill it up with zeros.

        Raises BadInput naming the text when it is no division code.
        """
        finding = check(text)
        if finding.verdict is Verdict.REJECT:
            raise BadInput(f"{text!r}: {finding.text.en}", f"{text!r}:{finding.text.zh}", subject=str(text))
        return cls(_digits(str(text)).ljust(DIGITS, "0"))

    @classmethod
    def from_int(cls, number: int) -> "Division":
        """The division whose 12 digits are this number; raises BadInput for any other number."""
        if not 10 ** (DIGITS - 1) <= number < 10**DIGITS:
            raise BadInput(
                f"{number} is not a 12-digit division code", f"{number} 不是 12 位区划代码", subject=str(number)
            )
        return cls(str(number))

    @property
    def level(self) -> int:
        """1 province, 2 prefecture, 3 county, 4 township, 5 village: the last group that is not all zeros."""
        return next(level for level, span in enumerate(SPANS, start=1) if self.as_int % span == 0)

    @property
    def parent(self) -> "Division | None":
        """The division one group up that is not the same code; None for a province.

        It may be a mere grouping (see `grouping`), and for townships of a prefecture without counties (441900003 is
        under 441900) it is the prefecture.
        """
        return None if self.level == 1 else self.at(self.level - 1)

    @property
    def ancestors(self) -> tuple["Division", ...]:
        """Parent, its parent and so on up to the province."""
        parent = self.parent
        return () if parent is None else (parent, *parent.ancestors)

    @property
    def as_int(self) -> int:
        """The 12 digits as a number, as databases hold it (bigint)."""
        return int(self.code)

    @property
    def range_(self) -> tuple[int, int]:
        """The closed range of numbers that holds this division and all its descendants, and nothing else."""
        return self.as_int, self.as_int + SPANS[self.level - 1] - 1

    @property
    def short(self) -> str:
        """The digits of its own level only: 341502 for 341502000000."""
        return self.code[: LEVEL_ENDS[self.level - 1]]

    @property
    def municipality(self) -> bool:
        """Whether it is or lies in 北京, 天津, 上海 or 重庆, where the province is the city."""
        return int(self.code[:2]) in MUNICIPALITIES

    @property
    def grouping(self) -> bool:
        """Whether it is a prefecture in the code only and no office stands behind it.

        Those are the groups of a municipality (5001 districts, 5002 counties) and of counties governed directly by
        their province (4190, 4290, 4690, 6590).
        """
        return self.level == 2 and (self.municipality or self.code[2:4] == "90")

    @property
    def governed_by(self) -> "Division | None":
        """The next division up that has an office: for 500103 it is 500000, not the grouping 500100."""
        return next((up for up in self.ancestors if not up.grouping), None)

    def at(self, level: int) -> "Division":
        """The division of a higher level that holds this one (itself when it is of that level or above)."""
        end = LEVEL_ENDS[level - 1]
        return Division(self.code[:end].ljust(DIGITS, "0"))

    def contains(self, other: "Division") -> bool:
        """Whether `other` is this division or one of its descendants."""
        low, high = self.range_
        return low <= other.as_int <= high

    def explain(self) -> Text:
        """Level and ancestors, in words."""
        name, above = LEVEL_NAMES[self.level - 1], "、".join(up.short for up in self.ancestors)
        return Text(
            f"{name.zh}区划 {self.short}" + (f",上级 {above}" if above else ""),
            f"{name.en} {self.short}" + (f", under {above.replace('、', ', ')}" if above else ""),
        )

    def __str__(self) -> str:
        return self.code


def check(text: str | int) -> Finding:
    """Judge the form of one code (not whether such a division exists or existed)."""
    return FINDINGS[REASONS[_reason(tidy(str(text)))]]


def _reason(code: str) -> str:
    if not code:
        return "empty"
    if damage.explain(code, DIGITS).reason == "exponent":
        return "exponent"
    digits = _digits(code)
    if not (digits.isascii() and digits.isdigit()):
        return "characters"
    if len(digits) not in LEVEL_ENDS:
        return "length"
    if digits[0] == "0":
        return "province"
    return "ok" if digits == code else "decimal_tail"


def _digits(text: str) -> str:
    return re.sub(r"(?<=\d)\.0*$", "", tidy(text))


class UrbanRural(StrEnum):
    """Urban-rural class of a village or community (城乡分类代码): 1.. is urban, 2.. is rural."""

    MAIN_URBAN = "111"
    URBAN_FRINGE = "112"
    TOWN_CENTRE = "121"
    TOWN_FRINGE = "122"
    SPECIAL = "123"
    TOWNSHIP_CENTRE = "210"
    VILLAGE = "220"

    @classmethod
    def parse(cls, text: str | int) -> "UrbanRural":
        """Read a three-digit class; raises BadInput naming it and listing those that exist."""
        try:
            return cls(tidy(str(text)))
        except ValueError:
            known = "、".join(cls)
            raise BadInput(
                f"{text!r} is no urban-rural class; known are {known.replace('、', ', ')}",
                f"{text!r} 不是城乡分类代码;已知的有 {known}",
                subject=str(text),
            ) from None

    @property
    def urban(self) -> bool:
        """Whether the class counts as urban."""
        return self.value.startswith("1")

    @property
    def label(self) -> Text:
        """Its name."""
        return _URBAN_RURAL[self]


_URBAN_RURAL = {
    UrbanRural.MAIN_URBAN: Text("主城区", "main urban area"),
    UrbanRural.URBAN_FRINGE: Text("城乡结合区", "urban-rural fringe"),
    UrbanRural.TOWN_CENTRE: Text("镇中心区", "town centre"),
    UrbanRural.TOWN_FRINGE: Text("镇乡结合区", "town-rural fringe"),
    UrbanRural.SPECIAL: Text("特殊区域", "special area"),
    UrbanRural.TOWNSHIP_CENTRE: Text("乡中心区", "township centre"),
    UrbanRural.VILLAGE: Text("村庄", "village"),
}
