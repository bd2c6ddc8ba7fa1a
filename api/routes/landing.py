"""The front door: where everything is, what standards hold, the API's own description."""

from html import escape
from typing import Any

from fastapi import APIRouter, Response

from api.edr_document import conforms_to
from api.html import document_page, link_list, page
from api.openapi import MEDIA_TYPE as OPENAPI
from api.openapi import document
from api.reply import HTML, JSON, json_reply
from api.routes.metrics import MEDIA_TYPE as FIGURES
from api.routes.rasters import Rasters
from api.served import Ask, Asked, City
from gis.access.seen import rules_in
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
_COLLECTIONS = Text("数据集", "Collections")
_ASK = Text("查询", "Ask")
_STREAM = "text/event-stream"
#: Where a client can start from: path, relation, media type, title. Relations are IANA's where it has one (RFC 8288).
_PLACES = (
    ("/map", "service", HTML, Text("地图", "Map")),
    ("/collections", "data", JSON, _COLLECTIONS),
    ("/api", "service-desc", OPENAPI, Text("接口说明(OpenAPI)", "API description (OpenAPI)")),
    ("/conformance", "conformance", JSON, _STANDARDS),
    ("/styles", "styles", JSON, Text("地图样式", "Styles")),
    ("/tiles", f"{_REL}/tilesets-vector", JSON, Text("矢量瓦片集", "Vector tilesets")),
    ("/tileMatrixSets", f"{_REL}/tiling-schemes", JSON, Text("瓦片矩阵集", "Tile matrix sets")),
    ("/changes", "monitor", JSON, Text("某位置以来的变更", "What changed since a position")),
    ("/live", "monitor", _STREAM, Text("实时变更(服务器推送事件)", "Changes as they happen (server-sent events)")),
    ("/account", "service", HTML, Text("登录与账号", "Sign in, and my account")),
    ("/sign-in", "related", JSON, Text("登录方式", "By which ways people sign in")),
    ("/me", "related", JSON, Text("我的身份与权限", "Who I am and what I may see")),
    ("/publications", "related", JSON, Text("公开的数据", "What is published as open data")),
    ("/exchange", "service", HTML, Text("部门数据交换", "Exchange between departments")),
    ("/exchange/directory", "index", JSON, Text("部门数据目录", "Directory of what departments collect")),
    ("/health", "status", JSON, Text("运行状态", "Health")),
    ("/metrics", "service-meta", FIGURES, Text("运行指标(Prometheus)", "Figures (Prometheus)")),
)
#: The document itself, and the collections under the full address of their relation as well (OGC 19-072, 7.2).
_ITSELF = (
    ("/", "self", JSON, Text("本文档", "This document")),
    ("/?f=html", "alternate", HTML, Text("网页", "As a page")),
    ("/collections", f"{_REL}/data", JSON, _COLLECTIONS),
)
#: Where one asks with parameters (RFC 6570): path, those that are needed, others, title.
_QUESTIONS = (
    ("/here", ("lon", "lat"), ("radius", "datetime"), Text("此处有什么", "What is here")),
    ("/geocode", ("address",), (), Text("地址查询", "The place of an address")),
)
_NAMES = {"lon": Text("经度", "longitude"), "lat": Text("纬度", "latitude"), "address": Text("地址", "address")}


@router.get("/")
async def landing(ask: Ask) -> Response:
    """The landing page: links as JSON, a page for browsers."""
    if ask.form() == "html":
        places = link_list(ask, ((path, title) for path, _, _, title in _PLACES))
        about = f"<p>{escape(_ABOUT.in_(ask.language))}</p>"
        return page(ask, _TITLE.in_(ask.language), f"{about}{_forms(ask)}<ul>{places}</ul>")
    links: list[dict[str, Any]] = [
        ask.link(path, rel, kind, title.in_(ask.language)) for path, rel, kind, title in (*_ITSELF, *_PLACES)
    ]
    for path, needed, more, title in _QUESTIONS:
        template = f"{path}{{?{','.join((*needed, *more))}}}"
        links.append({**ask.link(template, "search", JSON, title.in_(ask.language)), "templated": True})
    content = {"title": _TITLE.in_(ask.language), "description": _ABOUT.in_(ask.language), "links": links}
    reply = json_reply(content, ask.language)
    reply.headers["vary"] = "Accept, Accept-Language"
    return reply


def _forms(ask: Asked) -> str:
    """What has to be filled in before it can be asked."""
    return "".join(
        f'<form action="{path}"><b>{escape(title.in_(ask.language))}</b> '
        + "".join(f'<label>{_NAMES[name].in_(ask.language)} <input name="{name}" required></label> ' for name in needed)
        + f'<input type="hidden" name="lang" value="{ask.language}">'
        f"<button>{escape(_ASK.in_(ask.language))}</button></form>"
        for path, needed, _, title in _QUESTIONS
    )


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
    known = city.collections()
    counted = {c.id for c in known if rules_in(city.catalogue, city.identity, c.id).anonymous is not None}
    found = document(known, ask.base, ask.language, rasters.rasters(), counted)
    return json_reply(found, ask.language, OPENAPI)
