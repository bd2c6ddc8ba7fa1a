"""Plain pages for people with a browser: the same documents as JSON, in the reader's language, without scripts."""

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any
from urllib.parse import urlencode

import shapely
from fastapi import Response

from api.html_frame import Crumbs, facts, link, page, table, told
from api.html_values import cell, field_of, head, is_measure, moment
from api.served import Asked
from gis.catalog import Collection, Field
from gis.query.queryables import FID
from gis.text import Text
from tiles.style import is_drawn
from tiles.units import unit_words

__all__ = ["collection_page", "collections_page", "document_page", "item_page", "items_page", "link_list", "page"]

_COLLECTIONS = Text("数据集", "Collections")
_ITEMS = Text("要素", "Features")
_FIELDS = Text("字段", "Fields")
_LEGEND = Text("图例", "Legend")
_ORIGIN = Text("来源", "Where it comes from")
_GEOMETRY = Text("几何(GeoJSON)", "Geometry (GeoJSON)")
_ON_MAP = Text("在地图上看", "On the map")
_LIST_HEADS = (Text("数据集", "Collection"), Text("说明", "About"), Text("要素数", "Features"), Text("更新", "Updated"))
_FIELD_HEADS = (
    Text("字段", "Field"), Text("含义", "Meaning"), Text("类型", "Type"), Text("单位", "Unit"), Text("取值", "Values"),
)  # fmt: skip
_FACTS = {
    "id": Text("标识", "Id"), "count": Text("要素数", "Features"), "bbox": Text("范围(经纬度)", "Extent (lon, lat)"),
    "since": Text("最早", "Since"), "updated": Text("更新", "Updated"), "source": Text("来源", "Source"),
    "license": Text("许可", "Licence"),
}  # fmt: skip
_PROVENANCE = {
    "source": Text("来源", "Source"), "licence": Text("许可", "Licence"), "file": Text("文件", "File"),
    "row": Text("文件中的行", "Row of the file"), "sourceCrs": Text("文件坐标系", "CRS of the file"),
    "loaded": Text("装入时间", "Loaded"), "recorded": Text("登记时间", "Recorded"),
}  # fmt: skip
_OF, _ABOUT = Text("共 {} 条", "{} in all"), Text("约 {} 条", "about {} in all")
_LEAST = Text("至少 {} 条", "at least {} in all")
_PAGES = {"prev": Text("上一页", "Previous page"), "next": Text("下一页", "Next page")}
_DOWNLOAD = Text("下载全部", "Download all")
_DOWNLOADS = {"csv": "CSV", "geojsonseq": "GeoJSON Seq", "fgb": "FlatGeobuf", "parquet": "GeoParquet"}
#: What is told of a collection: rows, or counts alone.
_TOLD = {"items": ("items?f=html", _ITEMS), "cells": ("cells", Text("按网格统计", "Counts by cell"))}
_PLACES = (
    ("schema", Text("要素结构", "Schema")), ("queryables", Text("可过滤字段", "Queryables")),
)  # fmt: skip
_CLOSE_ZOOM = 17


def collections_page(ask: Asked, documents: list[dict[str, Any]]) -> Response:
    """All collections, with their own words."""
    rows = [
        (link(ask, f"/collections/{d['id']}", d["title"]), told(ask, d["description"]), _count(d.get("count")),
         _moment(d.get("updated")))
        for d in documents
    ]  # fmt: skip
    return page(ask, _COLLECTIONS.in_(ask.language), table([h.in_(ask.language) for h in _LIST_HEADS], rows, [2]))


def collection_page(ask: Asked, collection: Collection, document: Mapping[str, Any]) -> Response:
    """One collection: what it is, where it comes from, its legend and fields, where to go on."""
    place = f"/collections/{collection.id}"
    rels = [one["rel"] for one in document["links"]]
    places = (next(where for rel, where in _TOLD.items() if rel in rels), *_PLACES)
    ways = [link(ask, f"{place}/{path}", words.in_(ask.language)) for path, words in places]
    body = f"<p>{told(ask, document['description'])}</p><p>{' · '.join(ways)}</p>"
    extent = document.get("extent", {})
    box, times = extent.get("spatial", {}).get("bbox", [None])[0], extent.get("temporal", {}).get("interval", [[None]])
    shown = {
        **document,
        "count": _count(document.get("count")),
        "bbox": ", ".join(f"{degrees:.5f}" for degrees in box) if box else None,
        "since": _moment(times[0][0]),
        "updated": _moment(document.get("updated")),
    }
    body += facts((words.in_(ask.language), told(ask, shown.get(name))) for name, words in _FACTS.items())
    if is_drawn(collection):
        body += _legend(ask, collection)
    body += f"<h2>{_FIELDS.in_(ask.language)}</h2>"
    body += table([h.in_(ask.language) for h in _FIELD_HEADS], [_field(ask, f) for f in collection.fields])
    return page(ask, document["title"], body, [_collections(ask)])


def document_page(ask: Asked, title: str, document: Any, crumbs: Crumbs = ()) -> Response:
    """Any document as nested lists; what stands below a collection leads back to it."""
    _, _, name, *below = f"{ask.path}//".split("/")
    if not crumbs and name and below[0] and ask.path.startswith("/collections/"):
        crumbs = [_collections(ask), (f"/collections/{name}?f=html", name)]
    return page(ask, title, f'<div class="wide">{told(ask, document)}</div>', crumbs)


