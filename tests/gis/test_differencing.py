"""An attacker who may ask for anonymous figures of persons, and asks, adds and subtracts whatever can be asked."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import h3
import pytest

from gis import City
from gis.access import OWNER, Identity
from gis.catalog import Anonymous, Catalogue, Collection, Grant, Policy
from gis.errors import BadQuery
from gis.geo.area import Box, Cells, Circle, Division
from gis.query import answers
from gis.query.ask import Ask
from gis.query.filters import Filter
from gis.query.plan import Plan
from gis.query.query import ByCell, ByDivision, Measure, Query
from gis.query.span import Span
from gis.store import released
from gis.store.database import Database
from gis.store.reading import Reading
from gis.store.wall_roles import reader

PERSONS = "base.persons"
INSIDE, OUTSIDE = Anonymous(9, 5, 2), Anonymous(7, 10, 2)
POLICY = Policy((Grant(roles=("analyst",), anonymous=INSIDE), Grant(roles=("public",), anonymous=OUTSIDE)))
SEXES = [Filter.parse("sex = 'male'"), Filter.parse("sex = 'female'")]
MARRIED, BOTH = Filter.parse("marital_status = 'married'"), Filter.parse("sex = 'male' AND marital_status = 'married'")
ANALYST, PUBLIC = Identity("analyst", "analyst"), Identity("public", "public")


def told_in_counts(catalogue: Catalogue) -> Catalogue:
    """The catalogue in which persons are told to analysts and the public as counts."""

    def changed(collection: Collection) -> Collection:
        return replace(collection, policy=POLICY) if collection.id == PERSONS else collection

    layers = (replace(one, collections=tuple(map(changed, one.collections))) for one in catalogue.layers)
    return Catalogue(layers)


@pytest.fixture(scope="module")
def city(sample_city: str) -> Iterator[City]:
    with City.open(sample_city) as opened:
        opened.catalogue = told_in_counts(opened.catalogue)
        released.ensure(opened.database, opened.catalogue[PERSONS])
        yield opened


@dataclass
class Attacker:
    """Counts that somebody was told; `few` are the sets of persons of whom fewer than k were counted."""

    count: Callable[[Query], int]
    k: int
    finest: int
    few: set[str] = field(default_factory=set)
    questions: int = 0
    _told: dict[Query, int] = field(default_factory=dict)

    def ask(self, **asked: object) -> int:
        query = Query(collection=PERSONS, measure=(Measure(),), **asked)
        if query not in self._told:
            self.questions += 1
            self._told[query] = self.count(query)
            self.note(self._told[query], query)
        return self._told[query]

    def note(self, number: int, what: object) -> None:
        if 0 < abs(number) < self.k:
            self.few.add(f"{what}: {number}")

    def one_more(self, chance: random.Random, cells: list[int]) -> None:
        """Some cells, and the same with another: the difference is one cell."""
        some = chance.sample(cells, min(len(cells), chance.randint(2, 6)))
        where = self._maybe(chance)
        self.note(self.ask(area=Cells(tuple(some)), **where) - self.ask(area=Cells(tuple(some[1:])), **where), some)

    def parent(self, chance: random.Random, cells: list[int]) -> None:
        """A coarser cell, and all cells in it."""
        cell = f"{chance.choice(cells):x}"
        coarse = h3.cell_to_parent(cell, chance.randint(max(0, self.finest - 3), self.finest - 1))
        parts = [int(c, 16) for c in h3.cell_to_children(coarse, h3.get_resolution(coarse) + 1)]
        where = self._maybe(chance)
        total = self.ask(area=Cells((int(coarse, 16),)), **where)
        self.note(total - self.ask(area=Cells(tuple(parts)), **where), coarse)
        self.note(total - sum(self.ask(area=Cells((part,)), **where) for part in parts), coarse)

    def boxes(self, chance: random.Random, cells: list[int]) -> None:
        """Two boxes, one a little larger; circles of two radii."""
        lat, lon = h3.cell_to_latlng(f"{chance.choice(cells):x}")
        size, more = chance.uniform(0.0005, 0.02), chance.uniform(0.0001, 0.002)
        small, large = (Box(lon - s, lat - s, lon + s, lat + s) for s in (size, size + more))
        where = self._maybe(chance)
        self.note(self.ask(area=large, **where) - self.ask(area=small, **where), (small, large))
        near, far = (Circle(lon, lat, round(s * 1e5, 1)) for s in (size, size + more))
        self.note(self.ask(area=far, **where) - self.ask(area=near, **where), (near, far))

    def divisions(self, chance: random.Random, villages: list[int]) -> None:
        """A division, and those in it; and what of it is in a cell is asked by both."""
        village = chance.choice(villages)
        above = village - village % chance.choice((1_000, 1_000_000))
        parts = [v for v in villages if v - v % 1_000 == above] or [village]
        where = self._maybe(chance)
        total = self.ask(area=Division(above), **where)
        self.note(total - sum(self.ask(area=Division(part), **where) for part in parts), above)

    def fields(self, chance: random.Random, cells: list[int]) -> None:
        """Everybody, and those of each value."""
        area = Cells((chance.choice(cells),))
        total, parts = self.ask(area=area), [self.ask(area=area, where=where) for where in SEXES]
        self.note(total - sum(parts), area)
        both = self.ask(area=area, where=BOTH)
        self.note(parts[0] - both, area)
        self.note(self.ask(area=area, where=MARRIED) - both, area)

    def dates(self, chance: random.Random, cells: list[int]) -> None:
        """The same at two times, valid and recorded."""
        area = Cells((chance.choice(cells),))
        times = [Span.at(datetime(2026, chance.randint(10, 11), chance.randint(1, 20), tzinfo=UTC)) for _ in range(2)]
        first, second = (self._or_none(area=area, time=time) for time in times)
        self.note(first - second, (area, times))

    def run(self, questions: int, cells: list[int], villages: list[int], seed: int = 7) -> None:
        chance = random.Random(seed)
        while self.questions < questions:
            self.divisions(chance, villages)
            for way in (self.one_more, self.parent, self.boxes, self.fields, self.dates):
                way(chance, cells)

    def _or_none(self, **asked: object) -> int:
        try:
            return self.ask(**asked)
        except BadQuery:
            return 0

    @staticmethod
    def _maybe(chance: random.Random) -> dict[str, object]:
        return {"where": chance.choice([*SEXES, MARRIED])} if chance.random() < 0.3 else {}


def counting(city: City, identity: Identity) -> Callable[[Query], int]:
    """Counts as the plan gives them, behind the wall; what is asked through `City` is traced besides, which takes its
    time.
    """
    own = reader(city.database.url)
    database = Database(own.url, size=1, wall=Reading.of(own, identity, city.catalogue))

    def count(query: Query) -> int:
        plan = Ask(query=query, identity=identity).plan(city.catalogue)
        return int(database.rows(answers.groups(plan))[0][0])

    return count


@pytest.fixture(scope="module")
def lattice(city: City) -> tuple[list[int], list[int]]:
    """Where people live: cells of resolution 9, and villages."""
    by_cell = city.ask(Query(collection=PERSONS, by=(ByCell(9),))).geojson()["groups"]
    by_village = city.ask(Query(collection=PERSONS, by=(ByDivision(5),))).geojson()["groups"]
    cells = [int(group["cell"], 16) for group in by_cell if group["cell"]]
    return cells, [int(group["division"]) for group in by_village if group["division"]]


@pytest.mark.parametrize(("identity", "k", "finest"), [(ANALYST, 5, 9), (PUBLIC, 10, 7)])
def test_whoever_is_told_counts_alone_finds_nobody(
    city: City, lattice: tuple[list[int], list[int]], identity: Identity, k: int, finest: int
) -> None:
    attacker = Attacker(counting(city, identity), k, finest)
    attacker.run(500, *lattice)
    assert attacker.few == set()
    assert sum(count > 0 for count in attacker._told.values()) > 100


def test_without_the_guard_the_same_questions_find_many(city: City, lattice: tuple[list[int], list[int]]) -> None:
    attacker = Attacker(counting(city, OWNER), 5, 9)
    attacker.run(500, *lattice)
    assert len(attacker.few) > 20


@pytest.mark.torture
def test_a_hundred_thousand_questions_find_nobody(
    city: City, lattice: tuple[list[int], list[int]], torture_scale: float
) -> None:
    for identity, k, finest in ((ANALYST, 5, 9), (PUBLIC, 10, 7)):
        attacker = Attacker(counting(city, identity), k, finest)
        attacker.run(int(50_000 * torture_scale), *lattice, seed=11)
        assert attacker.few == set()


def test_most_of_the_city_is_told(city: City, capsys: pytest.CaptureFixture[str]) -> None:
    """The share of persons and of inhabited cells that each release shows, by resolution; printed for whoever asks."""
    total = int(city.database.rows(answers.groups(_plan(city, OWNER, ())))[0][0])
    for identity, scheme in ((ANALYST, INSIDE), (PUBLIC, OUTSIDE)):
        for resolution in range(scheme.resolution, 5, -1):
            told = city.database.rows(answers.groups(_plan(city, identity, (ByCell(resolution),))))
            cells = city.database.rows(answers.groups(_plan(city, OWNER, (ByCell(resolution),))))
            persons, shown = sum(row[1] for row in told) / total, len(told) / len(cells)
            with capsys.disabled():
                print(f"\nk={scheme.k} res={resolution}: {persons:.1%} of persons, {shown:.1%} of cells", end="")
            assert persons > 0.9


def _plan(city: City, identity: Identity, by: tuple[ByCell, ...]) -> Plan:
    query = Query(collection=PERSONS, by=by, measure=(Measure(),))
    return Ask(query=query, identity=identity).plan(city.catalogue)
