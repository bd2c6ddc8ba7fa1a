"""Address texts made plain before they are read: widths, numerals, separators, brackets; one or a million at once.

A column is joined to one long text, so that each rule is one pass over it and not one over every row.
"""

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gis.codes.address_numerals import NUMERALS, to_arabic, to_chinese

_ROW = "\n"
_SPACES = " \t\u3000\u00a0，,、;；。:：_/\\|·•・‧'\"“”‘’《》<>"
_DASHES = "-－—–―‐‑‒−﹣ー─"
_TILDES = "~～〜至"
_LONGEST = 400
"""Longer texts are cut: an address of GB/T 39609 has fewer than a hundred characters."""


def _plain_table() -> NDArray[np.uint32]:
    """What each character of the first plane becomes; 0 where it goes."""
    table = np.arange(0x10000, dtype=np.uint32)
    table[0xFF01:0xFF5F] = np.arange(0x21, 0x7F)
    table[ord("a") : ord("z") + 1] -= 32
    table[0xFF41:0xFF5B] = np.arange(ord("A"), ord("Z") + 1)
    for n in range(1, 10):
        table[0x2460 + n - 1] = table[0x2474 + n - 1] = ord(str(n))
    for group, to in (
        (_SPACES, " "),
        (_DASHES, "-"),
        ("~～〜", "~"),
        ("[【〔{［｛", "("),
        ("]】〕}］｝", ")"),
        ("＃№", "#"),
    ):
        table[[ord(c) for c in group]] = ord(to)
    table[0xFF08], table[0xFF09] = ord("("), ord(")")
    for low, high in ((0, 0x20), (0x7F, 0xA0), (0x200B, 0x2010), (0x2028, 0x202F), (0xD800, 0xE000), (0xFE00, 0xFE10)):
        keep = [c for c in range(low, high) if chr(c) not in _SPACES]
        table[keep] = 0
    table[[0x2060, 0xFEFF, 0xFFFE, 0xFFFF]] = 0
    table[ord(_ROW)] = ord(_ROW)
    return table


def _marks_table() -> NDArray[np.uint8]:
    """Which characters are letters and digits, numerals, or follow a number that they name."""
    table = np.zeros(0x10000, dtype=np.uint8)
    for group, mark in ((_ALPHANUMERIC, _ALNUM), (_ALPHANUMERIC[:10], _DIGIT), (NUMERALS, _NUMERAL), (_NAMING, _NAMES),
                        (_ENDING, _ENDS)):  # fmt: skip
        table[[ord(c) for c in group]] |= mark
    return table


_ALNUM, _DIGIT, _NUMERAL, _NAMES, _ENDS = 1, 2, 4, 8, 16
_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ENDING = f"号({_ROW}"
_NAMING = "号栋幢座单层楼室弄户门附之-组队路街巷大胡"
_PLAIN, _MARKS = _plain_table(), _marks_table()

_DESIGNATED = r"号|栋|幢|座|单元|层|楼|室|弄|户|门(?!诊|市)|附|之|-"
_Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]
_NUMERAL_RULES: tuple[_Rule, ...] = (
    (re.compile(rf"(?<!第)([{NUMERALS}]+)(?=(?:{_DESIGNATED})(?![路街巷桥]))"), lambda m: to_arabic(m[1])),
    (re.compile(rf"(?<=[号附之-])([{NUMERALS}]{{1,4}})(?=[号(]|$)", re.M), lambda m: to_arabic(m[1])),
    (re.compile(rf"(?<=[栋幢座楼元层])([{NUMERALS}]{{2,5}})(?=\(|$)", re.M), lambda m: to_arabic(m[1])),
)
_NAMED_NUMBERS: _Rule = (re.compile(r"(?<![A-Z\d-])(\d{1,3})(?=[路街巷弄组队]|大道|胡同)"), lambda m: to_chinese(m[1]))
_RARE_RULES: tuple[tuple[str, _Rule], ...] = (
    ("第", (re.compile(rf"第([\d{NUMERALS}]{{1,4}})(?=号|栋|幢|座|单元|层|楼|室)"), lambda m: _arabic(m[1]))),
    ("第", (re.compile(r"第(\d{1,2})(?=[^\d号栋幢座单层楼室])"), lambda m: "第" + to_chinese(m[1]))),
    ("负", (re.compile(r"负(?=\d{1,2}(?:层|楼))"), "B")),
    ("地下", (re.compile(r"地下(?=\d{1,2}(?:层|楼))"), "B")),
    ("#", (re.compile(r"#楼?"), "号楼")),
    ("至", (re.compile(r"(?<=[\d号])至(?=\d)"), "~")),
)


def plain(text: str) -> str:
    """One text made plain: full width, numerals, separators; blanks gone."""
    return plain_column([text])[0]


def plain_column(texts: Sequence[str]) -> list[str]:
    """Many texts made plain; row i of the answer is row i of the input."""
    if not texts:
        return []
    blob = _ROW.join(_lines(texts))
    codes = np.frombuffer(blob.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    codes = _separated(_mapped(codes))
    marks = _MARKS.take(codes, mode="clip")
    blob = codes.tobytes().decode("utf-32-le")
    for pattern, by in _rules(blob, marks):
        blob = pattern.sub(by, blob)
    return blob.split(_ROW)


def _mapped(codes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    plane = _PLAIN.take(codes, mode="clip")
    if len(codes) and codes.max() > 0xFFFF:
        plane = np.where(codes > 0xFFFF, codes, plane)
    found: NDArray[np.uint32] = plane[plane != 0]
    return found


def _separated(codes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Blanks and dashes: one dash where they part two numbers or letters, else none; 号-2 keeps its dash."""
    between = (codes == 0x20) | (codes == 0x2D)
    at = between.nonzero()[0]
    if not at.size:
        return codes
    first = at[np.r_[True, np.diff(at) > 1]]
    last = at[np.r_[np.diff(at) > 1, True]]
    before = codes.take(first - 1, mode="clip")
    before[first == 0] = ord(_ROW)
    after = codes.take(last + 1, mode="clip")
    after[last == len(codes) - 1] = ord(_ROW)
    ends = _MARKS.take(after, mode="clip") & _ALNUM > 0
    begins = _MARKS.take(before, mode="clip") & _ALNUM > 0
    kept = first[ends & (begins | ((before == ord("号")) & (codes[first] == 0x2D)))]
    codes = codes.copy()
    codes[kept] = 0x2D
    between[kept] = False
    found: NDArray[np.uint32] = codes[~between]
    return found


def _rules(blob: str, marks: NDArray[np.uint8]) -> Iterator[_Rule]:
    """The rules that may find something to do."""
    numeral = marks[:-1] & _NUMERAL > 0
    if (numeral & (marks[1:] & _NAMES > 0)).any():
        yield _NUMERAL_RULES[0]
    if (numeral & (marks[1:] & _ENDS > 0)).any() or (len(marks) and marks[-1] & _NUMERAL):
        yield from _NUMERAL_RULES[1:]
    yield from (rule for word, rule in _RARE_RULES if word in blob)
    if ((marks[:-1] & _DIGIT > 0) & (marks[1:] & _NAMES > 0)).any():
        yield _NAMED_NUMBERS


def _arabic(number: str) -> str:
    return "".join(c if c.isdigit() else to_arabic(c) for c in number) if number[0].isdigit() else to_arabic(number)


def _lines(texts: Sequence[str]) -> list[str]:
    """Texts without line breaks and not too long, so that rows stay rows."""
    return [t if len(t) <= _LONGEST and _ROW not in t else t[:_LONGEST].replace(_ROW, " ") for t in texts]
