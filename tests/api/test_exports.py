"""Whole answers in every format: the same rows as the pages, exact to the character, in flat memory."""

import csv
import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import geopandas
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from gis.export import FORMATS, Export
from gis.formats import text
from tests.api.served_city import SampleCity

POIS = "/collections/base.pois/items"
QUESTIONS = (
    "",
    "filter=" + quote("kind = 'school' AND name LIKE '%''s%'"),
    "filter=" + quote("name LIKE '%\\\\%'"),
    "bbox=116.45,31.7,116.5,31.8",
    "datetime=../..&properties=name,kind",
    "sortby=-name&limit=50&offset=7",
    "as-of=2026-02-01T00:00:00Z&limit=20",
    "kind=nothing",
)
Rows = dict[tuple[int, str | None], dict[str, Any]]


def pages(city: SampleCity, question: str) -> list[dict[str, Any]]:
    """The features as pages have them."""
    limit = "" if "limit=" in question else "&limit=10000"
    found = city.get(f"{POIS}?{question}{limit}").json()
    features: list[dict[str, Any]] = found["features"]
    return features


def exported(city: SampleCity, form: str, question: str = "", collection: str = "base.pois") -> bytes:
    answer = city.get(f"/collections/{collection}/items?f={form}&{question}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == f'attachment; filename="{collection}{FORMATS[form].suffix}"'
    assert answer.headers["content-type"] == FORMATS[form].media_type
    return answer.content


def table(form: str, content: bytes, folder: Path) -> Any:
    """What a reader of the format that we did not write makes of it."""
    path = folder / f"x{FORMATS[form].suffix}"
    path.write_bytes(content)
    if form == "parquet":
        return geopandas.read_parquet(path)
    if form == "arrow":
        return geopandas.GeoDataFrame.from_arrow(pa.ipc.open_stream(content).read_all())
    return pyogrio.read_dataframe(path)


def by_key(features: list[dict[str, Any]]) -> Rows:
    return {(f["id"], f["properties"].get("valid_from")): f for f in features}


@pytest.mark.parametrize("question", QUESTIONS)
def test_text_formats_hold_what_pages_hold(city: SampleCity, question: str) -> None:
    wanted = pages(city, question)
    in_order = "sortby" in question
    whole = exported(city, "geojson", question if "limit" in question else f"{question}&limit=1000000") if (
        "limit" not in question) else b""  # fmt: skip
    if whole:
        found = json.loads(whole)
        assert found["numberReturned"] == len(found["features"]) == len(wanted)
        assert by_key(found["features"]) == by_key(wanted)
    records = exported(city, "geojsonseq", question).decode().split("\x1e")
    assert records[0] == "" and all(r.endswith("\n") and r.count("\n") == 1 for r in records[1:])
    features = [json.loads(r) for r in records[1:]]
    assert (features == wanted) if in_order else (by_key(features) == by_key(wanted))
    read = list(csv.DictReader(io.StringIO(exported(city, "csv", question).decode("utf-8-sig"), newline="")))
    assert [r["name"] for r in read] == [f["properties"]["name"] for f in wanted] or not in_order
    assert sorted((int(r["fid"]), r["name"]) for r in read) == sorted(
        (f["id"], f["properties"]["name"]) for f in wanted
    )


@pytest.mark.parametrize("form", ["parquet", "arrow", "fgb"])
@pytest.mark.parametrize("question", [QUESTIONS[0], QUESTIONS[2], QUESTIONS[4], QUESTIONS[-1]])
def test_binary_formats_hold_what_pages_hold(city: SampleCity, tmp_path: Path, form: str, question: str) -> None:
    wanted = pages(city, question)
    frame = table(form, exported(city, form, question), tmp_path)
    assert len(frame) == len(wanted)
    if not wanted:
        return
    assert sorted(frame["fid"]) == sorted(f["id"] for f in wanted)
    names = {f["id"]: f["properties"]["name"] for f in wanted}
    if "datetime" not in question:
        assert dict(zip(frame["fid"], frame["name"], strict=True)) == names
    places = {f["id"]: f["geometry"] for f in wanted}
    for fid, shape in zip(frame["fid"], frame.geometry, strict=True):
        assert (shape is None) is (places[fid] is None)
        if shape is not None:
            assert [shape.x, shape.y] == pytest.approx(places[fid]["coordinates"], abs=1e-7)
    assert frame.crs is not None and frame.crs.is_geographic


def test_geoparquet_says_what_is_in_it(city: SampleCity, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(exported(city, "parquet", "bbox=116,31,117,32", "base.buildings"))
    geo = json.loads(pq.read_metadata(path).metadata[b"geo"])
    column = geo["columns"]["geometry"]
    assert (geo["version"], geo["primary_column"], column["encoding"]) == ("1.1.0", "geometry", "WKB")
    assert column["geometry_types"] == ["Polygon"] and "crs" not in column
    shapes = [row.shape for row in city.rows["base.buildings"]]
    assert column["bbox"] == pytest.approx(list(shapely.total_bounds(shapes)))
    assert len(geopandas.read_parquet(path)) == len(shapes)


@pytest.mark.parametrize("form", ["parquet", "arrow", "fgb"])
def test_another_crs(city: SampleCity, tmp_path: Path, form: str) -> None:
    frame = table(form, exported(city, form, "crs=EPSG:3857&bbox=116,31,117,32"), tmp_path)
    assert frame.crs.to_epsg() == 3857
    plain = table(form, exported(city, form, "bbox=116,31,117,32"), tmp_path).to_crs(3857)
    near = frame.set_index("fid").geometry.distance(plain.set_index("fid").geometry, align=True)
    assert len(frame) > 300 and near.max() < 0.01


def test_axes_of_text_follow_the_crs(city: SampleCity) -> None:
    answer = city.get(f"{POIS}?f=geojsonseq&crs=EPSG:4326&bbox=116,31,117,32&limit=5")
    assert answer.headers["content-crs"] == "<http://www.opengis.net/def/crs/EPSG/0/4326>"
    first = json.loads(answer.content.split(b"\n")[0].strip(b"\x1e"))
    assert first["geometry"]["coordinates"][0] < 40 < first["geometry"]["coordinates"][1]
    page = city.get(f"{POIS}?crs=EPSG:4326&bbox=116,31,117,32&limit=1").json()["features"][0]
    assert page == first


def test_groups_are_tables(city: SampleCity) -> None:
    asked = "by=field:kind&measure=count,distinct:name"
    rows = list(csv.DictReader(io.StringIO(exported(city, "csv", asked).decode("utf-8-sig"))))
    wanted: dict[str, int] = {}
    for feature in pages(city, ""):
        kind = feature["properties"]["kind"] or ""
        wanted[kind] = wanted.get(kind, 0) + 1
    assert {r["kind"]: int(r["count"]) for r in rows} == wanted
    typed = pq.read_table(io.BytesIO(exported(city, "parquet", "by=division:3&measure=mean:storeys,max:height_m",
                                              "base.buildings")))  # fmt: skip
    assert typed.column_names == ["division", "mean_storeys", "max_height_m"]
    assert typed.column("mean_storeys")[0].as_py() == pytest.approx(15.0, abs=5)
    assert pa.ipc.open_stream(exported(city, "arrow", asked)).read_all().num_rows == len(rows)
    for form in ("geojson", "geojsonseq", "fgb"):
        assert city.get(f"{POIS}?f={form}&{asked}").status_code == 400


def test_the_caller_may_ask_by_media_type(city: SampleCity) -> None:
    answer = city.get(POIS, headers={"accept": "application/vnd.apache.parquet"})
    assert answer.content[:4] == b"PAR1" and "Accept" in answer.headers["vary"]
    assert city.get(POIS, headers={"accept": "text/csv"}).headers["content-type"].startswith("text/csv")
    packed = city.get(f"{POIS}?f=csv", headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip" and packed.content.startswith(text.BYTE_ORDER_MARK)


def test_head_reads_nothing(city: SampleCity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Export, "chunks", lambda _: pytest.fail("it was read"))
    answer = city.get(f"{POIS}?f=parquet", "HEAD")
    assert answer.status_code == 200 and answer.content == b""
    assert answer.headers["content-type"] == FORMATS["parquet"].media_type


def test_formats_and_changes_are_described(city: SampleCity) -> None:
    paths = city.get("/api").json()["paths"]
    items, item = paths["/collections/{collectionId}/items"], paths["/collections/{collectionId}/items/{featureId}"]
    for form in ("csv", "fgb", "parquet", "arrow", "geojsonseq"):
        assert FORMATS[form].media_type.partition(";")[0] in items["get"]["responses"]["200"]["content"]
    assert set(items) == {"get", "post"} and set(item) == {"get", "put", "patch", "delete"}
    assert all(item[m]["security"] and any(p.get("name") == "If-Match" for p in item[m]["parameters"])
               for m in ("put", "patch", "delete"))  # fmt: skip


REFUSED = ("f=gpkg", "f=xls", "f=csv&f=csv", "f=csv&x=1", "f=fgb&crs=EPSG:1", "f=csv&limit=0")


@pytest.mark.parametrize("parameters", REFUSED)
def test_what_cannot_be_is_refused_before_anything_is_sent(city: SampleCity, parameters: str) -> None:
    answer = city.get(f"{POIS}?{parameters}")
    assert answer.status_code == 400 and answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("question", ["f=csv", "f=parquet", "limit=10001"])
def test_many_rows_are_not_sorted_without_an_index(
    city: SampleCity, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    monkeypatch.setattr("gis.query.features.UNINDEXED_TO", 5)
    answer = city.get(f"{POIS}?{question}&sortby=address")
    assert (answer.status_code, answer.json()["subject"]) == (400, "sortby")
    assert city.get(f"{POIS}?{question}&sortby=name").status_code == 200
    assert city.get(f"{POIS}?{question}&sortby=address&ids=3,6").status_code == 200


def test_a_page_is_kept_until_something_changes(city: SampleCity) -> None:
    where = f"{POIS}?limit=3&filter=" + quote("code LIKE 'E%' OR code = 'kept'")
    first = city.get(where)
    tag = first.headers["etag"]
    held = city.get(where, headers={"if-none-match": tag})
    assert held.status_code == 304 and held.content == b"" and held.headers["etag"] == tag
    assert city.get(where, headers={"accept-encoding": "identity"}).json() == first.json()
    for changed in ("INSERT INTO base.pois (fid, rec_from, digest, load, code, name)"
                    " VALUES (9100, 1, 0, 1, 'kept', 'x')", "DELETE FROM base.pois WHERE fid = 9100"):  # fmt: skip
        before = city.get(where).headers["etag"]
        with psycopg.connect(city.url, autocommit=True) as conn:
            conn.execute(changed)
        after = city.get(where, headers={"if-none-match": before})
        assert after.status_code == 200 and after.headers["etag"] != before
        codes = [feature["properties"]["code"] for feature in after.json()["features"]]
        assert ("kept" in codes) is changed.startswith("INSERT")
    assert city.get(where).json()["features"] == first.json()["features"]
