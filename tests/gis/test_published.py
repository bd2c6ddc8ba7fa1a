"""Open data: what is proposed is reviewed by somebody else, and the copy holds what was allowed and nothing more."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import h3
import psycopg
import pytest
import shapely

from gis.access import PUBLIC, Identity
from gis.catalog import Catalogue, Sensitivity
from gis.city import City
from gis.errors import BadQuery, Conflict, Forbidden, NotFound, UnknownName
from gis.exchange import load as load_module
from gis.exchange.published import (
    Proposal,
    due,
    propose,
    publication,
    publications,
    publish,
    refresh,
    refuse,
    with_published,
    withdraw,
)
from gis.query.ask import Ask
from gis.query.url import parse
from gis.store.database import Database
from gis.store.derived import derive
from layers import LAYERS
from tests import anonymous_city

ANNA, BORIS = Identity("anna", "staff"), Identity("boris", "security_admin")
PLACES = {
    "A": ("第一中学", "school", "13956412345", 116.5021, 31.7012),
    "B": ("第二中学", "school", "13956499999", 116.5541, 31.7512),
    "C": ("市医院", "hospital", "13956400000", 116.6123, 31.8034),
}
ASKED = Proposal(
    name="schools", source="base.pois", query="kind=school", fields=("name", "kind"), masked={"telephone": "telephone"},
    precision=8, title={"zh": "学校", "en": "Schools"}, terms="署名使用", scope="全市", licence="CC-BY-4.0",
)  # fmt: skip


def internal() -> Catalogue:
    """The layers, of which the points of interest are for the government alone."""
    return Catalogue(
        replace(
            layer,
            collections=tuple(
                replace(c, sensitivity=Sensitivity.INTERNAL) if c.id == "base.pois" else c for c in layer.collections
            ),
        )
        for layer in LAYERS
    )


@pytest.fixture
def city(database_url: str, tmp_path: Path) -> Iterator[City]:
    with City(Database(database_url), internal()) as opened:
        put(opened, tmp_path, PLACES)
        yield opened


def put(city: City, folder: Path, places: dict[str, Any]) -> None:
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [lon, lat]},
            "properties": {"编码": code, "名称": name, "kind": kind, "telephone": phone, "address": "秘密路1号"},
        }
        for code, (name, kind, phone, lon, lat) in places.items()
    ]
    path = folder / "pois.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False), "utf-8")
    city.load(path, "base.pois", dataset="pois")


def public(city: City, question: str) -> list[dict[str, Any]]:
    """What anyone is told."""
    whole = City(city.database, with_published(city.catalogue, city.database), PUBLIC)
    found: list[dict[str, Any]] = whole.ask(question).geojson()["features"]
    return found


def published(city: City, proposal: Proposal = ASKED, by: Identity = ANNA) -> int:
    made = propose(city.database, city.catalogue, proposal, by)
    return publish(city.database, city.catalogue, made.id, BORIS, "fits the directory").id


def test_the_public_sees_the_copy_and_nothing_of_the_source(city: City) -> None:
    with pytest.raises((UnknownName, Forbidden)):
        public(city, "open.schools")
    made = propose(city.database, city.catalogue, ASKED, ANNA)
    assert made.state == "proposed"
    with pytest.raises((UnknownName, Forbidden)):
        public(city, "open.schools")
    done = publish(city.database, city.catalogue, made.id, BORIS)
    assert (done.state, done.rows, done.proposed_by, done.reviewed_by) == ("published", 2, "anna", "boris")
    found = public(city, "open.schools?sortby=number")
    assert {f["properties"]["name"] for f in found} == {"第一中学", "第二中学"}
    for feature in found:
        assert set(feature["properties"]) >= {"name", "kind", "telephone", "number"}
        assert "address" not in feature["properties"] and "code" not in feature["properties"]
        assert feature["properties"]["telephone"] in ("139****2345", "139****9999")
        lon, lat = feature["geometry"]["coordinates"]
        middle = h3.cell_to_latlng(h3.latlng_to_cell(lat, lon, 8))
        assert (lat, lon) == pytest.approx(middle, abs=1e-6)
    with pytest.raises(Forbidden):
        public(city, "base.pois")


def test_the_copy_itself_holds_no_more_than_it_tells(city: City) -> None:
    published(city)
    words = ["pg_dump", "--data-only", "--schema=open", city.database.url]
    dump = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    assert "第一中学" in dump
    for secret in ("13956412345", "13956499999", "秘密路", "市医院", "116.5021", "31.7012"):
        assert secret not in dump
    with psycopg.connect(city.database.url) as conn:
        rows = conn.execute("SELECT ST_X(geom), ST_Y(geom), cell FROM open.schools").fetchall()
    told = {(lon, lat) for _, _, _, lon, lat in PLACES.values()}
    assert len(rows) == 2 and not {(round(x, 4), round(y, 4)) for x, y, _ in rows} & told
    # a cell finer than what is told would tell where in it a place is
    assert {h3.get_resolution(h3.int_to_str(cell)) for _, _, cell in rows} == {8}


def test_who_proposes_does_not_review(city: City) -> None:
    both = Identity("anna", "security_admin")
    made = propose(city.database, city.catalogue, ASKED, ANNA)
    with pytest.raises(Forbidden, match="proposed"):
        publish(city.database, city.catalogue, made.id, both)
    for nobody in (PUBLIC, Identity("carl", "analyst"), Identity("dora", "system_admin")):
        with pytest.raises(Forbidden):
            publish(city.database, city.catalogue, made.id, nobody)
    for nobody in (PUBLIC, BORIS, Identity("eve", "audit_admin")):
        with pytest.raises(Forbidden):
            propose(city.database, city.catalogue, ASKED, nobody)
    # nor in the database, whoever writes there
    with psycopg.connect(city.database.url) as conn, pytest.raises(psycopg.errors.CheckViolation):
        conn.execute("UPDATE base.publication SET reviewed_by = proposed_by")


def test_a_refusal_keeps_its_reason_and_leaves_nothing(city: City) -> None:
    made = propose(city.database, city.catalogue, ASKED, ANNA)
    with pytest.raises(Conflict, match="waits"):
        propose(city.database, city.catalogue, ASKED, ANNA)
    with pytest.raises(BadQuery, match="why"):
        refuse(city.database, made.id, BORIS, " ")
    refused = refuse(city.database, made.id, BORIS, "telephones are not needed")
    assert (refused.state, refused.reason) == ("refused", "telephones are not needed")
    with pytest.raises(Conflict):
        publish(city.database, city.catalogue, made.id, BORIS)
    with psycopg.connect(city.database.url) as conn:
        assert conn.execute("SELECT to_regclass('open.schools')").fetchone() == (None,)
    again = propose(city.database, city.catalogue, replace(ASKED, masked={}), ANNA)
    assert [p.state for p in publications(city.database)] == ["proposed", "refused"]
    assert again.id > made.id


def test_what_was_withdrawn_is_gone(city: City) -> None:
    number = published(city)
    with pytest.raises(Forbidden):
        withdraw(city.database, city.catalogue, number, ANNA, "wrong")
    done = withdraw(city.database, city.catalogue, number, BORIS, "wrong scope")
    assert done.state == "withdrawn" and "wrong scope" in done.reason
    with pytest.raises((UnknownName, Forbidden)):
        public(city, "open.schools")
    with psycopg.connect(city.database.url) as conn:
        left = conn.execute("SELECT relname FROM pg_class WHERE relnamespace = 'open'::regnamespace").fetchall()
        kept = conn.execute("SELECT count(*) FROM core.derived WHERE register = 'open.schools'").fetchone()
    assert (left, kept) == ([], (0,))
    with pytest.raises(Conflict):
        withdraw(city.database, city.catalogue, number, BORIS, "again")
    with pytest.raises(NotFound):
        publication(city.database, 999)
    # and may come again
    assert public_after(city) == 2


def public_after(city: City) -> int:
    published(city)
    return len(public(city, "open.schools"))


def test_a_copy_follows_its_source_when_it_is_told_to(city: City, tmp_path: Path) -> None:
    number = published(city)
    first = publication(city.database, number)
    assert refresh(city.database, city.catalogue, number).refreshed_at == first.refreshed_at
    put(city, tmp_path, {"A": PLACES["A"], "D": ("第四中学", "school", "13800000000", 116.55, 31.75)})
    assert {f["properties"]["name"] for f in public(city, "open.schools")} == {"第一中学", "第二中学"}
    later = refresh(city.database, city.catalogue, number)
    assert later.refreshed_at is not None and first.refreshed_at is not None
    assert later.refreshed_at > first.refreshed_at and later.version > first.version
    assert {f["properties"]["name"] for f in public(city, "open.schools")} == {"第一中学", "第四中学"}
    withdraw(city.database, city.catalogue, number, BORIS, "done")
    with pytest.raises(Conflict):
        refresh(city.database, city.catalogue, number)


def test_a_new_version_takes_the_place_of_the_old(city: City) -> None:
    old = published(city)
    new = published(city, replace(ASKED, masked={}, fields=("name",), query="", precision="exact"))
    assert [(p.id, p.state) for p in publications(city.database)] == [(new, "published"), (old, "replaced")]
    found = public(city, "open.schools")
    assert len(found) == 3 and not {"kind", "telephone"} & set(found[0]["properties"])


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        ({"query": "address=x"}, "filter"),  # a condition on what is not told would tell it
        ({"query": "telephone=13956412345"}, "filter"),
        ({"name": "Schools!"}, "name"),
        ({"fields": ("colour",)}, "colour"),
        ({"masked": {"telephone": "shoe"}}, "masked"),
        ({"precision": "street"}, "precision"),
        ({"source": "base.nothing"}, "base.nothing"),
    ],
)
def test_what_cannot_be_published(city: City, change: dict[str, Any], subject: str) -> None:
    with pytest.raises(BadQuery) as refused:
        propose(city.database, city.catalogue, replace(ASKED, **change), ANNA)
    assert refused.value.subject == subject
    assert publications(city.database) == []


def test_persons_are_never_published_row_by_row(city: City) -> None:
    duty = Identity("frank", "duty", purpose="household_registration")
    with pytest.raises(Forbidden, match="persons"):
        propose(
            city.database, city.catalogue, replace(ASKED, source="base.persons", query="", masked={}, fields=()), duty
        )


CARL = Identity("carl", "analyst")
COUNTS = Proposal(name="residents", source="base.persons", by="cell:7", terms="k = 10", scope="全市")


@pytest.fixture
def populated(database_url: str) -> Iterator[City]:
    anonymous_city.fill(database_url)
    derive(database_url, anonymous_city.CATALOGUE)
    with City(Database(database_url), anonymous_city.CATALOGUE) as opened:
        yield opened


def test_persons_are_published_as_the_counts_that_the_public_is_told(populated: City) -> None:
    for by in ("cell:7", "division:5", "division:3,field:sex"):
        published(populated, replace(COUNTS, by=by), CARL)
        told = City(populated.database, populated.catalogue, PUBLIC).ask(f"base.persons?by={by}").geojson()["groups"]
        found = public(populated, "open.residents")
        place = by.partition(":")[0]
        coarse = [part.removeprefix("field:") for part in by.split(",")[1:]]
        assert sorted((str(g[place]), *(g[n] for n in coarse), g["count"]) for g in told) == sorted(
            (str(f["properties"]["place"]), *(f["properties"][n] for n in coarse), f["properties"]["count"])
            for f in found
        )
        assert len(found) > 1 and all(f["properties"]["count"] >= 10 for f in found)
        for feature in found:
            cell = feature["properties"]["place"] if place == "cell" else None
            shape = feature["geometry"] and shapely.geometry.shape(feature["geometry"])
            assert (shape is None) == (cell is None)
            if cell is not None:
                hexagon = shapely.Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(cell)])
                assert shapely.hausdorff_distance(shape, hexagon) < 1e-6


def test_counts_are_looked_at_again_when_another_set_date_holds(populated: City) -> None:
    number = published(populated, COUNTS, CARL)

    def refreshed() -> Any:
        return refresh(populated.database, populated.catalogue, number).refreshed_at

    made = publication(populated.database, number).refreshed_at
    assert refreshed() == made
    with psycopg.connect(populated.database.url) as conn:
        conn.execute("UPDATE base.publication SET refreshed_at = refreshed_at - interval '100 days'")
    assert refreshed() > made


def test_no_finer_counts_of_persons_are_published(populated: City) -> None:
    changes: tuple[dict[str, Any], ...] = (
        {"by": "cell:9"}, {"by": "field:sex"}, {"by": "cell:7,division:3"}, {"by": "cell:7,field:birth_date"},
        {"by": "month"}, {"by": "cell:7", "query": "measure=sum:fid"}, {"by": "cell:7", "query": "birth_date=1990"},
    )  # fmt: skip
    for change in changes:
        with pytest.raises(BadQuery):
            propose(populated.database, populated.catalogue, replace(COUNTS, **change), CARL)
        assert publications(populated.database) == [], change


def test_places_are_not_published_as_counts(city: City) -> None:
    with pytest.raises(BadQuery, match="row by row"):
        propose(city.database, city.catalogue, replace(ASKED, by="cell:7", fields=(), masked={}), ANNA)


def test_a_copy_that_cannot_be_made_leaves_what_stood(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever fails, as late as may be: the old copy is told, and the proposal still waits."""
    old = published(city)
    made = propose(city.database, city.catalogue, replace(ASKED, masked={}, precision="exact"), ANNA)

    def broken(*_: Any) -> None:
        raise RuntimeError("cut off")

    with monkeypatch.context() as patch:
        patch.setattr(load_module._Intake, "_record", broken)
        with pytest.raises(RuntimeError):
            publish(city.database, city.catalogue, made.id, BORIS)
    assert [(p.id, p.state) for p in publications(city.database)] == [(made.id, "proposed"), (old, "published")]
    assert {f["properties"]["telephone"] for f in public(city, "open.schools")} == {"139****2345", "139****9999"}
    with psycopg.connect(city.database.url) as conn:
        left = conn.execute("SELECT relname FROM pg_class WHERE relname LIKE 'schools%%\\_\\_new%%'").fetchall()
    assert left == []
    publish(city.database, city.catalogue, made.id, BORIS)
    assert "telephone" not in public(city, "open.schools")[0]["properties"]


def test_a_copy_is_due_after_its_hours(city: City) -> None:
    number = published(city, replace(ASKED, every_h=6))
    at = publication(city.database, number).refreshed_at
    assert at is not None
    assert due(city.database, at + timedelta(hours=5, minutes=59)) == []
    assert [one.id for one in due(city.database, at + timedelta(hours=6))] == [number]
    published(city, replace(ASKED, every_h=0))
    assert due(city.database, at + timedelta(days=99)) == []
    for never in (-1, 99_999, "6", True):
        with pytest.raises(BadQuery):
            Proposal.of({"name": "x", "source": "base.pois", "every_h": never})


def test_without_shapes(city: City) -> None:
    published(city, replace(ASKED, precision="division"))
    found = public(city, "open.schools")
    assert len(found) == 2 and all(f["geometry"] is None for f in found)


def test_a_question_of_the_copy_is_one_like_any_other(city: City) -> None:
    published(city)
    whole = with_published(city.catalogue, city.database)
    plan = Ask(query=parse("open.schools?kind=school&limit=1", whole), identity=PUBLIC).plan(whole)
    assert plan.query.page.limit == 1
