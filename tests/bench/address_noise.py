"""Addresses as people write them: seeded noise by class, with what the text still holds of its truth."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from tests.bench.address_city import DIVISIONS, Truth

_PLAIN = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
_WIDE = str.maketrans({c: chr(ord(c) + 0xFEE0) for c in _PLAIN})
_DIGITS, _FORMAL = "零一二三四五六七八九", "零壹贰叁肆伍陆柒捌玖"
_STRAY = "江海云天明华安平永福新河山光春秋风雨林竹梅兰菊石泉溪湖洋"
_REMARKS = ("(张三收)", "(放门卫)", " 电话13812345678", "(旧址)", "【工作日送】", "(请提前联系)")


@dataclass(frozen=True, slots=True)
class Noisy:
    """A text, the truth that it was made of, and what it still says, by part; `misspelt` ones may be one edit off.

    `false` parts are wrong on purpose: they hold for no candidate.
    """

    text: str
    truth: Truth
    says: dict[str, str]
    misspelt: frozenset[str] = frozenset()
    false: frozenset[str] = frozenset()

    @property
    def level(self) -> str:
        """The finest part that the text holds."""
        order = ("room", "unit", "building", "plate", "compound", "street", *reversed(DIVISIONS))
        return next((part for part in order if self.says.get(part)), "nothing")


def says_of(truth: Truth) -> dict[str, str]:
    """All parts of a truth, in the order in which they are written."""
    parts = dict(zip(DIVISIONS, truth.divisions, strict=True))
    parts |= {"street": truth.street, "plate": truth.plate}
    parts |= {name: getattr(truth, name) for name in ("compound", "building", "unit", "room")}
    return {name: value for name, value in parts.items() if value}


def written(says: dict[str, str], names: dict[str, str] | None = None) -> str:
    """The parts in their usual order; `names` replaces some as they are to be written."""
    shown = says | (names or {})
    endings = {"plate": "号", "unit": "单元", "room": "室"}
    order = (*DIVISIONS, "street", "plate", "compound", "building", "unit", "room")
    return "".join(f"{shown[p]}{endings.get(p, '')}" for p in order if shown.get(p))


def chinese(digits: str) -> str:
    """A number in Chinese numerals: with places below 100, else digit by digit."""
    number = int(digits)
    if len(digits) > 2 or not number:
        return "".join(_DIGITS[int(d)] for d in digits)
    tens, ones = divmod(number, 10)
    return (("" if tens == 1 else _DIGITS[tens]) + "十" if tens else "") + (_DIGITS[ones] if ones else "")


@dataclass(slots=True)
class NoiseMaker:
    """Makes noisy texts of a city's truths; the same seed makes the same texts."""

    truths: list[Truth]
    seed: int = 1
    draw: random.Random = field(init=False)
    names: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        self.names = {n for t in self.truths for n in (t.street, t.compound) if n}

    def make(self, kind: str, count: int) -> list[Noisy]:
        """So many texts of one class (see `KINDS`)."""
        found: list[Noisy] = []
        while len(found) < count:
            noisy = KINDS[kind](self, self.draw.choice(self.truths))
            if noisy is not None:
                found.append(noisy)
        return found

    def clean(self, truth: Truth) -> Noisy:
        """As the register has it."""
        says = says_of(truth)
        return Noisy(written(says), truth, says)

    def full_width(self, truth: Truth) -> Noisy:
        """Full-width digits and letters, blanks between parts."""
        says = says_of(truth)
        text = written(says).translate(_WIDE)
        cut = self.draw.choice([n for n, c in enumerate(text) if not c.isdigit() and c not in "－-"])
        return Noisy(text[:cut] + self.draw.choice(("", "　", " ")) + text[cut:], truth, says)

    def chinese_numerals(self, truth: Truth) -> Noisy:
        """Numbers in Chinese numerals."""
        says = says_of(truth)
        names = {p: chinese(says[p]) for p in ("plate", "unit", "room") if says.get(p, "").isdigit()}
        number = says.get("building", "").rstrip("栋号楼")
        if number.isdigit():
            names["building"] = chinese(number) + says["building"][len(number) :]
        if "unit" in names and self.draw.random() < 0.3:
            names["unit"] = "".join(_FORMAL[int(d)] for d in says["unit"])
        return Noisy(written(says, names), truth, says)

    def missing_upper(self, truth: Truth) -> Noisy:
        """Without province, city or county, or several of them."""
        says = says_of(truth)
        for part in self.draw.sample(DIVISIONS[:3], self.draw.randint(1, 3)):
            del says[part]
        return Noisy(written(says), truth, says)

    def missing_lower(self, truth: Truth) -> Noisy:
        """Without township or village or both."""
        says = says_of(truth)
        for part in self.draw.sample(DIVISIONS[3:], self.draw.randint(1, 2)):
            del says[part]
        return Noisy(written(says), truth, says)

    def bare(self, truth: Truth) -> Noisy:
        """Without any division."""
        says = {p: v for p, v in says_of(truth).items() if p not in DIVISIONS}
        return Noisy(written(says), truth, says)

    def typo_street(self, truth: Truth) -> Noisy | None:
        """One character wrong, missing or too many in the street's name."""
        return self._typo(truth, "street")

    def typo_compound(self, truth: Truth) -> Noisy | None:
        """The same in the compound's name."""
        return self._typo(truth, "compound")

    def swapped(self, truth: Truth) -> Noisy:
        """Divisions after the rest, or the compound before the street."""
        says = says_of(truth)
        above = written({p: v for p, v in says.items() if p in DIVISIONS})
        road = written({p: v for p, v in says.items() if p in ("street", "plate")})
        inner = written({p: v for p, v in says.items() if p not in (*DIVISIONS, "street", "plate")})
        if truth.street and truth.compound:
            text = self.draw.choice((f"{inner}{road},{above}", f"{above}{inner},{road}", f"{road}{inner} {above}"))
        else:
            text = f"{road or written({p: v for p, v in says.items() if p not in DIVISIONS})},{above}"
        return Noisy(text, truth, says)

    def remarks(self, truth: Truth) -> Noisy:
        """With words that are no address."""
        says = says_of(truth)
        return Noisy(written(says) + self.draw.choice(_REMARKS), truth, says)

    def abbreviated(self, truth: Truth) -> Noisy:
        """Without the endings of divisions; 幢 for 栋; 3-2-501."""
        says = says_of(truth)
        names = {p: v for p, v in says.items() if p in DIVISIONS}
        for part, endings in zip(DIVISIONS, ("省", "市", "区", ("街道", "镇", "乡"), ("社区", "村")), strict=True):
            for ending in endings if isinstance(endings, tuple) else (endings,):
                if names[part].endswith(ending) and len(names[part]) > len(ending) + 1:
                    names[part] = names[part].removesuffix(ending)
                    break
        if not truth.room or not truth.building.endswith("栋"):
            return Noisy(written(says, names), truth, says)
        number = truth.building.removesuffix("栋")
        inner = self.draw.choice(
            (f"{number}-{truth.unit}-{truth.room}", f"{number}幢{truth.unit}单元{truth.room}",
             f"{number}栋{truth.unit}-{truth.room}")
        )  # fmt: skip
        short = {p: v for p, v in says.items() if p not in ("building", "unit", "room")}
        return Noisy(written(short, names) + inner, truth, says)

    def wrong_district(self, truth: Truth) -> Noisy:
        """With another county's name than its own; township and village stand as they are, or are left out."""
        says = says_of(truth)
        if self.draw.random() < 0.3:
            del says["township"], says["village"]
        others = sorted({t.divisions[2] for t in self.truths} - {truth.divisions[2]})
        wrong = self.draw.choice(others)
        return Noisy(written(says, {"county": wrong}), truth, says | {"county": wrong}, false=frozenset({"county"}))

    def no_such_plate(self, truth: Truth) -> Noisy | None:
        """A plate that the street has not."""
        if not truth.street or truth.compound:
            return None
        says = says_of(truth) | {"plate": str(self.draw.randint(700, 999))}
        return Noisy(written(says), truth, says, false=frozenset({"plate"}))

    def shared_compound(self, truth: Truth) -> Noisy | None:
        """Compound, building, unit and room alone: enough where the name occurs once."""
        if not truth.compound:
            return None
        says = {p: v for p, v in says_of(truth).items() if p in ("compound", "building", "unit", "room")}
        return Noisy(written(says), truth, says)

    def _typo(self, truth: Truth, part: str) -> Noisy | None:
        says = says_of(truth)
        name = says.get(part, "")
        if len(name) < 3:
            return None
        for _ in range(20):
            spoilt = self._spoilt(name)
            if spoilt not in self.names:
                if self.draw.random() < 0.5:
                    for dropped in self.draw.sample(DIVISIONS[:3], 2):
                        del says[dropped]
                return Noisy(written(says, {part: spoilt}), truth, says | {part: spoilt}, misspelt=frozenset({part}))
        return None

    def _spoilt(self, name: str) -> str:
        at, stray = self.draw.randrange(len(name)), self.draw.choice(_STRAY)
        way = self.draw.randrange(3)
        return name[:at] + (stray + name[at + 1 :], name[at + 1 :], stray + name[at:])[way]


