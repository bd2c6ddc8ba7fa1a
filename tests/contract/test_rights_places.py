"""Places of addresses and what was measured: no caller is told a row that the oracle has not for him."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
import shapely

from gis.catalog import Catalogue, Grant, Policy, Rows
from gis.store.cluster import Cluster
from layers import LAYERS
from tests.conftest import copied_database
from tests.contract import rights_oracle as oracle
from tests.contract.rights_city import WHO, RuledCity, served
from tests.contract.small_city import fill
from tests.measured_city import HOURS, START, STATIONS, TRIAL, Sizes, place_of
from tests.measured_city import fill as fill_measured
from tests.policies import with_policies

_DAY = START.strftime("%Y-%m-%dT%H:%M:%SZ/2026-03-01T16:00:00Z")
#: Exact rows of the duty; fields masked; blurred; and nothing: of what is measured, of stations and hours alike.
_MEASURED = Policy((Grant(roles=("staff", "duty", "command"), rows=Rows.DUTY), Grant(roles=("analyst",))))
_ADDRESSES = Policy((
    Grant(roles=("duty", "command"), rows=Rows.DUTY),
    Grant(roles=("staff",), rows=Rows.DUTY, hidden=("plate",)),
    Grant(roles=("analyst",), precision=8),
    Grant(roles=("system_admin",), hidden=("text", "code", "street")),
    Grant(roles=("audit_admin",), masked=dict.fromkeys(("text", "code", "street", "plate"), "closed")),
))  # fmt: skip
RULED = with_policies(
    Catalogue((*LAYERS, TRIAL)), {"base.addresses": _ADDRESSES, STATIONS.id: _MEASURED, HOURS.id: _MEASURED}
)


@pytest.fixture(scope="module")
def city(cluster: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuledCity]:
    with copied_database(cluster, template, "rights_places") as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEMAP_HOME", str(tmp_path_factory.mktemp("home")))
        fill(url)
        with psycopg.connect(url) as conn:
            fill_measured(conn, Sizes(stations=12, hours=6))
            conn.execute("UPDATE base.divisions SET code = (341502001000 + fid)::text, name = '地区' || fid")
            conn.execute(
                "UPDATE base.addresses SET text = '试验路' || fid || '号', street = '试验路', plate = fid || '号',"
                " compound = NULL, building = NULL, main = NULL"
            )
            for table in ("stations", "hours"):
                conn.execute(
                    f"UPDATE trial.{table} SET division = CASE WHEN substr(code, 2)::int < 6 THEN 341502001001"
                    " WHEN substr(code, 2)::int < 10 THEN 341503001001 END"
                )
        with served(url, RULED, tmp_path_factory.mktemp("dist")) as found:
            yield found


def _places(document: Any, collection: str) -> Iterator[dict[str, Any]]:
    """All places of a collection that stand anywhere in an answer."""
    if isinstance(document, dict):
        if document.get("collection") == collection and document.get("fid") is not None:
            yield document
        for part in document.values():
            yield from _places(part, collection)
    elif isinstance(document, list):
        for part in document:
            yield from _places(part, collection)


def test_addresses_are_found_where_the_caller_may_see_them(city: RuledCity) -> None:
    addresses = city.catalogue["base.addresses"]
    everything = {fid: row for fid, row in city.rows("owner", addresses).items() if row.shape is not None}
    texts = {fid: str(row.values["text"]) for fid, row in sorted(everything.items())}
    found_by = {}
    for who in WHO:
        own = city.rows(who, addresses)
        answer = city.request("/geocode", "POST", headers={"x-who": who}, json={"addresses": [*texts.values()]})
        if answer.status_code == 403:
            assert not own, who
            continue
        assert answer.status_code == 200, (who, answer.text)
        told = {place["fid"] for place in _places(answer.json(), addresses.id)}
        assert told <= own.keys(), who
        for place in _places(answer.json(), addresses.id):
            # where it lies as finely as the caller is told it, and what it is called
            row = own[place["fid"]]
            assert oracle.same_shape(shapely.Point(place["lon"], place["lat"]), row.shape, 2e-4), (who, place)
            assert place["code"] in (None, row.values.get("code")), (who, place)
            parts = "".join(str(row.values.get(name) or "") for name in ("street", "plate"))
            assert place["address"] in (None, "", row.values.get("text"), parts), (who, place)
        found_by[who] = told
        for fid, text in list(texts.items())[::6]:
            one = city.get(who, f"/geocode?address={quote(text)}").json()
            assert {place["fid"] for place in _places(one, addresses.id)} <= own.keys(), (who, fid)
            at = everything[fid].shape
            assert at is not None
            near = city.get(who, f"/geocode?lon={at.x}&lat={at.y}").json()
            assert {place["fid"] for place in _places(near, addresses.id)} <= own.keys(), (who, fid)
            around = city.get(who, f"/here?address={quote(text)}&radius=30")
            assert around.status_code in (200, 403, 404), (who, around.text)
            if around.status_code == 200:
                assert {place["fid"] for place in _places(around.json(), addresses.id)} <= own.keys(), (who, fid)
    # those of the duty are found by whoever has it, and by the owner all
    assert found_by["owner"] == everything.keys()
    assert found_by["duty"] == {f for f, row in city.rows("duty", addresses).items() if row.shape is not None}
    assert 0 < len(found_by["duty"]) < len(everything)


_BOX = f"{place_of(0)[0] - 0.01},31.7,{place_of(11)[0] + 0.01},31.8"
_AREA = quote(shapely.box(*map(float, _BOX.split(","))).wkt)
_AROUND = f"datetime={_DAY}&f=GeoJSON"
_HOURS = f"/collections/{HOURS.id}"


@pytest.mark.parametrize(
    "path",
    [f"{_HOURS}/area?coords={_AREA}&{_AROUND}", f"{_HOURS}/cube?bbox={_BOX}&{_AROUND}",
     f"{_HOURS}/latest?bbox={_BOX}&datetime={_DAY}", f"{_HOURS}/series?bbox={_BOX}&datetime={_DAY}"],
)  # fmt: skip
def test_what_was_measured_is_told_of_one_s_own_stations(city: RuledCity, path: str) -> None:
    stations = city.catalogue[STATIONS.id]
    seen = {}
    for who in WHO:
        answer = city.get(who, path)
        if not oracle.sees_rows(WHO[who], stations):
            assert answer.status_code == 403, who
            continue
        assert answer.status_code == 200, (who, answer.text)
        body = answer.json()
        if "series" in body:
            told = {one["fid"] for one in body["series"]}
        else:
            told = {int(str(feature["id"]).partition("/")[0]) for feature in body["features"]}
        own = city.rows(who, stations)
        assert told <= own.keys(), (who, told - own.keys())
        seen[who] = told
    assert seen["owner"] > seen["duty"] > seen["nowhere"] == set()


def test_what_was_measured_at_a_point_is_of_one_s_own_stations(city: RuledCity) -> None:
    stations = city.catalogue[STATIONS.id]
    for who in WHO:
        if not oracle.sees_rows(WHO[who], stations):
            continue
        own = {str(row.values["code"]) for row in city.rows(who, stations).values()}
        for number in (1, 4, 8, 11):
            lon, lat = place_of(number)
            path = f"{_HOURS}/position?coords={quote(f'POINT({lon} {lat})')}&datetime={_DAY}&f=CSV"
            text = city.told(who, path).text
            lines = [line for line in text.splitlines()[1:] if line]
            named = {f"S{n}" for n in range(12) if any(f"S{n}," in f"{line}," or f"测站{n}," in line for line in lines)}
            assert named <= own, (who, number, named)


def test_the_policies_of_this_city_tell_callers_apart() -> None:
    """What is compared above is not the same for all."""
    told = {who: oracle.grant_of(WHO[who], RULED["base.addresses"]) for who in WHO}
    assert len({repr(grant) for grant in told.values()}) >= 4
