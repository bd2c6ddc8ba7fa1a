"""What is derived from a register is made once, made again when it is declared otherwise, and swapped in with it."""

from pathlib import Path
from typing import Any

import psycopg
import pytest

from gis.base.pois import POIS
from gis.catalog import Collection
from gis.city import City
from gis.exchange.readers import ReadOptions
from gis.store import derived
from gis.store.changes_record import ChangeLog
from gis.store.derived import derive
from gis.store.tables import Register

POIS_CSV = "code,name,lon,lat\nA,甲,116.5,31.7\nB,乙,116.6,31.8\n"


class Counted:
    """How many rows a register has: a table of one row, kept by nothing."""

    kind = "counted"

    def __init__(self) -> None:
        self.declared: str | None = "1"
        self.calls: list[str] = []

    def digest(self, collection: Collection) -> str | None:
        return self.declared if collection.id == POIS.id else None

    def tables(self, collection: Collection) -> tuple[str, ...]:
        return (self._table(),)

    def install(self, conn: psycopg.Connection[Any], collection: Collection) -> None:
        self.calls.append("install")
        self._count(conn, "")

    def remove(self, conn: psycopg.Connection[Any], collection: Collection, suffix: str = "") -> None:
        conn.execute(f"DROP TABLE IF EXISTS {self._table(suffix)}")

    def copy(self, conn: psycopg.Connection[Any], collection: Collection, suffix: str) -> None:
        self.calls.append("copy")
        self._count(conn, suffix)

    def swap(self, conn: psycopg.Connection[Any], collection: Collection, suffix: str) -> None:
        self.calls.append("swap")
        conn.execute(f"DROP TABLE IF EXISTS {self._table()}")
        conn.execute(f"ALTER TABLE {self._table(suffix)} RENAME TO pois_counted")

    def _count(self, conn: psycopg.Connection[Any], suffix: str) -> None:
        source = Register.of(POIS, suffix).table()
        conn.execute(f"CREATE TABLE {self._table(suffix)} AS SELECT count(*) AS n FROM {source}")

    def _table(self, suffix: str = "") -> str:
        return f'base."pois_counted{suffix}"'


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    made = Counted()
    monkeypatch.setattr(derived, "DERIVED", (ChangeLog(), made))
    return made


def one(url: str, question: str) -> Any:
    with psycopg.connect(url) as conn:
        row = conn.execute(question).fetchone()
    return row[0] if row else None


RECORDED = "SELECT digest FROM core.derived WHERE (register, kind) = ('base.pois', 'counted')"
TRIGGERS = "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'base.pois'::regclass AND NOT tgisinternal"


def test_it_is_made_once_and_again_when_it_is_declared_otherwise(database_url: str, counted: Counted) -> None:
    assert derive(database_url, [POIS]) == ["base.pois:counted"]
    assert derive(database_url, [POIS]) == []
    assert one(database_url, "SELECT n FROM base.pois_counted") == 0
    counted.declared = "2"
    assert derive(database_url, [POIS]) == ["base.pois:counted"]
    assert counted.calls == ["install", "install"]
    assert one(database_url, RECORDED) == "2"
    counted.declared = None
    assert derive(database_url, [POIS]) == []
    assert one(database_url, RECORDED) is None
    assert one(database_url, "SELECT to_regclass('base.pois_counted')") is None


def test_a_first_load_brings_it_along(database_url: str, counted: Counted, tmp_path: Path) -> None:
    path = tmp_path / "pois.csv"
    path.write_text(POIS_CSV)
    triggers = one(database_url, TRIGGERS)
    with City.open(database_url) as city:
        city.load(path, "base.pois", read=ReadOptions(crs="EPSG:4326"))
    assert counted.calls == ["install", "copy", "swap"]
    assert one(database_url, "SELECT n FROM base.pois_counted") == 2
    assert one(database_url, "SELECT to_regclass('base.pois_counted__new')") is None
    assert one(database_url, RECORDED) == "1"
    assert one(database_url, TRIGGERS) >= 4
    assert triggers >= 4
    assert one(database_url, "SELECT count(*) FROM core.change WHERE (register, key) = ('base.pois', 1)") == 1
    with psycopg.connect(database_url) as conn:
        conn.execute("UPDATE base.pois SET name = 'x'")
    assert one(database_url, "SELECT count(*) FROM core.change WHERE register = 'base.pois' AND key <> 1") == 2


def test_what_has_no_table_is_passed_over(database_url: str, counted: Counted) -> None:
    from dataclasses import replace

    assert derive(database_url, [replace(POIS, id="base.nothing")]) == []
