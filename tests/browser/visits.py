"""A visit to the web map: one page, what is on it, and what it asked for."""

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

READY_MS = 60_000


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

    def watch(self) -> None:
        """Listen to the console and to every request."""
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._asked(request.url))

    def _asked(self, url: str) -> None:
        self.requests.append(url)
        if not url.startswith((self.base, "blob:", "data:")):
            self.outside.append(url)
