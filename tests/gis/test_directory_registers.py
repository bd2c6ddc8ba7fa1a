"""Registers that a directory declares: their tables, what may change of them, and deliveries to them."""

import json
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from gis.catalog import Catalogue
from gis.city import City
from gis.errors import UnknownName
from gis.exchange.claim_tables import create_claims, create_identifiers
from gis.exchange.delivery.references import code_fids
from gis.exchange.directory import (
    apply,
    directory,
    known_deliverable,
    overdue,
    stored_deliverables,
    with_declared,
)
from gis.exchange.registers import DELIVERABLES
from gis.settings import CHECKOUT
from gis.store.database import Database
from layers import LAYERS
from tests.gis.directory_files import refused, written

SAMPLE = CHECKOUT / "data-samples" / "luan"
CATALOGUE = Catalogue(LAYERS)


MARKS: dict[str, Any] = json.loads((SAMPLE / "directory.json").read_text())["registers"][0] | {"presence": ["market"]}


def test_a_register_declared_as_data_is_there_and_can_be_asked(database_url: str) -> None:
    with City.open(database_url) as city:
        with pytest.raises(UnknownName):
            city.ask("city.credit_marks")
        apply(city.database, city.catalogue, SAMPLE / "directory.json")
    with City.open(database_url) as city:
        assert city.catalogue["city.credit_marks"].title == ("信用红黑名单", "Credit marks")
        assert len(city.ask("city.credit_marks").frame()) == 0
        register = known_deliverable(city.database, "city.credit_marks")
        assert register.presence == ("development",)
        assert register.item("entity").refers == "base.entities"
        assert known_deliverable(city.database, "base.persons") is DELIVERABLES["base.persons"]
        with pytest.raises(UnknownName):
            known_deliverable(city.database, "city.stars")


def test_departments_deliver_to_a_register_declared_as_data(
    database_url: str, conn: psycopg.Connection, tmp_path: Path
) -> None:
    """A mark is a point where the entity is that it marks; one on an entity that nobody knows is returned."""
    with City.open(database_url) as city:
        apply(city.database, city.catalogue, SAMPLE / "directory.json")
    conn.execute(
        "INSERT INTO base.entities (fid, rec_from, digest, load, credit_code, name, geom, division, cell)"
        " VALUES (%s, 1, 1, 1, '91341502MA2N000006', '甲公司', 'SRID=4326;POINT(116.5 31.7)', 341502001001, 1)",
        (int(code_fids(pa.array(["91341502MA2N000006"]))[0]),),
    )
    conn.commit()
    path = tmp_path / "marks.csv"
    path.write_text(
        "信用标记编号,统一社会信用代码,红黑名单标识,列入日期,认定部门\n"
        "M1,91341502MA2N000006,红名单,2024-01-05,税务局\nM2,91341502MA2N000000,黑名单,2024-02-05,法院\n",
        encoding="utf-8",
    )
    with City.open(database_url) as city:
        done = city.deliver("city.credit_marks", path, department="development")
        assert (done.rows.accepted, done.rows.returned, done.reasons) == (1, 1, {"unknown_reference": 1})
        (found,) = city.ask("city.credit_marks?bbox=116.4,31.6,116.6,31.8").geojson()["features"]
        assert found["properties"]["grade"] == "red"
        assert found["geometry"]["coordinates"] == [116.5, 31.7]
        assert "FG001" not in {one.information_class for one in overdue(city.database)}


def test_the_claim_table_of_a_declared_register_is_like_those_in_code(
    database: Database, conn: psycopg.Connection, tmp_path: Path
) -> None:
    apply(database, CATALOGUE, written(tmp_path, registers=[MARKS]))
    (register,) = stored_deliverables(database).values()
    standard = shape(conn, "exchange", "base_persons_claim")[:11]
    made = shape(conn, "exchange", "city_credit_marks_claim")
    assert made == standard + list(register.claim_columns)


@pytest.mark.parametrize("name", list(DELIVERABLES))
def test_the_statements_for_claims_make_what_the_migration_made(conn: psycopg.Connection, name: str) -> None:
    register = DELIVERABLES[name]
    migrated = shape(conn, "exchange", f"{register.noun}_claim"), indexes(conn, f"{register.noun}_claim")
    identifiers = shape(conn, "base", f"{register.collection.noun}_identifier")
    conn.execute(f"DROP TABLE {register.claims}".encode())
    conn.execute(f"DROP TABLE IF EXISTS base.{register.collection.noun}_identifier".encode())
    for statement in (*create_claims(register.noun, register.claim_columns), *create_identifiers(register)):
        conn.execute(statement.encode())
    assert (shape(conn, "exchange", f"{register.noun}_claim"), indexes(conn, f"{register.noun}_claim")) == migrated
    assert shape(conn, "base", f"{register.collection.noun}_identifier") == identifiers


