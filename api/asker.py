"""For whom a question is asked, as far as taking turns goes: the key's holder where one was shown, else the address."""

import ipaddress

from starlette.types import Scope

from api.caller import CALLER
from api.noted import NOTED
from gis.access.identity import PUBLIC

#: So much of an IPv6 address is one subscriber's, who may use any of the rest.
_SUBSCRIBER_BITS = 64


def asker() -> str:
    """Whoever the request that is being answered comes from; empty for what the server asks by itself."""
    noted = NOTED.get()
    return "" if noted is None else noted.asker


def asker_of(scope: Scope) -> str:
    """In whose turn a request is answered: clerks behind one address have turns of their own."""
    identity = CALLER.get()
    return address_of(scope) if identity is PUBLIC else f"{identity.department or ''}/{identity.name}"


def address_of(scope: Scope) -> str:
    """The address from which a request comes; what a proxy on this machine says of those whose requests it passes on.

    Anybody else may say what he likes in such a header, so that it is not read.
    """
    peer = _address((scope.get("client") or ("",))[0])
    if peer is None or not peer.is_loopback:
        return _subscriber(peer)
    said = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    # the last is the one that the proxy itself has seen
    passed_on = _address(said[-1].decode("latin-1").rpartition(",")[2].strip()) if said else None
    return _subscriber(passed_on or peer)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _subscriber(address: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> str:
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _SUBSCRIBER_BITS), strict=False).network_address)
    return str(address or "unknown")
