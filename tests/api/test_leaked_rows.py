"""A part of an export, cut down and written anew by whoever leaked it, still leads back to who took it."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.leaked_rows import fids_in
from gis.access.watermark import marks_in
from gis.access.watermark_order import likeliest
from gis.city import City
from gis.errors import BadInput
from gis.export import FORMATS
from gis.store.database import Database
from gis.store.trace_search import export_marks
from tests import anonymous_city


@pytest.fixture
def city(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[City]:
    monkeypatch.setenv("ONEMAP_HOME", str(tmp_path))
    anonymous_city.fill(database_url)
    with City(Database(database_url), anonymous_city.CATALOGUE) as opened:
        yield opened


def _leaked(path: Path, form: str) -> Path:
    """A hundred rows from the middle, without any column that says whose they were."""
    if form == "csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [{name: row[name] for name in ("fid", "sex")} for row in csv.DictReader(file)][700:800]
        found = path.with_name("leaked.csv")
        with found.open("w", newline="") as file:
            writer = csv.DictWriter(file, ["fid", "sex"])
            writer.writeheader()
            writer.writerows(rows)
        return found
    if form == "parquet":
        table = pq.read_table(path).select(["sex", "fid"]).slice(700, 100)
        found = path.with_name("leaked.parquet")
        pq.write_table(pa.table(table.to_pydict()), found)
        return found
    text = path.read_text().replace("\x1e", "")
    features = json.loads(text)["features"] if form == "geojson" else [json.loads(line) for line in text.splitlines()]
    plain = [{"type": "Feature", "id": f["id"], "geometry": None, "properties": {}} for f in features[700:800]]
    found = path.with_name("leaked.geojson")
    found.write_text(json.dumps({"type": "FeatureCollection", "features": plain}))
    return found


def test_a_hundred_rows_lead_to_their_export(city: City, tmp_path: Path) -> None:
    marks = {}
    for form in ("csv", "parquet", "geojson", "geojsonseq", "csv"):
        path = tmp_path / f"persons-{len(marks)}{FORMATS[form].suffix}"
        assert city.ask("base.persons").export(path, FORMATS[form]) == 3_000
        (mark,) = marks_in(path)
        marks[mark] = _leaked(path, form).rename(tmp_path / f"{mark}{_leaked(path, form).suffix}")
    assert set(export_marks(city.database)) == set(marks)
    for mark, leaked in marks.items():
        assert marks_in(leaked) == [], "nothing is left of the mark itself"
        fids = fids_in(leaked)
        assert len(fids) == 100
        assert [one.mark for one in likeliest(fids, marks)] == [mark]


def test_each_row_carries_the_mark_and_the_values_are_as_they_were(city: City, tmp_path: Path) -> None:
    plain = city.ask("base.persons").arrow().sort_by("fid")
    for form in ("parquet", "arrow", "gpkg", "fgb"):
        path = tmp_path / f"persons{FORMATS[form].suffix}"
        city.ask("base.persons").export(path, FORMATS[form])
        (mark,) = marks_in(path)
        if form == "parquet":
            table = pq.read_table(path).sort_by("fid")
            assert set(table["onemap_export"].to_pylist()) == {mark}
            assert table.drop_columns("onemap_export").to_pylist() == plain.to_pylist()
        assert path.read_bytes().count(mark.encode()) >= (1 if form == "parquet" else 3_000)


def test_an_order_that_was_asked_for_is_kept(city: City, tmp_path: Path) -> None:
    path = tmp_path / "persons.csv"
    city.ask("base.persons?sortby=-marital_status").export(path, FORMATS["csv"])
    with path.open(encoding="utf-8-sig", newline="") as file:
        said = [row["marital_status"] for row in csv.DictReader(file)]
    assert len(said) == 3_000 and said == sorted(said, reverse=True)


@pytest.mark.parametrize("text", ["{", "[1, 2]", '{"features": 7}'])
def test_what_is_no_geojson_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.geojson"
    path.write_text(text)
    with pytest.raises(BadInput):
        fids_in(path)
