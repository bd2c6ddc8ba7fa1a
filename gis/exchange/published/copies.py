"""Copies made, made anew when their sources have changed, and taken away."""

import json
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import h3
import psycopg
import pyarrow as pa
import pyarrow.parquet
import shapely

from gis.access import Identity
from gis.access.release import set_date
from gis.access.roles import OWNER_ROLE
from gis.catalog import Catalogue, Collection, Layer
from gis.errors import Conflict, Forbidden
from gis.exchange.load import LoadOptions, load
from gis.exchange.published.declared import COUNT, GROUP, KEY, LAYER, PLACE, declared
from gis.exchange.published.proposal import EVERY_H, Proposal
from gis.exchange.published.records import Publication, changed, one, publication, publications
from gis.exchange.readers.source import ReadOptions
from gis.query import export
from gis.query.span import SHANGHAI, now
from gis.store import derived
from gis.store.database import Database, connect, translated
from gis.store.released import ensure
from gis.store.tables import Register
from gis.text import Text

Within = Callable[[psycopg.Connection[Any]], None]
REVIEWERS = ("security_admin", OWNER_ROLE)
#: A shape's place in the file that is loaded (GeoParquet 1.1): WKB, longitude first.
_GEO = {
    "version": "1.1.0",
    "primary_column": "geometry",
    "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}},
}


def refresh(database: Database, catalogue: Catalogue, number: int, *, anyway: bool = False) -> Publication:
    """Make a copy of the source as it is now, where that has changed since (or `anyway`): rows that stayed stay.

    Raises NotFound, and Conflict for what is not published.
    """
    found = publication(database, number)
    if found.state != "published":
        raise Conflict(f"publication {number} is {found.state}", f"公开申请 {number} 的状态是 {found.state}",
                       subject=str(number))  # fmt: skip
    with translated(), connect(database.url, autocommit=True) as conn:
        epoch = source_epoch(conn, found.source)
    if not (anyway or _is_behind(found, epoch)):
        return found
    rows = told(database, catalogue, found)

    def refreshed(conn: psycopg.Connection[Any]) -> None:
        changed(conn, number, refreshed_at=now(), source_epoch=epoch, rows=len(rows))

    fill(database, catalogue, found, rows, within=refreshed)
    return publication(database, number)


def due(database: Database, moment: datetime) -> list[Publication]:
    """The copies whose sources are to be looked at again by now."""
    return [
        found
        for found in publications(database, "published")
        if (every_h := int(found.document.get("every_h", EVERY_H)))
        and (found.refreshed_at is None or found.refreshed_at + timedelta(hours=every_h) <= moment)
    ]


def _is_behind(found: Publication, epoch: int) -> bool:
    """Whether the source has changed since, or another set date holds of which counts are told."""
    if not found.document.get("by"):
        return epoch != found.source_epoch
    today = now().astimezone(SHANGHAI).date()
    return found.refreshed_at is None or found.refreshed_at.astimezone(SHANGHAI).date() < set_date(today)


def withdraw(database: Database, catalogue: Catalogue, number: int, by: Identity, reason: str) -> Publication:
    """Take a copy away, with all that was made of it. Raises NotFound, Forbidden, Conflict."""
    if by.role not in REVIEWERS:
        raise Forbidden("only a reviewer withdraws what is published", "只有审核人员可以撤回公开数据")
    with translated(), connect(database.url, autocommit=True) as conn:
        found = one(conn, number)
        if found.state != "published":
            raise Conflict(f"publication {number} is {found.state}", f"公开申请 {number} 的状态是 {found.state}",
                           subject=str(number))  # fmt: skip
        with conn.transaction():
            drop(conn, declared(catalogue, found))
            return changed(conn, number, state="withdrawn", reason=f"{reason} ({by.name})")


def make(conn: psycopg.Connection[Any], copy: Collection) -> None:
    """The tables of a copy, empty."""
    for statement in Register.of(copy).create():
        conn.execute(statement.encode())
    derived.ensure(conn, copy)


