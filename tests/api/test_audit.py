"""What is done over HTTP and what the trace says of it; who may read it; where a file came from."""

import io
import json
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pytest
from psycopg import sql

from api.app import create_app
from gis.access.watermark import is_ours, marks_in
from gis.catalog import Catalogue, Collection, Sensitivity
from gis.store.cluster import Cluster
from gis.store.trace import LAG_S
from gis.store.trace_key import trace_key
from gis.store.trace_verify import verify
from layers import LAYERS
from tests.api.account_city import AccountCity, Browser
from tests.api.conftest import served
from tests.gis.walled_city import walled

PURPOSE = {"onemap-purpose": "flood relief, case 12"}
CITIZEN_ID = "110101199001011237"


class Traced(AccountCity):
    """A city with its trace."""

    home: Path
    duty: Browser
    auditor: Browser

    def entries(self, **wanted: Any) -> list[dict[str, Any]]:
        """The entries that have these values, oldest first; in time for those that may lag."""
        time.sleep(LAG_S + 0.3)
        with psycopg.connect(self.url) as conn:
            cursor = conn.execute("SELECT to_jsonb(t) FROM access.trace t ORDER BY number")
            rows = [row[0] for row in cursor]
        return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


@pytest.fixture(scope="module")
def traced(
    cluster: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory, web_folder: Path
) -> Iterator[Traced]:
    name = f"test_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    home = tmp_path_factory.mktemp("home")
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEMAP_HOME", str(home))
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        url = cluster.url(name)
        try:
            walled(url)
            with served(create_app(url, Catalogue(LAYERS), web_folder)) as request:
                city = Traced(url, request)
                city.home = home
                city.duty = city.signed_in("zhao", "duty", ((341502000000, 341502999999),))
                city.auditor = city.signed_in("shen", "audit_admin")
                yield city
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_a_read_of_persons_is_written_before_it_is_answered(traced: Traced) -> None:
    answer = traced.duty.ask("/collections/base.persons/items?sex=f&limit=3", headers=PURPOSE)
    assert answer.status_code == 200, answer.text
    with psycopg.connect(traced.url) as conn:
        found = conn.execute(
            "SELECT event, outcome, who, role, purpose, collection, query, rows, origin FROM access.trace"
            " WHERE request = %s", (answer.headers["onemap-request-id"],),
        ).fetchall()  # fmt: skip
    event, outcome, who, role, purpose, collection, query, rows, origin = found[0]
    assert len(found) == 1 and (event, outcome, who, role) == ("read", "success", "zhao", "duty")
    assert purpose == "flood relief, case 12" and collection == "base.persons" and rows == 3
    assert query.startswith("base.persons?filter=sex") and origin == "127.0.0.1"


@pytest.mark.parametrize(
    ("path", "event"),
    [
        ("/collections/base.persons/items/1", "read"),
        ("/collections/base.persons/cells?res=7", "read"),
        ("/collections/base.persons/items?f=csv", "exported"),
        ("/here?lon=116.5&lat=31.7&collections=base.persons", "read"),
    ],
)
def test_every_way_to_persons_is_traced_first(traced: Traced, path: str, event: str) -> None:
    answer = traced.duty.ask(path, headers=PURPOSE)
    assert answer.status_code == 200, answer.text
    with psycopg.connect(traced.url) as conn:
        found = conn.execute(
            "SELECT count(*) FROM access.trace WHERE event = %s AND collection = 'base.persons' AND request = %s",
            (event, answer.headers["onemap-request-id"]),
        ).fetchone()
    # at a place it is looked, apart from the rows, whether only counts may be told
    assert found == ((2,) if path.startswith("/here") else (1,))


def test_persons_are_told_for_a_stated_purpose_only(traced: Traced) -> None:
    answer = traced.duty.ask("/collections/base.persons/items")
    assert answer.status_code == 403 and "OneMap-Purpose" in answer.json()["detail"]
    (entry,) = traced.entries(request=answer.headers["onemap-request-id"])
    assert (entry["event"], entry["outcome"], entry["collection"]) == ("refused", "refused", "base.persons")
    assert traced.duty.ask("/here?lon=116.5&lat=31.7").status_code == 200, "left out where nobody named them"


def test_what_is_open_is_not_traced(traced: Traced) -> None:
    before = len(traced.entries())
    assert traced.request("/collections/base.pois/items").status_code == 200
    assert traced.request("/here?lon=116.5&lat=31.7").status_code == 200, "figures that name nobody"
    assert len(traced.entries()) == before


