"""Identifiers shown in part: enough for somebody who knows the person to recognise one, not enough to learn one.

The display restriction of GB/T 35273-2020, 7.2, in the forms that are usual in government systems. Whatever is not of
the form that its rule expects fails closed: all but the first and the last character is hidden.
"""

import re
from collections.abc import Callable, Mapping

#: What is stripped from the ends of a text, and does not stand in an e-mail address: the white space of Unicode.
SPACE = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
#: Surnames of two characters (the more frequent ones of the Hundred Family Surnames), one behind the other.
_SURNAMES = (
    "欧阳太史端木上官司马东方独孤南宫万俟闻人夏侯诸葛尉迟公羊赫连澹台皇甫宗政濮阳公冶太叔申屠公孙慕容仲孙"
    "钟离长孙宇文司徒鲜于司空闾丘子车亓官司寇巫马公西颛孙壤驷公良漆雕乐正宰父谷梁拓跋夹谷轩辕令狐段干百里"
    "呼延东郭南门羊舌微生梁丘左丘东门西门"
)
COMPOUND = tuple(_SURNAMES[at : at + 2] for at in range(0, len(_SURNAMES), 2))
_HAN = "[\u3400-\u9fff\U00020000-\U0003ffff]"
#: The forms that rules expect, in words that mean the same to Python and to PostgreSQL: digits are those of ASCII. What
#: was masked already is of its form too, so that it stays as it is.
FORMS: Mapping[str, str] = {
    "citizen_id": "[0-9]{6}([0-9]{8}|[*]{8})[0-9]{3}[0-9Xx]|[0-9]{6}([0-9]{5}|[*]{5})[0-9]{4}",
    "telephone": "1[3-9][0-9]([0-9]{4}|[*]{4})[0-9]{4}",
    "bank_card": "[0-9]{6}([0-9]{6,9}|[*]{6,9})[0-9]{4}",
    "plate": "[\u4e00-\u9fff][A-Z]([A-Z0-9]{3,4}|[*]{3,4})[A-Z0-9]{2}",
    "name": f"{_HAN}{{2,6}}|{_HAN}[*]{{1,5}}|({'|'.join(COMPOUND)})[*]{{1,4}}",
    "email": f"[^@{SPACE}]+@[^@{SPACE}]+[.][^@.{SPACE}]+",
    "birth_date": "[0-9]{4}-[0-9]{2}-[0-9]{2}",
}
#: How many characters of a form's ends are shown.
SHOWN: Mapping[str, tuple[int, int]] = {
    "citizen_id": (6, 4),
    "telephone": (3, 4),
    "bank_card": (6, 4),
    "plate": (2, 2),
}
#: The shortest beginning of an address that is one of these is shown, the first before the second.
PLACES = ("[^\n]*?(?:社区|居委会|村委会)", "[^\n]{2,}?(?:街道|[镇乡])(?![路巷道])")


def masked(kind: str, text: str) -> str:
    """A text with what identifies hidden; `kind` is one of `RULES`, any other is hidden but for its ends.

    >>> masked("citizen_id", "110101199001011234"), masked("name", "欧阳娜娜"), masked("shoe size", "42")
    ('110101********1234', '欧阳**', '**')
    """
    written = text.strip(SPACE)
    return RULES.get(kind, closed)(written) if written else ""


def closed(text: str) -> str:
    """All but the first and the last character hidden; of one or two characters both.

    >>> closed("0564-3312345"), closed("ab")
    ('0**********5', '**')
    """
    return "*" * len(text) if len(text) < 3 else f"{text[0]}{'*' * (len(text) - 2)}{text[-1]}"


def _fits(kind: str, text: str) -> bool:
    return re.fullmatch(FORMS[kind], text) is not None


def _ends(kind: str) -> Callable[[str], str]:
    """The rule that shows so many first and last characters of texts of one form."""
    first, last = SHOWN[kind]

    def rule(text: str) -> str:
        if not _fits(kind, text):
            return closed(text)
        return f"{text[:first]}{'*' * (len(text) - first - last)}{text[-last:]}"

    return rule


def _name(text: str) -> str:
    if not _fits("name", text):
        return closed(text)
    surname = 2 if len(text) > 2 and text[:2] in COMPOUND else 1
    return text[:surname] + "*" * (len(text) - surname)


def _email(text: str) -> str:
    return f"{text[0]}***@{text.partition('@')[2]}" if _fits("email", text) else closed(text)


def _address(text: str) -> str:
    """Down to the community, else to the street or township; the rest does not even tell its length."""
    for place in PLACES:
        if found := re.match(place, text):
            return f"{found[0]}****"
    return closed(text)


def _birth_date(text: str) -> str:
    return f"{text[:4]}-01-01" if _fits("birth_date", text) else closed(text)


#: What can be hidden, and how.
RULES: Mapping[str, Callable[[str], str]] = {
    **{kind: _ends(kind) for kind in SHOWN},
    "name": _name,
    "email": _email,
    "address": _address,
    "birth_date": _birth_date,
}
