"""The small city under several policies, asked over HTTP by callers of every role; what they are told is compared."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from api.app import create_app
from api.caller import CALLER
from gis.access import OWNER, PUBLIC, Identity
from gis.access.roles import ROLES
from gis.catalog import Catalogue, Collection, FieldType, Grant, Policy, Rows
from gis.store.derived import derive
from tests.api.conftest import served as started
from tests.contract import rights_oracle as oracle
from tests.contract.small_city import CATALOGUE as DECLARED
from tests.policies import with_policies

DISTRICT, ELSEWHERE = ((341502000000, 341502999999),), ((341503000000, 341503999999),)
WHO = {
    "public": PUBLIC,
    **{role: Identity(f"some {role}", role, DISTRICT, purpose="test") for role in ROLES if role != "public"},
    "duty everywhere": Identity("city duty", "duty", purpose="test"),
    "command in an emergency": Identity("chief", "command", DISTRICT, emergency=ELSEWHERE, purpose="fire"),
    "nowhere": Identity("new", "staff", (), purpose="test"),
    "owner": OWNER,
}  # fmt: skip
#: Policies of every kind: masked and hidden fields, rows by duty, department and purpose, places by cell and division.
_ALL = tuple(ROLES)
OTHERS = {
    "base.pois": Policy((
        Grant(roles=("duty", "command"), rows=Rows.DUTY),
        Grant(roles=("staff",), rows=Rows.DUTY, masked={"name": "name", "telephone": "telephone"}, hidden=("kind",)),
        Grant(roles=_ALL, masked={"name": "closed", "address": "address"}, hidden=("code", "telephone"), precision=8),
    )),
    "base.buildings": Policy((
        Grant(roles=("analyst",), precision=7, hidden=("height_m", "code")),
        Grant(roles=("staff", "duty"), masked={"name": "closed", "use": "closed"}),
        Grant(roles=("public",), precision="division", hidden=("storeys",)),
    )),
    "base.roads": Policy((
        Grant(roles=("command",), purposes=("fire",)),
        Grant(roles=("staff", "command"), rows=Rows.DUTY, precision=10),
        Grant(roles=("public",), hidden=("kind", "class")),
    )),
    "base.persons": Policy((
        Grant(roles=("duty",), rows=Rows.DUTY, masked={"birth_date": "birth_date", "household": "closed"}, precision=9),
    )),
}  # fmt: skip
EACH = pytest.mark.parametrize("name", [collection.id for collection in DECLARED])


def others() -> Catalogue:
    named = {
        name: Policy(tuple(_of_fields(DECLARED[name], grant) for grant in policy.grants))
        for name, policy in OTHERS.items()
    }
    return with_policies(DECLARED, named)


def _of_fields(collection: Collection, grant: Grant) -> Grant:
    """A grant without the fields that a declaration has no more, so that the test follows it."""
    known = collection.by_name
    return replace(
        grant,
        masked={n: r for n, r in grant.masked.items() if n in known},
        hidden=tuple(n for n in grant.hidden if n in known),
    )


class As:
    """The application, asked by whom a header names."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        named = dict(scope.get("headers", ())).get(b"x-who")
        token = CALLER.set(WHO[named.decode()] if named else PUBLIC)
        try:
            await self.inner(scope, receive, send)
        finally:
            CALLER.reset(token)


class RuledCity:
    """The small city under some policies."""

    def __init__(
        self, app: Any, catalogue: Catalogue, request: Callable[..., Any], conn: psycopg.Connection[Any]
    ) -> None:
        self.catalogue, self.request, self.conn = catalogue, request, conn
        while not hasattr(app, "router"):
            app = app.inner
        self._state = app.state

    def rule(self, policies: Mapping[str, Policy]) -> None:
        """Serve under other policies from now on, as a running server does once they were adjusted."""
        self.catalogue = with_policies(DECLARED, policies)
        derive(self._state.served.threads.url, self.catalogue)
        self._state.served = replace(self._state.served, catalogue=self.catalogue)

    def get(self, who: str, path: str, **headers: str) -> Any:
        return self.request(path, headers={"x-who": who, **headers})

    def told(self, who: str, path: str) -> Any:
        answer = self.get(who, path)
        assert answer.status_code in (200, 204), (who, path, answer.status_code, answer.text[:500])
        return answer

    def rows(self, who: str, collection: Collection) -> dict[int, oracle.Told]:
        return oracle.rows(self.conn, WHO[who], collection)


@contextmanager
def served(url: str, catalogue: Catalogue, web: Any) -> Iterator[RuledCity]:
    app = As(create_app(url, catalogue, web))
    with psycopg.connect(url, autocommit=True, options="-c timezone=UTC") as conn, started(app) as request:
        yield RuledCity(app, catalogue, request, conn)


