"""For whom a question is asked, as far as taking turns goes: the key's holder where one was shown, else the address."""

import ipaddress
from functools import lru_cache

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
    """The address from which a request comes, as `api.proxies` settled it; of IPv6 the subscriber's network."""
    return _subscriber((scope.get("client") or ("",))[0])


@lru_cache(maxsize=8192)
def _subscriber(text: str) -> str:
    address = _address(text)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _SUBSCRIBER_BITS), strict=False).network_address)
    return str(address or "unknown")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
