"""The web map: the built page and its files."""

import asyncio
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.reply import HTML, Conditions, bytes_reply, conditional
from api.served import Ask, Asked, City
from gis.text import Text

router = APIRouter()

_FOR_GOOD = "public, max-age=31536000, immutable"
_NOT_BUILT = Text("网页地图尚未构建,请先运行 make demo", "The web map is not built yet: make demo builds it")


@router.get("/map")
@router.get("/map/")
async def web_map(city: City, ask: Ask) -> Response:
    """The page of the map."""
    return page(city.web / "index.html", ask)


@router.get("/account")
async def account_page(city: City, ask: Ask) -> Response:
    """The page on which people sign in and see who they are; administrators keep users and keys there."""
    return page(city.web / "account.html", ask)


def page(built: Path, ask: Asked) -> Response:
    """A built page; it is asked for anew each time, while its files have names of their own for each build."""
    if not built.is_file():
        text = _NOT_BUILT.in_(ask.language)
        body = f'<!doctype html><html lang="{ask.language}"><meta charset="utf-8"><title>{text}</title><p>{text}</html>'
        return bytes_reply(body.encode(), ask.language, HTML)
    return FileResponse(built, media_type=HTML, headers={"cache-control": "no-cache"})


class Assets(StaticFiles):
    """Files whose names hold the digest of their content: compressed on the way, then kept for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or 404 as a problem."""
        found = await super().get_response(path, scope)
        if not (isinstance(found, FileResponse) and found.status_code == 200):
            return found
        content = await asyncio.to_thread(Path(found.path).read_bytes)
        body = await conditional(content, found.media_type or "", Conditions.of(scope["headers"]))
        return Response(body.content, body.status, {**body.headers, "cache-control": _FOR_GOOD})
