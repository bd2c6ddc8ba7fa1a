"""The plain pages: what a person with a browser reads, and where it leads."""

import csv
import html
import io
import re

import pytest

from api.html_values import moment
from gis.base.pois import POIS
from gis.text import Language
from tests.api.served_city import SampleCity

LANGUAGES: tuple[Language, ...] = ("zh", "en")


def read(city: SampleCity, path: str) -> str:
    answer = city.get(path)
    assert answer.status_code == 200
    return answer.text


def links(page: str) -> dict[str, str]:
    """Where the links of a page lead, by their words."""
    found = re.findall(r'<a href="([^"]+)"[^>]*>([^<]+)</a>', page)
    return {html.unescape(words): html.unescape(place) for place, words in found}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_feature_is_told_in_the_readers_words(city: SampleCity, language: Language) -> None:
    page = read(city, f"/collections/base.pois/items/1?f=html&lang={language}")
    kind = POIS.field("kind")
    assert f"<th>{kind.title.in_(language)}</th><td>{kind.values['hospital'].in_(language)}</td>" in page
    assert "<td>hospital</td>" not in page or language == "en"
    assert ("有效期起" if language == "zh" else "Valid from") in page
    assert "valid_from" not in page


def test_a_page_of_features_is_told_in_the_readers_words(city: SampleCity) -> None:
    page = read(city, "/collections/base.pois/items?f=html&lang=zh&kind=hospital&limit=3")
    assert f"<td>{POIS.field('kind').values['hospital'].zh}</td>" in page
    assert "<td>hospital</td>" not in page
    assert "<th>有效期起</th>" in page


@pytest.mark.parametrize("path", ["/", "/collections", "/collections/base.pois", "/collections/base.pois/items?limit=3",
                                  "/collections/base.pois/items/5", "/collections/base.pois/schema"])  # fmt: skip
def test_links_keep_the_language_that_was_asked_for(city: SampleCity, path: str) -> None:
    page = read(city, f"{path}{'&' if '?' in path else '?'}f=html&lang=en")
    inside = [place for place in links(page).values() if place.startswith("/")]
    assert inside
    other = links(page)["中文"]
    assert "lang=zh" in other
    assert all("lang=en" in place for place in inside if place != other)


@pytest.mark.parametrize("path", ["/", "/collections", "/collections/base.pois", "/collections/base.pois/items",
                                  "/collections/base.pois/items/5", "/conformance"])  # fmt: skip
def test_every_page_leads_to_itself_as_data(city: SampleCity, path: str) -> None:
    place = links(read(city, f"{path}?f=html&lang=en"))["As data (JSON)"]
    answer = city.get(place, headers={"accept": "text/html"})
    assert answer.headers["content-type"].partition(";")[0] in ("application/json", "application/geo+json")


def test_what_is_downloaded_is_all_that_was_asked_for(city: SampleCity) -> None:
    page = read(city, "/collections/base.pois/items?f=html&lang=en&kind=school&limit=2")
    matched = city.get("/collections/base.pois/items?kind=school&limit=2").json()["numberMatched"]
    rows = list(csv.DictReader(io.StringIO(city.get(links(page)["CSV"]).text)))
    assert len(rows) == matched > 2


def test_a_feature_leads_to_the_map_where_it_lies(city: SampleCity) -> None:
    place = links(read(city, "/collections/base.pois/items/1?f=html&lang=en"))["On the map"]
    lon, lat = city.get("/collections/base.pois/items/1").json()["geometry"]["coordinates"]
    assert place == f"/map#map=17.00/{lon:.5f}/{lat:.5f}&sel=base.pois/1&lang=en"
    assert "On the map" not in read(city, "/collections/base.pois/items/9003?f=html&lang=en")


def test_a_collection_tells_source_licence_legend_and_units(city: SampleCity) -> None:
    page = read(city, "/collections/base.buildings?f=html&lang=zh")
    assert all(f"<th>{words}</th>" in page for words in ("来源", "许可"))
    assert "<td>米</td>" in page
    shown = re.findall(r'(?:src|srcset)="([^"]+)"', page)
    assert len(shown) == 2
    assert all(city.get(html.unescape(place)).headers["content-type"].startswith("image/svg") for place in shown)


def test_no_page_asks_for_what_is_not_there(city: SampleCity) -> None:
    assert 'rel="icon" href="data:' in read(city, "/?f=html")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2006-10-05T16:00:00+00:00", "2006-10-06"),
        ("2020-01-01T00:00:00Z", "2020-01-01 08:00"),
        ("2026-11-22T13:34:59.990318+00:00", "2026-11-22 21:34"),
        ("later", "later"),
    ],
)
def test_a_moment_is_told_in_shanghai(text: str, told: str) -> None:
    assert moment(text) == told