def same(collection: Collection, expected: dict[int, oracle.Told], found: dict[int, Any], who: str) -> None:
    assert found.keys() == expected.keys(), (who, collection.id)
    for fid, (values, shape) in found.items():
        row = expected[fid]
        said = {n: v for n, v in values.items() if n not in ("valid_from", "valid_to", "division", "cell")}
        assert said == {n: plain(v) for n, v in row.values.items()}, (who, collection.id, fid)
        if "cell" in values:
            assert (values["cell"], values["division"]) == (row.cell, row.division), (who, collection.id, fid)
        assert oracle.same_shape(shape, row.shape), (who, collection.id, fid, shape, row.shape)


def plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def shape_of(geometry: dict[str, Any] | None) -> shapely.Geometry | None:
    return None if geometry is None else shapely.geometry.shape(geometry)


def exported(collection: Collection, expected: dict[int, oracle.Told], content: bytes, form: str, who: str) -> None:
    """Fields and shapes of each row; of CSV all values are text."""
    names = [n for n in collection.by_name if expected and n in next(iter(expected.values())).values]
    rows: list[dict[str, Any]]
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        found = {int(r["fid"]): r for r in rows}
        assert found.keys() == expected.keys()
        for fid, row in found.items():
            texts = {n: row[n] for n in names if collection.field(n).type is FieldType.TEXT}
            assert texts == {n: expected[fid].values[n] or "" for n in texts}, (who, fid)
            assert (row["cell"], row["division"]) == (expected[fid].cell or "", expected[fid].division or "")
        return
    if form == "geojsonseq":
        features = [json.loads(line) for line in content.split(b"\x1e")[1:]]
        same(collection, expected, {f["id"]: (f["properties"], shape_of(f["geometry"])) for f in features}, who)
        return
    if form == "fgb":
        frame = pyogrio.read_dataframe(io.BytesIO(content), use_arrow=False)
        assert {int(fid) for fid in frame.fid} == expected.keys(), (who, form)
        for row in frame.to_dict("records"):
            own = expected[row["fid"]]
            for name in (n for n in names if collection.field(n).type is FieldType.TEXT):
                assert (row[name] if isinstance(row[name], str) else None) == own.values[name], (who, name)
            assert oracle.same_shape(row["geometry"], own.shape), (who, form, own)
        return
    table = pq.read_table(io.BytesIO(content)) if form == "parquet" else pa.ipc.open_stream(content).read_all()
    rows, key = table.to_pylist(), "geometry"
    assert {int(r["fid"]) for r in rows} == expected.keys(), (who, form)
    for row in rows:
        own = expected[int(row["fid"])]
        values = {n: row[n] for n in names}
        assert {n: plain(v) for n, v in values.items()} == {n: plain(v) for n, v in own.values.items()}, (who, form)
        wkb = row.get(key)
        assert oracle.same_shape(shapely.from_wkb(wkb) if wkb is not None else None, own.shape), (who, form, own)


def refused_alike(ruled: RuledCity, who: str, collection: Collection, field: str, *, is_told: bool) -> None:
    """The same answer as for a name that nobody ever declared, but for the name."""
    other, items, cells = "zzz", f"/collections/{collection.id}/items", f"/collections/{collection.id}/cells"
    asked = [
        (items, "filter={}%20IS%20NULL"), (items, "filter={}%20%3D%20'x'"), (items, "filter=casei({})%20%3D%20'x'"),
        (items, "sortby={}"), (items, "sortby=-{}"), (items, "{}=x"), (cells, "by=field:{}"),
        (cells, "measure=distinct:{}"), (cells, "measure=max:{}"), (cells, "filter={}%20IS%20NULL"),
        (items, "f=csv&sortby={}"), (items, "f=arrow&filter={}%20IS%20NULL"),
    ]  # fmt: skip
    if not is_told:
        asked.append((items, "properties={}"))
    if collection.tiled and collection.geometry and oracle.grant_of(WHO[who], collection).precision != "division":  # type: ignore[union-attr]
        asked.append((f"/collections/{collection.id}/tiles/WebMercatorQuad/14/6706/13493", "filter={}%20IS%20NULL"))
    for place, parameters in asked:
        answers = [ruled.get(who, f"{place}?{parameters.format(quote(one))}") for one in (field, other)]
        assert [a.status_code for a in answers] == [400, 400], (who, place, parameters, field, answers[0].text[:300])
        texts = [
            re.sub(rf"(?<![a-z_]){one}(?![a-z_0-9])", "·", json.dumps(a.json(), ensure_ascii=False))
            for a, one in zip(answers, (field, other), strict=True)
        ]
        assert _bare(texts[0]) == _bare(texts[1]), (who, place, parameters, field)


def _bare(text: str) -> str:
    """Without the number of the request."""
    found = json.loads(text)
    return json.dumps(
        {n: v for n, v in found.items() if n not in ("instance", "request_id", "requestId", "request")}, sort_keys=True
    )
