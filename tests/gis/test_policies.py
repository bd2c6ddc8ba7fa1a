"""Policies as documents and as data, emergencies, and what somebody is told about rights."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.access import OWNER, PUBLIC, Identity, Rules, rules_for, seen, seen_in
from gis.access.explanation import explained
from gis.access.policy_document import policy_document, read_policy
from gis.access.roles import ROLES
from gis.access.rules import check_editor, may_see
from gis.catalog import Anonymous, Catalogue, Field, FieldType, Grant, Policy, Rows
from gis.errors import BadInput, Forbidden, NotFound, NotSignedIn, UnknownName
from gis.query.plan import Plan
from gis.query.query import Query
from gis.query.statement import Statement
from gis.store import emergencies, policies
from gis.store.database import Database
from layers import LAYERS
from tests.policies import with_policies

CATALOGUE = Catalogue(LAYERS)
POIS, PERSONS, ENTITIES = CATALOGUE["base.pois"], CATALOGUE["base.persons"], CATALOGUE["base.entities"]
DISTRICT = ((341502000000, 341502999999),)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
NARROW = {"grants": [{"roles": ["public"], "masked": {"name": "name"}, "hidden": ["telephone"], "precision": 8}]}


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


def test_everybody_who_signed_in_sees_open_data_as_the_public_does() -> None:
    for role in ROLES:
        rules = rules_for(Identity("x", role, None if role == "owner" else DISTRICT), POIS)
        assert rules.divisions is None and rules.fields == POIS.by_name.keys()
    # but changes it in the divisions of the duty alone, if there is any
    for role in ROLES:
        who = Identity("x", role, None if role == "owner" else DISTRICT)
        if role in ("staff", "duty", "command", "owner"):
            check_editor(who, POIS, [341502001001])
        if role != "owner":
            with pytest.raises((Forbidden, NotSignedIn)):
                check_editor(who, POIS, [341503001001])


def test_who_sees_a_thing_in_part_does_not_change_it() -> None:
    partly = replace(POIS, policy=read_policy({"grants": [{"roles": ["staff"], "masked": {"name": "name"}}]}, POIS))
    with pytest.raises(Forbidden):
        check_editor(Identity("x", "staff"), partly)


def test_who_represents_an_entity_is_told_by_duty_alone() -> None:
    for role, is_told in {"staff": False, "analyst": False, "duty": True, "command": True}.items():
        rules = rules_for(Identity("x", role, DISTRICT), ENTITIES)
        assert ("representative" in rules.fields) is is_told
        assert rules.divisions == DISTRICT
    for role in ("public", "system_admin", "security_admin", "audit_admin"):
        assert not may_see(Identity("x", role), ENTITIES)


@pytest.mark.parametrize("collection", list(CATALOGUE), ids=lambda c: c.id)
def test_a_policy_is_the_same_after_it_was_written_and_read(collection: Any) -> None:
    document = policies.shown(collection)
    assert policy_document(read_policy(json.loads(json.dumps(document)), collection)) == document


FAULTS = [
    ([], "policy"),
    ({"grant": []}, "policy"),
    ({"grants": {}}, "grants"),
    ({"grants": [{"roles": ["boss"]}]}, "grants[0].roles"),
    ({"grants": [{"roles": []}]}, "grants[0]"),
    ({"grants": [{"roles": ["staff"], "row": "all"}]}, "grants[0]"),
    ({"grants": [{"roles": ["staff"], "rows": "some"}]}, "grants[0].rows"),
    ({"grants": [{"roles": ["staff"], "hidden": ["nmae"]}]}, "grants[0].hidden"),
    ({"grants": [{"roles": ["staff"], "hidden": "name"}]}, "grants[0].hidden"),
    ({"grants": [{"roles": ["staff"], "masked": ["name"]}]}, "grants[0].masked"),
    ({"grants": [{"roles": ["staff"], "masked": {"nmae": "name"}}]}, "grants[0].masked"),
    ({"grants": [{"roles": ["staff"], "masked": {"name": "upside down"}}]}, "grants[0]"),
    ({"grants": [{"roles": ["staff"], "masked": {"name": "name"}, "hidden": ["name"]}]}, "grants[0]"),
    ({"grants": [{"roles": ["staff"], "precision": 16}]}, "grants[0].precision"),
    ({"grants": [{"roles": ["staff"], "precision": True}]}, "grants[0].precision"),
    ({"grants": [{"roles": ["staff"], "anonymous": {"resolution": 7}}]}, "grants[0].anonymous"),
    ({"grants": [{"roles": ["staff"], "anonymous": {"resolution": 7, "k": "5"}}]}, "grants[0].anonymous.k"),
    ({"grants": [{"roles": ["staff"], "anonymous": {"resolution": 7, "k": 2}}]}, "grants[0].anonymous"),
    ({"grants": [{"roles": ["staff"], "departments": [7]}]}, "grants[0].departments"),
]


@pytest.mark.parametrize(("document", "place"), FAULTS, ids=str)
def test_a_fault_is_told_with_its_place_in_both_languages(document: Any, place: str) -> None:
    with pytest.raises(BadInput) as error:
        read_policy(document, POIS)
    assert error.value.subject == place and place in error.value.text.en and place in error.value.text.zh


def test_what_holds_no_text_can_be_hidden_not_masked() -> None:
    with pytest.raises(BadInput):
        read_policy({"grants": [{"roles": ["staff"], "masked": {"representative": "closed"}}]}, ENTITIES)
    with pytest.raises(BadInput):
        read_policy({"grants": [{"roles": ["duty"], "masked": {"birth_date": "name"}}]}, PERSONS)
    assert read_policy({"grants": [{"roles": ["duty"], "masked": {"birth_date": "birth_date"}}]}, PERSONS).grants


def test_a_policy_that_is_put_holds_until_it_is_reset_and_all_of_it_stays_on_record(database: Database) -> None:
    with database.connection() as conn:
        first = policies.put(conn, POIS, NARROW, "sec", "complaints")
        served = policies.with_policies(CATALOGUE, database)
        rules = rules_for(PUBLIC, served["base.pois"])
        assert (dict(rules.masked), rules.precision) == ({"name": "name"}, 8) and "telephone" not in rules.told
        with pytest.raises(Forbidden):
            rules_for(Identity("x", "staff"), served["base.pois"])
        assert served["base.roads"] is CATALOGUE["base.roads"]
        with pytest.raises(BadInput):
            policies.put(conn, POIS, {"grants": [{"roles": ["boss"]}]}, "sec", "x")
        with pytest.raises(BadInput):
            policies.put(conn, POIS, NARROW, "sec", "  ")
        second = policies.reset(conn, POIS, "sec", "settled")
        assert policies.with_policies(CATALOGUE, database)["base.pois"].policy is None
        assert [one.version for one in policies.history(conn, POIS.id)] == [second.version, first.version]
        assert second.version > first.version and first.document == NARROW
        assert database.rows(policies.VERSION) == [(second.version,)]
        for statement in ("DELETE FROM access.policy", "UPDATE access.policy SET why = 'x'", "TRUNCATE access.policy"):
            with pytest.raises(psycopg.errors.RaiseException):
                conn.execute(statement)


def test_a_document_that_fits_no_more_closes_the_collection(database: Database) -> None:
    with database.connection() as conn:
        conn.execute(
            "INSERT INTO access.policy (collection, document, changed_by, why) VALUES ('base.pois', %s, 'x', 'x')",
            [json.dumps({"grants": [{"roles": ["public"], "hidden": ["a field of old"]}]})],
        )
    closed = policies.with_policies(CATALOGUE, database)["base.pois"]
    assert not any(may_see(Identity("x", role), closed) for role in ROLES if role != "owner")


def test_an_emergency_raises_those_whom_policies_name_where_and_while_it_holds(database: Database) -> None:
    chief, clerk = Identity("chief", "command", DISTRICT), Identity("clerk", "staff", DISTRICT)
    now = datetime.now(UTC)
    with database.connection() as conn:
        made = emergencies.declare(conn, "flood", ["341503", "341502001"], (now, now + timedelta(hours=2)), "x", "rain")
        later = emergencies.declare(
            conn, "drill", ["3415"], (now + timedelta(days=1), now + timedelta(days=2)), "x", "y"
        )
        raised = emergencies.in_force(database, chief, CATALOGUE)
        assert raised.emergency == ((341502001000, 341502001999), (341503000000, 341503999999))
        assert rules_for(raised, PERSONS).divisions == raised.emergency
        assert emergencies.in_force(database, clerk, CATALOGUE) == clerk
        assert rules_for(chief, PERSONS).anonymous is not None
        spans = [(b, e, codes) for b, e, codes in database.rows(emergencies.COMING)]
        assert emergencies.raised(raised, spans, CATALOGUE, now + timedelta(hours=3)).emergency == ()
        ended = emergencies.end(conn, made.id, "y")
        assert ended.ended_by == "y" and not ended.in_force(datetime.now(UTC) + timedelta(seconds=1))
        assert emergencies.end(conn, made.id, "z").ended_by == "y"
        assert emergencies.in_force(database, chief, CATALOGUE).emergency == ()
        assert [one.id for one in emergencies.listed(conn)] == [later.id, made.id]
        with pytest.raises(NotFound):
            emergencies.end(conn, 10**6, "x")
        with pytest.raises(psycopg.errors.RaiseException):
            conn.execute("UPDATE access.emergency SET ends = ends + interval '1 day'")


@pytest.mark.parametrize(
    ("name", "codes", "hours", "why"),
    [("", ["3415"], 1, "x"), ("x", [], 1, "x"), ("x", ["3415"], 1, ""), ("x", ["3415"], 0, "x"),
     ("x", ["3415"], 800, "x"), ("x", ["3"], 1, "x"), ("x", ["no"], 1, "x")],
)  # fmt: skip
def test_an_emergency_that_cannot_be_is_refused(
    database: Database, name: str, codes: list[str], hours: int, why: str
) -> None:
    now = datetime.now(UTC)
    with database.connection() as conn, pytest.raises(BadInput):
        emergencies.declare(conn, name, codes, (now, now + timedelta(hours=hours)), "x", why)


def test_rights_are_told_in_sentences_by_the_rule_that_holds() -> None:
    def told(who: Identity, collection: Any) -> str:
        return "\n".join(sentence.en for sentence in explained(who, collection))

    by_emergency = replace(PERSONS, policy=Policy((Grant(roles=("command",), rows=Rows.EMERGENCY),)))
    assert "Rows: all of the city." in told(Identity("li", "staff", DISTRICT), POIS)
    clerk = told(Identity("li", "staff", DISTRICT), ENTITIES)
    assert "by grant 2 of its policy" in clerk and "Not told at all: representative." in clerk
    assert "341502000000–341502999999" in clerk
    assert "an emergency in force" in told(Identity("li", "command"), by_emergency)
    assert "Counts alone" in told(PUBLIC, PERSONS)
    assert "of the emergencies in force" in told(Identity("li", "command", emergency=DISTRICT, purpose="x"), PERSONS)
    assert "No grant of its policy names that role." in told(Identity("li", "system_admin"), PERSONS)
    assert "under no policy" in told(OWNER, PERSONS)
    partly = replace(POIS, policy=read_policy(NARROW, POIS))
    said = told(PUBLIC, partly)
    assert "name (by the rule for names)" in said and "cell of resolution 8" in said
    for who in (PUBLIC, OWNER, Identity("li", "duty", DISTRICT)):
        for collection in CATALOGUE:
            for sentence in explained(who, collection):
                assert sentence.zh.endswith("。") and sentence.en.endswith(".")


def test_where_only_counts_are_told_a_plan_tells_no_rows() -> None:
    policy = Policy((Grant(roles=("analyst",), anonymous=Anonymous(7, 10)),))
    plan = Plan(Query(collection=POIS.id), with_policies(CATALOGUE, {POIS.id: policy}), Identity("a", "analyst"), NOW)
    for ask in (plan.relation, plan.conditions):
        with pytest.raises(Forbidden):
            ask()
    assert replace(plan, counting=True).relation().sql.startswith("SELECT")


def test_a_blurred_plan_gives_no_conditions_on_recorded_rows() -> None:
    policy = Policy((Grant(roles=("analyst",), precision=7),))
    plan = Plan(Query(collection=POIS.id), with_policies(CATALOGUE, {POIS.id: policy}), Identity("a", "analyst"), NOW)
    with pytest.raises(Forbidden):
        plan.conditions()
    assert "geom" not in plan.relation(also=Statement("true")).sql.partition("access.cell_point")[0].split("FROM")[-1]


RULES = st.builds(
    Rules,
    st.frozensets(st.sampled_from(sorted(ENTITIES.by_name))),
    masked=st.dictionaries(st.sampled_from([f.name for f in ENTITIES.fields if f.type is FieldType.TEXT]),
                           st.just("closed"), max_size=3),
    precision=st.sampled_from(["exact", "division", 5, 9, 15]),
)  # fmt: skip


@given(RULES)
def test_what_is_hidden_takes_no_part_in_a_collection_as_it_is_seen(rules: Rules) -> None:
    rules = replace(rules, fields=rules.fields - rules.masked.keys())
    for collection in CATALOGUE:
        own = replace(
            rules,
            fields=rules.fields & collection.by_name.keys(),
            masked={n: r for n, r in rules.masked.items() if n in collection.by_name},
        )
        found = seen(collection, own)
        assert set(found.by_name) == own.told and set(found.masked) == set(own.masked)
        assert set(found.key) <= own.fields
        if found.rollup is not None:
            assert {*found.rollup.dimensions, *found.rollup.measures} <= own.fields
        if found.style is not None:
            assert {found.style.by, found.style.height} <= {None, *own.fields}
        assert found.detail.rank in (None, *own.fields)
        assert all(
            isinstance(f, Field) and not f.refers and not f.sortable for f in found.fields if f.name in own.masked
        )


def test_a_collection_is_seen_once_for_each_caller_and_catalogue() -> None:
    narrow = with_policies(CATALOGUE, {POIS.id: read_policy(NARROW, POIS)})
    assert seen_in(CATALOGUE, PUBLIC, POIS.id) is POIS
    assert seen_in(narrow, PUBLIC, POIS.id) is seen_in(narrow, PUBLIC, POIS.id) != POIS
    with pytest.raises(UnknownName):
        seen_in(narrow, PUBLIC, "base.nothing")