def test_nobody_s_number_or_name_gets_into_the_trace(traced: Traced) -> None:
    for path in (
        f"/collections/base.persons/items?household={CITIZEN_ID}",
        f"/collections/base.persons/items?filter=household='{CITIZEN_ID}' OR relation LIKE '张三丰%25'",
        f"/collections/base.persons/items?guardian={CITIZEN_ID}",
        f"/collections/base.persons/items/{CITIZEN_ID}",
        f"/collections/base.persons/items?properties={CITIZEN_ID}",
        f"/collections/{CITIZEN_ID}/items",
        "/collections/base.persons/items?birth_date=1990-05-06",
    ):
        traced.duty.ask(path, headers={"onemap-purpose": f"for {CITIZEN_ID}, 13812345678"})
    said = json.dumps(traced.entries(who="zhao"), ensure_ascii=False)
    assert "~" in said
    for secret in (CITIZEN_ID, CITIZEN_ID[:17], "张三丰", "13812345678", "1990-05-06", "%E5%BC%A0"):
        assert secret not in said


def test_the_search_finds_who_asked_about_a_value(traced: Traced) -> None:
    from gis.store.database import Database
    from gis.store.trace_search import Search, entries

    asked = traced.duty.ask("/collections/base.persons/items?household=H-778-1", headers=PURPOSE)
    database = Database(traced.url)
    found = list(entries(database, Search(value=" h-778-1"), trace_key(traced.home).pseudonyms))
    database.close()
    assert [row[11] for row in found] == [asked.headers["onemap-request-id"]]


@pytest.mark.parametrize("form", ["geojson", "geojsonseq", "csv", "fgb", "parquet", "arrow"])
def test_an_export_leads_back_to_who_took_it(traced: Traced, form: str, tmp_path: Path) -> None:
    # a limit beyond a page's makes GeoJSON a stream
    limit = "&limit=20000" if form == "geojson" else ""
    answer = traced.duty.ask(f"/collections/base.persons/items?f={form}{limit}", headers=PURPOSE)
    assert answer.status_code == 200, answer.text
    path = tmp_path / f"persons.{form}"
    path.write_bytes(answer.content)
    (mark,) = marks_in(path)
    assert is_ours(mark, trace_key(traced.home).secret) and mark == answer.headers["onemap-export"]
    begun, ended = traced.entries(mark=mark)
    assert (begun["event"], begun["who"], begun["purpose"]) == ("exported", "zhao", "flood relief, case 12")
    assert (ended["event"], ended["outcome"], ended["rows"]) == ("export_ended", "success", 10)


def test_an_export_of_what_is_open_is_traced_and_marked_too(traced: Traced, tmp_path: Path) -> None:
    answer = traced.request("/collections/base.pois/items?f=parquet")
    path = tmp_path / "pois.parquet"
    path.write_bytes(answer.content)
    (mark,) = marks_in(path)
    assert [entry["event"] for entry in traced.entries(mark=mark)] == ["exported", "export_ended"]


def test_only_the_audit_administrator_searches(traced: Traced) -> None:
    for browser, status in ((traced.browser(), 401), (traced.duty, 403), (traced.auditor, 200)):
        assert browser.ask("/audit").status_code == status
    for role in ("system_admin", "security_admin", "command", "staff"):
        browser = traced.signed_in(f"a_{role}", role)
        assert browser.ask("/audit").status_code == 403, role


def test_the_audit_administrator_sees_no_person(traced: Traced) -> None:
    answer = traced.auditor.ask("/collections/base.persons/items", headers=PURPOSE)
    assert answer.status_code == 403


def test_a_search_goes_on_page_by_page_and_is_traced(traced: Traced) -> None:
    for _ in range(3):
        traced.duty.ask("/collections/base.persons/items/2", headers=PURPOSE)
    path, numbers = "/audit?who=zhao&collection=base.persons&limit=2&from=2026-01-01", []
    while path:
        body = traced.auditor.ask(path).json()
        numbers += [entry["number"] for entry in body["entries"]]
        assert all(entry["who"] == "zhao" for entry in body["entries"])
        path = next(
            (link["href"].removeprefix("http://city.test") for link in body["links"] if link["rel"] == "next"), ""
        )
    assert len(numbers) > 4 and numbers == sorted(set(numbers), reverse=True)
    assert traced.entries(event="audit_searched", who="shen")
    assert traced.auditor.ask("/audit?to=2020-01-01").json()["entries"] == []


