"""Archives: everything that the server would give and nothing else, and equal to a new one after an update."""

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import psycopg
import pytest
from pmtiles.reader import MmapSource, Reader, all_tiles

from api.commands import tiles as command
from gis.city import City
from gis.errors import BadQuery, Conflict, NotFound, OneMapError
from gis.query import ask, span
from gis.query.ask import Ask
from gis.query.query import Query
from gis.query.url import parse
from gis.store.cluster import Cluster
from tests.api.served_city import fill
from tests.conftest import copied_database
from tiles import mvt
from tiles.archive import MADE_FROM, Archived, ArchiveOptions, export
from tiles.grid import WEB_MERCATOR, Tile

ZOOMS = range(9, 13)
AROUND = (116.3, 31.55, 116.7, 31.95)
POIS = Query(collection="base.pois")


@pytest.fixture(scope="module")
def city(cluster: Cluster, template: str) -> Iterator[City]:
    """A small city that this module's tests write to."""
    with copied_database(cluster, template, "archived") as url:
        fill(url)
        with City.open(url) as found:
            yield found


def _read(path: Path) -> tuple[dict[tuple[int, int, int], bytes], dict[str, Any], dict[str, Any]]:
    """The tiles, header and metadata, by the public reader."""
    with path.open("rb") as file:
        source = MmapSource(file)
        reader = Reader(source)
        return dict(all_tiles(source)), dict(reader.header()), reader.metadata()


def _export(city: City, path: Path, query: Query = POIS, *, update: bool = False, **options: Any) -> Archived:
    return export(city, query, path, ArchiveOptions(**{"zooms": ZOOMS, **options}), update=update)


def _write(city: City, *statements: str) -> None:
    with psycopg.connect(city.database.url, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement)


@pytest.mark.parametrize("question", ["base.pois", "base.roads", "base.pois?kind=school&datetime=2022-01-01"])
def test_an_archive_holds_what_the_server_gives_and_nothing_else(city: City, tmp_path: Path, question: str) -> None:
    query = parse(question, city.catalogue)
    done = _export(city, tmp_path / "a.pmtiles", query)
    found, _, _ = _read(done.path)
    assert len(found) == done.tiles <= done.made
    assert {z for z, _, _ in found} == set(ZOOMS)
    plan = Ask(query=query).plan(city.catalogue)
    for z in ZOOMS:
        columns, rows = WEB_MERCATOR.spans(z, AROUND)
        for x in columns:
            for y in rows:
                statement = mvt.statement(plan, Tile(z, x, y))
                content = city.database.rows(statement)[0][0] if statement else b""
                assert gzip.decompress(found.pop((z, x, y), gzip.compress(b""))) == content
    # what is left lies at the antimeridian
    assert {x in (0, 2**z - 1) for z, x, _ in found} <= {True}


def test_the_header_and_the_metadata_are_what_readers_need(city: City, tmp_path: Path) -> None:
    path = tmp_path / "a.pmtiles"
    _export(city, path, bbox=AROUND)
    found, header, metadata = _read(path)
    assert (header["min_zoom"], header["max_zoom"]) == (ZOOMS[0], ZOOMS[-1])
    assert header["clustered"] and header["addressed_tiles_count"] == len(found)
    assert [header[f"{name}_e7"] / 1e7 for name in ("min_lon", "min_lat", "max_lon", "max_lat")] == list(AROUND)
    layers = {layer["id"]: layer for layer in metadata["vector_layers"]}
    assert {"code", "name", "kind"} <= set(layers["base.pois"]["fields"])
    with path.open("rb") as file:
        tile = WEB_MERCATOR.spans(12, (116.5, 31.75, 116.5, 31.75))
        content = Reader(MmapSource(file)).get(12, tile[0][0], tile[1][0])
    assert set(mapbox_vector_tile.decode(gzip.decompress(content))) <= {"base.pois", "onemap"}
    assert all(abs(x - 2**z * (116.5 + 180) / 360) < 2**z * 0.3 / 360 + 1 for z, x, _ in found)


def test_equal_tiles_are_kept_once(city: City, tmp_path: Path) -> None:
    _, header, _ = _read(_export(city, tmp_path / "a.pmtiles", Query(collection="base.divisions", fields=())).path)
    assert header["tile_contents_count"] <= header["addressed_tiles_count"]


