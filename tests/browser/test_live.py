"""The map shows what others change, without being loaded again, and stays quiet when the server ends."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, expect

from gis.store.cluster import Cluster
from tests.browser.conftest import _visits
from tests.browser.visits import Visit, near
from tests.conftest import copied_database
from tests.served import serving

pytestmark = pytest.mark.browser

WAIT_S = 20
NAME = """(map, fid) => map.queryRenderedFeatures()
    .filter(f => f.source === 'base.buildings' && f.id === fid).map(f => f.properties.name)[0] ?? null"""
PICK = "map => map.queryRenderedFeatures().find(f => f.source === 'base.buildings').id"


@dataclass(frozen=True)
class Changing:
    """A city that others write to while it is looked at."""

    url: str
    database_url: str

    def write(self, statement: str, *values: object) -> None:
        with psycopg.connect(self.database_url) as conn:
            conn.execute(statement, values)


@pytest.fixture(scope="module")
def changing(
    cluster: Cluster, sample_database: str, sample_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Changing]:
    home = tmp_path_factory.mktemp("changing")
    shutil.copytree(sample_home, home, dirs_exist_ok=True)
    with copied_database(cluster, sample_database, "changing") as database_url, serving(database_url, home) as url:
        yield Changing(url, database_url)


def until(visit: Visit, found: Callable[[], bool]) -> None:
    for _ in range(WAIT_S * 10):
        if found():
            return
        visit.page.wait_for_timeout(100)
    pytest.fail("the map does not show it")


def test_a_row_that_somebody_changes_is_shown_without_loading_the_page_again(
    changing: Changing, browser: Browser
) -> None:
    with _visits(browser, changing.url) as begin:
        city: Visit = begin()
        city.open()
        city.open("#" + near(city, "base.buildings", 16.4))
        fid = int(city.evaluate(PICK))
        # what is on screen came before this; only what is asked for again can be seen
        city.page.evaluate("() => { window.kept = true }")
        city.requests.clear()
        changing.write("UPDATE base.buildings SET name = 'Renamed' WHERE fid = %s", fid)
        until(city, lambda: city.evaluate(NAME, fid) == "Renamed")
        asked = [url for url in city.requests if "/tiles/" in url]
        assert asked
        assert all("/base.buildings/" in url for url in asked)
        changing.write("DELETE FROM base.buildings WHERE fid = %s", fid)
        until(city, lambda: city.evaluate(NAME, fid) is None)
        assert city.page.evaluate("() => window.kept")


def test_panels_tell_what_somebody_changes_while_they_are_open(changing: Changing, browser: Browser) -> None:
    with _visits(browser, changing.url) as begin:
        city: Visit = begin()
        place = near(city, "base.buildings", 16.4)
        city.open(f"#{place}")
        fid = int(city.evaluate(PICK))
        changing.write("UPDATE base.buildings SET name = 'First' WHERE fid = %s", fid)
        city.open(f"#{place}&sel=base.buildings/{fid}&lang=en")
        city.page.reload()
        city.settle()
        expect(city.page.locator(".feature h2")).to_have_text("First")
        changing.write("UPDATE base.buildings SET name = 'Second' WHERE fid = %s", fid)
        expect(city.page.locator(".feature h2")).to_have_text("Second", timeout=WAIT_S * 1000)
        city.page.click(".feature [data-action=here]")
        row = city.page.locator(".here [data-collection='base.buildings'] li").filter(has_text="Second")
        expect(row).to_have_count(1)
        changing.write("UPDATE base.buildings SET name = 'Third' WHERE fid = %s", fid)
        expect(row).to_have_count(0, timeout=WAIT_S * 1000)
