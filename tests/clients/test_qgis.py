"""QGIS without a window: items counted, filtered and paged, vector tiles drawn (make qgis)."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Rows

#: QGIS belongs to the system's Python.
PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).with_name("qgis_session.py")
NOW = "valid_from <= now() AND valid_to > now()"


@pytest.fixture(scope="module")
def seen(served: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a session of QGIS saw."""
    if not os.environ.get("ONEMAP_QGIS"):
        pytest.skip("QGIS takes its time to start: run “make qgis”")
    looks = "import importlib.util, sys; sys.exit(importlib.util.find_spec('qgis') is None)"
    if not shutil.which(PYTHON) or subprocess.run([PYTHON, "-c", looks], check=False).returncode:
        pytest.skip("no QGIS: install python3-qgis and qgis-providers")
    folder = tmp_path_factory.mktemp("qgis")
    done = subprocess.run(
        [PYTHON, str(SCRIPT), served, str(folder / "buildings.png")],
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "QT_QPA_PLATFORM": "offscreen", "NO_PROXY": "127.0.0.1",
             "XDG_RUNTIME_DIR": str(folder), "LANG": "C.UTF-8"},
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_qgis_fetches_every_feature_once(seen: dict[str, Any], rows: Rows) -> None:
    count = rows(f"SELECT count(*) FROM base.pois WHERE {NOW}")[0][0]
    items = seen["items"]
    assert items["told"] == items["fetched"] == items["distinct"] == count > 300
    assert {"code", "name", "kind"} <= set(items["fields"]) and items["crs"] in ("EPSG:4326", "OGC:CRS84")


def test_qgis_filters(seen: dict[str, Any], rows: Rows) -> None:
    items, box = seen["items"], f"ST_MakeEnvelope({','.join(map(str, seen['items']['box']))}, 4326)"
    schools = rows(f"SELECT count(*) FROM base.pois WHERE {NOW} AND kind = 'school'")[0][0]
    inside = rows(f"SELECT count(*) FROM base.pois WHERE {NOW} AND ST_Intersects(geom, {box})")[0][0]
    assert items["schools"] == items["schools_by_expression"] == schools > 0
    assert items["in_box"] == inside > 0


def test_qgis_draws_tiles(seen: dict[str, Any]) -> None:
    tiles = seen["tiles"]
    assert tiles["errors"] == [] and tiles["zooms"] == [0, 16]
    assert tiles["colours"] > 2 and 0.05 < tiles["painted_share"] < 0.9
