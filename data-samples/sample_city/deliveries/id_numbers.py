"""Citizen id numbers that are right, and what spreadsheets and typing make of them."""

import numpy as np

from sample_city.codes import citizen_ids


def sealed(region: str, born: str, sequence: int) -> str:
    """The number of a region, a day of eight digits and a sequence (odd for men) with its check character."""
    return citizen_ids(np.array([int(region)]), np.array([int(born)]), np.array([sequence]))[0]


def exponent(number: str) -> str:
    """What a spreadsheet writes for a number in a narrow column."""
    return f"{float(number[:17] + '0'):.5E}"


def wrong_check(number: str) -> str:
    """The number with another check character."""
    return number[:17] + ("1" if number[17] != "1" else "2")


def cut(number: str) -> str:
    """What a spreadsheet keeps of a number: 15 digits and zeros."""
    return f"{number[:15]}000"


def shows_cut(number: str) -> bool:
    """Whether the cut number is seen to be damaged: not by chance another one's right number."""
    return cut(number) != sealed(number[:6], number[6:14], int(number[14]) * 100)


def day_after(first: str, days: int) -> str:
    """The ISO day so many days after another."""
    return str(np.datetime64(first) + days)
