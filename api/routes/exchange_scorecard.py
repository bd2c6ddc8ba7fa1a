"""The scorecard of departments, open to everybody: as published numbers, and as a page."""

import asyncio
from datetime import date
from functools import partial
from html import escape
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from api import parameters
from api.reply import HTML, JSON, Conditions, conditional
from api.served import Ask, City
from gis.errors import BadQuery
from gis.exchange.scorecard import page, scorecard

router = APIRouter()

_MOST_DAYS, _DAYS = 3_660, 365
_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:70rem;margin:3rem auto;padding:0 1.5rem;color:#23272e;"
    "background:#f6f4ef}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}"
    "th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid #d8d4ca}"
    "th:nth-child(-n+2),td:nth-child(-n+2){text-align:left}tr.department{font-weight:600}tr.class td{color:#555c66}"
    "dt{font-weight:600}@media(prefers-color-scheme:dark){body{color:#dfe3ea;background:#171a1f}"
    "th,td{border-color:#343a44}tr.class td{color:#a8adb5}}"
)


@router.get("/exchange/scorecard")
async def card(request: Request, city: City, ask: Ask) -> Response:
    """Quantity, quality, timeliness and use by department and class, over the days up to one."""
    values = ask.only("on", "days", forms=("json", "html"))
    days = parameters.whole(values, "days", 1, _DAYS)
    if days > _MOST_DAYS:
        raise BadQuery(f"days is at most {_MOST_DAYS}", f"days 最多为 {_MOST_DAYS}", subject="days")
    found = await asyncio.to_thread(partial(scorecard, city.threads, on=_day(values.get("on")), days=days))
    if values.get("f", "html" if ask.wants_html else "json") == "html":
        content, media_type = _page(page(found, ask.language), ask.language), HTML
    else:
        content, media_type = orjson.dumps(found.as_dict()), JSON
    body = await conditional(content, media_type, Conditions.of(request.scope["headers"]))
    vary = "Accept, Accept-Encoding, Accept-Language"
    return Response(body.content, body.status, {**body.headers, "content-language": ask.language, "vary": vary})


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text is not None else None
    except ValueError:
        raise BadQuery("on is a day such as 2026-01-31", "on 应为日期,如 2026-01-31", subject="on") from None


def _page(told: dict[str, Any], language: str) -> bytes:
    """One table, a department's line above those of its classes; a dash where there was nothing to judge."""
    names = [column["name"] for column in told["columns"]]
    head = "".join(f"<th scope=col>{escape(column['title'])}</th>" for column in told["columns"])
    rows = "".join(
        f"<tr class={row['level']}>{''.join(f'<td>{_cell(name, row[name])}</td>' for name in names)}</tr>"
        for row in told["rows"]
    )
    words = "".join(f"<dt>{escape(d['title'])}</dt><dd>{escape(d['text'])}</dd>" for d in told["definitions"])
    title = escape(told["title"])
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style><h1>{title}</h1>'
        f"<p>{told['since']} – {told['until']} · {escape(str(told['standard']))}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table><dl>{words}</dl></html>"
    ).encode()


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "—"
    if name == "accepted_share":
        return f"{value:.1%}"
    return f"{value:.1f}" if isinstance(value, float) else escape(str(value))
