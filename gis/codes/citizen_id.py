"""Citizen identification numbers, GB 11643-1999: 6 division, 8 birth date, 3 sequence, 1 check (ISO 7064 MOD 11-2).

The first six digits name the division of first registration, which may have been abolished since: they are never
compared with today's list, and nobody's residence follows from them. Messages carry the number masked.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from gis.codes import damage
from gis.codes.column import tidy
from gis.codes.finding import Finding, Verdict, ok, reject, warn
from gis.errors import BadInput
from gis.text import Text

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"
EARLIEST_BIRTH_YEAR = 1800

FINDINGS = (
    ok("身份证号码有效", "valid citizen id"),
    warn(
        "fifteen_digits",
        "15 位旧号码,已按 19xx 年出生补为 18 位;旧号码没有校验码,无法核对",
        "an old 15-digit number, extended to 18 digits with birth in 19xx; old numbers have no check digit",
    ),
    warn(
        "unknown_province",
        "前两位不是任何省级代码(不以 0 开头),请核对",
        "the first two digits are no province (none begins with 0); please check",
    ),
    reject("empty", "号码为空", "the number is empty"),
    reject("length", "身份证号码应为 18 位(旧号码 15 位)", "a citizen id has 18 digits (old ones 15)"),
    reject(
        "characters",
        "只能是数字,最后一位可以是 X",
        "only digits are allowed, the last place may be X",
    ),
    reject("birth_date", "出生日期不存在", "the birth date does not exist"),
    reject("birth_range", "出生日期在将来或早于 1800 年", "the birth date is in the future or before 1800"),
    reject("check_digit", "校验码不符,号码有误", "the check digit does not fit: the number is wrong"),
    *(f for f in damage.FINDINGS if f.reason in {"exponent", "precision"}),
)
REASONS = {f.reason: place for place, f in enumerate(FINDINGS)}


class Sex(StrEnum):
    """Sex as registered: the sequence number is odd for male, even for female."""

    MALE = "male"
    FEMALE = "female"


_SEX_TEXT = {Sex.MALE: Text("男", "male"), Sex.FEMALE: Text("女", "female")}


@dataclass(frozen=True, slots=True, repr=False)
class CitizenId:
    """A citizen id of 18 characters that passed its checks; make one with `parse`."""

    text: str

    @classmethod
    def parse(cls, text: str, *, today: dt.date | None = None) -> "CitizenId":
        """Read a number of 18 or 15 digits; x, full-width digits and outer blanks are normalised.

        Raises BadInput with the reason when `check` refuses it; the message carries the number masked.
        """
        finding = check(text, today=today)
        if finding.verdict is Verdict.REJECT:
            shown = mask(text)
            raise BadInput(f"{shown}: {finding.text.en}", f"{shown}:{finding.text.zh}", subject=shown)
        return cls(_eighteen(tidy(text)))

    @property
    def division(self) -> str:
        """The six-digit division of first registration, as it was coded then."""
        return self.text[:6]

    @property
    def birth(self) -> dt.date:
        """The date of birth."""
        return dt.date(int(self.text[6:10]), int(self.text[10:12]), int(self.text[12:14]))

    @property
    def sex(self) -> Sex:
        """Sex as registered."""
        return Sex.MALE if int(self.text[16]) % 2 else Sex.FEMALE

    @property
    def female(self) -> bool:
        """Whether the sequence number is even."""
        return self.sex is Sex.FEMALE

    def explain(self) -> Text:
        """What the number tells, in words, without the number itself."""
        sex = _SEX_TEXT[self.sex]
        return Text(
            f"{sex.zh},{self.birth:%Y-%m-%d} 出生,首次登记地代码 {self.division}",
            f"{sex.en}, born {self.birth:%Y-%m-%d}, first registered in division {self.division}",
        )

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"CitizenId({mask(self.text)!r})"


def check(text: str, *, today: dt.date | None = None) -> Finding:
    """Judge one number; the first rule that it breaks is the reason. `today` bounds the birth date (default: now)."""
    return FINDINGS[REASONS[_reason(tidy(text), today or dt.date.today())]]


def _reason(code: str, today: dt.date) -> str:
    if not code.isascii():
        return "characters"
    if not code:
        return "empty"
    if damage.explain(code, 18).reason == "exponent":
        return "exponent"
    if len(code) not in {15, 18}:
        return "precision" if damage.explain(code, 18).reason == "precision" else "length"
    full = _eighteen(code) if _well_formed(code) else ""
    if not full:
        return "characters"
    return _birth_fault(full, today) or _check_fault(code, full)


def _well_formed(code: str) -> bool:
    body = code[:17]
    return body.isascii() and body.isdigit() and code[17:] in set("0123456789X") | {""}


def _birth_fault(code: str, today: dt.date) -> str:
    try:
        birth = dt.date(int(code[6:10]), int(code[10:12]), int(code[12:14]))
    except ValueError:
        return "birth_date"
    return "" if birth.year >= EARLIEST_BIRTH_YEAR and birth <= today else "birth_range"


def _check_fault(code: str, full: str) -> str:
    if code != full:
        return "fifteen_digits"
    if code[17] != check_character(code):
        return "precision" if damage.explain(code, 18).reason == "precision" else "check_digit"
    return "unknown_province" if code[0] == "0" else "ok"


def check_character(code: str) -> str:
    """The check character that belongs to the first 17 digits of `code` (ISO 7064 MOD 11-2)."""
    return CHECK_CHARACTERS[sum(int(c) * w for c, w in zip(code, WEIGHTS, strict=False)) % 11]


def _eighteen(code: str) -> str:
    if len(code) == 18:
        return code
    body = code[:6] + "19" + code[6:]
    return body + check_character(body)


def mask(text: str) -> str:
    """The number as it may be shown: 110101********1234; anything malformed keeps only its first and last character."""
    code = tidy(text)
    if len(code) in {15, 18} and _well_formed(code):
        return f"{code[:6]}{'*' * (len(code) - 10)}{code[-4:]}"
    return f"{code[:1]}***{code[-1:]}" if len(code) > 2 else "***"