def items_page(ask: Asked, collection: Collection, document: Mapping[str, Any]) -> Response:
    """A page of features as a table; `document` is the GeoJSON feature collection."""
    features = document["features"]
    names = list(dict.fromkeys(name for f in features for name in f["properties"]))
    fields = {name: field_of(collection, name) for name in names}
    heads = [FID.title.in_(ask.language), *(head(ask, fields[name], name) for name in names)]
    place = f"/collections/{collection.id}/items"
    rows = [
        (link(ask, f"{place}/{f['id']}", str(f["id"])),
         *(cell(ask, fields[name], f["properties"].get(name)) for name in names))
        for f in features
    ]  # fmt: skip
    numbers = [n for n, name in enumerate(names, 1) if is_measure(fields[name])]
    body = f"{_matched(ask, document)}{_downloads(ask)}{table(heads, rows, numbers)}"
    turns = [
        link(ask, one["href"], _PAGES[one["rel"]].in_(ask.language))
        for one in document["links"]
        if one["rel"] in _PAGES
    ]
    body += f"<p>{' · '.join(turns)}</p>" if turns else ""
    title = f"{collection.title.in_(ask.language)} · {_ITEMS.in_(ask.language)}"
    return page(ask, title, body, [_collections(ask), _collection(ask, collection)])


def item_page(ask: Asked, collection: Collection, document: Mapping[str, Any]) -> Response:
    """One feature: its properties with their words, its geometry, where it comes from."""
    properties = document["properties"]
    rows = [
        (head(ask, field_of(collection, name), name), cell(ask, field_of(collection, name), value) or "–")
        for name, value in properties.items()
    ]
    body = f"{_on_map(ask, collection, document)}{facts(rows)}"
    origin = document.get("onemap:provenance") or {}
    known = [(words, _moment(origin.get(n)) if n in ("loaded", "recorded") else told(ask, origin.get(n)))
             for n, words in _PROVENANCE.items()]  # fmt: skip
    body += f"<h2>{_ORIGIN.in_(ask.language)}</h2>{facts((words.in_(ask.language), value) for words, value in known)}"
    if document.get("geometry"):
        shape = escape(json.dumps(document["geometry"]))
        body += f"<details><summary>{_GEOMETRY.in_(ask.language)}</summary><pre>{shape}</pre></details>"
    label = collection.style.label if collection.style else None
    title = f"{collection.title.in_(ask.language)} {(label and properties.get(label)) or document['id']}"
    items = (f"/collections/{collection.id}/items?f=html", _ITEMS.in_(ask.language))
    return page(ask, title, body, [_collections(ask), _collection(ask, collection), items])


def link_list(ask: Asked, links: Iterable[tuple[str, Text]]) -> str:
    """Links of this server as a list."""
    return "".join(f"<li>{link(ask, path, words.in_(ask.language))}</li>" for path, words in links)


def _legend(ask: Asked, collection: Collection) -> str:
    """The legend as an image that follows the page's theme."""
    words = escape(_LEGEND.in_(ask.language))
    light, dark = (
        escape(f"/styles/{collection.id}/legend?{urlencode({'f': 'svg', 'lang': ask.language, 'theme': theme})}")
        for theme in ("light", "dark")
    )
    image = f'<source srcset="{dark}" media="(prefers-color-scheme:dark)"><img src="{light}" alt="{words}">'
    return f'<h2>{words}</h2><div class="wide"><picture>{image}</picture></div>'


def _collections(ask: Asked) -> tuple[str, str]:
    return "/collections?f=html", _COLLECTIONS.in_(ask.language)


def _collection(ask: Asked, collection: Collection) -> tuple[str, str]:
    return f"/collections/{collection.id}?f=html", collection.title.in_(ask.language)


def _field(ask: Asked, field: Field) -> tuple[str, ...]:
    unit = unit_words(field.unit).in_(ask.language) if field.unit else ""
    values = "、" if ask.language == "zh" else ", "
    words = values.join(text.in_(ask.language) for text in field.values.values())
    return (field.name, told(ask, field.title), field.type.value, escape(unit), escape(words))


def _count(count: int | None) -> str:
    return "" if count is None else f"{count:,}"


def _moment(text: Any) -> str:
    return escape(moment(str(text))) if text else ""


def _matched(ask: Asked, document: Mapping[str, Any]) -> str:
    matched = document.get("numberMatched")
    about = _ABOUT if document.get("onemap:numberMatchedIsEstimate") else _OF
    if matched is None:
        matched, about = document.get("onemap:numberMatchedAtLeast"), _LEAST
    return f"<p>{about.in_(ask.language).format(_count(matched))}</p>" if matched is not None else ""


def _downloads(ask: Asked) -> str:
    """The same question in the forms that hold all of its features, not one page."""
    kept = [(name, value) for name, value in ask.parameters if name not in ("f", "limit", "offset", "after")]
    places = {name: f"{ask.path}?{urlencode([*kept, ('f', form)])}" for form, name in _DOWNLOADS.items()}
    ways = [f'<a href="{escape(place)}" download>{name}</a>' for name, place in places.items()]
    colon = ":" if ask.language == "zh" else ": "
    return f"<p>{_DOWNLOAD.in_(ask.language)}{colon}{' · '.join(ways)}</p>"


def _on_map(ask: Asked, collection: Collection, document: Mapping[str, Any]) -> str:
    """A link to the web map that opens the feature."""
    is_elsewhere = any(name == "crs" for name, _ in ask.parameters)
    if is_elsewhere or not (is_drawn(collection) and document.get("geometry")):
        return ""
    west, south, east, north = shapely.from_geojson(json.dumps(document["geometry"])).bounds
    middle = f"{(west + east) / 2:.5f}/{(south + north) / 2:.5f}"
    address = f"map={_CLOSE_ZOOM}.00/{middle}&sel={collection.id}/{document['id']}&lang={ask.language}"
    return f'<p><a href="/map#{escape(address)}">{_ON_MAP.in_(ask.language)}</a></p>'
