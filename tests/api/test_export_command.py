"""Whole answers in files: by the command, and as a notebook has them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyogrio
import pytest

from api.commands.ask import write
from gis.catalog import Catalogue
from gis.city import City
from gis.errors import BadQuery
from gis.export import FORMATS
from gis.store.database import Database
from layers import LAYERS


@pytest.fixture(scope="module")
def opened(sample_url: tuple[str, Any]) -> Iterator[City]:
    with City(Database(sample_url[0]), Catalogue(LAYERS)) as found:
        yield found


@pytest.mark.parametrize("suffix", [f.suffix for f in FORMATS.values()])
def test_the_command_writes_every_format(opened: City, tmp_path: Path, suffix: str) -> None:
    path, told = tmp_path / f"pois{suffix}", list[int]()
    rows = write(opened.ask("base.pois?bbox=116,31,117,32"), path, told.append)
    assert rows == told[-1] == len(opened.ask("base.pois?bbox=116,31,117,32").frame()) > 300
    assert path.stat().st_size > 10_000 and list(tmp_path.iterdir()) == [path]
    if suffix in (".gpkg", ".fgb", ".geojson", ".geojsonl"):
        assert len(pyogrio.read_dataframe(path)) == rows


def test_the_command_leaves_nothing_half_written(opened: City, tmp_path: Path) -> None:
    with pytest.raises(BadQuery, match="parquet"):
        write(opened.ask("base.pois"), tmp_path / "pois.xls")
    with pytest.raises(BadQuery):
        write(opened.ask("base.pois?by=field:kind"), tmp_path / "pois.fgb")
    with pytest.raises(BadQuery):
        write(opened.ask("base.pois?filter=" + quote("S_INTERSECTS(geometry, POLYGON((0 0, 1 1, 0 1, 1 0, 0 0)))"
              " AND code > 5")), tmp_path / "pois.csv")  # fmt: skip
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("question", ["base.pois", "base.pois?by=field:kind&measure=count", "base.buildings?limit=7"])
def test_answers_are_the_same_however_they_are_read(opened: City, question: str) -> None:
    by_rows, by_batches = opened.ask(question), opened.ask(question)
    by_rows.geojson()
    table = by_batches.arrow()
    assert by_rows.arrow().equals(table) and by_rows.arrow().schema.equals(table.schema)
