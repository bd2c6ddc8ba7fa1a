"""What the benchmarks rest on: their data, the peers' packages, and figures that say what they seem to."""

import re
from pathlib import Path

import geopandas
import pytest

from gis.settings import CHECKOUT
from tests.bench import points
from tests.bench.load_generator import Load
from tests.bench.serving_compared import each_once


def test_many_points_are_one_file_written_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points, "_AT_ONCE", 1_000)
    path = points.parquet(tmp_path, 2_500)
    frame = geopandas.read_parquet(path)
    assert len(frame) == 2_500 and frame["code"].is_unique and frame.crs.to_epsg() == 4326
    assert not frame.geometry.duplicated().any() and [p.name for p in tmp_path.iterdir()] == [path.name]
    assert points.parquet(tmp_path, 2_500) == path


def test_every_address_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def few(base: str, paths: list[str], clients: int, seconds: int) -> Load:
        asked.extend(paths[: 3 * seconds + clients])
        return Load(3.0, 1.0, 1.0, 1.0, 10)

    monkeypatch.setattr("tests.bench.serving_compared.wrk", few)
    run = each_once("http://127.0.0.1", [f"/{number}" for number in range(40)], clients=1)
    for _ in range(3):
        run()
    assert len(asked) == 39 and len(set(asked)) == 39
    with pytest.raises(RuntimeError, match="too few"):
        each_once("http://127.0.0.1", ["/1", "/2"], clients=1)()


def test_peers_are_pinned() -> None:
    lines = [line for line in (CHECKOUT / "setup" / "peers.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line) for line in lines)
    assert {"tipg", "pygeoapi", "granian"} <= {line.partition("==")[0] for line in lines}
