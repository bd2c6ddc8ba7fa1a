"""What the city can be asked: the list of collections, each one's description, schema and queryables."""

from typing import Any

from fastapi import APIRouter, Response

from api.answer_crs import declared
from api.collection_document import description, queryables, schema
from api.edr_document import with_queries
from api.html import collection_page, collections_page, document_page
from api.raster_document import description as raster_description
from api.reply import SCHEMA, json_reply
from api.routes.rasters import Rasters
from api.served import Ask, Asked, City, Served
from gis.access import rules_in
from gis.query.crs import uri
from gis.text import Text

router = APIRouter()

_SCHEMA = Text("要素结构", "Schema")
_QUERYABLES = Text("可过滤字段", "Queryables")


@router.get("/collections")
async def collections(city: City, ask: Ask, rasters: Rasters) -> Response:
    """All collections whose items the caller may ask, and links to those of which counts are told."""
    form = ask.form()
    # what has no items is no feature collection: it is linked, not listed
    every = city.collections()
    counted = [one for one in every if _is_counted(city, one.id)]
    found = [one for one in every if one not in counted]
    known = await city.known(found)
    crs = [uri(name) for name in await declared(city)]
    documents = [await with_queries(city, ask, description(c, known[c.id], crs, ask)) for c in found]
    documents += [raster_description(r, *await rasters.known(r), ask) for r in rasters.rasters()]
    if form == "html":
        return collections_page(ask, documents)
    links = [
        ask.link("/collections", "self", "application/json"),
        ask.link("/collections?f=html", "alternate", "text/html"),
        *(ask.link(f"/collections/{c.id}", "related", "application/json", c.title.in_(ask.language)) for c in counted),
    ]
    return _json({"links": links, "crs": crs, "collections": documents}, ask)


@router.get("/collections/{collection_id}")
async def collection(collection_id: str, city: City, ask: Ask, rasters: Rasters) -> Response:
    """One collection: fields, extent, age, source, look."""
    form = ask.form()
    if collection_id in city.catalogue.rasters:
        raster = rasters.raster(collection_id)
        document = raster_description(raster, *await rasters.known(raster), ask)
        return document_page(ask, document["title"], document) if form == "html" else _json(document, ask)
    found = city.collection(collection_id)
    known = await city.known([found])
    document = _told(city, description(found, known[found.id], [uri(name) for name in await declared(city)], ask))
    document = await with_queries(city, ask, document)
    return collection_page(ask, found, document) if form == "html" else _json(document, ask)


@router.get("/collections/{collection_id}/schema")
async def collection_schema(collection_id: str, city: City, ask: Ask) -> Response:
    """The schema of its features."""
    form = ask.form()
    document = schema(city.collection(collection_id), ask)
    return document_page(ask, _SCHEMA.in_(ask.language), document) if form == "html" else _json(document, ask, SCHEMA)


@router.get("/collections/{collection_id}/queryables")
async def collection_queryables(collection_id: str, city: City, ask: Ask) -> Response:
    """What its filters may name."""
    form = ask.form()
    document = queryables(city.collection(collection_id), ask)
    if form == "html":
        return document_page(ask, _QUERYABLES.in_(ask.language), document)
    return _json(document, ask, SCHEMA)


def _is_counted(city: Served, collection_id: str) -> bool:
    """Whether the caller is told counts alone."""
    return rules_in(city.catalogue, city.identity, collection_id).anonymous is not None


def _told(city: Served, document: dict[str, Any]) -> dict[str, Any]:
    """A description without the ways to rows, where the caller is told counts alone."""
    if not _is_counted(city, document["id"]):
        return document
    ways = (f"/collections/{document['id']}/items", f"/collections/{document['id']}/tiles")
    links = [link for link in document["links"] if not any(way in link["href"] for way in ways)]
    return {**document, "links": links}


def _json(document: dict[str, Any], ask: Asked, media_type: str = "application/json") -> Response:
    reply = json_reply(document, ask.language, media_type)
    reply.headers["vary"] = "Accept, Accept-Language"
    return reply
