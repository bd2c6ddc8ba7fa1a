"""The web application: `api.app:app` for a server, `create_app` for tests.

Shell (proxies, other servers' pages) → SignedIn (who asks, and not too much) → TilesFirst (tiles, before anything else)
→ Observed (figures, log) → Front (limits, headers, errors, hanging up) → Tracing (who did what) → ItemsFirst (pages,
exports) → FastAPI (everything else).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path

from fastapi import FastAPI, Request, Response
from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from api.catalogue_watch import CatalogueWatch
from api.databases import Databases
from api.errors import Unreadable, problem
from api.exporting import Exports
from api.facts import Facts
from api.folding import folding
from api.front import Front
from api.geocoding import Geocoding
from api.health import Health
from api.heap import settled_heap
from api.identification import doorway_of
from api.items_first import ItemsFirst
from api.language import language_of
from api.logs import configure
from api.metrics import Metrics
from api.observed import Observed, RouteNoted
from api.raster_server import RasterServer
from api.routes import (
    access,
    audit,
    cells,
    collections,
    editing,
    edr,
    emergencies,
    exchange,
    exchange_deliveries,
    exchange_directory,
    exchange_facts,
    exchange_returned,
    exchange_scorecard,
    geocode,
    health,
    here,
    items,
    landing,
    live,
    me,
    metrics,
    policies,
    provider_sign_in,
    publications,
    rasters,
    series,
    sign_in,
    styles,
    system_keys,
    tile_sets,
    tiles,
    users,
    web_map,
)
from api.served import Served
from api.shell import Guard, Shell
from api.signed_in import SignedIn
from api.stopping import when_told_to_stop
from api.tracing import Tracing
from api.upload import sweep
from api.usage import kept
from api.working import DeliveryWorker
from gis.catalog import Catalogue, registered_layers
from gis.errors import OneMapError
from gis.settings import Settings
from gis.store.changes import Changes
from gis.store.cluster import ensure_database
from gis.store.emergencies import InForce
from gis.store.migrate import migrate
from gis.store.migrated import Expected
from gis.store.page_key import seal
from gis.store.trace import Trace

_WEB = Path(__file__).parent / "web" / "dist"
_EXCHANGE = (
    exchange, exchange_deliveries, exchange_returned, exchange_facts, exchange_directory, exchange_scorecard,
)  # fmt: skip
_PLACES = (here, series, edr, rasters)
_ROUTERS = (
    landing, live, collections, items, editing, tile_sets, cells, *_PLACES, geocode, styles, health, metrics, web_map,
    sign_in, provider_sign_in, me, access, users, system_keys, policies, emergencies, audit, publications, *_EXCHANGE,
)  # fmt: skip


class _Shared(State):
    """What the layers share, as plain attributes: some are looked up for every request, which else is a call each."""

    def __init__(self) -> None:
        object.__setattr__(self, "_state", self.__dict__)


def create_app(
    url: str | None = None, catalogue: Catalogue | None = None, web: Path = _WEB, *, works: bool = False
) -> ASGIApp:
    """The application for the city at a database URL (else that of the settings) with a catalogue (else all layers).

    With `works` a process beside it takes up what departments hand over. Nothing is opened before the server starts it.
    """
    lifespan = partial(
        _serving, find_url=lambda: url or ensure_database(Settings()), catalogue=catalogue, web=web, works=works
    )
    framework = FastAPI(title="OneMap", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None,
                        redirect_slashes=False)  # fmt: skip
    framework.state = _Shared()
    for module in _ROUTERS:
        framework.include_router(module.router)
    framework.mount("/map/assets", web_map.Assets(directory=web / "assets", check_dir=False))
    framework.add_middleware(RouteNoted)
    framework.add_middleware(GZipMiddleware, minimum_size=1400, compresslevel=4)
    for kind in (OneMapError, HTTPException, Exception):
        framework.add_exception_handler(kind, _problem)
    counted = framework.state.metrics = Metrics()
    framework.state.exports = Exports()
    found = tiles.TilesFirst(
        Observed(Front(Tracing(ItemsFirst(framework, framework.state), framework.state)), counted, framework.state),
        framework.state,
    )
    framework.state.tiles = found
    return Shell(SignedIn(found, framework.state, counted), framework.state)


@asynccontextmanager
async def _serving(
    app: FastAPI, *, find_url: Callable[[], str], catalogue: Catalogue | None, web: Path, works: bool
) -> AsyncIterator[None]:
    """Find the database, bring its tables to the present, keep connections and the worker while serving.

    What was opened is closed, the last first, though the start fails half way.
    """
    catalogue = catalogue or Catalogue(registered_layers())
    url = await asyncio.to_thread(find_url)
    await asyncio.to_thread(migrate, url, catalogue.layers)
    settings = Settings()
    if works:
        configure(settings)
    async with AsyncExitStack() as opened:
        door = app.state.doorway = doorway_of(url, settings)
        opened.push_async_callback(asyncio.to_thread, door.close)
        await asyncio.to_thread(sweep, settings.home)
        pools = await Databases.open(url, settings, lambda: app.state.served, app.state.metrics)
        opened.push_async_callback(pools.close)
        own, threads = pools.own, pools.threads
        changes = Changes(own)
        opened.push_async_callback(changes.close)
        await changes.open()
        watch = app.state.watch = CatalogueWatch(catalogue, threads)
        catalogue = await asyncio.to_thread(watch.read)
        trace = await asyncio.to_thread(Trace.of, url, settings.home)
        opened.push_async_callback(asyncio.to_thread, trace.close)
        worker = DeliveryWorker.of_home(url, settings.home) if works else None
        if worker:
            opened.push_async_callback(asyncio.to_thread, worker.stop)
        app.state.geocoding = Geocoding(pools.reader, catalogue)
        opened.callback(app.state.geocoding.close)
        wake = worker.wake if worker else lambda: None
        facts = Facts(own, pools.asked)
        city = Served(catalogue, pools.asked, pools.readers, own, changes, threads, facts, trace, web, settings, wake,
                      seal=await asyncio.to_thread(seal, threads))  # fmt: skip
        app.state.served = city
        opened.push_async_callback(asyncio.to_thread, city.slow.shutdown)
        app.state.emergencies = InForce(own)
        app.state.guard = Guard.of(settings)
        app.state.rasters = RasterServer(city)
        opened.callback(app.state.rasters.close)
        app.state.health = Health(city, Expected.of(catalogue.layers), worker, watch)
        # where nothing else lives in the process
        with when_told_to_stop(changes.end_following), settled_heap() if works else nullcontext():
            folded = folding(lambda: app.state.served.catalogue, threads)
            async with kept(city.tally, threads), folded, watch.looking(app.state):
                yield


async def _problem(request: Request, error: Exception) -> Response:
    """An error's answer; what the framework itself refuses gets words like all others."""
    known = Unreadable(error.status_code) if isinstance(error, HTTPException) else error
    status, headers, body = problem(known, language_of(request.scope), request.url.path)
    return Response(body, status, headers)


app = create_app(works=True)
