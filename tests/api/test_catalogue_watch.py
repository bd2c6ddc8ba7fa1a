"""A directory that is applied while the server runs: its registers are served, and /health says which version is."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from api import catalogue_watch
from api.app import create_app
from gis.catalog import Catalogue
from gis.exchange.directory import apply
from gis.settings import CHECKOUT
from gis.store.database import Database
from layers import LAYERS
from tests.api.conftest import served
from tests.api.exchange_city import ExchangeCity
from tests.gis.directory_files import written

SAMPLE = CHECKOUT / "data-samples" / "luan" / "directory.json"
MARKS: dict[str, Any] = json.loads(SAMPLE.read_text())["registers"][0] | {"presence": ["market"]}
PATH = f"/collections/{MARKS['id']}"


def until_version(request: Callable[..., httpx.Response], version: int) -> httpx.Response:
    """What /health says once a version is served, or at last."""
    last = time.monotonic() + 60
    while True:
        found = request("/health")
        if found.json()["directory_version"] == version or time.monotonic() > last:
            return found
        time.sleep(0.02)


def test_a_register_that_the_directory_declares_is_served_without_a_restart(
    exchange: ExchangeCity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue_watch, "EVERY_S", 0.01)
    database = Database(exchange.url)
    with served(create_app(exchange.url, Catalogue(LAYERS))) as request:
        assert request("/health").json()["directory_version"] == 0
        assert request(PATH).status_code == 404
        apply(database, Catalogue(LAYERS), written(tmp_path, registers=[MARKS | {"sensitivity": "open"}]))
        assert until_version(request, 1).json()["directory_version"] == 1
        assert request(PATH).json()["title"] == "信用红黑名单"
        assert request(f"{PATH}/items").json()["features"] == []
        apply(database, Catalogue(LAYERS), written(tmp_path, "b.json", registers=[]))
        assert until_version(request, 2).json()["directory_version"] == 2
        assert request(PATH).status_code == 404
    database.close()