def drop(conn: psycopg.Connection[Any], copy: Collection) -> None:
    """A copy's tables gone, its history too: what was withdrawn is not to be found as of yesterday either."""
    for one_kind in derived.DERIVED:
        one_kind.remove(conn, copy)
    conn.execute("DELETE FROM core.derived WHERE register = %s", (copy.id,))
    register = Register.of(copy)
    conn.execute(f"DROP VIEW IF EXISTS {register.table('_all')}".encode())
    for part in ("_past", "_link", "_id", ""):
        conn.execute(f"DROP TABLE IF EXISTS {register.table(part)} CASCADE".encode())


def told(database: Database, catalogue: Catalogue, found: Publication) -> pa.Table:
    """What the public would be told of the source now, under the conditions of the proposal."""
    proposal = Proposal.of({name: value for name, value in found.document.items() if name != "sensitivity"})
    plan = proposal.plan(catalogue)
    if proposal.by:
        ensure(database, plan.register, plan.now)
    schema = export.schema(plan)
    with database.batches(export.columns(plan, ordered=True)) as batches:
        table = pa.Table.from_batches([batch.cast(schema) for batch in batches], schema)
    copy = declared(catalogue, found)
    if proposal.by:
        return _counts(table, copy)
    shapes = ["geometry"] if copy.geometry is not None and "geometry" in table.column_names else []
    fields = [name for name in table.column_names if name in copy.by_name]
    return table.select([*shapes, *fields]).append_column(KEY, table["fid"])


def _counts(table: pa.Table, copy: Collection) -> pa.Table:
    """Groups as rows of the copy: with a hexagon where they are cells; of those without a place, none."""
    shaped = "cell" in table.column_names
    groups = table.rename_columns([PLACE if name in ("cell", "division") else name for name in table.column_names])
    keys = [name for name in groups.column_names if name in copy.by_name and name != COUNT]
    named = ["/".join("-" if value is None else str(value) for value in row.values())
             for row in groups.select(keys).to_pylist()]  # fmt: skip
    groups = groups.append_column(GROUP, pa.array(named, pa.string()))
    if not shaped:
        return groups
    return groups.append_column("geometry", pa.array(map(_hexagon, groups[PLACE].to_pylist()), pa.binary()))


def _hexagon(cell: str | None) -> bytes | None:
    if cell is None:
        return None
    return bytes(shapely.to_wkb(shapely.Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(cell)])))


def fill(
    database: Database, catalogue: Catalogue, found: Publication, rows: pa.Table, *, within: Within, anew: bool = False
) -> None:
    """Load rows that are told into the copy: a later edition of what is there, or `anew` in its place.

    `within` is done in the same transaction: what it writes holds if the rows are there.
    """
    copy = declared(catalogue, found)
    into = Catalogue((*catalogue.layers, Layer(name=LAYER, title=copy.title, collections=(copy,))))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{found.name}.parquet"
        pa.parquet.write_table(rows.replace_schema_metadata({"geo": json.dumps(_GEO)} if copy.geometry else {}), path)
        options = LoadOptions(
            read=ReadOptions() if copy.geometry else ReadOptions(geometry=False),
            dataset=found.name, source=_credit(catalogue, found), licence=copy.licence, within=within, anew=anew,
        )  # fmt: skip
        if len(rows):
            load(database, into, path, copy.id, options)
            return
    with translated(), connect(database.url) as conn:
        within(conn)


def source_epoch(conn: psycopg.Connection[Any], source: str) -> int:
    """The newest record of the source."""
    row = conn.execute("SELECT coalesce(max(epoch), 0) FROM core.epoch WHERE register = %s", (source,)).fetchone()
    return int(row[0]) if row else 0


def _credit(catalogue: Catalogue, found: Publication) -> Text:
    source = catalogue[found.source]
    return Text(f"{source.source.zh}({source.title.zh})", f"{source.source.en} ({source.title.en})")
