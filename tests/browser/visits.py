"""A visit to the web map: one page, what is on it, and what it asked for."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

READY_MS = 60_000

#: A pixel on which a feature of a collection lies on top, as [x, y, fid]; the middle of the map first.
PIXEL_OF = """(map, id) => {
  const { clientWidth: w, clientHeight: h } = map.getCanvas()
  const hits = []
  for (let x = 0.4 * w; x < 0.7 * w; x += 12) for (let y = 0.3 * h; y < 0.7 * h; y += 12) {
    const [top] = map.queryRenderedFeatures([x, y]).filter(f => f.layer.metadata?.['onemap:collection'])
    if (top && top.source === id && top.layer.type === 'fill') hits.push([x, y, top.id])
  }
  hits.sort((a, b) => Math.hypot(a[0] - w / 2, a[1] - h / 2) - Math.hypot(b[0] - w / 2, b[1] - h / 2))
  return hits[0] ?? null
}"""


@dataclass
class Visit:
    """One page that is open, with all that it asked for and complained of."""

    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(self, address: str = "") -> None:
        """Open the map at an address (`#…` or `?…`) and wait until it is drawn."""
        self.page.goto(f"{self.base}/map{address}")
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is on its way any more."""
        self.page.wait_for_timeout(250)
        self.page.wait_for_selector(".page[data-ready=true]", timeout=READY_MS)

    def evaluate(self, script: str, *arguments: Any) -> Any:
        """The value of a function of (map, …arguments), as JSON; `map` is the MapLibre map on the page."""
        call = f"args => {{ const map = document.querySelector('.city-map').map; return ({script})(map, ...args) }}"
        return self.page.evaluate(call, list(arguments))

    def drawn(self, collection: str) -> int:
        """How many distinct features of a collection are on screen."""
        script = """(map, id) => new Set(map.queryRenderedFeatures()
            .filter(f => f.source === id && f.layer.type !== 'symbol').map(f => f.id)).size"""
        return int(self.evaluate(script, collection))

    def text(self, selector: str) -> str:
        """The text of the one element that a selector finds."""
        return self.page.locator(selector).inner_text(timeout=10_000).strip()

    def hash(self) -> str:
        """The address as it stands, once it has stopped changing."""
        self.settle()
        before = None
        while before != self.page.url:
            before = self.page.url
            self.page.wait_for_timeout(600)
        return self.page.url.partition("#")[2]

    def has(self, words: str) -> None:
        """Wait until the address holds these words; it is written a moment after what it tells of."""
        self.page.wait_for_url(lambda url: words in url)

    def has_not(self, words: str) -> None:
        """Wait until the address holds these words no more."""
        self.page.wait_for_url(lambda url: words not in url)

    def forgive(self, status: int) -> None:
        """Forget what the browser said of answers that were to be refused like this."""
        self.complaints[:] = [said for said in self.complaints if f"status of {status} " not in said]

    def watch(self) -> None:
        """Listen to the console and to every request."""
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._asked(request.url))

    def _asked(self, url: str) -> None:
        self.requests.append(url)
        if not url.startswith((self.base, "blob:", "data:")):
            self.outside.append(url)


def collection(visit: Visit, collection_id: str) -> dict[str, Any]:
    answer = visit.page.request.get(f"{visit.base}/collections/{collection_id}")
    assert answer.ok
    return dict(answer.json())


def near(visit: Visit, collection_id: str, zoom: float) -> str:
    """An address in the middle of the densest part of a collection: where its middle feature is."""
    answer = visit.page.request.get(f"{visit.base}/collections/{collection_id}/items?limit=200").json()
    boxes = [_box(feature["geometry"]) for feature in answer["features"]]
    middles = sorted(((west + east) / 2, (south + north) / 2) for west, south, east, north in boxes)
    lon, lat = middles[len(middles) // 2]
    return f"map={zoom:.2f}/{lon:.5f}/{lat:.5f}"


def _box(geometry: dict[str, Any]) -> tuple[float, float, float, float]:
    numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", json.dumps(geometry["coordinates"]))]
    lons, lats = numbers[0::2], numbers[1::2]
    return min(lons), min(lats), max(lons), max(lats)


def pick_building(visit: Visit) -> int:
    """Click a building; its fid."""
    found = visit.evaluate(PIXEL_OF, "base.buildings")
    assert found, "no building near the middle of the map"
    x, y, fid = found
    box = visit.page.locator(".city-map").bounding_box()
    assert box
    visit.page.mouse.click(box["x"] + x, box["y"] + y)
    visit.page.wait_for_selector(".feature [data-field=coordinates]")
    visit.settle()
    return int(fid)
