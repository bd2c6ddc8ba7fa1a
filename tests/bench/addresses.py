"""How fast address texts are read and matched, clean and noisy, beside a plain regex and a trigram search.

Rates are texts a second of one core's own time. The regex has twelve optional groups and reads only what stands in
order; the trigram search (pg_trgm, a GiST index) asks the database one text at a time.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg

from gis.codes.address_column import AddressReader
from gis.exchange.matching import AddressIndex, Written
from tests.bench.address_city import SampleCity, read_city
from tests.bench.address_noise import KINDS, LEVELS, NoiseMaker, Noisy, Oracle
from tests.bench.pairs import Comparison, compare

GOAL_A_SECOND = 40_000.0
READ_GOAL, TRIGRAM_GOAL = 1.0, 100.0
RIGHT_GOAL = 0.99
_TRIGRAM_TEXTS = 50
_RUNS = 3

PLAIN_REGEX = re.compile(
    r"(.{2,5}?(?:省|自治区))?(.{2,6}?市)?(.{1,6}?[区县])?(.{1,8}?(?:街道|镇|乡))?(.{1,10}?(?:社区|村))?(.{1,10}?(?:路|街|巷|大道))?"
    r"(?:(\d+(?:-\d+)?)号)?(.{2,15}?(?:小区|花园|苑|村|公馆|名邸|府|国际|新城|宿舍|家属院))?(?:(\w{1,4})(?:栋|幢|座|号楼))?(?:(\w{1,3})单元)?"
    r"(?:(\w{1,3})[层楼])?(?:(\w{2,5})室?)?$"
)  # fmt: skip
_DIGITS = str.maketrans("０１２３４５６７８９", "0123456789")


_HASTE = ("match, clean", "match, mixed", "codes of dwellings, mixed", "codes of addresses, mixed")


@dataclass(slots=True)
class Rates:
    """What was measured: texts a second by what was done to which texts, and how the noise was seen through."""

    a_second: dict[str, float] = field(default_factory=dict)
    right: dict[str, float] = field(default_factory=dict)
    """By class of noise, the share of the texts that decide their place."""
    too_fine: int = 0
    silent: int = 0

    def rows(self) -> list[tuple[str, str]]:
        """The figures in words, for a table."""
        found = [(name, f"{rate:,.0f} texts/s") for name, rate in self.a_second.items()]
        found += [(f"right, {kind}", f"{share:.2%}") for kind, share in self.right.items()]
        return [*found, ("answers too fine", str(self.too_fine)), ("silent ambiguities", str(self.silent))]

    @property
    def all_right(self) -> float:
        """The share of right answers over the classes of noise whose texts decide their place, each weighing alike."""
        return sum(self.right.values()) / len(self.right)

    def missed(self) -> list[str]:
        """Which goals were not reached."""
        slow = [
            f"{name}: {self.a_second[name]:,.0f} texts/s, {GOAL_A_SECOND:,.0f} wanted"
            for name in _HASTE
            if self.a_second[name] < GOAL_A_SECOND
        ]
        found = [f"answers too fine: {self.too_fine}"] * bool(self.too_fine)
        found += [f"silent ambiguities: {self.silent}"] * bool(self.silent)
        return slow + found + [f"right: {self.all_right:.2%}"] * (self.all_right < RIGHT_GOAL)


def bench(url: str, texts: int, pairs: int) -> list[Comparison]:
    """Reading against the plain regex; reading and matching against the trigram search, a text."""
    city = read_city()
    index, maker = AddressIndex(city.register), NoiseMaker(city.truths, seed=11)
    clean = [n.text for n in maker.make("clean", texts)]
    mixed = [n.text for n in _mixed(maker, texts)]
    few = mixed[:: max(len(mixed) // _TRIGRAM_TEXTS, 1)][:_TRIGRAM_TEXTS]
    _fill_trigrams(url, city)
    many_times = max(len(mixed) // len(few), 1)
    compared = compare(
        "match mixed noise", "pg_trgm", TRIGRAM_GOAL, lambda: _match(index, mixed), _trigrams(url, few), pairs
    )
    # the peer answered so many texts fewer
    compared.peer_s[:] = [s * many_times for s in compared.peer_s]
    return [compare("read clean", "regex", READ_GOAL, lambda: _read(clean), lambda: _plain(clean), pairs), compared]


def rates(texts: int) -> Rates:
    """Rates by class of noise and over all of them in one run, and how many were right."""
    city = read_city()
    index, maker, oracle = AddressIndex(city.register), NoiseMaker(city.truths, seed=11), Oracle(city.truths)
    found = Rates()
    mixed = _mixed(maker, texts)
    clean = [n.text for n in maker.make("clean", texts)]
    found.a_second["plain regex, clean"] = _rate(clean, lambda: _plain(clean))
    found.a_second["read, clean"] = _rate(clean, lambda: _read(clean))
    found.a_second["match, clean"] = _rate(clean, lambda: _match(index.clone(), clean))
    noisy = [n.text for n in mixed]
    found.a_second["plain regex, mixed"] = _rate(noisy, lambda: _plain(noisy))
    found.a_second["read, mixed"] = _rate(noisy, lambda: _read(noisy))
    found.a_second["match, mixed"] = _rate(noisy, lambda: _match(index.clone(), noisy))
    for noun in ("dwellings", "addresses"):
        rate = _rate(noisy, lambda noun=noun: Written(index.clone(), f"base.{noun}").codes(noisy))  # type: ignore[misc]
        found.a_second[f"codes of {noun}, mixed"] = rate
    for kind in KINDS:
        some = maker.make(kind, max(texts // len(KINDS), 1))
        lines = [n.text for n in some]
        found.a_second[f"match, {kind}"] = _rate(lines, lambda lines=lines: _match(index.clone(), lines))  # type: ignore[misc]
        _score(found, kind, some, index, oracle)
    return found


def _mixed(maker: NoiseMaker, texts: int) -> list[Noisy]:
    found = [n for kind in KINDS for n in maker.make(kind, texts // len(KINDS))]
    maker.draw.shuffle(found)
    return found


def _read(texts: list[str]) -> None:
    for chunk in AddressReader().chunks(texts):
        chunk.level()


def _match(index: AddressIndex, texts: list[str]) -> None:
    for chunk in index.matches(texts):
        _ = chunk.level, chunk.code


def _plain(texts: list[str]) -> int:
    return sum(1 for text in texts if PLAIN_REGEX.match(text.translate(_DIGITS)))


def _rate(texts: list[str], run: Callable[[], object]) -> float:
    """The best of three runs: what else the machine does can only slow one down."""
    taken = []
    for _ in range(_RUNS):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return len(texts) / min(taken)


def _score(found: Rates, kind: str, noisy: list[Noisy], index: AddressIndex, oracle: Oracle) -> None:
    right = decided = 0
    answers = [
        (code, int(level), bool(ambiguous))
        for chunk in index.matches([n.text for n in noisy])
        for code, level, ambiguous in zip(chunk.code.to_pylist(), chunk.level, chunk.ambiguous, strict=True)
    ]
    for text, (code, level, ambiguous) in zip(noisy, answers, strict=True):
        found.too_fine += level > LEVELS[text.level] or (kind == "no such plate" and level >= LEVELS["plate"])
        codes = {t.code for t in oracle.consistent(text)} if kind != "no such plate" else set()
        decided += len(codes) == 1
        right += len(codes) == 1 and code in codes and not ambiguous
        found.silent += len(codes) > 1 and not ambiguous and level >= LEVELS["plate"]
    if decided:
        found.right[kind] = right / decided


def _fill_trigrams(url: str, city: SampleCity) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        conn.execute("DROP TABLE IF EXISTS address_text")
        conn.execute("CREATE TABLE address_text (code text, text text)")
        with conn.cursor().copy("COPY address_text FROM STDIN") as copy:
            for t in city.truths:
                inner = f"{t.compound}{t.building}{t.unit and t.unit + '单元'}{t.room and t.room + '室'}"
                copy.write_row((t.code, f"{''.join(t.divisions)}{t.street}{t.plate and t.plate + '号'}{inner}"))
        conn.execute("CREATE INDEX ON address_text USING gist (text gist_trgm_ops)")
        conn.execute("ANALYZE address_text")


def _trigrams(url: str, texts: list[str]) -> Callable[[], object]:
    def run() -> None:
        with psycopg.connect(url, autocommit=True) as conn:
            for text in texts:
                conn.execute("SELECT code FROM address_text ORDER BY text <-> %s LIMIT 1", (text,)).fetchone()

    return run


def main() -> None:
    """Print the rates and shares for 100 000 texts."""
    for name, figure in rates(100_000).rows():
        print(f"{name:42s} {figure}")


if __name__ == "__main__":
    main()
