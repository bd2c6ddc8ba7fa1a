"""What is declared is what is there: every collection has its words, its tables, and answers the standard questions."""

import psycopg
import pytest

from gis.catalog import Catalogue, Collection
from gis.city import City
from gis.query.query import ByCell, ByDivision, ByField, Query
from gis.store.database import Database
from gis.store.tables import Register
from layers import LAYERS

COLLECTIONS = list(Catalogue(LAYERS))
each = pytest.mark.parametrize("collection", COLLECTIONS, ids=[c.id for c in COLLECTIONS])


@each
def test_every_name_has_words_in_both_languages(collection: Collection) -> None:
    words = [collection.title, collection.description, collection.group, collection.source]
    words += [f.title for f in collection.fields]
    words += [text for f in collection.fields for text in f.values.values()]
    words += [c.title for c in collection.style.classes] if collection.style else []
    assert all(w.zh.strip() and w.en.strip() for w in words)
    assert all(any("一" <= char <= "鿿" for char in w.zh) for w in words)


@each
def test_measured_fields_say_their_unit_in_name_and_declaration(collection: Collection) -> None:
    for field in collection.fields:
        if field.unit:
            assert field.name.endswith("_" + field.unit.replace("/", "")), field.name


@each
def test_the_style_names_declared_fields_and_values(collection: Collection) -> None:
    style = collection.style
    if style is None:
        return
    for name in (style.by, style.label, style.height):
        assert name is None or name in collection.by_name
    if style.by:
        assert {c.value for c in style.classes} <= set(collection.field(style.by).values)


@each
def test_the_tables_have_the_declared_columns(collection: Collection, conn: psycopg.Connection) -> None:
    register = Register.of(collection)
    for part, more in (("", []), ("_past", ["rec_to", "closed_on"]), ("_all", ["rec_to", "closed_on"])):
        found = conn.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
            " ORDER BY ordinal_position",
            (collection.layer, collection.noun + part),
        ).fetchall()
        assert [row[0] for row in found] == [name for name, _ in register.columns] + more


@each
def test_the_indexes_are_those_that_a_first_load_would_make(collection: Collection, conn: psycopg.Connection) -> None:
    found = conn.execute(
        "SELECT indexname FROM pg_indexes WHERE schemaname = %s AND tablename = %s",
        (collection.layer, collection.noun),
    ).fetchall()
    expected = {"pkey", "geom", "cell", *(["division"] if collection.division else [])}
    expected |= {f"by_{f.name}" for f in collection.fields if f.sortable}
    expected |= {"unrolled"} if collection.rollup else set()
    assert {row[0] for row in found} == {f"{collection.noun}_{name}" for name in expected}


@each
def test_an_empty_city_answers_the_standard_questions(collection: Collection, database_url: str) -> None:
    with City(Database(database_url), Catalogue(LAYERS)) as city:
        whole = Query(collection=collection.id)
        assert len(city.ask(whole).frame()) == 0
        assert city.ask(whole).geojson()["features"] == []
        groups = whole.but(by=(ByCell(5), ByDivision(3), ByField(collection.fields[0].name)))
        assert list(city.ask(groups).frame().columns) == ["cell", "division", collection.fields[0].name, "count"]
