"""What all plain pages for people with a browser share: the frame around them, links, tables, values as text."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import urlencode, urlsplit

from fastapi import Response

from api.reply import HTML, bytes_reply
from api.served import Asked
from gis.text import Text

_STYLE = (
    ":root{color-scheme:light dark;--paper:#fff;--ground:#f6f4ef;--ink:#1b2027;--quiet:#5d646e;--rule:#e4e1da;"
    "--accent:#2f5bd0}@media(prefers-color-scheme:dark){:root{--paper:#1d2127;--ground:#171a1f;--ink:#eceff4;"
    "--quiet:#a4acb8;--rule:#313741;--accent:#8cb0ff}}*{box-sizing:border-box}"
    "body{margin:0 auto;max-width:76rem;padding:1.25rem 1.25rem 4rem;color:var(--ink);background:var(--ground);"
    "font:.9375rem/1.6 -apple-system,'Segoe UI','PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif}"
    "a{color:var(--accent);text-underline-offset:3px}:focus-visible{outline:2px solid var(--accent);outline-offset:2px}"
    "nav{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;justify-content:space-between;color:var(--quiet);"
    "font-size:.875rem}h1{font-size:1.5rem;line-height:1.3;margin:1rem 0 .5rem;overflow-wrap:anywhere}"
    "h2{font-size:1.0625rem;margin:1.75rem 0 .5rem}p{max-width:46rem;margin:.5rem 0}"
    ".wide{width:fit-content;max-width:100%;overflow-x:auto;background:var(--paper);border:1px solid var(--rule);"
    "border-radius:10px;padding:.25rem 1rem;margin:.75rem 0}table{border-collapse:collapse;"
    "font-variant-numeric:tabular-nums}.rows table{width:max-content}.rows td{max-width:22rem}"
    "td,th{text-align:left;padding:.4rem 1.5rem .4rem 0;vertical-align:top;border-bottom:1px solid var(--rule)}"
    "td:last-child{padding-right:0}tr:last-child>td,tr:last-child>th{border-bottom:0}"
    "th{color:var(--quiet);font-weight:500;white-space:nowrap}td{overflow-wrap:break-word}.n{text-align:right}"
    "ul{margin:.25rem 0;padding-left:1.25rem}form{display:flex;flex-wrap:wrap;gap:.25rem .5rem;margin:.75rem 0}"
    "form b{flex-basis:100%}input,button{font:inherit;padding:.2rem .5rem;max-width:100%}img{max-width:100%}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;max-height:24rem;overflow-y:auto;font-size:.8125rem}"
)
# small enough to stand in the page: a browser would else ask for one that is not there
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Cpath d='M16 2 28 9v14l-12 7-12-7V9Z' fill='%232f5bd0'/%3E%3C/svg%3E"
)
_HOME = Text("一张图", "One Map")
_OTHER_LANGUAGE = Text("English", "中文")
_AS_DATA = Text("数据(JSON)", "As data (JSON)")

#: Where a page stands: paths and names from the top down to it.
Crumbs = Iterable[tuple[str, str]]


def page(ask: Asked, title: str, body: str, crumbs: Crumbs = (), data: str = "json") -> Response:
    """A whole page: where it stands, its title, its body (HTML that is safe already); `data` is the same as data."""
    home = _HOME.in_(ask.language)
    way = " › ".join(link(ask, path, name) for path, name in [("/?f=html", home), *crumbs])
    others = (
        f'<a href="{escape(_same(ask, lang=_other(ask)))}" hreflang="{_other(ask)}">'
        f'{_OTHER_LANGUAGE.in_(ask.language)}</a> · <a href="{escape(_same(ask, f=data))}">'
        f"{_AS_DATA.in_(ask.language)}</a>"
    )
    whole = title if title == home else f"{title} · {home}"
    text = (
        f'<!doctype html><html lang="{ask.language}"><meta charset="utf-8"><title>{escape(whole)}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<link rel="icon" href="{_ICON}"><style>{_STYLE}</style>'
        f"<nav><span>{way}</span><span>{others}</span></nav><main><h1>{escape(title)}</h1>{body}</main></html>"
    )
    reply = bytes_reply(text.encode(), ask.language, HTML)
    reply.headers["vary"] = "Accept, Accept-Language"
    return reply


def link(ask: Asked, path: str, words: str) -> str:
    """A link to a place of this server, which keeps the language that was asked for."""
    given = dict(ask.parameters).get("lang")
    place = path.removeprefix(ask.base) if ask.base else path
    if given and "lang=" not in place:
        place = f"{place}{'&' if '?' in place else '?'}lang={given}"
    return f'<a href="{escape(place)}">{escape(words)}</a>'


def table(heads: Iterable[str], rows: Iterable[Iterable[str]], numbers: Iterable[int] = ()) -> str:
    """A table of cells that are HTML already, in a frame that scrolls by itself; `numbers` are columns of numbers."""
    right = set(numbers)
    kinds = {True: ' class="n"', False: ""}
    head = "".join(f"<th{kinds[n in right]}>{escape(h)}</th>" for n, h in enumerate(heads))
    body = "".join(
        f"<tr>{''.join(f'<td{kinds[n in right]}>{cell}</td>' for n, cell in enumerate(row))}</tr>" for row in rows
    )
    return f'<div class="wide rows"><table>{f"<tr>{head}</tr>" if head else ""}{body}</table></div>'


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Names with their values, which are HTML already; those without a value are left out."""
    found = "".join(f"<tr><th>{escape(name)}</th><td>{value}</td></tr>" for name, value in rows if value)
    return f'<div class="wide"><table>{found}</table></div>' if found else ""


def told(ask: Asked, value: Any) -> str:
    """Anything that JSON can carry, as HTML: what is in both languages in the reader's, what is nested as lists."""
    if isinstance(value, Text):
        return escape(value.in_(ask.language))
    if isinstance(value, Mapping):
        return _told_by_name(ask, value)
    if isinstance(value, list | tuple):
        return _told_in_order(ask, value)
    return "" if value is None else _told_alone(ask, str(value))


def _told_by_name(ask: Asked, value: Mapping[Any, Any]) -> str:
    if set(value) == {"zh", "en"}:
        return told(ask, value[ask.language])
    rows = "".join(f"<tr><th>{escape(str(n))}</th><td>{told(ask, inner)}</td></tr>" for n, inner in value.items())
    return f"<table>{rows}</table>"


def _told_in_order(ask: Asked, value: Sequence[Any]) -> str:
    if all(isinstance(inner, int | float) for inner in value):
        return escape(", ".join(map(str, value)))
    return f"<ul>{''.join(f'<li>{told(ask, inner)}</li>' for inner in value)}</ul>"


def _told_alone(ask: Asked, text: str) -> str:
    if not text.startswith(("http://", "https://")):
        return escape(text)
    is_own = urlsplit(text)[:2] == urlsplit(ask.base)[:2]
    return link(ask, text, text) if is_own else f'<a href="{escape(text)}">{escape(text)}</a>'


def _same(ask: Asked, **changed: str) -> str:
    """This very place with some parameters changed."""
    kept = [(name, value) for name, value in ask.parameters if name not in changed]
    return f"{ask.path}?{urlencode([*kept, *changed.items()])}"


def _other(ask: Asked) -> str:
    return "en" if ask.language == "zh" else "zh"
