"""Unified social credit codes of legal entities, GB 32100-2015 (MOD 31), with the organisation code of GB 11714 inside.

1 registering department, 1 category, 6 division, 9 organisation code (its own check at the end), 1 check character.
Early pilot codes still in use fail the check: a failed check is a warning and the code is kept.
"""

from dataclasses import dataclass

from gis.codes import damage
from gis.codes.column import tidy
from gis.codes.finding import Finding, Verdict, ok, reject, warn
from gis.errors import BadInput
from gis.text import Text

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
ORGANISATION_CHECKS = "0X987654321"
"""The check character of an organisation code for Σ mod 11 (11 − Σ mod 11; 10 is X, 11 is 0)."""

FINDINGS = (
    ok("统一社会信用代码有效", "valid unified social credit code"),
    warn(
        "check_character",
        "校验码不符;早期试点代码也会如此,予以保留,请核对",
        "the check character does not fit; early pilot codes are like that too: kept, please check",
    ),
    warn(
        "organisation_check",
        "其中的组织机构代码(第 9–17 位)校验码不符,予以保留,请核对",
        "the organisation code inside (places 9 to 17) fails its own check: kept, please check",
    ),
    reject("empty", "代码为空", "the code is empty"),
    reject("length", "统一社会信用代码应为 18 位", "a unified social credit code has 18 characters"),
    reject(
        "registration_number",
        "15 位数字像是旧的工商注册号,不是统一社会信用代码",
        "15 digits look like an old business registration number, not a unified social credit code",
    ),
    reject(
        "characters",
        "含有不允许的字符:只用数字和大写字母,且没有 I、O、S、V、Z",
        "holds a character that is not allowed: only digits and capital letters without I, O, S, V, Z",
    ),
    reject("division", "第 3–8 位应为数字(登记管理机关行政区划码)", "places 3 to 8 must be digits (a division code)"),
    *(f for f in damage.FINDINGS if f.reason in {"exponent", "precision"}),
)
REASONS = {f.reason: place for place, f in enumerate(FINDINGS)}


@dataclass(frozen=True, slots=True)
class CreditCode:
    """A unified social credit code of 18 characters; make one with `parse`."""

    text: str

    @classmethod
    def parse(cls, text: str) -> "CreditCode":
        """Read a code; lower case, full-width characters and outer blanks are normalised.

        A code with a failed check character is taken (see `check`). Raises BadInput when it cannot be a credit code.
        """
        finding = check(text)
        if finding.verdict is Verdict.REJECT:
            raise BadInput(f"{text!r}: {finding.text.en}", f"{text!r}:{finding.text.zh}", subject=text)
        return cls(tidy(text))

    @property
    def department(self) -> str:
        """The registering department: 1 institutional establishment, 5 civil affairs, 9 market regulation, …"""
        return self.text[0]

    @property
    def category(self) -> str:
        """The category of the entity within its department (for 9: 1 enterprise, 2 sole trader, 3 farmers' co-op)."""
        return self.text[1]

    @property
    def division(self) -> str:
        """The six-digit division of the registering office, as it was coded then."""
        return self.text[2:8]

    @property
    def organisation(self) -> str:
        """The organisation code (GB 11714), 9 characters."""
        return self.text[8:17]

    def explain(self) -> Text:
        """What the code tells, in words."""
        return Text(
            f"登记管理部门 {self.department},机构类别 {self.category},登记机关所在地 {self.division},"
            f"组织机构代码 {self.organisation}",
            f"department {self.department}, category {self.category}, registered in division {self.division}, "
            f"organisation code {self.organisation}",
        )

    def __str__(self) -> str:
        return self.text


def check(text: str) -> Finding:
    """Judge one code; the first rule that it breaks is the reason."""
    return FINDINGS[REASONS[_reason(tidy(text))]]


def _reason(code: str) -> str:
    if not code:
        return "empty"
    spoiled = damage.explain(code, 18).reason
    if spoiled == "exponent":
        return spoiled
    if len(code) != 18 or not code.isascii():
        return _length_fault(code, spoiled)
    if not set(code) <= set(ALPHABET):
        return "characters"
    if not code[2:8].isdigit():
        return "division"
    return _check_fault(code, spoiled)


def _length_fault(code: str, spoiled: str) -> str:
    if not code.isascii():
        return "characters"
    if spoiled == "precision":
        return spoiled
    return "registration_number" if len(code) == 15 and code.isdigit() else "length"


def _check_fault(code: str, spoiled: str) -> str:
    inner_fits = code[16] == organisation_check(code[8:16])
    if code[17] == check_character(code):
        return "ok" if inner_fits else "organisation_check"
    # a sound pilot code may end in 000 by chance; both checks failing as well is a spreadsheet's work
    return "precision" if spoiled == "precision" and not inner_fits else "check_character"


def check_character(code: str) -> str:
    """The check character that belongs to the first 17 characters of `code` (GB 32100-2015, MOD 31)."""
    total = sum(ALPHABET.index(c) * w for c, w in zip(code, WEIGHTS, strict=False))
    return ALPHABET[-total % 31]


def organisation_check(body: str) -> str:
    """The check character of an organisation code for its first 8 characters (GB 11714; A is 10 … Z is 35)."""
    total = sum(int(c, 36) * w for c, w in zip(body, ORGANISATION_WEIGHTS, strict=False))
    return ORGANISATION_CHECKS[total % 11]