def test_a_search_is_taken_away_as_a_table(traced: Traced) -> None:
    traced.duty.ask("/collections/base.persons/items/2", headers={"onemap-purpose": "=1+1"})
    book = openpyxl.load_workbook(io.BytesIO(traced.auditor.ask("/audit?who=zhao&f=xlsx").content))
    rows = list(book.active.iter_rows(values_only=True))
    assert rows[0][0] == "number" and len(rows) > 2
    assert any("'=1+1" in row for row in rows), "no text is a formula"
    text = traced.auditor.ask("/audit?who=zhao&f=csv").content.decode("utf-8-sig")
    assert text.splitlines()[0].startswith("number,at,event") and "'=1+1" in text


@pytest.mark.parametrize(
    ("question", "subject"),
    [("outcome=good", "outcome"), ("from=yesterday", "from"), ("to=2026-01-01/2026-02-01", "to"), ("next=-1", "next"),
     ("limit=0", "limit"), ("nobody=1", "nobody"), ("f=html", "f")],
)  # fmt: skip
def test_a_search_that_cannot_be_is_told_why(traced: Traced, question: str, subject: str) -> None:
    answer = traced.auditor.ask(f"/audit?{question}")
    assert answer.status_code == 400 and answer.json()["subject"] == subject


def test_a_sign_in_and_its_failure_are_traced(traced: Traced) -> None:
    traced.browser().sign_in("zhao", "wrong")
    traced.browser().sign_in("zhao")
    found = [(entry["outcome"], entry["who"]) for entry in traced.entries(event="signed_in")][-2:]
    assert found == [("refused", "zhao"), ("success", "zhao")]


def test_the_whole_is_whole(traced: Traced) -> None:
    time.sleep(LAG_S + 0.3)
    found = verify(traced.url, traced.home)
    assert found.is_whole and found.entries > 20


def test_what_cannot_be_traced_is_not_told(traced: Traced) -> None:
    """Last, since it takes the trace away; what waited for it is written when it is back."""
    with psycopg.connect(traced.url, autocommit=True) as conn:
        conn.execute("ALTER FUNCTION access.trace_head RENAME TO trace_head_away")
        try:
            answers = [traced.duty.ask("/collections/base.persons/items", headers=PURPOSE) for _ in range(2)]
            assert [answer.status_code for answer in answers] == [503, 503]
            assert "trace" in answers[0].json()["detail"] and "features" not in answers[0].json()
            assert traced.request("/collections/base.pois/items").status_code == 200, "what is open is told"
            refused = traced.duty.ask("/collections/base.persons/items")
            assert refused.status_code == 403
        finally:
            conn.execute("ALTER FUNCTION access.trace_head_away RENAME TO trace_head")
    time.sleep(1.0)
    assert traced.duty.ask("/collections/base.persons/items", headers=PURPOSE).status_code == 200
    (entry,) = traced.entries(request=refused.headers["onemap-request-id"])
    assert entry["event"] == "refused"
    assert traced.entries(request=answers[0].headers["onemap-request-id"])[0]["outcome"] == "failed"


@pytest.fixture
def internal(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, web_folder: Path
) -> Iterator[AccountCity]:
    """A city whose places are internal, and drawn."""
    monkeypatch.setenv("ONEMAP_HOME", str(tmp_path))
    walled(database_url)

    def closed(one: Collection) -> Collection:
        return replace(one, sensitivity=Sensitivity.INTERNAL) if one.id == "base.pois" else one

    layers = tuple(replace(layer, collections=tuple(map(closed, layer.collections))) for layer in LAYERS)
    with served(create_app(database_url, Catalogue(layers), web_folder)) as request:
        yield AccountCity(database_url, request)


def test_each_tile_of_what_is_internal_is_traced_warm_ones_too(internal: AccountCity) -> None:
    tile = "/collections/base.pois/tiles/WebMercatorQuad/14/6691/13494"
    staff = internal.signed_in("qian", "staff", None)
    assert {staff.ask(tile).status_code for _ in range(3)} <= {200, 204}
    assert internal.request(tile).status_code in (401, 403)
    assert staff.ask("/collections/base.pois/items?limit=2").status_code == 200
    time.sleep(LAG_S + 0.5)
    with psycopg.connect(internal.url) as conn:
        found = conn.execute(
            "SELECT event, who, collection, rows, detail FROM access.trace WHERE collection = 'base.pois'"
            " ORDER BY number"
        ).fetchall()
    assert [entry[:4] for entry in found] == [
        *[("read", "qian", "base.pois", None)] * 3,
        ("refused", "public", "base.pois", None),
        ("read", "qian", "base.pois", 2),
    ]
    assert json.loads(found[0][4]) == {"tile": "WebMercatorQuad/14/6691/13494"}
