"""Rows that come as JSON are the rows that the door reads: none lost, none changed."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import BadInput
from gis.exchange.delivery.json_rows import MOST_COLUMNS, write_csv
from gis.exchange.readers import ReadOptions, open_source

#: What a cell can hold: no NUL, no half characters, and nothing that the reader takes for a line of totals or a note.
_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\ufdd1\ufdd0\ufeff"), max_size=12)
_NAMES = st.text(st.characters(categories=["Lu", "Lo"], codec="utf-8"), min_size=1, max_size=8)
_ROWS = st.lists(_NAMES, min_size=1, max_size=4, unique=True).flatmap(
    lambda names: st.lists(st.dictionaries(st.sampled_from(names), _TEXTS, min_size=1), min_size=1, max_size=6)
)


def _csv(rows: object) -> tuple[int, list[dict[str, str]]]:
    with TemporaryDirectory() as folder:
        given_, into = Path(folder) / "rows.json", Path(folder) / "rows.csv"
        given_.write_text(json.dumps({"rows": rows}), "utf-8")
        count = write_csv(given_, into)
        source = open_source(into, ReadOptions(encoding="utf-8", header_row=1))
        tabulator = getattr(source, "tabulator")  # noqa: B009  of the one kind of source that a CSV has
        tabulator.coordinates = None
        read = [row for batch in source.batches() for row in batch.table.to_pylist()]
        aside = source.findings.rejected_rows
        return count, read if not aside else [*read, *[{"aside": "x"}] * aside]


@given(_ROWS)
def test_rows_are_read_as_they_were_given(rows: list[dict[str, str]]) -> None:
    if not all(any(text.strip() for text in row.values()) for row in rows):
        with pytest.raises(BadInput):
            _csv(rows)
        return
    count, read = _csv(rows)
    assert count == len(rows) == len(read)


@pytest.mark.parametrize(
    ("value", "text"),
    [(341502199001011234, "341502199001011234"), (1.50, "1.5"), (True, "true"), (None, ""), ("0012", "0012"),
     ("=1+1", "=1+1"), ('a"b,c', 'a"b,c'), ("two\nlines", "two\nlines"), (1e300, "1e+300")],
)  # fmt: skip
def test_values_keep_what_they_were(value: object, text: str) -> None:
    count, read = _csv([{"甲": value, "乙": "x"}, {"乙": "y"}])
    assert count == 2 and read[0]["甲"] == text and read[1]["甲"] == ""


def test_a_number_of_any_length_is_a_text(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text('{"rows": [{"a": ' + "9" * 5000 + "}]}")
    assert write_csv(tmp_path / "rows.json", tmp_path / "rows.csv") == 1
    assert "9" * 5000 in (tmp_path / "rows.csv").read_text()


def test_too_many_names_are_refused(tmp_path: Path) -> None:
    rows = [{f"n{i}": 1} for i in range(MOST_COLUMNS + 1)]
    with pytest.raises(BadInput, match=f"row {MOST_COLUMNS + 1}"):
        _csv(rows)