KINDS: dict[str, Callable[[NoiseMaker, Truth], Noisy | None]] = {
    "clean": NoiseMaker.clean,
    "full width": NoiseMaker.full_width,
    "Chinese numerals": NoiseMaker.chinese_numerals,
    "upper divisions missing": NoiseMaker.missing_upper,
    "lower divisions missing": NoiseMaker.missing_lower,
    "no divisions": NoiseMaker.bare,
    "typing error in street": NoiseMaker.typo_street,
    "typing error in compound": NoiseMaker.typo_compound,
    "swapped order": NoiseMaker.swapped,
    "remarks": NoiseMaker.remarks,
    "abbreviated": NoiseMaker.abbreviated,
    "wrong district": NoiseMaker.wrong_district,
    "no such plate": NoiseMaker.no_such_plate,
    "compound alone": NoiseMaker.shared_compound,
}


class Oracle:
    """Which addresses of the city agree with all that a text says, by trying them: what the text decides."""

    def __init__(self, truths: Iterable[Truth]) -> None:
        self._by_numbers: dict[tuple[str, ...], list[Truth]] = defaultdict(list)
        for truth in truths:
            self._by_numbers[truth.building, truth.unit, truth.room].append(truth)

    def consistent(self, noisy: Noisy) -> list[Truth]:
        """The addresses of the text's own level that agree; parts that are wrong on purpose are not compared."""
        says = noisy.says
        candidates = self._by_numbers[tuple(says.get(p, "") for p in ("building", "unit", "room"))]
        return [t for t in candidates if self._agrees(t, noisy)]

    def _agrees(self, truth: Truth, noisy: Noisy) -> bool:
        have = dict(zip(DIVISIONS, truth.divisions, strict=True))
        have |= {p: getattr(truth, p) for p in ("street", "plate", "compound")}
        for part, value in noisy.says.items():
            if part in noisy.false or part not in have:
                continue
            if have[part] != value and not (part in noisy.misspelt and edits(have[part], value) <= 1):
                return False
        return True


def edits(a: str, b: str) -> int:
    """Levenshtein's distance, by the table."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        above, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (x != y))
    return row[-1]


@dataclass(slots=True)
class Score:
    """How one class of noise went."""

    texts: int = 0
    decided: int = 0
    """Texts that one address of the city fits, and no other."""
    right: int = 0
    """Of those, how many came to that place (or are said to be several)."""
    wrong: int = 0
    too_fine: int = 0
    silent: int = 0
    """Texts that several addresses fit and whose answer names one of them without a word."""


LEVELS = {"room": 14, "unit": 12, "building": 11, "plate": 10, "compound": 8, "street": 6, "village": 5, "township": 4,
          "county": 3, "city": 2, "province": 1, "nothing": 0}  # fmt: skip


def twins(truths: list[Truth], name: str, elsewhere: Truth) -> list[Truth]:
    """A compound's addresses once more in another place: a second compound of the same name."""
    street = f"{elsewhere.street[:-1]}支路" if elsewhere.street else "新开路"
    return [
        replace(t, divisions=elsewhere.divisions, street=street, code=f"T{t.code}", lon=elsewhere.lon + 0.02)
        for t in truths
        if t.compound == name
    ]
