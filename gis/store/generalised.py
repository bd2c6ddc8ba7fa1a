"""Generalised lines and polygons: one table for each band of zooms, beside the register and always in step with it.

A band's table holds, for every open row that is drawn in the band at all, the shape simplified once from the exact one
(EPSG:3857, validity kept, no further off than the band's tolerance), its division, by which rights are kept, and the
first zoom at which it is drawn. A
statement trigger replaces the shapes of the rows that a statement changed, within the writer's transaction: whoever
sees a row sees its shapes, and no reader ever sees older ones.
"""

import hashlib
from typing import Any

import psycopg
from psycopg import sql

from gis.catalog import Band, Collection
from gis.catalog.detail import UNIT_M
from gis.store.tables import Register

#: Identity of the row; the names begin as no declared field can, so that the tables can be joined to registers.
KEY = (("_fid", "fid"), ("_scenario", "scenario"), ("_valid_from", "valid_from"))
_COLUMNS = (
    "_fid bigint NOT NULL, _scenario integer NOT NULL, _valid_from timestamptz NOT NULL,"
    " _from_zoom smallint NOT NULL, _division bigint, _geom geometry(Geometry,3857) NOT NULL"
)
_NAMES = "_fid, _scenario, _valid_from, _from_zoom, _division, _geom"

_TRIGGER = """
CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {path} AS $body$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        TRUNCATE {tables};
    ELSIF TG_OP = 'INSERT' THEN
        {insert}
    ELSIF TG_OP = 'DELETE' THEN
        {delete}
    ELSE
        {update}
    END IF;
    RETURN NULL;
END
$body$
"""
#: A shape that cannot be simplified stays as it is, and never stops the one who writes it.
_SIMPLIFIED = """
CREATE FUNCTION {function}(shape geometry, tolerance double precision) RETURNS geometry
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = {path} AS $body$
BEGIN
    RETURN coalesce(ST_SimplifyPreserveTopology(shape, tolerance), shape);
EXCEPTION WHEN OTHERS THEN
    RETURN shape;
END
$body$
"""
_EVENTS = {
    "insert": "REFERENCING NEW TABLE AS fresh",
    "update": "REFERENCING OLD TABLE AS gone NEW TABLE AS fresh",
    "delete": "REFERENCING OLD TABLE AS gone",
    "truncate": "",
}


def band_table(collection: Collection, band: Band, suffix: str = "") -> str:
    """The quoted name of the table of a band's shapes."""
    return f'"{collection.layer}"."{collection.noun}_band{band.last}{suffix}"'


def band_at(collection: Collection, zoom: int) -> Band | None:
    """The band whose shapes are drawn at a zoom; None where they are exact."""
    return next((band for band in collection.bands if band.first <= zoom <= band.last), None)


def drawn_at(zoom: int) -> str:
    """The condition, as SQL, under which a row of a band's table is drawn at one of its zooms; an index fits it."""
    return f"_from_zoom <= {zoom}"


def first_zoom_sql(collection: Collection, shape: str = "geom_3857") -> str:
    """The zoom from which on a row of the register is drawn, as SQL; null for a row without a shape.

    Small shapes wait until they are large enough; where classes have first zooms, until their class is due.
    """
    detail, due = collection.detail, "0"
    if detail.first_zooms:
        cases = " ".join(f"WHEN '{value}' THEN {zoom}" for value, zoom in detail.first_zooms)
        due = f'CASE "{detail.rank}" {cases} ELSE {detail.last_zooms[-1] + 1} END'
    if detail.small == "keep" or detail.smallest == 0:
        return f"CASE WHEN {shape} IS NOT NULL THEN {due} END"
    size_m = f"nullif(greatest(ST_XMax({shape}) - ST_XMin({shape}), ST_YMax({shape}) - ST_YMin({shape})), 0)"
    grown = f"coalesce(ceil(ln({detail.smallest * UNIT_M!r} / {size_m}) / ln(2::float8)), 99)"
    return f"CASE WHEN {shape} IS NOT NULL THEN greatest({due}, {grown}) END"


