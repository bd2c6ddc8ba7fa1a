"""Files read by a process of their own: the same rows and words as ever, and an end to what takes too much."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest

from gis.errors import BadInput
from gis.exchange.delivery import records, work
from gis.exchange.delivery.account import DeliveryOptions
from gis.exchange.readers import ReadOptions, open_source
from gis.exchange.readers.confined import ConfinedReader
from gis.exchange.readers.confinement import Limits
from gis.exchange.readers.source import Batch, Source
from gis.settings import CHECKOUT
from tests.gis.deliveries import REGISTER, Desk, day, line, put_dwellings, write_csv

POINT = '{"type":"Feature","properties":{"name":"a%d"},"geometry":{"type":"Point","coordinates":[116.5,31.7]}}'
SHAPE = (
    '{"type":"Feature","properties":{"name":"b"},"geometry":'
    '{"type":"LineString","coordinates":[[116.5,31.7],[116.6,31.8]]}}'
)


@pytest.fixture(scope="module")
def reader() -> Iterator[ConfinedReader]:
    made = ConfinedReader()
    yield made
    made.close()


def _text(path: Path) -> None:
    rows = [f"{n},名{n},{n % 7}" for n in range(3000)]
    rows[10] += ",x,y"
    path.write_bytes(("号,名,数\n" + "\n".join(rows) + "\n合计,,9\n").encode("gb18030"))


def _workbook(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["标题"], ["号", "名"], [1, "甲"], [2, "乙"], ["合计", ""]):
        sheet.append(row)
    book.save(path)


def _parquet(path: Path) -> None:
    pa.parquet.write_table(pa.table({"n": pa.array([1, 2, None]), "t": ["甲", None, "丙"]}), path)


def _points(path: Path) -> None:
    path.write_text('{"type":"FeatureCollection","features":[' + ",".join(POINT % n for n in range(5)) + "]}")


def _lines(path: Path) -> None:
    path.write_text(f'{{"type":"FeatureCollection","features":[{SHAPE},{SHAPE}]}}')


FILES: list[tuple[str, Callable[[Path], None], ReadOptions]] = [
    ("a.csv", _text, ReadOptions(geometry=False, batch_rows=1000)),
    ("a.xlsx", _workbook, ReadOptions(geometry=False)),
    ("a.parquet", _parquet, ReadOptions()),
    ("points.geojson", _points, ReadOptions()),
    ("lines.geojson", _lines, ReadOptions()),
]


def _told(batch: Batch) -> Any:
    points = None if batch.points is None else batch.points.tolist()
    shapes = None if batch.shapes is None else [shape.wkt for shape in batch.shapes]
    return batch.rows.tolist(), batch.table.to_pydict(), batch.table.schema.types, points, shapes


def _read(source: Source) -> Any:
    batches = [_told(batch) for batch in source.batches()]
    return source.crs, source.total_rows, batches, source.findings.decisions, source.findings.rejects


@pytest.mark.parametrize(("name", "make", "options"), FILES, ids=[name for name, _, _ in FILES])
def test_what_is_read_is_the_same(
    tmp_path: Path, reader: ConfinedReader, name: str, make: Callable[[Path], None], options: ReadOptions
) -> None:
    make(tmp_path / name)
    here, there = open_source(tmp_path / name, options), reader.open_source(tmp_path / name, options)
    assert _read(there) == _read(here)
    assert _read(there) == _read(here), "read twice"


def test_lines_are_skimmed_alike(tmp_path: Path, reader: ConfinedReader) -> None:
    path = tmp_path / "a.csv"
    path.write_text("n,t\n" + "\n".join(f"{n},x{n}" for n in range(500)) + "\n")
    asked: list[list[bytes]] = []

    def skim(lines: list[bytes]) -> tuple[Any, Any]:
        asked.append(lines)
        prints = np.array([len(line) for line in lines], np.int64)
        return prints, np.where(np.arange(len(lines)) % 3 == 0, 7, -1)

    found = []
    for opened in (open_source, reader.open_source):
        source: Any = opened(path, ReadOptions(geometry=False, batch_rows=200))
        source.skim = skim
        for batch in source.batches():
            assert batch.skimmed is not None
            wanted = batch.skimmed.at >= 0
            skimmed = [batch.skimmed.rows.tolist(), batch.skimmed.prints.tolist(), batch.skimmed.at.tolist()]
            found.append((_told(batch), skimmed, _told(batch.skimmed.read(wanted))))
    half = len(found) // 2
    assert half == 3 and found[:half] == found[half:] and asked[:half] == asked[half:]


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", b""), ("a.xlsx", b"PK\x03\x04rubbish"), ("a.parquet", b"PAR1xxxx"), ("nothing.csv", None)],
)
def test_errors_are_those_of_reading_here(
    tmp_path: Path, reader: ConfinedReader, name: str, content: bytes | None
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput) as here:
        list(open_source(path).batches())
    with pytest.raises(BadInput) as there:
        list(reader.open_source(path).batches())
    assert (here.value.text, here.value.subject) == (there.value.text, there.value.subject)


def _strings_bomb(path: Path) -> None:
    """A sheet of many long texts: little when packed, much when read."""
    cell = '<c t="inlineStr"><is><t>' + "9" * 30_000 + "</t></is></c>"
    rows = "".join(f"<row>{cell * 4}</row>" for _ in range(4000))
    _book(path, f"<sheetData>{rows}</sheetData>")


def _book(path: Path, sheet: str) -> None:
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    linked = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    relations = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships {relations}><Relationship Id="r1" Type="{kind}/officeDocument"'
        ' Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {main} {linked}><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships {relations}><Relationship Id="r1" Type="{kind}/worksheet"'
        ' Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f"<worksheet {main}>{sheet}</worksheet>",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in parts.items():
            book.writestr(name, text)


def test_what_would_fill_the_memory_is_refused_in_words(tmp_path: Path) -> None:
    """However it is packed: either it is seen before, or the process has no more to take."""
    path = tmp_path / "bomb.xlsx"
    _strings_bomb(path)
    confined = ConfinedReader(Limits(memory_mb=512))
    try:
        with pytest.raises(BadInput) as refused:
            list(confined.open_source(path).batches())
        assert refused.value.text.zh != refused.value.text.en and path.name in refused.value.text.en
    finally:
        confined.close()


def _spin(path: Path) -> None:
    path.write_text("a,b\n" + "1,2\n" * 3_000_000)


def test_who_takes_more_memory_or_time_than_there_is_ends_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    # one value a group, so that a few bytes become many
    table = pa.table({"t": pa.array(["9" * 1000] * 2_000_000)})
    pa.parquet.write_table(table, path, compression="zstd")
    assert path.stat().st_size < 1 << 20
    confined = ConfinedReader(Limits(memory_mb=512))
    try:
        with pytest.raises(BadInput, match="memory"):
            list(confined.open_source(path, ReadOptions(batch_rows=1 << 30)).batches())
        _spin(tmp_path / "a.csv")
        timed = ConfinedReader(Limits(cpu_s=1))
        with pytest.raises(BadInput, match="processor"):
            for _ in range(100):
                list(timed.open_source(tmp_path / "a.csv", ReadOptions(batch_rows=500)).batches())
        timed.close()
    finally:
        confined.close()


CONFINED = """
import resource, socket, os
from gis.exchange.readers.confinement import Limits, confine
apart = confine(Limits(memory_mb=1024, cpu_s=60))
def tried(work):
    try:
        work()
        return "done"
    except Exception as error:
        return type(error).__name__
