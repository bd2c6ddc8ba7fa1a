"""Features counted by cell, against a count in Python."""

import csv
import io
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import h3
import pyarrow as pa
import pytest
import shapely

from api.cell_export import CellExport
from gis.access import OWNER
from gis.catalog import Catalogue, Collection, Field, FieldType, Geometry, Layer
from gis.catalog.field import text
from gis.errors import BadQuery
from gis.query.answers import groups
from gis.query.ask import Ask
from gis.query.query import Measure, Query
from gis.query.span import SHANGHAI
from gis.text import Text
from tests.api.served_city import Row, SampleCity

POIS = "base.pois"


def _now(row: Row) -> bool:
    now = datetime.now(UTC)
    return (row.start is None or row.start <= now) and (row.end is None or row.end > now)


@pytest.mark.parametrize("res", [0, 5, 8, 11])
def test_each_row_is_counted_in_its_cell(city: SampleCity, res: int) -> None:
    answer = city.get(f"/collections/base.pois/cells?res={res}").json()
    counts = {f["properties"]["cell"]: f["properties"]["count"] for f in answer["features"]}
    # a row belongs to the ancestors of its finest cell: ids nest, shapes do not quite
    finest = [h3.latlng_to_cell(r.shape.y, r.shape.x, 11) if r.shape else None for r in city.rows[POIS] if _now(r)]
    wanted = Counter(cell and h3.cell_to_parent(cell, res) for cell in finest)
    assert counts == dict(wanted) and answer["resolution"] == res
    for feature in answer["features"]:
        if feature["geometry"] is None:
            continue
        assert feature["id"] == feature["properties"]["cell"]
        assert feature["properties"]["area_km2"] == pytest.approx(h3.cell_area(feature["id"], "km^2"), rel=1e-4)
        ring = feature["geometry"]["coordinates"][0]
        assert ring[0] == ring[-1] and len(ring) >= 6
        assert max(x for x, _ in ring) - min(x for x, _ in ring) < 180


def test_measures_and_questions(city: SampleCity) -> None:
    box = (116.495, 31.745, 116.505, 31.755)
    question = f"res=8&bbox={','.join(map(str, box))}&measure=count,mean:height_m,max:storeys,distinct:use,sum:storeys"
    features = city.get(f"/collections/base.buildings/cells?{question}").json()["features"]
    inside = [r for r in city.rows["base.buildings"] if r.shape and r.shape.intersects(shapely.box(*box))]
    assert sum(f["properties"]["count"] for f in features) == len(inside)
    assert sum(f["properties"]["sum_storeys"] for f in features) == sum(r.fields["storeys"] for r in inside)
    assert max(f["properties"]["max_storeys"] for f in features) == max(r.fields["storeys"] for r in inside)
    assert all(isinstance(f["properties"]["mean_height_m"], float) for f in features)


@pytest.mark.parametrize(
    ("question", "subject"),
    [("res=12", "res"), ("res=-1", "res"), ("res=x", "res"), ("res=5&res=6", "res"), ("measure=sum:name", "measure"),
     ("limit=5", "limit"), ("measure=sum:cats", "cats")],
)  # fmt: skip
def test_refusals(city: SampleCity, question: str, subject: str) -> None:
    answer = city.get(f"/collections/base.pois/cells?{question}")
    assert answer.status_code == 400 and answer.json()["subject"] == subject


def test_true_and_false_have_no_least() -> None:
    shops = Collection(
        id="test.shops", title=Text("店", "Shops"), description=Text("店", "Shops"), geometry=Geometry.POINT,
        key=("code",), style=None,
        fields=(
            text("code", "编码", "Code", required=True),
            Field(name="open", type=FieldType.BOOLEAN, title=Text("营业", "Open")),
        ),
    )  # fmt: skip
    catalogue = Catalogue([Layer(name="test", title=Text("测试", "Test"), collections=(shops,))])
    plan = Ask(query=Query(collection="test.shops", measure=(Measure("min", "open"),)), identity=OWNER).plan(catalogue)
    with pytest.raises(BadQuery, match="open is true or false"):
        groups(plan)


TWICE = (
    ("cells?by=cell:5,cell:6", "by"), ("cells?by=division:2,division:4", "by"), ("cells?by=time:hour,time:day", "by"),
    ("cells?by=field:kind,field:kind", "by"), ("cells?res=5&by=cell:6", "res"),
    ("cells?measure=count,count", "measure"),
    ("items?properties=name,name", "properties"), ("items?f=csv&properties=name,name", "properties"),
    ("items?f=parquet&by=cell:3,cell:4", "by"), ("tiles/WebMercatorQuad/9/1/2?properties=name,name", "properties"),
)  # fmt: skip


@pytest.mark.parametrize(("question", "subject"), TWICE)
def test_no_answer_has_two_columns_of_one_name(city: SampleCity, question: str, subject: str) -> None:
    answer = city.get(f"/collections/base.pois/{question}")
    assert (answer.status_code, answer.json()["subject"]) == (400, subject)
    assert city.get("/collections/base.pois/cells?by=time:day,time:hour-of-week").status_code == 200


def test_too_many_cells(city: SampleCity, monkeypatch: pytest.MonkeyPatch) -> None:
    from api.routes import cells

    monkeypatch.setattr(cells, "MAX_CELLS", 10)
    answer = city.get("/collections/base.pois/cells?res=10")
    assert answer.status_code == 400 and "10" in answer.json()["detail"]


def _groups(city: SampleCity, question: str) -> list[dict[str, Any]]:
    answer = city.get(f"/collections/base.pois/cells?{question}")
    assert answer.status_code == 200, answer.text
    return answer.json()["groups"]


