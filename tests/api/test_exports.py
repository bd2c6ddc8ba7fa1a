"""Whole answers in every format: the same rows as the pages, exact to the character, in flat memory."""

import asyncio
import csv
import io
import json
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
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
from hypothesis import given, settings
from hypothesis import strategies as st

from api.commands.ask import write
from api.exporting import AT_ONCE, Exports
from api.reply import Conditions
from api.served import Asked
from gis.catalog import Catalogue
from gis.city import City
from gis.errors import BadQuery, Unavailable
from gis.export import FORMATS, Export
from gis.formats import arrow_stream, parquet, text
from gis.query.ask import Ask
from gis.query.query import Page, Query
from gis.query.statement import Statement
from gis.store.database import Database
from layers import LAYERS
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


def _sink(messages: list[Any], at_most: int = 10**9) -> Any:
    async def send(message: Any) -> None:
        messages.append(message)
        if len(messages) > at_most:
            await asyncio.sleep(3600)

    return send


def _endless(plan: Any, *_: Any, **__: Any) -> Statement:
    return Statement("SELECT repeat('x', 1000) || generate_series(1, 100000000)")


def test_a_caller_who_hangs_up_ends_the_statement(city: SampleCity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gis.query.export.lines", _endless)
    running = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'onemap-export' AND state = 'active'"
    database = Database(city.url)
    plan = Ask(query=Query(collection="base.pois")).plan(Catalogue(LAYERS))
    ask = Asked("en", [], "http://t", POIS, False)

    async def run() -> list[Any]:
        messages: list[Any] = []
        exports = Exports()
        export = Export(plan, database, FORMATS["geojsonseq"])
        work = asyncio.create_task(exports.send(_sink(messages, 4), export, ask, Conditions(), only_head=False))
        while len(messages) < 5:
            await asyncio.sleep(0.01)
        assert database.rows(Statement(running))[0][0] == 1
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        return messages

    messages = asyncio.run(run())
    assert messages[0]["status"] == 200 and all(m.get("more_body") for m in messages[1:])
    deadline_s = time.monotonic() + 10
    while database.rows(Statement(running))[0][0]:
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    database.close()


def test_few_large_answers_at_a_time(city: SampleCity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.exporting._PATIENCE_S", 0.05)
    database = Database(city.url)
    plan = Ask(query=Query(collection="base.pois")).plan(Catalogue(LAYERS))
    ask = Asked("en", [], "http://t", POIS, False)

    async def run() -> None:
        exports = Exports()
        async with AsyncExitStack() as stack:
            for number in range(AT_ONCE):
                await stack.enter_async_context(exports._turns.turn(str(number)))
            with pytest.raises(Unavailable):
                export = Export(plan, database, FORMATS["csv"])
                await exports.send(_sink([]), export, ask, Conditions(), only_head=False)
        messages: list[Any] = []
        export = Export(plan, database, FORMATS["csv"])
        await exports.send(_sink(messages), export, ask, Conditions(), only_head=False)
        assert messages[-1] == {"type": "http.response.body", "body": b""}

    asyncio.run(run())
    database.close()


def test_whoever_takes_nothing_makes_room_for_others(city: SampleCity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.exporting._IDLE_S", 0.05)
    database = Database(city.url)
    plan = Ask(query=Query(collection="base.pois")).plan(Catalogue(LAYERS))

    async def asleep(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    async def run() -> None:
        exports, ask = Exports(), Asked("en", [], "http://t", POIS, False)
        with pytest.raises(Unavailable, match="nothing was taken"):
            await exports.send(asleep, Export(plan, database, FORMATS["csv"]), ask, Conditions(), only_head=False)
        async with AsyncExitStack() as stack:
            for number in range(AT_ONCE):
                await stack.enter_async_context(exports._turns.turn(str(number)))

    asyncio.run(run())
    database.close()


def test_what_fails_midway_is_not_told_as_whole(city: SampleCity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gis.query.export.lines", lambda *_, **__: Statement(
        "SELECT repeat('x', 1000) || 1 / (30000 - i) FROM generate_series(1, 100000) i"))  # fmt: skip
    database = Database(city.url)
    plan = Ask(query=Query(collection="base.pois")).plan(Catalogue(LAYERS))
    messages: list[Any] = []

    async def run() -> None:
        export = Export(plan, database, FORMATS["geojsonseq"])
        ask = Asked("en", [], "http://t", POIS, False)
        await Exports().send(_sink(messages), export, ask, Conditions(), only_head=False)

    with pytest.raises(BadQuery, match="division by zero"):
        asyncio.run(run())
    assert len(messages) > 2 and messages[-1]["more_body"]
    database.close()


ODD = ['"', "\\", "\\N", "\n", "\r\n", ",", "é", "街", "", " "]
VALUES = st.one_of(st.none(), st.text(max_size=12), st.sampled_from(ODD))


@settings(max_examples=60, deadline=None)
@given(st.lists(VALUES, max_size=30))
def test_texts_survive_every_encoding(values: list[str | None]) -> None:
    schema = pa.schema([("name", pa.string()), ("row", pa.int64())])
    parts = [values[i : i + 7] for i in range(0, len(values), 7)]
    batches = [pa.record_batch([pa.array(p, pa.string()), [*range(len(p))]], schema=schema) for p in parts]
    written = b"".join(text.csv_chunks(iter(batches), schema)).decode("utf-8-sig")
    options = pa.csv.ConvertOptions(
        column_types=schema, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
    )
    lines = pa.csv.ParseOptions(newlines_in_values=True)
    read = pa.csv.read_csv(io.BytesIO(written.encode()), parse_options=lines, convert_options=options)
    assert read.column("name").to_pylist() == values
    assert pq.read_table(io.BytesIO(b"".join(parquet.chunks(iter(batches), schema)))).column(0).to_pylist() == values
    streamed = b"".join(arrow_stream.chunks(iter(batches), schema))
    assert pa.ipc.open_stream(streamed).read_all().column(0).to_pylist() == values


def _peak_mb(export: Export) -> float:
    """How much the process grew while an export flowed through it."""
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    for chunk in export.chunks():
        del chunk
    return (_status("VmHWM") - before) / 1024


def _status(name: str) -> int:
    return int(
        next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name)).split()[1]
    )


@pytest.mark.torture
@pytest.mark.parametrize("form", ["geojson", "geojsonseq", "csv", "parquet", "arrow", "fgb"])
def test_memory_does_not_grow_with_the_rows(city: SampleCity, torture_scale: float, form: str) -> None:
    rows = max(60_000, int(1_000_000 * torture_scale))
    database, catalogue = Database(city.url), Catalogue(LAYERS)
    with psycopg.connect(city.url, autocommit=True) as conn:
        conn.execute("CREATE TABLE IF NOT EXISTS public.many AS SELECT * FROM base.roads WHERE false")
        if conn.execute("SELECT count(*) FROM public.many").fetchone() != (rows,):
            conn.execute(
                "INSERT INTO public.many (fid, scenario, valid_from, valid_to, rec_from, digest, load, geom, code,"
                " name) SELECT i, 0, '-infinity', 'infinity', 1, i, 1, ST_SetSRID(ST_MakePoint(116 + i / 1e6, 31),"
                " 4326), i::text, '名\"\\' || i FROM generate_series(1, %s) i", (rows,)
            )  # fmt: skip
    from gis.query.plan import Plan

    query = Query(collection="base.roads", page=Page())
    few = Ask(query=query.but(page=Page(limit=50))).plan(catalogue)
    list(Export(few, database, FORMATS[form]).chunks())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Plan, "_source", lambda self: Statement("public.many"))
        export = Export(Ask(query=query).plan(catalogue), database, FORMATS[form])
        assert _peak_mb(export) < 50
        assert export.rows == rows
    database.close()
