"""Log lines: what was done, how long it took, and never a value that somebody asked for."""

import asyncio
import io
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.logs import JsonLines, configure
from api.observed import Observed
from gis.catalog import Catalogue
from gis.query.shape import shape
from gis.query.statement import Statement
from gis.query.url import pairs, parse_parameters
from gis.settings import Settings
from gis.store.database import AsyncDatabase
from gis.store.explained import explained
from layers import LAYERS
from tests.api.conftest import served

CATALOGUE = Catalogue(LAYERS)
POIS = "/collections/base.pois"
NAME, NUMBER, STREET = "张三丰", "341502199001011234", "人民路88号"


class Lines(logging.Handler):
    """Records as they would be written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []
        self._form = JsonLines()

    def emit(self, record: logging.LogRecord) -> None:
        self.written.append(self._form.format(record))

    def of(self, log: str) -> list[dict[str, Any]]:
        return [line for line in map(json.loads, self.written) if line["log"] == log]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What the platform logs, whatever it is."""
    logger, found = logging.getLogger("onemap"), Lines()
    level = logger.level
    logger.addHandler(found)
    logger.setLevel(logging.DEBUG)
    yield found
    logger.removeHandler(found)
    logger.setLevel(level)


@pytest.fixture(scope="module")
def get(sample_url: tuple[str, Any], web_folder: Path) -> Iterator[Callable[..., httpx.Response]]:
    """Ask a server to which every request is slow, and wait for what it has to say of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEMAP_SLOW_MS", "0")
        patch.setenv("ONEMAP_LOG_REQUESTS", "all")
        app = create_app(sample_url[0], Catalogue(LAYERS), web_folder)
        observed: Any = app
        while not isinstance(observed, Observed):
            observed = observed.inner
        with served(app) as request:

            def get(path: str, method: str = "GET", **more: Any) -> httpx.Response:
                answer = request(path, method, **more)
                for _ in range(100):
                    if observed.explained:
                        break
                    request("/health/live")
                return answer

            yield get


def test_a_request_is_one_line(get: Any, lines: Lines) -> None:
    answer = get(f"{POIS}/items?limit=2&kind=school")
    (line,) = [one for one in lines.of("onemap.requests") if one["route"].endswith("/items")]
    assert line["request"] == answer.headers["onemap-request-id"]
    assert line["message"] == "GET /collections/{collection_id}/items 200" and line["status"] == 200
    assert line["bytes"] == len(answer.content) and line["ms"] > 0 and line["database_ms"] > 0
    assert line["questions"] == ["base.pois?filter=(kind = ?)&limit=2"]
    assert line["at"].endswith("+00:00") and line["level"] == "info"


def test_a_slow_request_says_what_the_database_does(get: Any, lines: Lines) -> None:
    get(f"{POIS}/items?limit=3&bbox=116.4,31.6,116.5,31.8&name=like&sortby=name")
    (line,) = [one for one in lines.of("onemap.slow") if one["route"].endswith("/items")]
    assert line["questions"] == ["base.pois?area=0.1°×0.2°&filter=(name = ?)&sortby=name&limit=3"]
    assert line["level"] == "warning" and line["statement_ms"] > 0
    assert "Scan" in line["plan"] and "pois" in line["plan"]


def test_tiles_tell_whether_they_were_at_hand(get: Any, lines: Lines) -> None:
    for _ in range(2):
        get(f"{POIS}/tiles/WebMercatorQuad/14/6670/13494?kind=school")
    tiles = [one for one in lines.of("onemap.requests") if one["route"].startswith("tiles/")]
    assert [one["cache"] for one in tiles] == ["missed", "memory"]
    assert tiles[0]["questions"] == ["base.pois?filter=(kind = ?)"]


ASKED = [
    f"{POIS}/items?name={NAME}&limit=4",
    f"{POIS}/items?filter=name='{NAME}' OR address LIKE '{STREET}%25'",
    f"{POIS}/items?filter=name IN ('{NAME}','{NUMBER}') AND code > '{NUMBER}'&sortby=name",
    f'{POIS}/items?filter-lang=cql2-json&filter={{"op":"=","args":[{{"property":"name"}},"{NAME}"]}}',
    f'{POIS}/items?filter="{NAME}" = 1',
    f"{POIS}/items?filter={NAME}('x')",
    f"{POIS}/items?{NAME}={NUMBER}",
    f"{POIS}/items?properties={NAME}&sortby={NAME}",
    f"{POIS}/items?f=csv&name={NAME}",
    f"{POIS}/items/5?lang={NAME}",
    f"{POIS}/items/{NUMBER}",
    f"{POIS}/cells?name={NAME}&res=7",
    f"{POIS}/tiles/WebMercatorQuad/12/1667/3373?name={NAME}",
    f"{POIS}/tiles/WebMercatorQuad/12/1667/3373?filter=name='{NAME}",
    f"/geocode?address={STREET}{NAME}",
    f"/here?address={STREET}{NAME}",
    f"/here?lon=116.45&lat=31.7&radius=200&name={NAME}",
    f"/collections/{NAME}/items",
    f"/{NAME}/{NUMBER}",
    f"/map/assets/{NAME}.js",
]


@pytest.mark.parametrize("path", ASKED)
def test_what_was_asked_for_is_in_no_line(get: Any, lines: Lines, path: str) -> None:
    get(path, headers={"referer": f"http://t/{NUMBER}"})
    get(path, headers={"authorization": f"Bearer {NUMBER}", "referer": f"http://t/{NUMBER}"})
    text = "\n".join(json.dumps(json.loads(line), ensure_ascii=False) for line in lines.written)
    assert lines.of("onemap.requests") or "/tiles/" in path
    for secret in (NAME, NUMBER, STREET, "%E5%BC%A0"):
        assert secret not in text, text


def test_what_fails_without_being_foreseen_quotes_nothing(get: Any, lines: Lines, monkeypatch: Any) -> None:
    async def broken(*_: Any) -> Any:
        try:
            raise ValueError(f"invalid value {NAME!r}")
        except ValueError as error:
            raise RuntimeError(f'Key (name)=({NAME}) of "{NAME}" is not {NUMBER}') from error

    monkeypatch.setattr(AsyncDatabase, "rows", broken)
    answer = get(f"{POIS}/items?limit=5&name={NAME}")
    (line,) = lines.of("onemap.web")
    assert answer.status_code == 500 and answer.headers["onemap-request-id"] in line["message"]
    assert any(step.startswith("RuntimeError: Key …") for step in line["failure"])
    assert any("test_logs.py" in step for step in line["failure"])
    assert NAME not in json.dumps(line, ensure_ascii=False) and NUMBER not in json.dumps(line)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("", "base.pois"),
        ("near=116.4,31.7,500", "base.pois?area=circle of 5e+02 m"),
        ("division=341502", "base.pois?area=division"),
        ("area=base.divisions/123", "base.pois?area=a feature of base.divisions"),
        ("area=POLYGON((0 0,1 0,1 1,0 0))&limit=5", "base.pois?area=shape of 4 points&limit=5"),
        ("datetime=2024-01-01/..", "base.pois?datetime=open"),
        ("datetime=2024-01-01", "base.pois?datetime=1 d"),
        ("by=cell:7,field:kind&measure=count", "base.pois?by=cell:7,field:kind&measure=count"),
        ("sortby=-name,secret", "base.pois?sortby=-name,?"),
        ("ids=1,2,3", "base.pois?filter=(fid IN ?×3)"),
        ("filter=name LIKE 'x%25' AND NOT kind IS NULL", "base.pois?filter=((name LIKE ?) AND not(isnull(kind)))"),
        ("filter=casei(name) = casei('x')", "base.pois?filter=(casei(name) = casei(?))"),
        ("filter=s_intersects(geom, POINT(1 2))", "base.pois?filter=s_intersects(geom, ?)"),
        ("filter=secret = 1", "base.pois?filter=(? = ?)"),
        ("filter=wang(name) = 1", "base.pois?filter=(?(name) = ?)"),
    ],
)
def test_the_shape_of_a_question(asked: str, said: str) -> None:
    pois = CATALOGUE["base.pois"]
    assert shape(parse_parameters(pois, pairs(asked)), pois) == said


def test_a_plan_is_told_without_its_conditions(sample_url: tuple[str, Any]) -> None:
    async def run() -> list[str]:
        database = AsyncDatabase(sample_url[0])
        await database.open()
        try:
            sql = "SELECT FROM base.pois WHERE name = %s LIMIT 3"
            return [
                await explained(database, Statement(asked, (NAME,))) for asked in (sql, f"EXPLAIN (FORMAT JSON) {sql}")
            ]
        finally:
            await database.close()

    plan, of_estimate = asyncio.run(run())
    assert plan.startswith("Limit ") and " < " in plan and "pois" in plan and NAME not in plan
    assert of_estimate == plan


@pytest.mark.parametrize(("form", "is_json"), [("json", True), ("plain", False), ("auto", True)])
def test_how_lines_are_written(form: Any, is_json: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    logger, stream = logging.getLogger("onemap"), io.StringIO()
    before, level = list(logger.handlers), logger.level
    monkeypatch.setattr("sys.stderr", stream)
    try:
        for _ in range(2):
            configure(Settings(log_form=form, log="info"))
        logging.getLogger("onemap.requests").info("GET / 200", extra={"fields": {"ms": 1.5, "status": 200}})
        logging.getLogger("onemap.requests").debug("nobody wants this")
    finally:
        logger.handlers[:] = before
        logger.setLevel(level)
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["ms"] == 1.5 if is_json else line.endswith(" info GET / 200 ms=1.5")


def test_a_shape_of_thousands_of_points_is_not_planned_again() -> None:
    """The database is not asked: there is none."""
    nobody: Any = None
    assert "too long" in asyncio.run(explained(nobody, Statement("SELECT %s", (b"\x01" * 20_000,))))
