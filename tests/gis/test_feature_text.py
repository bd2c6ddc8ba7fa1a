"""Features as the database writes them are JSON that means the row, whatever stands in it; pages end between them."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime

import psycopg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gis.access import OWNER
from gis.catalog import Catalogue, Collection, FieldType, Geometry, Layer
from gis.catalog.field import Field
from gis.query import geojson
from gis.query.plan import Plan
from gis.query.query import Page, Query
from gis.store.cluster import Cluster
from gis.store.tables import Register
from gis.text import Text
from tests.conftest import copied_database

_WORDS = Text("词", "Word")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = Collection(
    id="odd.kinds",
    title=Text("各类", "Kinds"),
    description=Text("各类字段", "A field of each kind"),
    geometry=Geometry.POINT,
    key=("word",),
    style=None,
    fields=tuple(Field(name=name, type=FieldType(kind), title=_WORDS) for name, kind in (
        ("word", "text"), ("whole", "integer"), ("number", "number"), ("yes", "boolean"), ("day", "date"),
        ("moment", "instant"),
    )),
)  # fmt: skip
CATALOGUE = Catalogue([Layer(name="odd", title=Text("怪", "Odd"), collections=(KINDS,))])

#: Texts that look like what separates features, and all that a text can hold.
_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0")) | st.sampled_from(
    [',{"type":"Feature","id":', '"},{"type":"Feature","id":1', "\\", "'", "%s", "null", "\n\t\x01", "省\U0001f6b2"]
)
_ROW = st.tuples(
    _TEXTS,
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.floats(allow_infinity=False, allow_nan=False),
    st.none() | st.booleans(),
    st.none() | st.dates(date(1, 1, 1), date(9999, 12, 30)),
    st.none() | st.datetimes(datetime(1900, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC)),
    st.none() | st.integers(1, 999_999_999_999),
)


@pytest.fixture(scope="module")
def conn(cluster: Cluster, template: str) -> Iterator[psycopg.Connection]:
    with (
        copied_database(cluster, template, "feature_text") as url,
        psycopg.connect(url, autocommit=True, options="-c timezone=UTC") as made,
    ):
        made.execute("CREATE SCHEMA odd")
        for statement in Register.of(KINDS).create():
            made.execute(statement)
        yield made


@given(rows=st.lists(_ROW, max_size=6), limit=st.integers(1, 4))
@example(rows=[(',{"type":"Feature","id":', None, None, None, None, None, None)] * 3, limit=2)
@example(rows=[("a", 0, 0.1, False, date(2026, 1, 1), NOW, 34)], limit=1)
def test_a_page_means_its_rows(conn: psycopg.Connection, rows: list[tuple[object, ...]], limit: int) -> None:
    conn.execute("TRUNCATE odd.kinds")
    for fid, (*values, division) in enumerate(rows):
        conn.execute(
            "INSERT INTO odd.kinds (fid, rec_from, digest, load, geom, division, word, whole, number, yes, day, moment)"
            " VALUES (%s, 1, 1, 1, 'SRID=4326;POINT(116 31)', %s, %s, %s, %s, %s, %s, %s)",
            (fid, division, *values),
        )
    statement = geojson.page(Plan(Query(collection="odd.kinds", page=Page(limit)), CATALOGUE, OWNER, NOW))
    row = conn.execute(statement.sql, statement.args, binary=True).fetchone()
    assert row is not None and row[1] == min(len(rows), limit + 1)
    told = json.loads(b"[" + geojson.without_next(row[0] or b"", row[1], limit) + b"]")
    assert [f["id"] for f in told] == list(range(min(len(rows), limit)))
    for feature, (word, whole, number, yes, day, moment, division) in zip(told, rows, strict=False):
        found = feature["properties"]
        assert feature["type"] == "Feature" and feature["geometry"] == {"type": "Point", "coordinates": [116, 31]}
        assert (found["word"], found["whole"], found["number"], found["yes"]) == (word, whole, number, yes)
        assert found["day"] == (None if day is None else str(day))
        assert (moment is None and found["moment"] is None) or datetime.fromisoformat(found["moment"]) == moment
        assert found["division"] == (None if division is None else f"{division:012d}")
        assert found["cell"] is None and found["valid_from"] is None and found["valid_to"] is None
