"""Features counted by cell, against a count in Python."""

from collections import Counter
from datetime import UTC, datetime

import h3
import pytest
import shapely

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


def test_too_many_cells(city: SampleCity, monkeypatch: pytest.MonkeyPatch) -> None:
    from api.routes import cells

    monkeypatch.setattr(cells, "MAX_CELLS", 10)
    answer = city.get("/collections/base.pois/cells?res=10")
    assert answer.status_code == 400 and "10" in answer.json()["detail"]
