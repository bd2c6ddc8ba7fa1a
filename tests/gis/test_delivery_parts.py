"""What a delivery is made of, part by part: numbers for persons, repeated keys, packed numbers, dates from bytes."""

import datetime as dt

import numpy as np
import psycopg
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.exchange.delivery import pseudonym
from gis.exchange.delivery.references import code_fids
from gis.exchange.delivery.words import Seen
from gis.exchange.time_values import read_dates
from gis.store import copy

KEY, OTHER = bytes(range(32)), bytes(32)
IDS = ["11010519491231002X", "440524188001010014", None, "110101199003074610"]


def test_a_person_has_one_number_under_one_key_and_none_without_an_id() -> None:
    fids = pseudonym.person_fids(pa.array(IDS), KEY)
    assert fids[2] == 0
    assert len(set(fids.tolist())) == 4
    assert (fids < 1 << 53).all()
    assert (fids >= 0).all()
    assert (pseudonym.person_fids(pa.array(IDS[::-1]), KEY)[::-1] == fids).all()
    assert not (pseudonym.person_fids(pa.array(IDS), OTHER) == fids)[[0, 1, 3]].any()


def test_numbers_of_persons_are_aes_of_the_digits() -> None:
    # FIPS 197, appendix C.3: key 00…1f, plaintext 00112233445566778899aabbccddeeff
    plain = np.frombuffer(bytes.fromhex("00112233445566778899aabbccddeeff"), ">u8").reshape(1, 2)
    assert pseudonym._numbers(plain, KEY).tolist() == [0x8EA2B7CA516745BF >> 11]


def test_what_a_text_says_is_compared_for_one_person_only() -> None:
    texts = pa.array(["张三", "张三", "李四", None])
    found = pseudonym.digests(np.array([1, 2, 1, 1]), texts, KEY).to_pylist()
    assert found[3] is None
    assert len(set(found[:3])) == 3
    assert pseudonym.digests(np.array([1]), pa.array(["张三"]), KEY).to_pylist() == found[:1]


@given(st.lists(st.lists(st.integers(1, 30), max_size=12), max_size=12))
def test_the_first_row_of_each_entity_is_found_batch_by_batch(batches: list[list[int]]) -> None:
    seen, first, row = Seen(), {}, 0
    for batch in batches:
        fids, rows = np.array(batch, np.int64), np.arange(row + 1, row + 1 + len(batch))
        row += len(batch)
        again = [batch.count(fid) > 1 or fid in first for fid in batch]
        assert seen.again(fids).tolist() == again
        expected = []
        for fid, number in zip(batch, rows.tolist(), strict=True):
            expected.append(first.get(fid, 0))
            first.setdefault(fid, number)
        assert seen.first(fids, rows).tolist() == expected


def test_numbers_come_packed_and_in_order(conn: psycopg.Connection) -> None:
    found = copy.numbers(conn, "SELECT i AS a, -i * 4000000000 AS b FROM generate_series(1, 3) i", ("a", "b"))
    assert found["a"].tolist() == [1, 2, 3]
    assert found["b"].tolist() == [-4_000_000_000, -8_000_000_000, -12_000_000_000]
    assert len(copy.numbers(conn, "SELECT 1::bigint AS a WHERE false", ("a",))) == 0


def test_codes_have_the_numbers_that_loads_give_them() -> None:
    import xxhash

    codes = ["341502001008000005", None, "341502001008000005", "x"]
    expected = [xxhash.xxh3_64_intdigest(c.encode()) & ((1 << 53) - 1) if c else 0 for c in codes]
    assert code_fids(pa.array(codes)).tolist() == expected


@given(st.lists(st.one_of(st.none(), st.dates(dt.date(1000, 1, 1)), st.sampled_from(["2021/3/5", "不", "2021-02-30"]))))
def test_plain_dates_among_others_are_read_alike(values: list[dt.date | str | None]) -> None:
    texts = [v.isoformat() if isinstance(v, dt.date) else v for v in values]
    odd = {"2021/3/5": dt.date(2021, 3, 5), "不": None, "2021-02-30": None}
    found = read_dates(pa.array(texts, pa.string()))
    assert found.array.to_pylist() == [odd[v] if isinstance(v, str) else v for v in values]
    faulty = [v in ("不", "2021-02-30") for v in values]
    where = np.any([f.where for f in found.faults], axis=0) if found.faults else np.zeros(len(values), bool)
    assert where.tolist() == faulty


@pytest.mark.parametrize("text", ["2021-3-5", "21-03-05", "2021-03-5x"])
def test_ten_bytes_and_less_are_no_plain_date(text: str) -> None:
    found = read_dates(pa.array([text]))
    assert found.array.to_pylist() == [dt.date(2021, 3, 5) if text == "2021-3-5" else None]