class Generalised:
    """The shapes of a register's open rows by band of zooms; a kind of `Derived`."""

    kind = "generalised"

    def digest(self, collection: Collection) -> str | None:
        """Of all the SQL that makes them; None for a collection without bands."""
        if not collection.bands:
            return None
        said = [*self._fill(collection, Register.of(collection).table(), ""), *self._functions(collection, "public")]
        return hashlib.sha256("\n".join([_COLUMNS, *said]).encode()).hexdigest()[:16]

    def tables(self, collection: Collection) -> tuple[str, ...]:
        """One a band."""
        return tuple(band_table(collection, band) for band in collection.bands)

    def install(self, conn: psycopg.Connection[Any], collection: Collection) -> None:
        """Tables, filled from the register; then triggers."""
        self._make_functions(conn, collection)
        self._make_tables(conn, collection, "")
        self._make_triggers(conn, collection)

    def remove(self, conn: psycopg.Connection[Any], collection: Collection, suffix: str = "") -> None:
        """Every table of a band that stands, whatever declared it; triggers go with their function."""
        found = conn.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = %s AND c.relkind = 'r' AND c.relname ~ %s",
            (collection.layer, f"^{collection.noun}_band[0-9]+{suffix}$"),
        ).fetchall()
        for (name,) in found:
            conn.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(collection.layer, name)))
        if not suffix:
            conn.execute(f"DROP FUNCTION IF EXISTS {self._function(collection)}() CASCADE")
            conn.execute(f"DROP FUNCTION IF EXISTS {self._simplified(collection)}(geometry, double precision)")

    def copy(self, conn: psycopg.Connection[Any], collection: Collection, suffix: str) -> None:
        """Tables beside the ones in use, filled from the register's copy."""
        if conn.execute("SELECT to_regproc(%s)", (self._simplified(collection),)).fetchone() == (None,):
            self._make_functions(conn, collection)
        self._make_tables(conn, collection, suffix)

    def swap(self, conn: psycopg.Connection[Any], collection: Collection, suffix: str) -> None:
        """The copied tables take the place of those in use; the register gets its triggers again."""
        for band in collection.bands:
            old, new = f"{collection.noun}_band{band.last}{suffix}", f"{collection.noun}_band{band.last}"
            conn.execute(f"DROP TABLE IF EXISTS {band_table(collection, band)}")
            conn.execute(f'ALTER TABLE {band_table(collection, band, suffix)} RENAME TO "{new}"')
            for part in ("pkey", *range(band.first, band.last + 1)):
                conn.execute(f'ALTER INDEX "{collection.layer}"."{old}_{part}" RENAME TO "{new}_{part}"')
        self._make_triggers(conn, collection)

    def _make_tables(self, conn: psycopg.Connection[Any], collection: Collection, suffix: str) -> None:
        source = Register.of(collection, suffix).table()
        for band, fill in zip(collection.bands, self._fill(collection, source, suffix), strict=True):
            table, name = band_table(collection, band, suffix), f"{collection.noun}_band{band.last}{suffix}"
            conn.execute(f"CREATE TABLE {table} ({_COLUMNS})")
            conn.execute(fill)
            for zoom in range(band.first, band.last + 1):
                # the few that are drawn from farther off are found without passing by all the others
                conn.execute(f'CREATE INDEX "{name}_{zoom}" ON {table} USING gist (_geom) WHERE {drawn_at(zoom)}')
            conn.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}_pkey" PRIMARY KEY (_fid, _scenario, _valid_from)')
            conn.execute(f"ANALYZE {table}")

    def _fill(self, collection: Collection, source: str, suffix: str = "") -> list[str]:
        """One INSERT a band, from a relation that has the register's columns."""
        simplified, statements = self._simplified(collection), []
        for band in collection.bands:
            statements.append(
                f"INSERT INTO {band_table(collection, band, suffix)} ({_NAMES})"
                f" SELECT fid, scenario, valid_from, greatest(q.from_zoom, {band.first}), division,"
                f" {simplified}(geom_3857, {band.tolerance_m!r})"
                " FROM (SELECT fid, scenario, valid_from, division, geom_3857,"
                f" {first_zoom_sql(collection)} AS from_zoom FROM {source}) q WHERE q.from_zoom <= {band.last}"
            )
        return statements

    def _make_functions(self, conn: psycopg.Connection[Any], collection: Collection) -> None:
        found = conn.execute(
            "SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
            " WHERE e.extname = 'postgis'"
        ).fetchone()
        for statement in self._functions(collection, str(found[0]) if found else "public"):
            conn.execute(statement)

    def _make_triggers(self, conn: psycopg.Connection[Any], collection: Collection) -> None:
        for event, tables in _EVENTS.items():
            conn.execute(
                f'CREATE TRIGGER "generalised_{event}" AFTER {event.upper()} ON {Register.of(collection).table()}'
                f" {tables} FOR EACH STATEMENT EXECUTE FUNCTION {self._function(collection)}()"
            )

    def _functions(self, collection: Collection, postgis: str) -> list[str]:
        """The function that simplifies one shape, and that of the triggers."""
        path = ", ".join(dict.fromkeys(("pg_catalog", postgis, "pg_temp")))
        moved = ["o.geom_3857::bytea IS NOT DISTINCT FROM n.geom_3857::bytea",
                 "o.division IS NOT DISTINCT FROM n.division"]  # fmt: skip
        if collection.detail.first_zooms:
            moved.append(f'o."{collection.detail.rank}" IS NOT DISTINCT FROM n."{collection.detail.rank}"')
        same = " AND ".join([*(f"o.{name} = n.{name}" for _, name in KEY), *moved])
        left, came = (
            f"(SELECT {a}.* FROM {t} {a} WHERE NOT EXISTS (SELECT FROM {u} {b} WHERE {same}))"
            for a, t, b, u in (("o", "gone", "n", "fresh"), ("n", "fresh", "o", "gone"))
        )
        update = f"{self._delete(collection, left)}\n{self._insert(collection, came)}"
        body = _TRIGGER.format(
            function=self._function(collection), path=path, tables=", ".join(self.tables(collection)),
            insert=self._insert(collection, "fresh"), delete=self._delete(collection, "gone"), update=update,
        )  # fmt: skip
        return [_SIMPLIFIED.format(function=self._simplified(collection), path=path), body]

    def _insert(self, collection: Collection, source: str) -> str:
        alias = " c" if source.startswith("(") else ""
        return " ".join(f"{statement};" for statement in self._fill(collection, source + alias))

    def _delete(self, collection: Collection, source: str) -> str:
        key = " AND ".join(f"b.{ours} = g.{theirs}" for ours, theirs in KEY)
        return " ".join(f"DELETE FROM {table} b USING {source} g WHERE {key};" for table in self.tables(collection))

    def _function(self, collection: Collection) -> str:
        return f'"{collection.layer}"."{collection.noun}_generalise"'

    def _simplified(self, collection: Collection) -> str:
        return f'"{collection.layer}"."{collection.noun}_simplified"'
