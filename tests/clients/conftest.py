"""Programs that others wrote, at the real server with the sample city."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psycopg
import pytest

Rows = Callable[..., list[tuple[Any, ...]]]

#: West, south, east, north of a part of the sample city, in degrees.
BOX = (116.50, 31.73, 116.52, 31.74)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is asked by itself, whatever proxy the machine has."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")


@pytest.fixture(scope="session")
def ask(served: str) -> Iterator[httpx.Client]:
    """Requests to the server, without redirection."""
    with httpx.Client(base_url=served, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def rows(sample_city: str) -> Iterator[Rows]:
    """What SQL finds in the same database."""
    with psycopg.connect(sample_city, autocommit=True) as conn:
        yield lambda statement, *args: conn.execute(statement, args).fetchall()
