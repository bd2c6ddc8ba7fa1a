"""One load in a process of its own, so that its time and memory can be measured: `load_once URL FILE`."""

import sys
from pathlib import Path

from gis.city import City
from gis.store.database import Database
from tests.bench.catalogue import CATALOGUE


def main(url: str, path: str) -> None:
    """Load the file; fail where a row was refused."""
    city = City(Database(url), CATALOGUE)
    report = city.load(path, "bench.points")
    if report.rejected:
        raise SystemExit(f"{report.rejected} rows were refused")
    city.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print("peak, kB:", status["VmHWM"].split()[0])
