"""Identifiers shown in part: enough for somebody who knows the person to recognise one, not enough to learn one.

The display restriction of GB/T 35273-2020, 7.2, in the forms that are usual in government systems. Whatever is not of
the form that its rule expects fails closed: all but the first and the last character is hidden.
"""

import re
from collections.abc import Callable, Mapping

_CITIZEN_ID = re.compile(r"\d{17}[\dXx]|\d{15}")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_BANK_CARD = re.compile(r"\d{16,19}")
_HANZI = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]{2,6}")
_EMAIL = re.compile(r"([^@\s])[^@\s]*@([^@\s]+\.[^@\s.]+)")
_PLATE = re.compile(r"[\u4e00-\u9fff][A-Z][A-Z0-9]{5,6}")
_DAY = re.compile(r"(\d{4})-\d\d-\d\d")
_COMMUNITY = re.compile(r".*?(?:社区|居委会|村委会)")
_STREET = re.compile(r".{2,}?(?:街道|[镇乡])(?![路巷道])")
#: Surnames of two characters (the more frequent ones of the Hundred Family Surnames), one behind the other.
_SURNAMES = (
    "欧阳太史端木上官司马东方独孤南宫万俟闻人夏侯诸葛尉迟公羊赫连澹台皇甫宗政濮阳公冶太叔申屠公孙慕容仲孙"
    "钟离长孙宇文司徒鲜于司空闾丘子车亓官司寇巫马公西颛孙壤驷公良漆雕乐正宰父谷梁拓跋夹谷轩辕令狐段干百里"
    "呼延东郭南门羊舌微生梁丘左丘东门西门"
)
_COMPOUND = frozenset(_SURNAMES[at : at + 2] for at in range(0, len(_SURNAMES), 2))


def masked(kind: str, text: str) -> str:
    """A text with what identifies hidden; `kind` is one of `RULES`, any other is hidden but for its ends.

    >>> masked("citizen_id", "110101199001011234"), masked("name", "欧阳娜娜"), masked("shoe size", "42")
    ('110101********1234', '欧阳**', '**')
    """
    written = text.strip()
    return RULES.get(kind, closed)(written) if written else ""


def closed(text: str) -> str:
    """All but the first and the last character hidden; of one or two characters both.

    >>> closed("0564-3312345"), closed("ab")
    ('0**********5', '**')
    """
    return "*" * len(text) if len(text) < 3 else f"{text[0]}{'*' * (len(text) - 2)}{text[-1]}"


def _ends(form: re.Pattern[str], first: int, last: int) -> Callable[[str], str]:
    """A rule that keeps so many first and last characters of texts of one form."""

    def rule(text: str) -> str:
        if not form.fullmatch(text):
            return closed(text)
        return f"{text[:first]}{'*' * (len(text) - first - last)}{text[-last:]}"

    return rule


def _name(text: str) -> str:
    if not _HANZI.fullmatch(text):
        return closed(text)
    surname = 2 if len(text) > 2 and text[:2] in _COMPOUND else 1
    return text[:surname] + "*" * (len(text) - surname)


def _email(text: str) -> str:
    found = _EMAIL.fullmatch(text)
    return f"{found[1]}***@{found[2]}" if found else closed(text)


def _address(text: str) -> str:
    """Down to the community, else to the street or township; the rest does not even tell its length."""
    found = _COMMUNITY.match(text) or _STREET.match(text)
    return f"{found[0]}****" if found else closed(text)


def _birth_date(text: str) -> str:
    found = _DAY.fullmatch(text)
    return f"{found[1]}-01-01" if found else closed(text)


#: What can be hidden, and how.
RULES: Mapping[str, Callable[[str], str]] = {
    "citizen_id": _ends(_CITIZEN_ID, 6, 4),
    "telephone": _ends(_MOBILE, 3, 4),
    "bank_card": _ends(_BANK_CARD, 6, 4),
    "plate": _ends(_PLATE, 2, 2),
    "name": _name,
    "email": _email,
    "address": _address,
    "birth_date": _birth_date,
}
