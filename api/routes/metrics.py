"""Figures of this server process, as Prometheus reads them."""

import ipaddress
import os
import secrets
from collections.abc import Iterator

from fastapi import APIRouter, Request, Response
from prometheus_client import generate_latest
from prometheus_client.core import Metric
from prometheus_client.samples import Sample

from api.asker import address_of
from api.gauges import gauges
from api.metrics import Metrics
from api.served import Ask, City
from api.shell import Guard
from gis.errors import Forbidden, NotSignedIn
from gis.settings import Settings

router = APIRouter()

#: The text format that every version of Prometheus reads.
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: Whoever passes a request on says so, and a browser that asks for another server's page: then it is not our own.
_PASSED_ON = ("forwarded", "x-forwarded-for", "x-real-ip", "via", "origin")


@router.get("/metrics")
async def metrics(request: Request, city: City, ask: Ask) -> Response:
    """The figures; for this machine, and for whoever has the key of the setting `ONEMAP_METRICS_KEY`."""
    ask.only()
    guard: Guard = request.app.state.guard
    guard.refused.check(address_of(request.scope))
    try:
        check_reader(request, city.settings)
    except NotSignedIn:
        guard.refused.take(address_of(request.scope))
        raise
    counted: Metrics = request.app.state.metrics
    text = generate_latest(_OfThisProcess([*counted.collect(), *await gauges(city, request.app.state.tiles.server)]))
    return Response(text, headers={"content-type": MEDIA_TYPE, "cache-control": "no-store"})


class _OfThisProcess:
    """Families whose samples say of which process they are, since several may answer at one address."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        process = str(os.getpid())
        for family in self._families:
            said = Metric(family.name, family.documentation, family.type, family.unit)
            said.samples = [Sample(s.name, {**s.labels, "process": process}, *s[2:]) for s in family.samples]
            yield said


def check_reader(request: Request, settings: Settings) -> None:
    """That a request may read the figures. Raises NotSignedIn, Forbidden."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    key = settings.metrics_key
    if kind.lower() == "bearer" and key is not None:
        if secrets.compare_digest(given.strip().encode(), key.get_secret_value().encode()):
            return
        raise NotSignedIn("the key is not that of the figures", "密钥不正确,无法读取运行指标", subject="authorization")
    if not _is_from_here(request):
        raise Forbidden(
            "the figures are read from this machine, or with the key of ONEMAP_METRICS_KEY",
            "运行指标仅供本机读取,或使用 ONEMAP_METRICS_KEY 所设的密钥",
            subject="/metrics",
        )


def _is_from_here(request: Request) -> bool:
    if request.client is None or any(name in request.headers for name in _PASSED_ON):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