def dial():
    with socket.socket() as s:
        s.settimeout(2)
        s.connect(("127.0.0.1", PORT))
print(apart, tried(dial), tried(lambda: bytearray(2 << 30)), resource.getrlimit(resource.RLIMIT_CORE))
"""


def test_there_is_no_network_where_the_system_lets_it_be_left() -> None:
    import socket

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        program = CONFINED.replace("PORT", str(listening.getsockname()[1]))
        done = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    apart, dialled, filled, core = done.stdout.split(" ", 3)
    assert filled == "MemoryError" and core.strip() == "(0, 0)"
    if apart == "False":
        pytest.skip("this system lets nobody leave its network")
    assert dialled != "done"


def test_the_reading_process_knows_no_secret(
    tmp_path: Path, reader: ConfinedReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEMAP_DATABASE_URL", "postgresql://u:hidden@nowhere/x")
    made = ConfinedReader()
    _text(tmp_path / "a.csv")
    source = made.open_source(tmp_path / "a.csv")
    seen = (
        Path(f"/proc/{source._process.pid}/environ").read_bytes()
        + Path(f"/proc/{source._process.pid}/cmdline").read_bytes()
    )
    assert b"ONEMAP" not in seen and b"hidden" not in seen
    source.close()
    assert not os.path.exists(f"/proc/{source._process.pid}/environ")
    made.close()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_deliveries_read_apart_are_the_same(
    database_url: str, tmp_path: Path, reader: ConfinedReader, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setenv("ONEMAP_HOME", str(tmp_path / "home"))
    put_dwellings(database_url)
    desk, states, accounts = Desk(database_url, tmp_path), [], []
    for opened in (open_source, reader.open_source):
        desk.empty()
        for memory in (tmp_path / "home").rglob("*.npy"):
            memory.unlink()
        for number, people in enumerate((range(40), range(40), range(2, 45))):
            path = tmp_path / f"people{suffix}"
            rows = [line(n, {"name": f"名{n}", "dwelling": "D1" if n % 5 else "NOWHERE"}) for n in people]
            write_csv(path, [*rows, rows[0]], full=True)
            if suffix == ".parquet":
                _as_parquet(path)
            options = DeliveryOptions(edition=day(number), mode="full")
            made = records.receive(desk.city.database, REGISTER, path, "police", options)
            done = work(desk.city.database, desk.city.catalogue, made, opened=opened)
            desk.assert_adds_up(done)
            accounts.append((done.rows, done.facts, done.reasons, done.ended, done.findings))
        tasks = sorted((task.row, task.entity, task.item, task.reason) for task in desk.tasks())
        states.append((desk.spans(), tasks, desk.rows(SAID), desk.rows("TABLE base.persons_identifier ORDER BY fid")))
    desk.city.close()
    assert states[0] == states[1]
    assert accounts[:3] == accounts[3:]


SAID = (
    "SELECT fid, src_row, said, latest, digest, name, dwelling FROM exchange.base_persons_claim ORDER BY 1, 2, edition"
)


def _as_parquet(path: Path) -> None:
    lines = [row.split(",") for row in path.read_text().splitlines()]
    columns = [pa.array(column) for column in zip(*lines[1:], strict=True)]
    pa.parquet.write_table(pa.table(columns, names=lines[0]), path)
