"""Every link that the server gives leads somewhere: it answers 200 with the type that it announced, also to HEAD."""

import re
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

START = ("/", "/?f=html", "/collections", "/tiles", "/tileMatrixSets", "/styles", "/changes", "/health")
#: How media types end of what has links in it, as JSON; a sequence of features is none.
_READ = ("/json", "+json")
#: How many addresses that differ in numbers only are followed: pages, items and tiles are endless.
_ALIKE = 1


def shape(address: str) -> str:
    """The address without what is endless in it: numbers, tokens, cells."""
    path, _, question = address.partition("?")
    path = re.sub(r"/(-?\d+(\.\d+)?|[0-9a-f]{15})(?=/|$)", "/n", path)
    question = re.sub(r"=(-?[\d.,:TZ+-]+|[0-9a-f]{15})(?=&|$)", "=n", re.sub(r"after=[^&]*", "after=t", question))
    return f"{path}?{'&'.join(sorted(question.split('&')))}"


def links(content: Any) -> Iterator[tuple[str, str]]:
    """Each link in a JSON document, with the type that it announces."""
    if isinstance(content, dict):
        if isinstance(content.get("href"), str) and not content.get("templated"):
            yield content["href"], content.get("type", "")
        for name in ("url", "sprite"):
            if isinstance(content.get(name), str) and "{" not in content[name]:
                yield content[name] + (".json" if name == "sprite" else ""), ""
        for value in content.values():
            yield from links(value)
    elif isinstance(content, list):
        for value in content:
            yield from links(value)


def anchors(page: str) -> Iterator[tuple[str, str]]:
    """Each link of a page for people."""
    for found in re.finditer(r"<(?:a|link|script|img)\b[^>]*?\b(?:href|src)=\"([^\"#]+)", page):
        yield found[1].replace("&amp;", "&"), ""


class Walk:
    """From door to door, each of a kind a few times."""

    def __init__(self, client: httpx.Client, base: str, language: str) -> None:
        self.client, self.base, self.language = client, base, language
        #: In the first language every collection is walked, in the other one of them.
        self.once = r"/[a-z]+\.[a-z]+(?=/|\?|$)" if language == "en" else "$^"
        self.seen: set[str] = set()
        self.kinds: Counter[str] = Counter()
        self.faults: list[str] = []

    def from_(self, *start: str) -> None:
        """Follow every link."""
        waiting = deque((self.base + place, "", "the start") for place in start)
        while waiting:
            address, announced, whence = waiting.popleft()
            if address.startswith("/"):
                address = self.base + address
            if not address.startswith(self.base) or address in self.seen or "{" in address:
                continue
            kind = re.sub(self.once, "/one", shape(address.removeprefix(self.base))) + announced
            if self.kinds[kind] >= _ALIKE:
                continue
            self.kinds[kind] += 1
            self.seen.add(address)
            waiting.extend((*link, address) for link in self.read(address, announced, whence))

    def read(self, address: str, announced: str, whence: str) -> list[tuple[str, str]]:
        """What is at an address, as links; what is wrong with it is noted."""
        path = urlsplit(address).path
        if path == "/live":
            return []
        headers = {"accept-language": self.language}
        if announced:
            headers["accept"] = announced
        answer = self.client.get(address, headers=headers)
        told = answer.headers.get("content-type", "")
        if answer.status_code != 200 or (announced and told.partition(";")[0] != announced.partition(";")[0]):
            self.faults.append(f"{whence} → {address}: {answer.status_code} {told}, announced {announced}")
            return []
        head = self.client.head(address, headers=headers)
        if (head.status_code, head.headers.get("content-type"), head.content) != (200, told, b""):
            self.faults.append(f"HEAD {address}: {head.status_code} {head.headers.get('content-type')}")
        if told.partition(";")[0].endswith(_READ):
            return list(links(answer.json()))
        return list(anchors(answer.text)) if told.startswith("text/html") else []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_link_leads_somewhere(served: str, ask: httpx.Client, language: str) -> None:
    walk = Walk(ask, served, language)
    walk.from_(*START)
    assert walk.faults == [], "\n".join(walk.faults)
    walked = {urlsplit(address).path for address in walk.seen}
    assert {"/conformance", "/api", "/map", "/styles/onemap", "/tileMatrixSets/CGCS2000Quad"} <= walked
    for place in ("", "/items", r"/items/\d+", "/tiles/WebMercatorQuad", "/queryables"):
        assert any(re.fullmatch(rf"/collections/base\.[a-z]+{place}", path) for path in walked), place
    assert len(walked) > (100 if language == "zh" else 25)


@pytest.mark.parametrize("grid", ["WebMercatorQuad", "CGCS2000Quad"])
def test_templates_lead_to_tiles(ask: httpx.Client, grid: str) -> None:
    level, row, column = ("12", "1667", "3373") if grid == "WebMercatorQuad" else ("12", "1325", "6747")
    for place in ("/collections/base.buildings", ""):
        tileset = ask.get(f"{place}/tiles/{grid}").json()
        templates = [link for link in tileset["links"] if link.get("templated")]
        addresses = [
            link["href"].replace("{tileMatrix}", level).replace("{tileRow}", row).replace("{tileCol}", column)
            for link in templates
        ]
        if grid == "WebMercatorQuad":
            told = ask.get(f"{place}/tiles/{grid}?f=tilejson").json()["tiles"]
            addresses += [one.replace("{z}", level).replace("{y}", row).replace("{x}", column) for one in told]
        assert templates and not any("{" in address for address in addresses)
        for address in addresses:
            answer = ask.get(address)
            assert answer.status_code == 200 and answer.content, address
            assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"


PLACES = (
    "/", "/conformance", "/api", "/collections", "/collections/base.pois", "/collections/base.pois/schema",
    "/collections/base.pois/queryables", "/collections/base.pois/items", "/collections/base.pois/cells?res=8",
    "/collections/base.pois/tiles", "/collections/base.pois/tiles/WebMercatorQuad",
    "/collections/base.pois/tiles/WebMercatorQuad/12/1666/3373", "/tiles", "/tiles/WebMercatorQuad",
    "/tileMatrixSets", "/tileMatrixSets/WebMercatorQuad", "/styles", "/styles/onemap", "/changes", "/live",
    "/here?lon=116.51&lat=31.735&radius=100", "/health", "/metrics",
)  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_parameter_that_is_not_there_is_refused(ask: httpx.Client, place: str) -> None:
    answer = ask.get(f"{place}{'&' if '?' in place else '?'}no-such=1")
    assert answer.status_code == 400, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json" and answer.json()["subject"] == "no-such"


@pytest.mark.parametrize("place", [p for p in PLACES if p != "/live"])
def test_both_languages_and_head(ask: httpx.Client, place: str) -> None:
    titles = set()
    for language in ("zh", "en"):
        answer = ask.get(place, headers={"accept-language": language})
        head = ask.head(place, headers={"accept-language": language})
        assert answer.status_code == head.status_code == 200
        assert head.headers["content-type"] == answer.headers["content-type"] and head.content == b""
        titles.add(answer.headers.get("content-language", language))
    assert titles == {"zh", "en"}


def test_what_is_not_there_says_so(ask: httpx.Client) -> None:
    for place in ("/nowhere", "/collections/no.such", "/collections/base.pois/items/1", "/tileMatrixSets/NoSuch",
                  "/collections/base.pois/tiles/NoSuch", "/styles/no-such"):  # fmt: skip
        answer = ask.get(place)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json"), place