WRITES = {
    "nothing": [],
    "a name": ["UPDATE base.pois SET name = 'changed' WHERE fid = 7"],
    "a place": [
        "UPDATE base.pois SET geom = ST_SetSRID(ST_Point(116.41, 31.66), 4326),"
        " geom_3857 = ST_Transform(ST_SetSRID(ST_Point(116.41, 31.66), 4326), 3857) WHERE fid BETWEEN 20 AND 30"
    ],
    "an end and a beginning": [
        "DELETE FROM base.pois WHERE fid BETWEEN 40 AND 60",
        "INSERT INTO base.pois (fid, rec_from, digest, load, code, name, geom, geom_3857)"
        " SELECT 7000, 1, 0, 1, 'N', 'new', p, ST_Transform(p, 3857) FROM ST_SetSRID(ST_Point(116.9, 31.2), 4326) p",
    ],
    "everything": ["UPDATE base.pois SET name = name || '!'"],
    "the register": ["INSERT INTO core.change (register, key) VALUES ('base.pois', 1)"],
}


@pytest.mark.parametrize("name", WRITES)
def test_an_update_is_the_archive_that_a_new_export_is(city: City, tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.pmtiles"
    first = _export(city, path)
    _write(city, *WRITES[name])
    done, whole = _export(city, path, update=True), _export(city, tmp_path / "b.pmtiles")
    (tiles, header, metadata), (wanted, its_header, its_metadata) = _read(done.path), _read(whole.path)
    assert tiles == wanted
    assert {k: v for k, v in header.items() if "metadata" not in k and "offset" not in k} == {
        k: v for k, v in its_header.items() if "metadata" not in k and "offset" not in k
    }
    assert metadata["vector_layers"] == its_metadata["vector_layers"]
    assert done.made == 0 if name == "nothing" else done.made
    if name == "a name":
        assert done.made < first.made / 2
    again = _export(city, path, update=True)
    assert again.made == 0 and _read(path)[0] == wanted


def test_an_update_makes_what_has_begun_or_ended_since(
    city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(city, "UPDATE base.pois SET valid_to = now() + interval '3 minutes' WHERE fid = 17",
                 "UPDATE base.pois SET valid_from = now() + interval '4 minutes' WHERE fid = 19")  # fmt: skip
    path, present = tmp_path / "a.pmtiles", span.now()
    first = _export(city, path)
    monkeypatch.setattr(ask, "now", lambda: present + timedelta(minutes=10))
    done, whole = _export(city, path, update=True), _export(city, tmp_path / "b.pmtiles")
    assert _read(path)[0] == _read(whole.path)[0]
    assert 0 < done.made < first.made


def test_an_archive_of_another_question_is_not_updated(city: City, tmp_path: Path) -> None:
    path = tmp_path / "a.pmtiles"
    with pytest.raises(NotFound, match="--update"):
        _export(city, path, update=True)
    _export(city, path)
    before = path.read_bytes()
    for query, options in (
        (POIS.but(fields=("name",)), {}), (POIS, {"zooms": range(9, 12)}), (POIS, {"bbox": AROUND}),
    ):  # fmt: skip
        with pytest.raises(Conflict, match="--update"):
            _export(city, path, query, update=True, **options)
    path.with_name("c.pmtiles").write_bytes(b"nothing of the kind")
    with pytest.raises(Conflict):
        _export(city, path.with_name("c.pmtiles"), update=True)
    assert path.read_bytes() == before


def test_what_cannot_be_exported_leaves_no_file(city: City, tmp_path: Path) -> None:
    path = tmp_path / "a.pmtiles"
    for query, options in (
        (Query(collection="base.persons"), {}), (POIS, {"zooms": range(20, 30)}), (POIS, {"bbox": (10, 10, 11, 11)}),
        (POIS.but(fields=("cats",)), {}),
    ):  # fmt: skip
        with pytest.raises(OneMapError):
            _export(city, path, query, **options)
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_an_archive(
    city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ONEMAP_DATABASE_URL", city.database.url)
    path = tmp_path / "a.pmtiles"
    box = ",".join(map(str, AROUND))
    command.export("base.pois?kind=school", path, zooms="10-12", bbox=box, datetime="2022-01-01", as_json=True)
    told = json.loads(capsys.readouterr().out)
    found, _, metadata = _read(path)
    assert told["tiles"] == len(found) and told["bytes"] == path.stat().st_size
    assert metadata[MADE_FROM]["zooms"] == [10, 12] and "datetime=" in metadata[MADE_FROM]["question"]
    for wrong in ({"zooms": "4-2"}, {"zooms": "a"}, {"bbox": "1,2,3"}, {"bbox": "3,2,1,4"}):
        with pytest.raises(BadQuery):
            command.export("base.pois", path, **wrong)  # type: ignore[arg-type]
