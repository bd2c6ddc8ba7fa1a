"""A hospital's list of visitors: names, days and addresses as said at a counter, id numbers missing or wrong.

The answers say of every row whose it is, or that its person is in no register: what entity resolution is measured on.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sample_city import names
from sample_city.codes import citizen_ids
from sample_city.deliveries.cast import Cast
from sample_city.deliveries.wording import AddressWriter, day_as_written, mistaken_name
from sample_city.lattice import stream
from sample_city.people import Dwelling, Person
from sample_city.tables import TextTable

_FILE = "hospital_visitors.csv"
_HEADER = ("就诊编号", "姓名", "性别", "出生日期", "证件号码", "现住址", "就诊日期")
_SHARE, _STRANGERS, _AGAIN = 0.16, 0.11, 0.12  # visitors of all people; of visitors: not registered, here twice
_MOST = 20_000
_Noise = tuple[str, float]
_NUMBER: tuple[_Noise, ...] = (
    ("right", 0.12), ("missing", 0.58), ("masked", 0.10), ("one digit wrong", 0.10), ("digits swapped", 0.06),
    ("damaged by Excel", 0.04),
)  # fmt: skip
_NAME: tuple[_Noise, ...] = (
    ("right", 0.84), ("mistaken character", 0.09), ("blank within", 0.03), ("surname only", 0.02),
    ("a character lost", 0.02),
)  # fmt: skip
_BIRTH: tuple[_Noise, ...] = (
    ("right", 0.84), ("missing", 0.05), ("a year off", 0.04), ("a digit of the day wrong", 0.04),
    ("day and month swapped", 0.03),
)  # fmt: skip
_ADDRESS: tuple[_Noise, ...] = (
    ("right", 0.24), ("full-width digits", 0.10), ("Chinese numerals", 0.10), ("without upper divisions", 0.14),
    ("without lower divisions", 0.10), ("without divisions", 0.10), ("coarse", 0.08), ("missing", 0.07),
    ("elsewhere", 0.07),
)  # fmt: skip
_SEX: tuple[_Noise, ...] = (("right", 0.96), ("missing", 0.03), ("wrong", 0.01))
_NOISE = {"name": _NAME, "sex": _SEX, "birth_date": _BIRTH, "id": _NUMBER, "address": _ADDRESS}


@dataclass(frozen=True, slots=True)
class _Visit:
    """One row: the true person (`number` is None for one who is in no register) and where that one lives."""

    name: str
    sex: str
    born: str
    number: str | None
    claimed: str
    home: Dwelling


class VisitorFile:
    """CSV, UTF-8 with mark: visitors; and `resolution_answers.json` beside the other answers."""

    def __init__(self, folder: Path, people: int, seed: int, writer: AddressWriter) -> None:
        self.rows = self.strangers = 0
        self._table = TextTable(folder / "deliveries" / _FILE, "utf-8-sig")
        self._table.write(_HEADER)
        self._answers = (folder / "resolution_answers.json").open("w", encoding="utf-8", newline="\n")
        head = {"file": f"deliveries/{_FILE}", "register": "base.persons"}
        self._answers.write(json.dumps(head, ensure_ascii=False)[:-1] + ',\n "rows": [')
        self._seed, self._writer = seed, writer
        self._share = min(_SHARE, _MOST / people)

    def add(self, district: int, cast: Cast, homes: list[Dwelling]) -> None:
        """Append visits of the district's people and of strangers who say that they live there."""
        rng = stream(self._seed, 22, district)
        by_code = {h.code: h for h in homes}
        sound = [n for n in range(len(cast.people)) if cast.sound(n)]
        wanted = int(len(cast.people) * self._share)
        if not wanted or not sound:
            return
        chosen = rng.permutation(len(sound))[:wanted].tolist()
        visits = [_visit(cast.people[sound[n]], by_code) for n in chosen]
        visits += [v for v in visits if rng.random() < _AGAIN]
        visits += [self._stranger(v, rng) for v in visits if rng.random() < _STRANGERS]
        for n in rng.permutation(len(visits)).tolist():
            self._write(visits[n], homes, rng)

    def close(self) -> None:
        """End both files."""
        self._table.close()
        self._answers.write(f'\n ],\n "count": {self.rows}, "not_registered": {self.strangers}}}\n')
        self._answers.close()

    def _stranger(self, like: _Visit, rng: np.random.Generator) -> _Visit:
        """Somebody who is in no register: of another name, or of the same name and another birth date."""
        day = np.datetime64("1940-01-01") + int(rng.integers(0, 30_000))
        namesake = rng.random() < 0.3
        words = names.MALE_NAMES if like.sex == "男" else names.FEMALE_NAMES
        other = names.SURNAMES[int(rng.integers(len(names.SURNAMES)))] + words[int(rng.integers(len(words)))]
        digits = int(str(day).replace("-", ""))
        sequence = 900 + 2 * int(rng.integers(40)) + (like.sex == "男")
        claimed = citizen_ids(*(np.array([v]) for v in (320_106, digits, sequence)))[0]
        return _Visit(like.name if namesake else other, like.sex, str(day), None, claimed, like.home)

    def _write(self, visit: _Visit, homes: list[Dwelling], rng: np.random.Generator) -> None:
        self.rows += 1
        self.strangers += visit.number is None
        noise = {item: _one_of(noises, rng) for item, noises in _NOISE.items()}
        born = _birth(visit.born, noise["birth_date"], rng)
        row = (
            f"V{self.rows:07d}",
            _name(visit.name, noise["name"], rng),
            {"right": visit.sex, "missing": "", "wrong": "女" if visit.sex == "男" else "男"}[noise["sex"]],
            day_as_written(born, int(rng.integers(5))) if born else "",
            _number(visit.claimed, noise["id"], rng),
            self._address(visit.home, noise["address"], homes, rng),
            f"2026-{rng.integers(2, 6):02d}-{rng.integers(1, 29):02d}",
        )
        self._table.write(row)
        shown = {k: v for k, v in noise.items() if v != "right"}
        answer = {"row": self._table.line, "citizen_id": visit.number, "noise": shown}
        self._answers.write(("," if self.rows > 1 else "") + "\n  " + json.dumps(answer, ensure_ascii=False))

    def _address(self, home: Dwelling, noise: str, homes: list[Dwelling], rng: np.random.Generator) -> str:
        if noise == "missing":
            return ""
        ways: dict[str, Callable[[Dwelling], str]] = {
            "full-width digits": self._writer.full_width, "Chinese numerals": self._writer.numerals,
            "without upper divisions": self._writer.without_upper, "coarse": self._writer.coarse,
            "without lower divisions": self._writer.without_lower, "without divisions": self._writer.bare,
        }  # fmt: skip
        if noise == "elsewhere":
            home = homes[int(rng.integers(len(homes)))]
        return ways[noise](home) if noise in ways else home.text


def _visit(person: Person, homes: dict[str, Dwelling]) -> _Visit:
    return _Visit(person.name, person.sex, person.born, person.number, person.number, homes[person.dwelling])


def _one_of(noises: tuple[_Noise, ...], rng: np.random.Generator) -> str:
    drawn = rng.random()
    for name, share in noises:
        drawn -= share
        if drawn < 0:
            return name
    return noises[0][0]


def _name(name: str, noise: str, rng: np.random.Generator) -> str:
    if noise == "mistaken character":
        return mistaken_name(name, rng)
    if noise == "blank within":
        return f"{name[0]} {name[1:]}"
    if noise == "surname only":
        return f"{name[0]}某"
    return name[:-1] if noise == "a character lost" and len(name) > 2 else name


def _birth(born: str, noise: str, rng: np.random.Generator) -> str:
    """The day of birth as ISO text, "" for none."""
    year, month, day = (int(v) for v in born.split("-"))
    if noise == "missing":
        return ""
    if noise == "a year off":
        year += 1 if rng.random() < 0.5 else -1
    elif noise == "a digit of the day wrong":
        day = day % 28 + 1
    elif noise == "day and month swapped" and day <= 12:
        month, day = day, month
    return f"{year}-{month:02d}-{min(day, 28) if month == 2 else day:02d}"


def _number(number: str, noise: str, rng: np.random.Generator) -> str:
    start = int(rng.integers(6, 16))
    at = next((k for k in range(start, 16) if number[k] != number[k + 1]), 6)
    if noise == "missing":
        return ""
    if noise == "masked":
        return f"{number[:6]}********{number[14:]}"
    if noise == "one digit wrong":
        return f"{number[:at]}{(int(number[at]) + 1) % 10}{number[at + 1 :]}"
    if noise == "digits swapped":
        return f"{number[:at]}{number[at + 1]}{number[at]}{number[at + 2 :]}"
    return f"{float(number[:17] + '0'):.5E}" if noise == "damaged by Excel" else number
