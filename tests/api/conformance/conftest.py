"""The measured city, served in this process."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from api.app import create_app
from gis.store.cluster import Cluster
from tests.api.conformance.edr_city import Get
from tests.api.conftest import served
from tests.conftest import copied_database
from tests.measured_city import CATALOGUE, Sizes, fill


@pytest.fixture(scope="module")
def get(cluster: Cluster, template: str, web_folder: Path) -> Iterator[Get]:
    with copied_database(cluster, template, "edr") as url:
        with psycopg.connect(url) as conn:
            fill(conn, Sizes())
        with served(create_app(url, CATALOGUE, web_folder)) as request:
            yield request
