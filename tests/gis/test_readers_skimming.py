"""Lines that are known by their bytes: what is read of a file, and what is told of, make the whole of it."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis.exchange.readers.csv import CsvSource, open_csv
from gis.exchange.readers.source import Batch, ReadOptions

CELLS = st.sampled_from(["张三", "甲\u3000", "x", "", "341502", "é", "合计", " "])
ODD = st.sampled_from(['"a,b",c,d', '"an open quote,b,c', "a,b", "a\0,b,c", "", "合计,,", "a\r,b,c"])
ROW = st.one_of(st.tuples(CELLS, CELLS, CELLS).map(",".join), st.tuples(CELLS, CELLS, CELLS).map(",".join), ODD)
HEADER = "姓名,住址,编号"
Rows = dict[int, tuple[str | None, ...]]


def rows_of(batch: Batch) -> Rows:
    columns = (column.to_pylist() for column in batch.table.columns)
    return dict(zip(batch.rows.tolist(), zip(*columns, strict=True), strict=True))


def source(path: Path, batch_rows: int) -> CsvSource:
    return open_csv(path, ReadOptions(geometry=False, batch_rows=batch_rows))


def plain(path: Path) -> tuple[Rows, list[tuple[int, str]]]:
    """All rows, and what was refused."""
    opened = source(path, 65_536)
    rows: Rows = {}
    for batch in opened.batches():
        rows |= rows_of(batch)
    return rows, sorted((r.row, r.reason) for r in opened.findings.rejects)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROW, min_size=1, max_size=40), st.sampled_from(["utf-8", "gb18030"]), st.randoms(), st.booleans())
def test_what_is_read_and_what_is_known_is_the_whole_file(
    tmp_path: Path, lines: list[str], encoding: str, chance: object, windows: bool
) -> None:
    path = tmp_path / "file.csv"
    whole = [HEADER, "李四,解放路,1", *lines]
    path.write_bytes(("\r\n" if windows else "\n").join(whole).encode(encoding) + b"\n")
    expected, refused = plain(path)
    clean = {bytes(line.encode(encoding)) for line in lines if not set(line) & set('"\0\r') and line.count(",") == 2}
    kept = {line for line in sorted(clean) if chance.random() < 0.5 and line.strip(b" ,")}  # type: ignore[attr-defined]
    kept = {line for line in kept if not line.startswith("合计".encode(encoding))}

    def skim(given: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
        known = [0 if line.rstrip(b"\r") in kept else -1 for line in given]
        return np.arange(len(given)), np.array(known, np.int64)

    opened = source(path, 7)
    opened.skim = skim
    found: Rows = {}
    for batch in opened.batches():
        found |= rows_of(batch)
        if batch.skimmed is not None:
            assert set(batch.rows.tolist()) <= set(batch.skimmed.rows[batch.skimmed.at < 0].tolist())
            told = batch.skimmed.read(batch.skimmed.at >= 0)
            assert not set(rows_of(told)) & set(found)
            found |= rows_of(told)
    assert found == expected
    assert sorted((r.row, r.reason) for r in opened.findings.rejects) == refused


@pytest.mark.parametrize("encoding", ["utf-16", "big5"])
def test_lines_of_other_encodings_are_not_skimmed(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "file.csv"
    path.write_text("\n".join(["姓名,地址,編號", *["張三,解放路,1"] * 30]) + "\n", encoding)
    opened = open_csv(path, ReadOptions(geometry=False, encoding=encoding))
    opened.skim = lambda lines: (_ for _ in ()).throw(AssertionError)
    assert sum(len(batch) for batch in opened.batches()) == 30
