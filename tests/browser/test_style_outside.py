"""The city's styles in a page of somebody else: MapLibre alone, with nothing of ours but an address."""

import functools
import http.server
import threading
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from gis.settings import CHECKOUT
from tests.browser.visits import Visit, near
from tests.served import serving

LIBRARY = CHECKOUT / "api" / "web" / "node_modules" / "maplibre-gl" / "dist"
PAGE = """<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<link rel="stylesheet" href="maplibre-gl.css">
<div id="map" style="position:absolute;inset:0"></div>
<script type="module">
import {Map, setWorkerUrl} from './maplibre-gl.mjs'
setWorkerUrl(new URL('./maplibre-gl-worker.mjs', location.href).href)
const given = new URLSearchParams(location.search)
const [zoom, lon, lat] = given.get('map').split('/').map(Number)
window.faults = []
window.map = new Map({container: 'map', style: given.get('style'), center: [lon, lat], zoom})
map.on('error', event => faults.push(String(event.error)))
map.on('styleimagemissing', event => faults.push('no image ' + event.id))
</script>"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that has a page and MapLibre, and nothing else."""
    if not LIBRARY.is_dir():
        pytest.skip("no maplibre-gl in api/web/node_modules: make setup brings the web map's packages")
    folder = tmp_path_factory.mktemp("outside")
    for name in ("maplibre-gl.mjs", "maplibre-gl-shared.mjs", "maplibre-gl-worker.mjs", "maplibre-gl.css"):
        (folder / name).symlink_to(LIBRARY / name)
    (folder / "index.html").write_text(PAGE)
    _Quiet.extensions_map = {**_Quiet.extensions_map, ".mjs": "text/javascript"}
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def opened(sample_city: str, outside: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server that lets pages of that other one read."""
    with serving(sample_city, tmp_path_factory.mktemp("opened"), ONEMAP_ORIGINS=outside) as url:
        yield url


@pytest.mark.browser
@pytest.mark.parametrize(
    ("style", "place", "layer"),
    [
        ("onemap", "base.buildings", "base.buildings:fill"),
        ("base.pois", "base.pois", "base.pois:sign"),
    ],
)
def test_a_page_of_somebody_else_draws_the_city(
    opened: str, outside: str, browser: Browser, style: str, place: str, layer: str
) -> None:
    context = browser.new_context(viewport={"width": 700, "height": 500})
    page = context.new_page()
    visit = Visit(page, opened)
    visit.watch()
    try:
        at = near(visit, place, 16.6)
        page.goto(f"{outside}/?{at}&style={opened}/styles/{style}?theme=dark")
        page.wait_for_function("window.map?.loaded() && map.areTilesLoaded()", timeout=60_000)
        drawn = page.evaluate(f"map.queryRenderedFeatures({{layers: ['{layer}']}}).length")
        assert drawn > 0
        names = page.evaluate("map.queryRenderedFeatures().filter(f => f.layer.type === 'symbol').length")
        assert names > 0
        assert page.evaluate("faults") == []
        assert visit.complaints == []
        assert any(f"{opened}/sprites/city" in url for url in visit.requests)
        assert [url for url in visit.outside if not url.startswith(outside)] == []
    finally:
        context.close()


@pytest.mark.browser
def test_the_citys_own_map_has_its_images_from_the_same_sprite(visit: Callable[..., Visit]) -> None:
    city = visit()
    city.open()
    for image in ("onemap:missing", "onemap:missing-dark", "onemap:school", "onemap:school-dark"):
        assert city.evaluate("(map, image) => map.hasImage(image)", image), image
    assert [url for url in city.requests if "/sprites/city" in url]
