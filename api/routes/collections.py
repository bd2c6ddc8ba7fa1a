"""What the city can be asked: the list of collections, each one's description, schema and queryables."""

from fastapi import APIRouter, Response

from api.collection_document import description, queryables, schema
from api.reply import SCHEMA, json_reply
from api.served import Ask, City

router = APIRouter()


@router.get("/collections")
async def collections(city: City, ask: Ask) -> Response:
    """All collections that the caller may ask."""
    ask.only()
    found = city.collections()
    known = await city.facts.of(found)
    return json_reply(
        {
            "links": [ask.link("/collections", "self", "application/json")],
            "collections": [description(c, known[c.id], ask) for c in found],
        },
        ask.language,
    )


@router.get("/collections/{collection_id}")
async def collection(collection_id: str, city: City, ask: Ask) -> Response:
    """One collection: fields, extent, age, source, look."""
    ask.only()
    found = city.collection(collection_id)
    known = await city.facts.of([found])
    return json_reply(description(found, known[found.id], ask), ask.language)


@router.get("/collections/{collection_id}/schema")
async def collection_schema(collection_id: str, city: City, ask: Ask) -> Response:
    """The schema of its features."""
    ask.only()
    return json_reply(schema(city.collection(collection_id), ask), ask.language, SCHEMA)


@router.get("/collections/{collection_id}/queryables")
async def collection_queryables(collection_id: str, city: City, ask: Ask) -> Response:
    """What its filters may name."""
    ask.only()
    return json_reply(queryables(city.collection(collection_id), ask), ask.language, SCHEMA)
