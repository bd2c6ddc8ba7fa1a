"""An application of a test's own, asked from its event loop, and what it then asks of the database."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.routes.tiles import TilesFirst
from api.tile_server import TileServer
from gis.catalog import Catalogue
from gis.query.statement import Statement
from layers import LAYERS
from tiles import mvt

PLACE = "/tiles/WebMercatorQuad/12/1667/3373"
#: What lies in that tile.
INSIDE = "geom && ST_Transform(ST_TileEnvelope(12, 3373, 1667), 4326)"
POIS, ROADS = f"/collections/base.pois{PLACE}", f"/collections/base.roads{PLACE}"


class Asked:
    """An application under test: ask it, and count what it asks of the database.

    `app` is its layer that answers tiles.
    """

    def __init__(self, app: Any, client: httpx.AsyncClient) -> None:
        self.app, self.client = app, client
        self.statements: list[Statement] = []

    @property
    def server(self) -> TileServer:
        found: TileServer = self.app.server
        return found

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})


@asynccontextmanager
async def _asked(url: str, folder: Path, patch: pytest.MonkeyPatch) -> Any:
    app = create_app(url, Catalogue(LAYERS), folder)
    async with AsyncExitStack() as stack:
        framework: Any = app
        while hasattr(framework, "inner"):
            framework = framework.inner
        await stack.enter_async_context(framework.router.lifespan_context(framework))
        transport = httpx.ASGITransport(app=app)
        client = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://t"))
        answering: Any = app
        while not isinstance(answering, TilesFirst):
            answering = answering.inner
        asked, statement = Asked(answering, client), mvt.quick

        def counted(*given: Any) -> Statement | None:
            found = statement(*given)
            if found is not None:
                asked.statements.append(found)
            return found

        patch.setattr(mvt, "quick", counted)
        yield asked


Run = Callable[[Callable[[Asked], Awaitable[None]]], None]


def runner(url: str, folder: Path, patch: pytest.MonkeyPatch) -> Run:
    """Runs a test on the event loop of an application of its own."""

    def run(test: Callable[[Asked], Awaitable[None]]) -> None:
        async def whole() -> None:
            async with asyncio.timeout(60), _asked(url, folder, patch) as asked:
                await test(asked)

        asyncio.run(whole())

    return run
