"""Every notebook runs from top to bottom on the sample city, and is kept without its outputs."""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import psycopg
import pytest
from nbclient import NotebookClient

from gis.settings import CHECKOUT
from gis.store.cluster import Cluster
from tests.conftest import copied_database

NOTEBOOKS = sorted((CHECKOUT / "notebooks").glob("*.ipynb"))
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=[p.stem for p in NOTEBOOKS])


@each
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    assert not any(c.get("outputs") or c.get("execution_count") for c in cells)


@pytest.fixture
def own_city(cluster: Cluster, sample_database: str) -> Iterator[str]:
    """The sample city in a copy of this test's own, since a notebook may hand over and withdraw."""
    with copied_database(cluster, sample_database, "notebook") as url:
        yield url


@each
def test_a_notebook_runs(path: Path, own_city: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEMAP_DATABASE_URL", own_city)
    monkeypatch.setenv("ONEMAP_HOME", str(tmp_path))
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    outputs = [o for c in notebook.cells for o in c.get("outputs", [])]
    assert not [o for o in outputs if o.output_type == "error"]
    shown = " ".join(str(text) for o in outputs for text in (o.get("text"), *o.get("data", {}).values()))
    assert not naming(shown, own_city)


def naming(shown: str, url: str) -> set[str]:
    """The names and id numbers of the city's persons that stand in a text."""
    with psycopg.connect(url) as conn:
        rows = conn.execute("SELECT citizen_id, name FROM base.persons_identifier").fetchall()
    # a word of its own each: two characters of a name may well stand in a longer word
    return {text for row in rows for text in row} & set(re.findall(r"[\u4e00-\u9fff]+|[0-9X]+", shown))
