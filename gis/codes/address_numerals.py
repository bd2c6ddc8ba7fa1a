"""Chinese numerals in addresses: 八十八 is 88, 三〇一 is 301, 贰 is 2; and back, for numbers in the names of roads."""

_WRITTEN = ("零〇○", "一壹", "二两贰", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
_DIGITS = {c: n for n, group in enumerate(_WRITTEN) for c in group}
_PLACES = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
NUMERALS = "".join(_DIGITS) + "".join(_PLACES)
_PLAIN = "零一二三四五六七八九"


def to_arabic(numeral: str) -> str:
    """Digits for a Chinese numeral, written with places (八十八, 二百零三) or digit by digit (三〇一, 八八)."""
    if not any(c in _PLACES for c in numeral):
        return "".join(str(_DIGITS[c]) for c in numeral)
    total = digit = 0
    for c in numeral:
        if c in _DIGITS:
            digit = _DIGITS[c]
        else:
            total += (digit or (1 if total == 0 else 0)) * _PLACES[c]
            digit = 0
    return str(total + digit)


def to_chinese(digits: str) -> str:
    """The Chinese numeral for a number below 100, as names of roads have it: 3 is 三, 12 is 十二.

    Longer numbers are written digit by digit: 110 is 一一零.
    """
    number = int(digits)
    if number >= 100 or number == 0:
        return "".join(_PLAIN[int(d)] for d in digits)
    tens, ones = divmod(number, 10)
    head = ("" if tens == 1 else _PLAIN[tens]) + "十" if tens else ""
    return head + (_PLAIN[ones] if ones else "")
