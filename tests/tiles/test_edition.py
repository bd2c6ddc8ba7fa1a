"""What draws the data is part of the tags of answers: after an upgrade no copy counts as fresh."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from api import edition
from api.tile_question import TileQuestions
from api.tile_reply import state_of
from gis.access import OWNER
from gis.catalog import Catalogue, Collection, Detail, Layer
from gis.catalog.field import text
from gis.text import Text
from layers import LAYERS

CATALOGUE = Catalogue(LAYERS)
ROADS = CATALOGUE["base.roads"]
TILE = "/collections/base.roads/tiles/WebMercatorQuad/14/6660/13494"


def _tag(catalogue: Any = CATALOGUE) -> str:
    served: Any = SimpleNamespace(catalogue=catalogue, identity=OWNER, rights=OWNER,
                                  collection=lambda name: catalogue[name])  # fmt: skip
    asked = TileQuestions(served).read(TILE, "")
    assert asked is not None
    return state_of(asked.key, ("life", 7, 0))


def test_another_program_makes_another_tag_of_the_same_state(monkeypatch: pytest.MonkeyPatch) -> None:
    before = _tag()
    assert _tag() == before
    monkeypatch.setattr(edition, "program", lambda: "another")
    assert _tag() != before


def test_an_edit_anywhere_is_another_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("api", "gis", "layers", "tiles"):
        (tmp_path / name / "inner").mkdir(parents=True)
        (tmp_path / name / "inner" / "__init__.py").touch()
    monkeypatch.setattr(edition, "__file__", str(tmp_path / "api" / "edition.py"))
    seen = {edition.program.__wrapped__()}
    for number, name in enumerate(("tiles/a.py", "gis/inner/b.py", "layers/inner/__init__.py"), 1):
        (tmp_path / name).write_text("1")
        seen.add(edition.program.__wrapped__())
        assert len(seen) == number + 1
    (tmp_path / "api" / "web").mkdir()
    (tmp_path / "api" / "web" / "c.py").touch()
    assert edition.program.__wrapped__() in seen


@pytest.mark.parametrize(
    "other",
    [
        replace(ROADS, fields=(*ROADS.fields, text("more", "更多", "More"))), replace(ROADS, min_zoom=3),
        replace(ROADS, detail=Detail(smallest=7.0)), replace(ROADS, style=None), replace(ROADS, timed=False),
    ],
)  # fmt: skip
def test_another_declaration_makes_another_tag(other: Collection) -> None:
    assert edition.edition(other) != edition.edition(ROADS) == edition.edition(replace(ROADS))
    catalogue = Catalogue([Layer(name="base", title=Text("底图", "Base"), collections=(other,))])
    if other.style == ROADS.style:
        assert _tag(catalogue) != _tag()