def test_groups_without_cells(city: SampleCity) -> None:
    kinds = {g["kind"]: g["count"] for g in _groups(city, "by=field:kind")}
    assert kinds == dict(Counter(r.fields.get("kind") for r in city.rows[POIS] if _now(r)))
    divisions = _groups(city, "by=division:3")
    assert sum(g["count"] for g in divisions) == sum(kinds.values())
    assert all(g["division"] is None or g["division"].endswith("000000") for g in divisions)


def test_hours_of_the_week_are_those_of_shanghai(city: SampleCity) -> None:
    found = {g["hour_of_week"]: g["count"] for g in _groups(city, "by=time:hour-of-week")}
    starts = [r.start and r.start.astimezone(SHANGHAI) for r in city.rows[POIS] if _now(r)]
    assert found == dict(Counter(s and s.weekday() * 24 + s.hour for s in starts))
    days = _groups(city, "by=time:day")
    assert sum(g["count"] for g in days) == len(starts)


def test_kinds_in_each_cell_and_densities_by_the_cells_own_area(city: SampleCity) -> None:
    answer = city.get("/collections/base.pois/cells?res=6&by=field:kind").json()
    whole = city.get("/collections/base.pois/cells?res=6").json()
    counts: Counter[str | None] = Counter()
    for feature in answer["features"]:
        counts[feature["properties"]["cell"]] += feature["properties"]["count"]
    assert counts == {f["properties"]["cell"]: f["properties"]["count"] for f in whole["features"]}
    for feature in whole["features"]:
        told = feature["properties"]
        if told["cell"] is not None:
            assert told["per_km2"] == pytest.approx(told["count"] / h3.cell_area(told["cell"], "km^2"))


def test_columns_and_text_say_the_same_as_the_shapes(city: SampleCity) -> None:
    place = "/collections/base.pois/cells?res=7&measure=count,distinct:kind"
    shapes = {f["properties"]["cell"]: f["properties"] for f in city.get(place).json()["features"]}
    arrow = city.get(f"{place}&f=arrow")
    assert arrow.headers["content-type"] == "application/vnd.apache.arrow.stream"
    table = pa.ipc.open_stream(arrow.content).read_all()
    assert {row["cell"]: row["distinct_kind"] for row in table.to_pylist()} == {
        cell: told["distinct_kind"] for cell, told in shapes.items()
    }
    for row in table.to_pylist():
        if row["cell"]:
            shape = shapely.from_wkb(row["geometry"])
            if shape.geom_type == "Polygon":  # in two pieces at the antimeridian
                assert h3.latlng_to_cell(shape.centroid.y, shape.centroid.x, 7) == row["cell"]
            assert row["per_km2"] == pytest.approx(shapes[row["cell"]]["per_km2"])
    lines = list(csv.DictReader(io.StringIO(city.get(f"{place}&f=csv").content.decode("utf-8-sig"))))
    assert {line["cell"] or None: int(line["count"]) for line in lines} == {c: t["count"] for c, t in shapes.items()}
    assert "geometry" not in lines[0]
    for line in lines:
        wanted = shapes[line["cell"] or None]
        assert (float(line["area_km2"]) if line["area_km2"] else None) == wanted["area_km2"]


@pytest.mark.parametrize("form", ["csv", "arrow"])
@pytest.mark.parametrize("question", ["by=field:kind", "res=9&by=field:kind,time:day", "res=5&bbox=0,0,1,1"])
def test_columns_are_streamed_batch_by_batch(
    city: SampleCity, monkeypatch: pytest.MonkeyPatch, form: str, question: str
) -> None:
    place = f"/collections/base.pois/cells?{question}"
    whole = city.get(f"{place}&f={form}")
    document = city.get(place).json()
    groups = document.get("groups") or [feature["properties"] for feature in document.get("features", [])]
    monkeypatch.setattr("gis.store.batches.BATCH_ROWS", 3)
    piecemeal = city.get(f"{place}&f={form}")
    assert whole.status_code == piecemeal.status_code == 200
    tables = [_read(form, answer.content) for answer in (whole, piecemeal)]
    assert tables[0] == tables[1]
    assert len(tables[0]) == len(groups)


def _read(form: str, content: bytes) -> list[dict[str, Any]]:
    if form == "arrow":
        return list(pa.ipc.open_stream(content).read_all().to_pylist())
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


@pytest.mark.parametrize("form", ["csv", "arrow"])
def test_head_of_columns_reads_nothing(city: SampleCity, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.setattr(CellExport, "chunks", lambda _: pytest.fail("it was read"))
    answer = city.get(f"/collections/base.pois/cells?f={form}", "HEAD")
    assert answer.status_code == 200 and answer.content == b""
    assert answer.headers["content-disposition"].startswith('attachment; filename="base.pois.')


def test_more_groups_than_a_document_holds_come_as_columns(city: SampleCity, monkeypatch: pytest.MonkeyPatch) -> None:
    place = "/collections/base.pois/cells?res=10"
    monkeypatch.setattr("api.routes.cells.MAX_CELLS", 10)
    assert "f=csv" in city.get(f"{place}&lang=en").json()["detail"]
    assert len(_read("arrow", city.get(f"{place}&f=arrow").content)) > 10


@pytest.mark.parametrize(
    ("question", "subject"),
    [("res=5&by=cell:6", "res"), ("by=time:minute", "by"), ("by=field:cats", "cats"), ("f=parquet", "f"),
     ("by=division:6", "by")],
)  # fmt: skip
def test_refusals_of_groups(city: SampleCity, question: str, subject: str) -> None:
    answer = city.get(f"/collections/base.pois/cells?{question}")
    assert answer.status_code == 400 and answer.json()["subject"] == subject
