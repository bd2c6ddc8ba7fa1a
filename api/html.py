"""Plain pages for people with a browser: the same documents as JSON, in the reader's language, without scripts."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any
from urllib.parse import urlencode

from fastapi import Response

from api.reply import HTML, bytes_reply
from api.served import Asked
from gis.catalog import Collection, Field
from gis.text import Text

_STYLE = (
    "body{font:1rem/1.6 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1.5rem;color:#23272e;"
    "background:#f6f4ef}a{color:#0b5a8a}h1{font-size:1.5rem;margin:.5rem 0}nav{font-size:.9rem}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}td,th{padding:.25rem .75rem .25rem 0;"
    "text-align:left;vertical-align:top;border-bottom:1px solid #d9d5cb}.wide{overflow-x:auto}"
    "@media(prefers-color-scheme:dark){body{color:#dfe3ea;background:#171a1f}a{color:#8fd0f7}td,th{border-color:#333}}"
)
_HOME = Text("一张图", "One Map")
_COLLECTIONS = Text("数据集", "Collections")
_ITEMS = Text("要素", "Features")
_OTHER_LANGUAGE = Text("English", "中文")
_FIELD_HEADS = (Text("字段", "Field"), Text("含义", "Meaning"), Text("类型", "Type"), Text("单位", "Unit"))
_OF = Text("共 {} 条", "{} in all")
_ABOUT = Text("约 {} 条", "about {} in all")
_WORDS = {
    "next": Text("下一页", "Next page"), "prev": Text("上一页", "Previous page"),
    "alternate": Text("其他格式", "As data"),
    "items": _ITEMS, "service-desc": Text("接口说明", "API description"),
    "conformance": Text("遵循的标准", "Conformance"),
    "data": _COLLECTIONS, "describedby": Text("结构", "Schema"),
}  # fmt: skip

Crumbs = Iterable[tuple[str, str]]


def page(ask: Asked, title: str, body: str, crumbs: Crumbs = ()) -> Response:
    """A whole page: where it stands, its title, its body (HTML that is safe already)."""
    way = " › ".join(f'<a href="{escape(path)}">{escape(name)}</a>' for path, name in _home(ask, crumbs))
    others = urlencode([(n, v) for n, v in ask.parameters if n != "lang"] + [("lang", _other(ask))])
    text = (
        f'<!doctype html><html lang="{ask.language}"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style><nav>{way} · '
        f'<a href="{escape(f"{ask.path}?{others}")}">{_OTHER_LANGUAGE.in_(ask.language)}</a></nav>'
        f"<h1>{escape(title)}</h1>{body}</html>"
    )
    reply = bytes_reply(text.encode(), ask.language, HTML)
    reply.headers["vary"] = "Accept, Accept-Language"
    return reply


def collections_page(ask: Asked, documents: list[dict[str, Any]]) -> Response:
    """All collections, with their own words."""
    rows = [
        (f'<a href="/collections/{escape(d["id"])}">{escape(d["title"])}</a>', escape(d["description"]), _count(d))
        for d in documents
    ]
    return page(ask, _COLLECTIONS.in_(ask.language), _table((), rows))


def collection_page(ask: Asked, collection: Collection, document: Mapping[str, Any]) -> Response:
    """One collection: what it is, its fields, where to go on."""
    body = f"<p>{escape(document['description'])}</p>{_links(ask, document['links'])}"
    body += _table([h.in_(ask.language) for h in _FIELD_HEADS], [_field(ask, f) for f in collection.fields])
    return page(ask, document["title"], body, [_collections(ask)])


def document_page(ask: Asked, title: str, document: Any, crumbs: Crumbs = ()) -> Response:
    """Any document as nested lists."""
    return page(ask, title, _value(document), crumbs)


def items_page(ask: Asked, collection: Collection, document: Mapping[str, Any]) -> Response:
    """A page of features as a table; `document` is the GeoJSON feature collection."""
    features = document["features"]
    names = list(dict.fromkeys(name for f in features for name in f["properties"]))
    heads = ["fid", *(_title(ask, collection, name) for name in names)]
    place = f"/collections/{collection.id}/items"
    rows = [
        (f'<a href="{place}/{f["id"]}">{f["id"]}</a>', *(_value(f["properties"].get(name)) for name in names))
        for f in features
    ]
    matched = document.get("numberMatched")
    about = _ABOUT if document.get("onemap:numberMatchedIsEstimate") else _OF
    said = f"<p>{about.in_(ask.language).format(matched)}</p>" if matched is not None else ""
    ways = _links(ask, [link for link in document["links"] if link["rel"] in ("prev", "next", "alternate")])
    crumbs = [_collections(ask), _collection(ask, collection)]
    return page(ask, _ITEMS.in_(ask.language), f'{said}{ways}<div class="wide">{_table(heads, rows)}</div>', crumbs)


def item_page(ask: Asked, collection: Collection, document: Mapping[str, Any]) -> Response:
    """One feature: its properties with their words, its geometry, where it comes from."""
    rows = [(escape(_title(ask, collection, name)), _value(value)) for name, value in document["properties"].items()]
    rows += [(escape(name), _value(document[name])) for name in ("geometry", "onemap:provenance") if name in document]
    title = f"{collection.title.in_(ask.language)} {document['id']}"
    crumbs = [
        _collections(ask), _collection(ask, collection),
        (f"/collections/{collection.id}/items?f=html", _ITEMS.in_(ask.language)),
    ]  # fmt: skip
    return page(ask, title, _table((), rows), crumbs)


def link_list(ask: Asked, links: Iterable[tuple[str, Text]]) -> str:
    """Links of this server as a list."""
    return "".join(f'<li><a href="{escape(path)}">{escape(words.in_(ask.language))}</a></li>' for path, words in links)


def _home(ask: Asked, crumbs: Crumbs) -> list[tuple[str, str]]:
    return [("/?f=html", _HOME.in_(ask.language)), *crumbs]


def _collections(ask: Asked) -> tuple[str, str]:
    return "/collections?f=html", _COLLECTIONS.in_(ask.language)


def _collection(ask: Asked, collection: Collection) -> tuple[str, str]:
    return f"/collections/{collection.id}?f=html", collection.title.in_(ask.language)


def _other(ask: Asked) -> str:
    return "en" if ask.language == "zh" else "zh"


def _links(ask: Asked, links: Iterable[Mapping[str, str]]) -> str:
    shown = [
        f'<a href="{escape(link["href"])}">{escape(_WORDS[link["rel"]].in_(ask.language))}</a>'
        for link in links
        if link["rel"] in _WORDS
    ]
    return f"<p>{' · '.join(shown)}</p>" if shown else ""


def _field(ask: Asked, field: Field) -> tuple[str, ...]:
    return field.name, escape(field.title.in_(ask.language)), field.type.value, escape(field.unit)


def _title(ask: Asked, collection: Collection, name: str) -> str:
    field = collection.by_name.get(name)
    return field.title.in_(ask.language) if field else name


def _count(document: Mapping[str, Any]) -> str:
    return str(document.get("count") or "")


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(h)}</th>" for h in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{f'<tr>{head}</tr>' if head else ''}{body}</table>"


def _value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return _table((), [(escape(str(name)), _value(inner)) for name, inner in value.items()])
    if isinstance(value, Text):
        return escape(f"{value.zh} / {value.en}")
    if isinstance(value, list | tuple):
        if all(isinstance(inner, int | float) for inner in value):
            return escape(", ".join(map(str, value)))
        return f"<ul>{''.join(f'<li>{_value(inner)}</li>' for inner in value)}</ul>"
    text = str(value)
    return f'<a href="{escape(text)}">{escape(text)}</a>' if text.startswith(("http://", "https://")) else escape(text)
