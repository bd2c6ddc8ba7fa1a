"""Answers on their way out: who hangs up, who takes nothing, what fails midway, and flat memory however many rows."""

import asyncio
import io
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.cell_export import CellExport
from api.exporting import AT_ONCE, Exports
from api.reply import Conditions
from api.served import Asked
from gis.catalog import Catalogue
from gis.errors import BadQuery, Unavailable
from gis.export import FORMATS, Export
from gis.formats import arrow_stream, parquet, text
from gis.query.ask import Ask
from gis.query.query import By, ByCell, ByField, Page, Query
from gis.query.statement import Statement
from gis.store.database import Database
from layers import LAYERS
from tests.api.served_city import SampleCity

POIS = "/collections/base.pois/items"


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
@pytest.mark.parametrize(
    ("form", "by", "kind"),
    [
        *((form, (), Export) for form in ("geojson", "geojsonseq", "csv", "parquet", "arrow", "fgb")),
        *((form, (ByField("code"),), Export) for form in ("csv", "parquet", "arrow")),
        *((form, (ByCell(9), ByField("code")), CellExport) for form in ("csv", "arrow")),
    ],
)
def test_memory_does_not_grow_with_the_rows(
    city: SampleCity, torture_scale: float, form: str, by: tuple[By, ...], kind: type[Export]
) -> None:
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

    query = Query(collection="base.roads", page=Page(), by=by)
    few = Ask(query=query.but(page=Page(limit=50))).plan(catalogue)
    list(kind(few, database, FORMATS[form]).chunks())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Plan, "_source", lambda self: Statement("public.many"))
        export = kind(Ask(query=query).plan(catalogue), database, FORMATS[form])
        assert _peak_mb(export) < 50
        assert export.rows == rows
    database.close()
