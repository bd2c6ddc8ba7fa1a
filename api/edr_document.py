"""What OGC API – EDR 1.1 adds to the description of a measured collection, and the classes that then hold."""

from collections.abc import Iterable
from typing import Any

from api.edr_question import CRS_NAMES
from api.routes.edr import FORMS
from api.served import Asked, Served
from gis.catalog import Collection
from gis.query.coverage import described
from gis.query.crs import CRS84_URI
from gis.query.series import parameters

_EDR = "http://www.opengis.net/spec/ogcapi-edr-1/1.1/conf"
_CLASSES = ("core", "collections", "json", "geojson", "edr-geojson", "covjson", "oas30", "queries")
_WKT = (
    'GEOGCRS["WGS 84 (CRS84)",DATUM["World Geodetic System 1984",ELLIPSOID["WGS 84",6378137,298.257223563]],'
    'CS[ellipsoidal,2],AXIS["geodetic longitude (Lon)",east],AXIS["geodetic latitude (Lat)",north],'
    'UNIT["degree",0.0174532925199433],ID["OGC","CRS84"]]'
)
_QUERIES = ("position", "area", "cube")


def conforms_to(collections: Iterable[Collection]) -> tuple[str, ...]:
    """The conformance classes, if there is anything measured."""
    return tuple(f"{_EDR}/{name}" for name in _CLASSES) if any(c.measured for c in collections) else ()


async def with_queries(city: Served, ask: Asked, document: dict[str, Any]) -> dict[str, Any]:
    """The description of a collection, with what can be asked of it by EDR if it is measured.

    Measurements have no shape of their own: their extent in space is that of the features measured.
    """
    collection = city.collection(document["id"])
    if collection.measured is None:
        return document
    place = city.collection(collection.measured.of)
    known = (await city.known([place]))[place.id]
    forms = list(FORMS)
    where = {"spatial": {"bbox": [list(known.bbox)], "crs": CRS84_URI}} if known.bbox else {}
    return {
        **document,
        "extent": {**document["extent"], **where},
        "crs": [CRS84_URI],
        "output_formats": forms,
        "parameter_names": described(parameters(collection).values(), f"{ask.base}/collections/{collection.id}/schema"),
        "data_queries": {name: _query(name, collection, ask, forms) for name in _QUERIES},
        "links": [*document["links"], *_links(collection, ask)],
    }


def _query(name: str, collection: Collection, ask: Asked, forms: list[str]) -> dict[str, Any]:
    variables: dict[str, Any] = {
        "title": f"{name}: {collection.title.in_(ask.language)}",
        "query_type": name,
        "output_formats": forms,
        "default_output_format": forms[0],
        "crs_details": [{"crs": CRS_NAMES[0], "wkt": _WKT}],
    }
    if name == "cube":
        variables["height_units"] = ["m"]
    way = f"/collections/{collection.id}/{name}"
    return {"link": {**ask.link(way, "data", FORMS[forms[0]]), "templated": False, "variables": variables}}


def _links(collection: Collection, ask: Asked) -> list[dict[str, str]]:
    place = f"/collections/{collection.id}"
    return [
        *(ask.link(f"{place}/{name}", "data", FORMS["CoverageJSON"], name) for name in _QUERIES),
        ask.link(f"{place}/latest", "latest-version", FORMS["GeoJSON"]),
        ask.link(f"{place}/series", "http://www.opengis.net/def/rel/onemap/series", "application/json"),
    ]