def shape(conn: psycopg.Connection, schema: str, table: str) -> list[tuple[Any, ...]]:
    return conn.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
        " ORDER BY ordinal_position",
        (schema, table),
    ).fetchall()


def indexes(conn: psycopg.Connection, table: str) -> list[tuple[Any, ...]]:
    return conn.execute("SELECT indexdef FROM pg_indexes WHERE tablename = %s ORDER BY 1", (table,)).fetchall()


def test_a_later_version_may_add_fields_and_change_words(database: Database, tmp_path: Path) -> None:
    apply(database, CATALOGUE, written(tmp_path, registers=[MARKS]))
    more = {"name": "score", "type": "integer", "title": {"zh": "信用分", "en": "Score"}, "sortable": True}
    wider = MARKS | {"fields": [*MARKS["fields"], more], "title": {"zh": "红黑榜", "en": "Marks"}}
    assert apply(database, CATALOGUE, written(tmp_path, "b.json", registers=[wider])).version == 2
    catalogue = with_declared(CATALOGUE, database)
    city = City(database, catalogue)
    assert "score" in city.ask("city.credit_marks?as-of=2026-01-01").frame().columns
    assert catalogue["city.credit_marks"].title.zh == "红黑榜"


def test_a_register_taken_out_and_brought_back(database: Database, tmp_path: Path) -> None:
    apply(database, CATALOGUE, written(tmp_path, registers=[MARKS]))
    apply(database, CATALOGUE, written(tmp_path, "b.json", registers=[]))
    assert stored_deliverables(database) == {}
    assert apply(database, CATALOGUE, written(tmp_path, "c.json", registers=[MARKS])).version == 3
    assert list(stored_deliverables(database)) == ["city.credit_marks"]


@pytest.mark.parametrize(
    "change",
    [
        {"fields": MARKS["fields"][:-1]},
        {"fields": [MARKS["fields"][0] | {"type": "integer"}, *MARKS["fields"][1:]]},
        {"key": ["entity"]},
        {"placed_by": []},
    ],
)
def test_what_would_change_rows_that_are_held_is_refused(
    database: Database, tmp_path: Path, change: dict[str, Any]
) -> None:
    apply(database, CATALOGUE, written(tmp_path, registers=[MARKS]))
    error = refused(database, written(tmp_path, "b.json", registers=[MARKS | change]))
    assert "declare another register" in error.text.en
    assert directory(database).version == 1


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"id": "core.marks"}, "taken"),
        ({"id": "base.buildings"}, "there already"),
        ({"id": "base.persons"}, "there already"),
        ({"id": "Marks"}, "layer.noun"),
        ({"id": "city.marks_past"}, "table of another"),
        ({"id": "city." + "m" * 42}, "too long"),
        ({"id": "a" * 40 + ".marks"}, "too long"),
        ({"fields": [{"name": "f" * 50, "type": "text", "title": {"zh": "号", "en": "No"}}]}, "too long"),
        ({"title": {"zh": "名单"}}, "title.en"),
        ({"colour": "red"}, "colour"),
        ({"presence": []}, "no department"),
        ({"presence": ["wizards"]}, "wizards"),
        ({"key": []}, "key"),
        ({"key": ["code", "entity"]}, "one field"),
        ({"key": ["number"]}, "number"),
        ({"placed_by": ["moon"]}, "moon"),
        ({"items": {"entity": {"check": "reference"}}}, "refers"),
        ({"items": {"entity": {"check": "reference", "refers": "base.moons"}}}, "base.moons"),
        ({"items": {"entity": {"check": "magic"}}}, "check"),
        ({"fields": [{"name": "fid", "type": "text", "title": {"zh": "号", "en": "No"}}]}, "fid"),
        ({"fields": []}, "code"),
    ],
)
def test_a_declaration_that_cannot_be(untouched: Database, tmp_path: Path, change: dict[str, Any], word: str) -> None:
    assert word in refused(untouched, written(tmp_path, registers=[MARKS | change])).text.en
    assert stored_deliverables(untouched) == {}
