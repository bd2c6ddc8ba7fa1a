"""Valid time of one feature: its rows never overlap, in a file or over several; the first one given stays."""

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from gis.catalog import Catalogue
from gis.city import City
from gis.exchange.readers import ReadOptions
from gis.exchange.report import LoadReport
from gis.store.database import Database
from layers import LAYERS
from tests.gis.register_state import assert_adds_up, empty

Row = tuple[str, str, str]
GIVEN = ReadOptions(crs="EPSG:4326")


@pytest.fixture
def city(module_url: str) -> Iterator[City]:
    empty(module_url)
    with City(Database(module_url), Catalogue(LAYERS)) as opened:
        yield opened


def take(city: City, folder: Path, rows: list[Row], name: str = "pois.csv", **options: bool) -> LoadReport:
    lines = [f"{code},名,116.5,31.7,{start},{end}" for code, start, end in rows]
    (folder / name).write_text("\n".join(["编码,名称,经度,纬度,启用日期,停用日期", *lines]), "utf-8")
    report = city.load(folder / name, "base.pois", read=GIVEN, **options)
    assert_adds_up(city.database.url, report)
    return report


def held(city: City) -> list[Row]:
    with psycopg.connect(city.database.url) as conn:
        conn.execute("SET timezone = 'Asia/Shanghai'")
        found = conn.execute(
            "SELECT code, left(valid_from::text, 4), left(valid_to::text, 4) FROM base.pois ORDER BY 1, 2"
        )
        return [(code, start.strip("-inf"), end.strip("inf")) for code, start, end in found.fetchall()]


def year(number: int) -> str:
    return f"{number}-01-01"


def test_a_row_does_not_go_for_the_sake_of_one_that_went(city: City, tmp_path: Path) -> None:
    rows = [("A", year(2003), year(2004)), ("A", year(2000), year(2020)), ("A", year(2001), year(2002))]
    report = take(city, tmp_path, rows)
    assert [(r.row, r.reason, r.text.en.split()[5]) for r in report.findings.rejects] == [(3, "overlap", "2")]
    assert held(city) == [("A", "2001", "2002"), ("A", "2003", "2004")]


@pytest.mark.parametrize("later", [False, True])
def test_against_taking_row_after_row(city: City, tmp_path: Path, later: bool) -> None:
    rng = random.Random(7)
    if later:
        take(city, tmp_path, [("Z", "", "")], "other.csv")
    rows = [
        ("ABC"[rng.randrange(3)], start, start + rng.randrange(1, 40)) for start in rng.sample(range(1100, 2000), 120)
    ]
    stay: list[tuple[str, int, int]] = []
    for code, start, end in rows:
        if not any(c == code and s < end and start < e for c, s, e in stay):
            stay.append((code, start, end))
    report = take(city, tmp_path, [(code, year(start), year(end)) for code, start, end in rows])
    assert report.rejected == len(rows) - len(stay)
    assert [row for row in held(city) if row[0] != "Z"] == [(c, str(s), str(e)) for c, s, e in sorted(stay)]


def test_many_overlaps_of_one_feature_take_no_time_of_their_own(city: City, tmp_path: Path) -> None:
    days = [f"{1000 + i // 12 % 900}-{i % 12 + 1:02}-{i // 10_800 + 1:02}" for i in range(5_000)]
    report = take(city, tmp_path, [("A", day, "") for day in days])
    assert (report.changes.new, report.rejected) == (1, 4_999)


STANDING = [
    ("a row without end on record", [("A", "", "")], [("A", year(2010), "")], {}),
    ("a longer one", [("A", year(2000), year(2010))], [("A", year(2005), year(2006))], {}),
    ("an undated one after a dated one", [("A", year(2000), year(2010))], [("A", "", "")], {}),
    ("the same start and a later end", [("A", "2000-01-01", year(2005)), ("A", year(2005), "")],
     [("A", "2000-01-01", year(2006))], {"partial": True}),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "options"), [c[1:] for c in STANDING], ids=[c[0] for c in STANDING])
def test_a_row_that_overlaps_one_on_record_is_listed(
    city: City, tmp_path: Path, first: list[Row], second: list[Row], options: dict[str, bool]
) -> None:
    take(city, tmp_path, first)
    before = held(city)
    name = "pois.csv" if options else "other.csv"
    report = take(city, tmp_path, [*second, ("B", "", "")], name, **options)
    assert [(r.row, r.reason) for r in report.findings.rejects] == [(2, "standing")]
    assert held(city) == [*before, ("B", "", "")]


def test_words_for_no_end_are_no_beginning(city: City, tmp_path: Path) -> None:
    report = take(city, tmp_path, [("A", year(2000), "9999-12-31"), ("B", "长期", ""), ("C", "9999-12-31", "")])
    assert [(r.row, r.reason) for r in report.findings.rejects] == [(3, "bad-valid-time")]
    assert held(city) == [("A", "2000", ""), ("C", "9999", "")]


def test_what_touches_or_replaces_does_not_overlap(city: City, tmp_path: Path) -> None:
    take(city, tmp_path, [("A", year(2000), year(2010)), ("B", "", "")])
    steps: list[tuple[list[Row], str, dict[str, bool]]] = [
        ([("A", year(2010), "")], "other.csv", {}),
        ([("A", year(2000), year(2005)), ("A", year(2005), year(2010))], "pois.csv", {"partial": True}),
        ([("A", year(1990), year(2010))], "pois.csv", {}),
    ]
    for rows, name, options in steps:
        assert take(city, tmp_path, rows, name, **options).rejected == 0
    assert held(city) == [("A", "1990", "2010"), ("A", "2010", "")]


def test_no_two_rows_of_a_feature_ever_overlap(city: City, tmp_path: Path) -> None:
    rng = random.Random(11)
    for turn in range(12):
        years = [rng.randrange(2000, 2010) for _ in range(6)]
        rows = [
            (rng.choice("AB"), rng.choice(["", year(start)]), rng.choice(["", year(start + rng.randrange(1, 5))]))
            for start in years
        ]
        take(city, tmp_path, rows, rng.choice(["pois.csv", "other.csv"]), partial=turn % 3 == 0)
        for one, other in itertools.pairwise(held(city)):
            assert one[0] != other[0] or (one[2] and one[2] <= other[1])
