"""The small city under the declared policies and under others, for all tests of rights."""

from collections.abc import Iterator

import pytest

from gis.store.cluster import Cluster
from gis.store.derived import derive
from tests.conftest import copied_database
from tests.contract.rights_city import DECLARED, RuledCity, others, served
from tests.contract.small_city import fill


@pytest.fixture(scope="session", params=["declared", "others"])
def ruled(
    request: pytest.FixtureRequest, cluster: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RuledCity]:
    catalogue = DECLARED if request.param == "declared" else others()
    with copied_database(cluster, template, f"rights_{request.param}") as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEMAP_HOME", str(tmp_path_factory.mktemp("home")))
        fill(url)
        derive(url, catalogue)
        with served(url, catalogue, tmp_path_factory.mktemp("dist")) as found:
            yield found
