"""From page to page: the links between them, and which orders are refused."""

from typing import Any

from api.reply import GEOJSON, HTML
from api.served import Asked, Served, encoded
from gis.catalog import Collection
from gis.query import features
from gis.query.plan import Plan
from gis.query.query import After, Query
from gis.query.token import Seal
from gis.query.url import identity

#: A page's features when no limit is given, and the most that a page holds (OGC API – Features, 7.15.2).
DEFAULT_LIMIT, MAX_LIMIT = 10, 10_000


def last_row(plan: Plan, key: tuple[int, Any, list[str | None]], epoch: int) -> After:
    """Where a page ended: the fid, beginning and sort keys of its last row, and the state that its first page saw."""
    fid, valid_from, values = key
    before = plan.query.page.after
    if before is not None:
        return After(fid, valid_from, tuple(values), before.now, before.epoch)
    return After(fid, valid_from, tuple(values), plan.now, epoch if plan.query.as_of is None else None)


def page_links(
    ask: Asked, collection: Collection, query: Query, seal: Seal, last: After | None, media_type: str = GEOJSON
) -> list[dict[str, str]]:
    """Links to this page, the collection, and the pages beside it; `last` is its last row where there are more.

    The next page is found by the last row's key, which costs the same on every page and sees what the first one saw;
    whoever counts pages by `offset` goes on so, on the register as it is then.
    """
    place = f"/collections/{collection.id}"
    # a token is long, and stands in several links: each parameter is written once
    said = [(name, encoded([(name, value)])) for name, value in ask.parameters]
    links = [
        ask.link(_place(place, [text for _, text in said]), "self", media_type),
        ask.link(_place(place, [*(text for name, text in said if name != "f"), "f=html"]), "alternate", HTML),
        ask.link(place, "collection", "application/json", collection.title.in_(ask.language)),
    ]
    kept = [text for name, text in said if name not in ("after", "offset")]
    limit, offset = query.page.limit or DEFAULT_LIMIT, query.page.offset
    counts = query.page.after is None and any(name == "offset" for name, _ in ask.parameters)
    if counts and offset:
        links.append(ask.link(_place(place, [*kept, f"offset={max(0, offset - limit)}"]), "prev", media_type))
    if last is not None:
        # what a token is made of needs no escaping
        on = f"offset={offset + limit}" if counts else f"after={seal.token(last, identity(query))}"
        links.append(ask.link(_place(place, [*kept, on]), "next", media_type))
    return links


async def check_order(city: Served, plan: Plan) -> None:
    """Refuse to sort many rows by a field that no index keeps in order. Raises BadQuery naming those that are."""
    if features.unindexed(plan):
        rows = await city.database.rows(features.count(plan, features.UNINDEXED_TO + 1))
        features.check_unindexed(plan, rows[0][0])


def _place(place: str, parameters: list[str]) -> str:
    return f"{place}/items?{'&'.join(parameters)}" if parameters else f"{place}/items"
