"""`onemap geocode`: addresses, files of addresses, and points, on the sample city."""

import csv
import json
from pathlib import Path
from subprocess import CompletedProcess

import pyarrow.parquet
import pytest

from tests.bench.address_city import LUAN
from tests.commands import onemap

ADDRESS = "裕安区长安西路41号盛世名邸3栋"


def geocode(url: str, *words: str) -> CompletedProcess[str]:
    return onemap("geocode", *words, ONEMAP_DATABASE_URL=url, ONEMAP_LANG="zh")


def test_addresses_are_answered_one_by_one(sample_city: str) -> None:
    done = geocode(sample_city, ADDRESS, "人民夕路4号", "--json")
    one, two = json.loads(done.stdout)["answers"]
    assert (one["level"], one["place"]["code"]) == ("building", "D341503002007000003")
    assert two["ambiguous"] and len(two["candidates"]) == 2
    told = geocode(sample_city, ADDRESS).stdout
    assert "楼栋 3栋" in told and "D341503002007000003" in told and "100%" in told


def test_a_point_is_answered(sample_city: str) -> None:
    here = json.loads(geocode(sample_city, "--reverse", "116.5169,31.7383", "--json").stdout)
    assert [d["name"] for d in here["divisions"]][:3] == ["安徽省", "六安市", "金安区"]
    assert here["address"]["distance_m"] < 500


def test_a_file_keeps_its_columns_and_says_what_was_found(sample_city: str, tmp_path: Path) -> None:
    source = tmp_path / "店铺.csv"
    rows = [("a", ADDRESS, "1"), ("b", "长安西路9999号", "2"), ("c", "", "3"), ("d", "六安市", "4")]
    lines = ["名称,地址,经度", *(",".join(row) for row in rows)]
    source.write_bytes("\n".join(lines).encode("gbk"))
    done = geocode(sample_city, "--file", str(source), "--json")
    facts = json.loads(done.stdout)
    assert facts["rows"] == 4 and facts["levels"] == {"building": 1, "road": 1, "none": 1, "city": 1}
    written = Path(facts["file"])
    assert written == tmp_path / "店铺_geocoded.csv"
    found = list(csv.DictReader(written.read_text("utf-8-sig").splitlines()))
    assert [(r["名称"], r["地址"], r["经度"]) for r in found] == rows
    assert [r["code"] for r in found] == ["D341503002007000003", "", "", "341500000000"]
    assert [r["level_title"] for r in found] == ["楼栋", "路街巷", "未识别", "市"]
    assert "未找到" in found[1]["note"] and not found[0]["note"]
    assert list(tmp_path.iterdir()) == [source, written] or set(tmp_path.iterdir()) == {source, written}


def test_a_file_of_the_sample_comes_back_where_it_is(sample_city: str, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    done = geocode(sample_city, "--file", str(LUAN / "addresses.csv"), "-o", str(out))
    assert done.returncode == 0, done.stderr
    table = pyarrow.parquet.read_table(out)
    same = sum(a == b for a, b in zip(table["地址编码"].to_pylist(), table["code"].to_pylist(), strict=True))
    assert len(table) >= 750 and same >= 0.99 * len(table)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "三者之一"),
        (("x", "--reverse", "1,2"), "三者之一"),
        (("--reverse", "1"), "经度,纬度"),
        (("--reverse", "200,31"), "经度"),
        (("x", "-o", "out.csv"), "--file"),
        (("--file", "nowhere.csv"), "nowhere.csv"),
        (("--file", str(LUAN / "addresses.csv"), "--column", "门"), "--column"),
        (("--file", str(LUAN / "addresses.csv"), "-o", "out.txt"), ".parquet"),
        (("--file", str(LUAN / "addresses.csv"), "-o", str(LUAN / "addresses.csv")), "输入文件"),
    ],
)
def test_what_cannot_be_done_is_said(sample_city: str, words: tuple[str, ...], said: str) -> None:
    done = geocode(sample_city, *words)
    assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr
