"""Dwellings, households and persons: invented people with valid numbers, homes and plausible families."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sample_city import names
from sample_city.codes import citizen_ids
from sample_city.lattice import stream
from sample_city.places import Building

Ints = NDArray[np.int64]

TODAY = np.datetime64("2026-01-01")
_FIRST_DAY = np.datetime64("1925-01-01")
# Where people were first registered: today's districts, the codes of 六安地区 before 2000, neighbours. Shares in %.
_REGIONS = np.array([341502, 341503, 342401, 342425, 341522, 341523, 341524, 341525, 340422, 340104, 411525, 340111])
_SHARES = np.array([34, 28, 10, 3, 6, 5, 4, 3, 2, 2, 2, 1])
_RELATIONS = ("户主", "配偶", "子女", "子女", "父母", "父母")
_ETHNIC = ("汉族", "回族", "满族", "土家族")


@dataclass(frozen=True, slots=True)
class Dwelling:
    """A home: building, staircase, floor and room; `text` is its full address."""

    code: str
    building: str
    village: str
    unit: int
    floor: int
    room: str
    text: str


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person."""

    name: str
    sex: str
    number: str
    born: str
    ethnicity: str
    household: str
    relation: str
    registered: str
    village: str
    dwelling: str


def dwellings_of(building: Building) -> Iterator[Dwelling]:
    """The building's homes, from the ground up; a house of one household is one home."""
    single = building.units * building.flats == 1
    for unit in range(1, building.units + 1):
        for floor in range(1, (1 if single else building.storeys) + 1):
            for flat in range(1, building.flats + 1):
                room = "" if single else f"{floor}{flat:02d}"
                place = "" if single else f"{unit}单元{room}室"
                code = f"{building.code}{unit:02d}{floor:02d}{flat:02d}"
                text = f"{building.address.text}{place}"
                yield Dwelling(code, building.code, building.village, unit, floor, room, text)


class Registry:
    """Hands out citizen id numbers, each once: a running sequence for every region, day of birth and sex."""

    def __init__(self) -> None:
        days = int((TODAY - _FIRST_DAY).astype(np.int64)) + 1
        self._given = np.zeros((len(_REGIONS), days, 2), dtype=np.uint16)

    def numbers(self, region: Ints, day: Ints, male: Ints) -> list[str]:
        """Valid numbers for people by index of region, days since 1925 and sex (1 male)."""
        _, days, _ = self._given.shape
        key = (region * days + day) * 2 + male
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        first = np.r_[True, ordered[1:] != ordered[:-1]]
        start = np.maximum.accumulate(np.where(first, np.arange(len(key)), 0))
        rank = np.empty(len(key), dtype=np.int64)
        rank[order] = np.arange(len(key)) - start
        given = self._given.reshape(-1)
        turn = given[key].astype(np.int64) + rank
        given[ordered[first]] += np.bincount(np.cumsum(first) - 1).astype(np.uint16)
        sequence = 2 * ((turn * 37 + key * 11) % 500) + male
        return citizen_ids(_REGIONS[region], _as_digits(_FIRST_DAY + day), sequence)


def households(count: int, homes: int, rng: np.random.Generator) -> Ints:
    """Sizes of households that sum to `count` people and are no more than `homes`."""
    mean = min(5.2, max(2.35, count / (0.88 * max(homes, 1))))
    sizes = 1 + rng.binomial(5, (mean - 1) / 5, size=count)
    total = np.cumsum(sizes)
    last = int(np.searchsorted(total, count))
    kept: Ints = sizes[: last + 1].astype(np.int64)
    kept[-1] -= int(total[last]) - count
    while len(kept) > homes > 0:
        kept[: len(kept) - homes] += kept[homes:][: len(kept) - homes]
        kept = kept[:homes]
    return kept


def people_of(homes: list[Dwelling], count: int, seed: int, district: int, registry: Registry) -> Iterator[Person]:
    """So many people in the district's homes, household by household."""
    if not count:
        return
    rng = stream(seed, 15, district)
    sizes = households(count, len(homes), rng)
    lived_in = np.sort(rng.permutation(len(homes))[: len(sizes)])
    house = np.repeat(np.arange(len(sizes)), sizes)
    place = np.arange(count) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    male, day = _family(house, place, rng)
    region = np.repeat(np.searchsorted(np.cumsum(_SHARES), rng.random(len(sizes)) * 100), sizes)
    numbers = registry.numbers(region, day, male)
    born = (_FIRST_DAY + day).astype(str)
    surname, given = rng.integers(len(names.SURNAMES), size=(2, count)), rng.integers(0, 1 << 30, size=count)
    rare = rng.random(count)
    for n in range(count):
        home = homes[int(lived_in[house[n]])]
        # the head's surname passes to the children; spouse and parents bring their own
        family = surname[0, n - place[n]] if place[n] in (0, 2, 3) else surname[1, n]
        words = names.MALE_NAMES if male[n] else names.FEMALE_NAMES
        yield Person(
            name=names.SURNAMES[int(family)] + words[int(given[n]) % len(words)],
            sex="男" if male[n] else "女",
            number=numbers[n],
            born=str(born[n]),
            ethnicity=_ETHNIC[int(rare[n] > 0.985) + int(rare[n] > 0.995)],
            household=f"H{home.code}",
            relation=_RELATIONS[min(int(place[n]), 5)],
            registered=home.village if region[n] < 4 else f"{_REGIONS[region[n]]}000000",
            village=home.village,
            dwelling=home.code,
        )


def _family(house: Ints, place: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Sex (1 male) and days since 1925 of everyone, from their place in the family."""
    heads = int(house[-1]) + 1
    head_age = (24 + 50 * rng.random(heads) ** 1.3)[house]
    head_male = (rng.random(heads) < 0.72)[house]
    step, coin = rng.random(len(house)), rng.random(len(house)) < 0.52
    spouse, child, parent = place == 1, (place == 2) | (place == 3), place >= 4
    male = np.where(spouse, ~head_male, np.where(place == 0, head_male, coin))
    age = head_age + spouse * (step * 8 - 4) - child * (22 + step * 12) + parent * (22 + step * 8)
    age = np.clip(np.where(age < 0, 17 * step, age), 0, 98)
    days = int((TODAY - _FIRST_DAY).astype(np.int64)) - 1 - np.round(age * 365.25).astype(np.int64)
    return male.astype(np.int64), np.maximum(days, 0)


def _as_digits(days: NDArray[np.datetime64]) -> Ints:
    month = days.astype("datetime64[M]")
    year = days.astype("datetime64[Y]").astype(np.int64) + 1970
    in_year = month.astype(np.int64) % 12 + 1
    found: Ints = year * 10_000 + in_year * 100 + (days - month.astype("datetime64[D]")).astype(np.int64) + 1
    return found
