"""Tiles from memory: made once for one state of the data, never older than it, shared, shed and cancelled."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import mapbox_vector_tile
import psycopg
import pytest

from gis.store.changes import Changes
from gis.store.cluster import Cluster
from tests.api.asked_tiles import INSIDE, PLACE, POIS, ROADS, Asked, Run, runner
from tests.api.served_city import fill
from tests.conftest import copied_database


@pytest.fixture(scope="module")
def url(cluster: Cluster, template: str) -> Iterator[str]:
    """A small city that this module's tests write to."""
    with copied_database(cluster, template, "cached") as copy:
        fill(copy)
        yield copy


@pytest.fixture
def run(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a test on the event loop of an application of its own."""
    return runner(url, tmp_path, monkeypatch)


def _write(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement)


def _ids(answer: httpx.Response, layer: str) -> set[int]:
    return {f["id"] for f in mapbox_vector_tile.decode(answer.content)[layer]["features"]}


def test_a_tile_is_made_once_for_all_who_ask_for_it(run: Run) -> None:
    async def test(asked: Asked) -> None:
        answers = await asyncio.gather(*(asked.get(ROADS) for _ in range(20)))
        assert {a.status_code for a in answers} == {200} and len({a.content for a in answers}) == 1
        assert len(asked.statements) == 1
        again = await asked.get(f"{ROADS}?f=mvt&lang=en")
        assert again.content == answers[0].content and len(asked.statements) == 1

    run(test)


def test_a_commit_shows_at_once_and_only_where_it_was(run: Run, url: str) -> None:
    async def test(asked: Asked) -> None:
        far = "/collections/base.roads/tiles/WebMercatorQuad/12/1600/3000"
        before, other = await asked.get(ROADS), await asked.get(far)
        assert other.status_code == 204 and len(asked.statements) == 2
        for number in range(3):
            _write(url, f"UPDATE base.roads SET name = 'new {number}' WHERE {INSIDE}")
            after = await asked.get(ROADS, if_none_match=before.headers["etag"])
            assert after.status_code == 200 and f"new {number}".encode() in after.content
            assert after.headers["etag"] != before.headers["etag"]
            assert (await asked.get(far)).status_code == 204 and len(asked.statements) == 3 + number
            before = after

    run(test)


def test_a_copy_is_confirmed_without_reading_data(run: Run, url: str) -> None:
    async def test(asked: Asked) -> None:
        first = await asked.get(ROADS, accept_encoding="identity")
        packed = await asked.get(ROADS, accept_encoding="gzip")
        asked.statements.clear()
        asked.app._server = None  # a server that has just started holds nothing
        for copy, accepted in ((first, "identity"), (first, "gzip"), (packed, "gzip")):
            tag = copy.headers["etag"]
            answer = await asked.get(ROADS, accept_encoding=accepted, if_none_match=f'"x", {tag}')
            assert (answer.status_code, answer.headers["etag"], answer.content) == (304, tag, b"")
            assert "no-cache" in answer.headers["cache-control"]
        assert asked.statements == []
        other = await asked.get(ROADS, accept_encoding="identity", if_none_match=packed.headers["etag"])
        assert other.status_code == 200 and len(asked.statements) == 1

    run(test)


def test_what_follows_now_is_asked_anew_each_tick_but_an_equal_copy_stays_good(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(asked: Asked) -> None:
        first, start = await asked.get(POIS), time.time()
        assert len(asked.statements) == 1
        monkeypatch.setattr(time, "time", lambda: start + 60)
        later = await asked.get(POIS, if_none_match=first.headers["etag"])
        assert (later.status_code, len(asked.statements)) == (304, 2)
        fixed = f"{POIS}?datetime=2022-01-01"
        await asked.get(fixed)
        monkeypatch.setattr(time, "time", lambda: start + 120)
        await asked.get(fixed)
        assert len(asked.statements) == 3

    run(test)


def test_several_collections_are_one_tile_in_one_round_trip(run: Run, url: str) -> None:
    async def test(asked: Asked) -> None:
        roads = await asked.get(ROADS)
        both = await asked.get(f"{PLACE}?collections=base.roads,base.pois")
        assert len(asked.statements) == 2  # that of the roads is at hand
        layers = mapbox_vector_tile.decode(both.content)
        assert list(layers) == ["base.roads", "base.pois"] and both.content.startswith(roads.content)
        again = await asked.get(f"{PLACE}?collections=base.roads,base.pois", if_none_match=both.headers["etag"])
        assert again.status_code == 304 and len(asked.statements) == 2
        _write(url, f"UPDATE base.pois SET name = 'renewed' WHERE {INSIDE}")
        changed = await asked.get(f"{PLACE}?collections=base.roads,base.pois", if_none_match=both.headers["etag"])
        assert changed.status_code == 200 and b"renewed" in changed.content and len(asked.statements) == 3
        whole = await asked.get(PLACE)
        assert {"base.roads", "base.pois"} <= set(mapbox_vector_tile.decode(whole.content))

    run(test)


def test_a_question_of_several_is_asked_of_each_as_far_as_it_fits(run: Run) -> None:
    async def test(asked: Asked) -> None:
        question = "collections=base.roads,base.pois&properties=kind,lanes&datetime=2022-01-01"
        layers = mapbox_vector_tile.decode((await asked.get(f"{PLACE}?{question}")).content)
        for name, fields in (("base.roads", {"lanes"}), ("base.pois", {"kind"})):
            assert set().union(*(f["properties"] for f in layers[name]["features"])) == fields
        for wrong in ("collections=base.roads,base.cats", "collections=base.roads,base.roads", "colour=red",
                      "collections=base.roads,base.pois&filter=lanes=4"):  # fmt: skip
            refused = await asked.get(f"{PLACE}?{wrong}")
            assert refused.status_code in (400, 404) and refused.headers["content-type"] == "application/problem+json"

    run(test)


def test_an_area_that_is_another_feature_counts_as_a_change_when_that_one_changes(run: Run, url: str) -> None:
    async def test(asked: Asked) -> None:
        inside = f"{POIS}?area=base.divisions/123"
        before = await asked.get(inside)
        _write(url, "UPDATE base.divisions SET geom = ST_Buffer(geom, -0.02),"
                    " geom_3857 = ST_Transform(ST_Buffer(geom, -0.02), 3857) WHERE fid = 123")  # fmt: skip
        after = await asked.get(inside, if_none_match=before.headers["etag"])
        assert after.status_code == 200 and _ids(after, "base.pois") < _ids(before, "base.pois")

    run(test)


def test_an_area_that_is_a_feature_with_valid_time_follows_now(
    run: Run, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(asked: Asked) -> None:
        _write(url, "INSERT INTO base.divisions SELECT (jsonb_populate_record(d, jsonb_build_object('fid', 700,"
                    " 'valid_to', now() + interval '1 hour'))).* FROM base.divisions d WHERE fid = 124")  # fmt: skip
        read = asked.server._questions.read("/collections/exchange.scorecard" + PLACE, "area=base.divisions/700")
        assert read is not None and read.follows_now and read.parts[0].others == ("base.divisions",)
        plain = asked.server._questions.read("/collections/exchange.scorecard" + PLACE, "")
        assert plain is not None and not plain.follows_now
        page, start = "/collections/exchange.scorecard/items?area=base.divisions/700", time.time()
        tags = [(await asked.get(page)).headers["etag"]]
        monkeypatch.setattr(time, "time", lambda: start + 60)
        tags.append((await asked.get(page)).headers["etag"])
        assert tags[0] != tags[1]

    run(test)


def test_a_copy_is_not_confirmed_by_a_tile_that_was_read_late(
    run: Run, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two servers read a tile in the same state, one of them after the next commit, which its state did not name."""

    async def read_before(_: Any) -> None: ...

    async def test(asked: Asked) -> None:
        first = await asked.get(ROADS)
        asked.app._server = None
        with monkeypatch.context() as patch:
            patch.setattr(Changes, "reading", read_before)
            _write(url, f"UPDATE base.roads SET name = 'read late' WHERE {INSIDE}")
            assert b"read late" in (await asked.get(ROADS)).content
        assert b"read late" in (await asked.get(ROADS)).content  # found again in the state that names it
        answer = await asked.get(ROADS, if_none_match=first.headers["etag"])
        assert answer.status_code == 200 and b"read late" in answer.content

    run(test)
