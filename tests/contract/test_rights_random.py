"""Random policies and random questions, told as the oracle tells them."""

from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote

import h3
import pytest
import shapely
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gis.access.masking import RULES
from gis.catalog import Collection, FieldType, Grant, Policy, Rows
from gis.store.cluster import Cluster
from tests.conftest import copied_database
from tests.contract import rights_oracle as oracle
from tests.contract.rights_city import DECLARED, WHO, RuledCity, refused_alike, same, served, shape_of
from tests.contract.small_city import SOUTH, WEST, fill

_ROLE = st.sampled_from(["public", "staff", "analyst", "duty", "command"])


@st.composite
def _policies(draw: st.DrawFn) -> dict[str, Policy]:
    found = {}
    for name in draw(
        st.lists(
            st.sampled_from(["base.pois", "base.buildings", "base.entities", "base.addresses"]),
            min_size=1,
            max_size=3,
            unique=True,
        )
    ):
        fields = DECLARED[name].fields
        texts = [f.name for f in fields if f.type is FieldType.TEXT]
        grants = []
        for _ in range(draw(st.integers(1, 3))):
            masked = draw(
                st.dictionaries(st.sampled_from(texts), st.sampled_from([*sorted(RULES), "closed"]), max_size=3)
            )
            hidden = draw(
                st.lists(st.sampled_from([f.name for f in fields if f.name not in masked]), max_size=3, unique=True)
            )
            grants.append(Grant(
                roles=tuple(draw(st.lists(_ROLE, min_size=1, max_size=4, unique=True))),
                rows=draw(st.sampled_from([Rows.ALL, Rows.DUTY])), masked=masked, hidden=tuple(hidden),
                precision=draw(st.sampled_from(["exact", "exact", "division", 6, 8, 9])),
            ))  # fmt: skip
        found[name] = Policy(tuple(grants))
    return found


@pytest.fixture(scope="module")
def random_city(cluster: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuledCity]:
    with copied_database(cluster, template, "rights_random") as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEMAP_HOME", str(tmp_path_factory.mktemp("home")))
        fill(url)
        with served(url, DECLARED, tmp_path_factory.mktemp("dist")) as ruled:
            yield ruled


@pytest.mark.torture
def test_random_policies_are_told_as_the_oracle_tells_them(random_city: RuledCity, torture_scale: float) -> None:
    ruled = random_city

    @settings(
        max_examples=max(6, int(600 * torture_scale)), suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
    )  # fmt: skip
    @given(_policies(), st.data())
    def check(policies: dict[str, Policy], data: st.DataObject) -> None:
        ruled.rule(policies)
        for name in policies:
            who, collection = data.draw(st.sampled_from(sorted(WHO))), ruled.catalogue[name]
            if oracle.grant_of(WHO[who], collection) is None:
                assert ruled.get(who, f"/collections/{name}/items").status_code == 403
                continue
            for _ in range(3):
                _random_question(ruled, who, collection, data)
            told = oracle.told_fields(WHO[who], collection)
            for field in sorted(collection.by_name.keys() - oracle.exact_fields(WHO[who], collection))[:2]:
                refused_alike(ruled, who, collection, field, is_told=field in told)

    check()


def _random_question(ruled: RuledCity, who: str, collection: Collection, data: st.DataObject) -> None:
    """Rows by a condition on a field that may be asked about, in an order by one, within a box."""
    rows = ruled.rows(who, collection)
    exact = sorted(n for n in oracle.exact_fields(WHO[who], collection) if collection.field(n).type is FieldType.TEXT)
    parameters, expected = ["limit=1000"], dict(rows)
    if exact and data.draw(st.booleans()):
        field = data.draw(st.sampled_from(exact))
        values = sorted({r.values[field] for r in rows.values() if r.values[field]}) or ["x"]
        value = data.draw(st.sampled_from(values))
        text = quote("'" + value.replace("'", "''") + "'")
        parameters.append(f"filter={field}%20%3D%20{text}")
        expected = {f: r for f, r in expected.items() if r.values[field] == value}
    if (
        data.draw(st.booleans())
        and (oracle.grant_of(WHO[who], collection) or Grant(roles=("x",))).precision != "division"
    ):
        width = data.draw(st.sampled_from([0.0005, 0.001, 0.01]))
        west, south = WEST + data.draw(st.floats(-0.01, 0.01)), SOUTH + data.draw(st.floats(-0.01, 0.01))
        parameters.append(f"bbox={west},{south},{west + width},{south + width}")
        box = shapely.box(west, south, west + width, south + width)
        expected = {f: r for f, r in expected.items() if r.shape is not None and box.intersects(r.shape)}
    _same_groups(ruled, who, collection, parameters[1:], expected)
    if exact and data.draw(st.booleans()):
        parameters.append(f"sortby={data.draw(st.sampled_from(exact))}")
    answer = ruled.told(who, f"/collections/{collection.id}/items?{'&'.join(parameters)}").json()
    found = {f["id"]: (f["properties"], shape_of(f["geometry"])) for f in answer["features"]}
    assert answer["numberMatched"] == len(expected), (who, parameters)
    same(collection, expected, found, who)


def _same_groups(
    ruled: RuledCity, who: str, collection: Collection, conditions: list[str], expected: dict[int, oracle.Told]
) -> None:
    """The same rows counted, by cell and by division: no figure knows more than the rows that are told."""
    asked = "&".join(["", *conditions])
    for res in (6, 3):
        said = ruled.told(who, f"/collections/{collection.id}/cells?res={res}{asked}").json()["features"]
        counts = Counter(row.cell and h3.cell_to_parent(row.cell, res) for row in expected.values())
        assert {f["properties"]["cell"]: f["properties"]["count"] for f in said} == counts, (who, collection.id, asked)
    said = ruled.told(who, f"/collections/{collection.id}/cells?by=division:5{asked}").json()["groups"]
    assert {group["division"]: group["count"] for group in said} == Counter(
        row.division for row in expected.values()
    ), (who, collection.id, asked)
