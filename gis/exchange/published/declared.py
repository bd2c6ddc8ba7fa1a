"""Copies as collections of their own, declared by what was published: they stand in the catalogue like any other."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gis.catalog import Catalogue, Collection, Field, FieldType, Geometry, Layer, Policy, Sensitivity, Style
from gis.catalog.field import integer, text
from gis.exchange.published.records import Publication
from gis.query.statement import Statement
from gis.store.database import Database
from gis.text import Text

LAYER = "open"
#: Identifies a row of the copy: the number that its source has for it.
KEY = "number"
#: Of a copy of counts: what identifies a row, the cell or the division, and how many there are.
GROUP, PLACE, COUNT = "grouped", "place", "count"
_TITLE = Text("开放数据", "Open data")


def told_catalogue(catalogue: Catalogue, source: str, policy: Policy) -> Catalogue:
    """The catalogue in which the source is told as the copy is to tell it."""
    return Catalogue(
        replace(
            layer,
            collections=tuple(replace(c, policy=policy) if c.id == source else c for c in layer.collections),
        )
        for layer in catalogue.layers
    )


def copy_of(source: Collection, document: Mapping[str, Any]) -> Collection:
    """The declaration of a copy: the fields that are told, the shape in which places are, open to all."""
    return _counts_of(source, document) if document.get("by") else _rows_of(source, document)


def _counts_of(source: Collection, document: Mapping[str, Any]) -> Collection:
    """The declaration of counts by place: a cell with its hexagon, a division by its code."""
    parts = str(document["by"]).split(",")
    cell = next((part for part in parts if part.startswith("cell:")), None)
    coarse = [part.removeprefix("field:") for part in parts if part.startswith("field:")]
    fields = [_field(source.by_name[name], is_masked=False) for name in coarse if name in source.by_name]
    style = source.style
    return Collection(
        id=f"{LAYER}.{document['name']}",
        title=_worded(document["title"], source.title),
        description=_described(document, source),
        geometry=Geometry.POLYGON if cell else None,
        fields=(
            text(GROUP, "分组", "Group", required=True),
            text(PLACE, "网格" if cell else "区划", "Cell" if cell else "Division"),
            *fields,
            integer(COUNT, "数量", "Count", required=True),
        ),
        key=(GROUP,),
        timed=False,
        tiled=cell is not None,
        cell_resolution=int(cell.removeprefix("cell:")) if cell else 0,
        sensitivity=Sensitivity.OPEN,
        group=_TITLE,
        source=source.source,
        licence=document["licence"] or source.licence,
        style=Style(color=style.color, dark=style.dark) if style is not None and cell else None,
    )


def _rows_of(source: Collection, document: Mapping[str, Any]) -> Collection:
    masked, chosen = document["masked"], document["fields"]
    told = [n for n in source.by_name if n in masked or not chosen or n in chosen]
    fields = [_field(source.by_name[name], is_masked=name in masked) for name in told]
    exact = document["precision"] == "exact"
    blurred = None if document["precision"] == "division" or source.geometry is None else Geometry.POINT
    geometry = source.geometry if exact else blurred
    style = source.style
    if style is not None and (not exact or {style.by, style.label, style.height} - {None} - set(told) or masked):
        style = Style(color=style.color, dark=style.dark)
    return Collection(
        id=f"{LAYER}.{document['name']}",
        title=_worded(document["title"], source.title),
        description=_described(document, source),
        geometry=geometry,
        fields=(integer(KEY, "编号", "Number", required=True), *fields),
        key=(KEY,),
        timed=False,
        tiled=source.tiled and geometry is not None,
        cell_resolution=source.cell_resolution if exact else min(source.cell_resolution, _resolution(document)),
        min_zoom=source.min_zoom,
        max_zoom=source.max_zoom,
        sensitivity=Sensitivity.OPEN,
        group=_TITLE,
        source=source.source,
        licence=document["licence"] or source.licence,
        style=style if geometry is not None else None,
    )


def with_published(catalogue: Catalogue, database: Database) -> Catalogue:
    """The catalogue with the copies that are published now."""
    rows = database.rows(
        Statement("SELECT name, source, document FROM base.publication WHERE state = 'published' ORDER BY name")
    )
    known = {c.id: c for c in catalogue}
    copies = [_declared(known, row[1], row[2]) for row in rows]
    found = tuple(copy for copy in copies if copy is not None and copy.id not in known)
    return Catalogue((*catalogue.layers, Layer(name=LAYER, title=_TITLE, collections=found))) if found else catalogue


def declared(catalogue: Catalogue, publication: Publication) -> Collection:
    """The collection that a publication is, or would be. Raises UnknownName where its source is gone."""
    return copy_of(catalogue[publication.source], publication.document)


def _declared(known: Mapping[str, Collection], source: str, document: Mapping[str, Any]) -> Collection | None:
    return copy_of(known[source], document) if source in known else None


def _field(declared: Field, *, is_masked: bool) -> Field:
    plain = replace(declared, required=False, refers="", aliases=())
    return replace(plain, type=FieldType.TEXT, values={}, unit="", sortable=False) if is_masked else plain


def _resolution(document: Mapping[str, Any]) -> int:
    precision = document["precision"]
    return int(precision) if str(precision).isdecimal() else 0


def _worded(given: Mapping[str, str], usual: Text) -> Text:
    return Text(given.get("zh") or usual.zh, given.get("en") or usual.en)


def _described(document: Mapping[str, Any], source: Collection) -> Text:
    """With what it covers and the conditions of its use, which whoever reads it is to know."""
    said = _worded(document["description"], source.description)
    more = [said_too for said_too in (document["scope"], document["terms"]) if said_too]
    return Text("。".join([said.zh, *more]), ". ".join([said.en, *more]))
