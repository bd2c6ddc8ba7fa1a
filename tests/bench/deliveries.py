"""How fast a department's persons become claims and register: against the bare COPY of the same rows, in one run."""

import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psycopg
import pyarrow as pa

from gis.catalog import Catalogue
from gis.city import City
from gis.exchange.readers import open_source
from gis.settings import CHECKOUT
from gis.store.database import Database
from layers import LAYERS
from tests.bench.pairs import Comparison, compare

#: Shares of the bare COPY's rate, by row: a first full delivery, an unchanged one, a row of a 1 % change set.
FIRST_GOAL, SAME_GOAL, CHANGED_GOAL = 1 / 12, 1 / 3, 1 / 120
MEMORY_GOAL_MB = 700.0
#: The time a row at four times the persons, over that at once as many.
GROWTH_GOAL = 1.3
_TIMES = 3
_PERSONS = "deliveries/persons_police.csv"


def sample(folder: Path, people: int) -> Path:
    """A sample city of so many people, made once."""
    made = folder / f"city_{people}"
    if not (made / "deliveries.json").exists():
        program = CHECKOUT / "data-samples" / "generate.py"
        subprocess.run([sys.executable, program, "--people", str(people), "--seed", "1", "--out", made], check=True)
    return made


def prepared(url: str, city_files: Path) -> City:
    """A city with its places and dwellings, and no persons yet."""
    city = City(Database(url), Catalogue(LAYERS))
    for file, into in (("divisions.gpkg", "base.divisions"), ("buildings.shp", "base.buildings")):
        if not city.has_loaded(city_files / file, into):
            city.load(city_files / file, into)
    with psycopg.connect(url) as conn:
        known = conn.execute("SELECT EXISTS (SELECT FROM base.dwellings)").fetchone()
    if known == (False,):
        city.deliver("base.dwellings", city_files / "deliveries/dwellings_real_estate.csv", department="real_estate")
    return city


def bench(url: str, folder: Path, people: int, pairs: int) -> list[Comparison]:
    """A first full delivery, an unchanged one and a change set of one row in a hundred, each beside the bare COPY."""
    files = sample(folder, people)
    city = prepared(url, files)
    whole = files / _PERSONS
    changes = _changes(whole, folder / f"changes_{people}.csv")
    rows = _rows(whole)
    bare = partial(_copy, url, rows)
    _empty(url)
    first = partial(_first, city, url, whole)
    found = [compare("first full delivery", "bare COPY", FIRST_GOAL, first, bare, pairs)]
    _first(city, url, whole)
    found.append(compare("unchanged delivery", "bare COPY", SAME_GOAL, partial(_deliver, city, whole), bare, pairs))
    goal = CHANGED_GOAL * len(rows) / changes[1]
    change = partial(_changed, city, changes[0])
    found.append(compare("1 % changed, by row", "bare COPY", goal, change, bare, pairs))
    city.close()
    return found


def memory(url: str, folder: Path, people: int) -> float:
    """Peak resident memory of a process that works on a first full delivery, in MB."""
    files = sample(folder, people)
    prepared(url, files).close()
    _empty(url)
    program = [sys.executable, "-m", "tests.bench.deliveries", url, str(files / _PERSONS)]
    ran = subprocess.run(program, check=True, capture_output=True, text=True)
    return float(ran.stdout.split()[-1])


def growth(urls: tuple[str, str], folder: Path, people: int) -> float:
    """The time a row of a first delivery of four times the people over that of as many: medians of three in turn.

    `urls` are two databases, for the smaller city and for the larger.
    """
    runs = []
    for url, number in zip(urls, (people, 4 * people), strict=True):
        whole = sample(folder, number) / _PERSONS
        with whole.open("rb") as file:
            rows = sum(1 for _ in file) - 1
        runs.append((prepared(url, sample(folder, number)), url, whole, rows))
    times_s: tuple[list[float], list[float]] = ([], [])
    for _ in range(_TIMES):
        for (city, url, whole, rows), taken_s in zip(runs, times_s, strict=True):
            _empty(url)
            start = time.perf_counter()
            _deliver(city, whole)
            taken_s.append((time.perf_counter() - start) / rows)
    for city, *_ in runs:
        city.close()
    once, four = map(statistics.median, times_s)
    return four / once


def _first(city: City, url: str, path: Path) -> None:
    _empty(url)
    _deliver(city, path)


def _deliver(city: City, path: Path) -> None:
    city.deliver("base.persons", path, department="police", mode="full")


_turns = iter(range(1_000_000))


def _changed(city: City, paths: tuple[Path, Path]) -> None:
    """One file and another in turn, so that every time all its rows are changed."""
    city.deliver("base.persons", paths[next(_turns) % 2], department="police", mode="incremental")


def _changes(whole: Path, path: Path) -> tuple[tuple[Path, Path], int]:
    """Two files with every hundredth row of the whole, of which a word is another in each."""
    lines = whole.read_text("gb18030").splitlines()
    taken = lines[3::100]
    made = []
    for word in ("苗族", "壮族"):
        file = path.with_name(f"{path.stem}_{len(made)}.csv")
        rows = [line.replace("汉族", word) for line in taken if "汉族" in line]
        file.write_text("\n".join([lines[0], *rows]) + "\n", "gb18030")
        made.append(file)
    return (made[0], made[1]), sum("汉族" in line for line in taken)


def _rows(path: Path) -> list[tuple[str | None, ...]]:
    tables = [batch.table for batch in open_source(path).batches()]
    return list(zip(*(column.to_pylist() for column in pa.concat_tables(tables).columns), strict=True))


def _copy(url: str, rows: list[tuple[str | None, ...]]) -> None:
    columns = ", ".join(f"c{i} text" for i in range(len(rows[0])))
    with psycopg.connect(url) as conn, conn.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE bare ({columns})")
        with cursor.copy("COPY bare FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def _empty(url: str) -> None:
    """No person known, and none ever delivered."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(
            "TRUNCATE base.persons, base.persons_id, base.persons_past, base.persons_identifier,"
            " exchange.base_persons_claim, exchange.repeated, exchange.returned"
        )
        conn.execute("DELETE FROM core.epoch WHERE register = 'base.persons'")
        conn.execute("DELETE FROM exchange.delivery WHERE register = 'base.persons'")


def main(url: str, path: str) -> None:
    """One first delivery in a process of its own; prints its peak memory in MB."""
    city = City(Database(url), Catalogue(LAYERS))
    _deliver(city, Path(path))
    city.close()
    # what wait4 and getrusage tell holds the peak of the process that started this one
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    sys.stdout.write(f"{int(status['VmHWM'].split()[0]) / 1024:.0f}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
