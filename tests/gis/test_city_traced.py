"""Commands and notebooks read persons into the trace too, and what they export is marked."""

from pathlib import Path

import psycopg
import pytest

from gis.access import Identity
from gis.access.watermark import marks_in
from gis.catalog import Sensitivity
from gis.city import City
from gis.errors import BadInput, Forbidden, NotFound, Unavailable
from gis.exchange.readers.source import ReadOptions
from gis.export import FORMATS
from gis.geo.area import Circle
from gis.query.ask import Ask
from gis.query.query import Query
from tests.gis.walled_city import CLERK, walled


@pytest.fixture
def city(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> City:
    monkeypatch.setenv("ONEMAP_HOME", str(tmp_path))
    walled(database_url)
    return City.open(database_url)


def traced(city: City) -> list[tuple[str, str, str, int | None]]:
    with psycopg.connect(city.database.url) as conn:
        return conn.execute("SELECT event, collection, purpose, rows FROM access.trace ORDER BY number").fetchall()


def test_reading_persons_is_traced_and_reading_places_is_not(city: City) -> None:
    with city:
        assert len(city.ask("base.pois").frame()) == 16
        assert traced(city) == []
        answer = city.ask("base.persons?limit=3")
        assert len(answer.geojson()["features"]) == len(answer.frame()) == 3
        assert traced(city) == [("read", "base.persons", "", 3)], "an answer that was read once is told once"
        city.ask("base.persons").arrow()
        city.ask("base.persons?by=division:3").frame()
        assert [entry[:2] for entry in traced(city)] == [("read", "base.persons")] * 3
        city.here(Circle(116.51, 31.7, 5000))
        held = {("read", c.id) for c in city.catalogue if c.sensitivity is not Sensitivity.OPEN and c.geometry}
        assert {entry[:2] for entry in traced(city)[3:]} == held | {("read", "base.persons")}


def test_whoever_opened_the_city_asks_with_a_purpose(city: City) -> None:
    with City(city.database, city.catalogue, CLERK) as clerks:
        with pytest.raises(Forbidden, match="purpose"):
            clerks.ask("base.persons")
        asked = Ask(query=Query(collection="base.persons"), purpose="flood relief")
        assert len(clerks.ask(asked).frame()) == 10, "an Ask without an identity is asked by the clerk"
        assert traced(city) == [("read", "base.persons", "flood relief", 10)]
        with_purpose = Identity(CLERK.name, CLERK.role, CLERK.divisions, purpose="audit")
        assert len(City(city.database, city.catalogue, with_purpose).ask("base.persons").frame()) == 10


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_carries_the_mark(city: City, form: str, tmp_path: Path) -> None:
    path = tmp_path / f"persons{FORMATS[form].suffix}"
    with city:
        assert city.ask("base.persons").export(path, FORMATS[form]) == 16
        with psycopg.connect(city.database.url) as conn:
            found = conn.execute("SELECT event, rows, mark FROM access.trace ORDER BY number").fetchall()
    (mark,) = marks_in(path)
    assert found == [("exported", None, mark), ("export_ended", 16, mark)]


def test_what_cannot_be_traced_is_not_told(city: City) -> None:
    with city, psycopg.connect(city.database.url, autocommit=True) as conn:
        conn.execute("ALTER FUNCTION access.trace_head RENAME TO trace_head_away")
        assert len(city.ask("base.pois").frame()) == 16
        with pytest.raises(Unavailable, match="trace"):
            city.ask("base.persons").frame()


def test_what_is_changed_is_traced_however_it_ends(city: City, tmp_path: Path) -> None:
    file = tmp_path / "pois.csv"
    file.write_text("code,name,lon,lat\nP1,一中,116.5,31.7\n")
    with city:
        with pytest.raises(BadInput):
            city.load(tmp_path / "missing.csv", "base.pois")
        report = city.load(file, "base.pois", read=ReadOptions(crs="EPSG:4326"))
        with pytest.raises(NotFound):
            city.withdraw(77)
        with psycopg.connect(city.database.url) as conn:
            found = conn.execute("SELECT event, outcome, rows, detail FROM access.trace ORDER BY number").fetchall()
    assert found == [
        ("loaded", "failed", None, ""),
        ("loaded", "success", 1, f'{{"load": {report.load}}}'),
        ("withdrawn", "failed", None, '{"delivery": 77}'),
    ]
