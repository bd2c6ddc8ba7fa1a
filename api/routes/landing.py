"""The front door: where everything is, what standards hold, the API's own description."""

from html import escape

from fastapi import APIRouter, Response

from api.edr_document import conforms_to
from api.html import document_page, link_list, page
from api.openapi import MEDIA_TYPE as OPENAPI
from api.openapi import document
from api.reply import json_reply
from api.routes.rasters import Rasters
from api.served import Ask, City
from gis.text import Text

router = APIRouter()

_OGC = "http://www.opengis.net/spec"
_REL = "http://www.opengis.net/def/rel/ogc/1.0"
#: Conformance classes that hold; each is tested.
CONFORMS_TO = (
    f"{_OGC}/ogcapi-common-1/1.0/conf/core",
    f"{_OGC}/ogcapi-common-1/1.0/conf/json",
    f"{_OGC}/ogcapi-common-1/1.0/conf/html",
    f"{_OGC}/ogcapi-common-1/1.0/conf/oas30",
    f"{_OGC}/ogcapi-common-2/1.0/conf/collections",
    f"{_OGC}/ogcapi-features-1/1.0/conf/core",
    f"{_OGC}/ogcapi-features-1/1.0/conf/geojson",
    f"{_OGC}/ogcapi-features-1/1.0/conf/html",
    f"{_OGC}/ogcapi-features-1/1.0/conf/oas30",
    f"{_OGC}/ogcapi-features-2/1.0/conf/crs",
    f"{_OGC}/ogcapi-features-3/1.0/conf/queryables",
    f"{_OGC}/ogcapi-features-3/1.0/conf/queryables-query-parameters",
    f"{_OGC}/ogcapi-features-3/1.0/conf/filter",
    f"{_OGC}/ogcapi-features-3/1.0/conf/features-filter",
    f"{_OGC}/ogcapi-features-4/1.0/conf/create-replace-delete",
    f"{_OGC}/ogcapi-features-4/1.0/conf/update",
    f"{_OGC}/ogcapi-features-4/1.0/conf/optimistic-locking-etags",
    f"{_OGC}/ogcapi-features-4/1.0/conf/features",
    f"{_OGC}/ogcapi-tiles-1/1.0/conf/core",
    f"{_OGC}/ogcapi-tiles-1/1.0/conf/tileset",
    f"{_OGC}/ogcapi-tiles-1/1.0/conf/tilesets-list",
    f"{_OGC}/ogcapi-tiles-1/1.0/conf/geodata-tilesets",
    f"{_OGC}/ogcapi-tiles-1/1.0/conf/dataset-tilesets",
    f"{_OGC}/ogcapi-tiles-1/1.0/conf/datetime",
    f"{_OGC}/ogcapi-tiles-1/1.0/conf/oas30",
    f"{_OGC}/ogcapi-tiles-1/1.0/conf/mvt",
    f"{_OGC}/cql2/1.0/conf/cql2-text",
    f"{_OGC}/cql2/1.0/conf/cql2-json",
    f"{_OGC}/cql2/1.0/conf/basic-cql2",
    f"{_OGC}/cql2/1.0/conf/advanced-comparison-operators",
    f"{_OGC}/cql2/1.0/conf/case-insensitive-comparison",
    f"{_OGC}/cql2/1.0/conf/basic-spatial-functions",
    f"{_OGC}/cql2/1.0/conf/basic-spatial-functions-plus",
    f"{_OGC}/cql2/1.0/conf/spatial-functions",
    f"{_OGC}/cql2/1.0/conf/temporal-functions",
    f"{_OGC}/cql2/1.0/conf/property-property",
    f"{_OGC}/cql2/1.0/conf/arithmetic",
)

_TITLE = Text("一张图", "One Map")
_ABOUT = Text("一座城市的一张图:登记、图层、瓦片与查询", "One map of a city: registers, layers, tiles and queries")
_STANDARDS = Text("遵循的标准", "Conformance")
_PLACES = (
    ("/map", "service", "text/html", Text("地图", "Map")),
    ("/collections", "data", "application/json", Text("数据集", "Collections")),
    ("/api", "service-desc", OPENAPI, Text("接口说明(OpenAPI)", "API description (OpenAPI)")),
    ("/conformance", "conformance", "application/json", _STANDARDS),
    ("/styles", "styles", "application/json", Text("地图样式", "Styles")),
)


@router.get("/")
async def landing(ask: Ask) -> Response:
    """The landing page: links as JSON, a page for browsers."""
    form = ask.form()
    if form == "html":
        places = link_list(ask, ((path, title) for path, _, _, title in _PLACES))
        return page(ask, _TITLE.in_(ask.language), f"<p>{escape(_ABOUT.in_(ask.language))}</p><ul>{places}</ul>")
    links = [ask.link("/", "self", "application/json"), ask.link("/?f=html", "alternate", "text/html")]
    links += [ask.link(path, rel, kind, title.in_(ask.language)) for path, rel, kind, title in _PLACES]
    links.append(ask.link("/collections", f"{_REL}/data", "application/json"))
    links.append(ask.link("/tiles", f"{_REL}/tilesets-vector", "application/json"))
    links.append(ask.link("/tileMatrixSets", f"{_REL}/tiling-schemes", "application/json"))
    content = {"title": _TITLE.in_(ask.language), "description": _ABOUT.in_(ask.language), "links": links}
    reply = json_reply(content, ask.language)
    reply.headers["vary"] = "Accept, Accept-Language"
    return reply


@router.get("/conformance")
async def conformance(city: City, ask: Ask) -> Response:
    """The standards' classes that hold."""
    document = {"conformsTo": (*CONFORMS_TO, *conforms_to(city.collections()))}
    if ask.form() == "html":
        return document_page(ask, _STANDARDS.in_(ask.language), document)
    return json_reply(document, ask.language)


@router.get("/api")
async def api(city: City, ask: Ask, rasters: Rasters) -> Response:
    """The API in OpenAPI 3.0, written from the declarations."""
    ask.only()
    found = document(city.collections(), ask.base, ask.language, rasters.rasters())
    return json_reply(found, ask.language, OPENAPI)
