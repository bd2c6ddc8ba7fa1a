"""Proxies in front of this server: only what those say counts that the installation names, whoever else says it."""

import ipaddress
from collections.abc import Callable, Iterable
from functools import lru_cache

from starlette.types import Scope

from gis.errors import SetupError

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_SCHEMES = {b"http": "http", b"https": "https"}


def proxies_of(text: str) -> tuple[_Network, ...]:
    """The addresses and networks of a list with commas. Raises SetupError naming the one that is none.

    >>> proxies_of("127.0.0.1, 10.1.0.0/16")
    (IPv4Network('127.0.0.1/32'), IPv4Network('10.1.0.0/16'))
    """
    found = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        try:
            found.append(ipaddress.ip_network(word))
        except ValueError:
            raise SetupError(
                f"ONEMAP_PROXIES: {word!r} is neither an address nor a network; write 127.0.0.1,10.1.0.0/16",
                f"ONEMAP_PROXIES:{word!r} 不是地址或网段;请写作 127.0.0.1,10.1.0.0/16",
                subject="ONEMAP_PROXIES",
            ) from None
    return tuple(found)


class Proxies:
    """Whom this server believes about the caller's address and whether the way to it is encrypted."""

    def __init__(self, networks: Iterable[_Network]) -> None:
        self.networks = tuple(networks)
        self._trusts: Callable[[str], bool] = lru_cache(maxsize=4096)(self._is_ours)

    def settle(self, scope: Scope) -> None:
        """Put the caller's own address and scheme into a request that one of our proxies passes on.

        The address is the last in X-Forwarded-For that is no proxy of ours: what stands before it, callers may have
        written themselves. Of X-Forwarded-Proto the last word counts, which is that of the proxy that speaks to us.
        """
        client = scope.get("client")
        if not self.networks or not client or not self._trusts(client[0]):
            return
        addresses: list[str] = []
        for name, value in scope["headers"]:
            if name == b"x-forwarded-for":
                addresses += value.decode("latin-1").split(",")
            elif name == b"x-forwarded-proto":
                scope["scheme"] = _SCHEMES.get(value.rpartition(b",")[2].strip().lower(), scope["scheme"])
        caller = next((a for a in map(str.strip, reversed(addresses)) if not self._trusts(a)), None)
        if caller is not None and _address(caller) is not None:
            scope["client"] = (caller, 0)

    def _is_ours(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self.networks)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
