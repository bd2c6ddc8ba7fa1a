"""How fast a file becomes rows with cells, checks and indexes: against ogr2ogr and geopandas, and in what memory."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import geopandas
import sqlalchemy

from tests.bench import points
from tests.bench.load_floor import Floor
from tests.bench.load_once import main as load
from tests.bench.pairs import Comparison, compare

OGR2OGR_GOAL, TO_POSTGIS_GOAL = 3.0, 8.0
MEMORY_GOAL_MB, FLAT_GOAL = 600.0, 1.1


def bench(url: str, folder: Path, rows: int, pairs: int) -> list[Comparison]:
    """Each file against each peer that can read it: Debian's ogr2ogr reads no Parquet, so it gets the GeoPackage."""
    parquet, package = points.files(folder, rows)
    found = []
    for path in (parquet, package):
        name = f"load {path.suffix}"
        program, call = _as_program(url, path), _as_call(url, path)
        found.append(compare(name, "ogr2ogr .gpkg", OGR2OGR_GOAL, program, _ogr2ogr(url, package), pairs))
        found.append(compare(name, f"to_postgis {path.suffix}", TO_POSTGIS_GOAL, call, _to_postgis(url, path), pairs))
    return [*found, *_floor(url, parquet, package, pairs)]


def _floor(url: str, parquet: Path, package: Path, pairs: int) -> list[Comparison]:
    """How many times faster than the peers the bare database is, given the rows themselves: no load can be faster."""
    floor = Floor.of_loaded(url)
    name = "the bare database alone"
    return [
        compare(name, "ogr2ogr .gpkg", OGR2OGR_GOAL, floor.run, _ogr2ogr(url, package), pairs),
        compare(name, "to_postgis .parquet", TO_POSTGIS_GOAL, floor.run, _to_postgis(url, parquet), pairs),
    ]


def memory(url: str, folder: Path, rows: int) -> dict[str, float]:
    """Peak resident memory of the loading process in MB, at `rows` and at five times as many, and their ratio."""
    found: dict[str, float] = {}
    for suffix in (0, 1):
        small, large = (points.files(folder, n)[suffix] for n in (rows, 5 * rows))
        one, five = _peak_mb(url, small), _peak_mb(url, large)
        found |= {f"{small.suffix} peak": one, f"{small.suffix} peak ×5": five, f"{small.suffix} ratio": five / one}
    return found


def _as_program(url: str, path: Path) -> Callable[[], object]:
    """A process from its start to its end, as ogr2ogr is."""

    def run() -> None:
        points.empty_register(url)
        subprocess.run(_command(url, path), check=True)

    return run


def _as_call(url: str, path: Path) -> Callable[[], object]:
    """A call in a process that has everything imported, as to_postgis is."""

    def run() -> None:
        points.empty_register(url)
        load(url, str(path))

    return run


def _command(url: str, path: Path) -> list[str]:
    return [sys.executable, "-m", "tests.bench.load_once", url, str(path)]


def _ogr2ogr(url: str, package: Path) -> Callable[[], object]:
    command = ["ogr2ogr", "-f", "PostgreSQL", f"PG:{url}", str(package), "-nln", "ogr_points", "-overwrite", "-q"]

    def run() -> None:
        subprocess.run(command, check=True, env={**os.environ, "PG_USE_COPY": "YES"}, stderr=subprocess.DEVNULL)

    return run


def _to_postgis(url: str, path: Path) -> Callable[[], object]:
    engine = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))

    def run() -> None:
        frame = geopandas.read_parquet(path) if path.suffix == ".parquet" else geopandas.read_file(path)
        frame.to_postgis("gpd_points", engine, if_exists="replace")

    return run


def _peak_mb(url: str, path: Path) -> float:
    """As the process itself finds it at its end: what wait4 tells holds the peak of the process that started it."""
    points.empty_register(url)
    ran = subprocess.run(_command(url, path), check=True, capture_output=True, text=True)
    return int(ran.stdout.split()[-1]) / 1024
