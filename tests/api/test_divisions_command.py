"""`onemap divisions`: history of the sample's divisions, and what its grids share."""

import csv
import json
from pathlib import Path

import psycopg
import pytest

from tests.commands import onemap


def ask(url: str, *words: str) -> dict[str, object]:
    done = onemap("divisions", *words, "--json", ONEMAP_DATABASE_URL=url)
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_shares_of_a_source_add_to_one(sample_city: str, tmp_path: Path) -> None:
    out = tmp_path / "shares.csv"
    facts = ask(sample_city, "crosswalk", "divisions:4", "grids:police", "-o", str(out))
    rows = list(csv.DictReader(out.read_text("utf-8-sig").splitlines()))
    assert facts["pairs"] == len(rows) > 10
    shares: dict[str, float] = {}
    for row in rows:
        shares[row["source"]] = shares.get(row["source"], 0.0) + float(row["area_share"])
    assert list(shares.values()) == pytest.approx([1.0] * len(shares))


def test_a_stated_link_is_part_of_the_history(database_url: str) -> None:
    old, new = "341502002000", "341502003000"
    with psycopg.connect(database_url) as conn:
        conn.execute("INSERT INTO base.divisions_id (fid, key, since) VALUES (1, %s, 1), (2, %s, 1)", (old, new))
    ask(database_url, "link", old, "merge", new, "--date", "2020-01-01")
    after = ask(database_url, "history", old)
    assert after["predecessors"] == []
    assert after["successors"] == [
        {"at": "2019-12-31T16:00:00+00:00", "code": old, "successor": new, "kind": "merge", "stated": True}
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("crosswalk", "streets", "grids:police"), "neither divisions:LEVEL nor grids:KIND"),
        (("crosswalk", "divisions:9", "grids:police"), "levels 1 to 5"),
        (("crosswalk", "divisions:9", "grids:police", "-o", "shares.xlsx"), "the file is .csv or .parquet"),
        (("link", "341502002999", "merge", "341502003000", "--date", "2020-01-01"), "no division has or had the code"),
        (("link", "341502002000", "eaten", "341502003000", "--date", "2020-01-01"), "is not one of split"),
    ],
)
def test_what_cannot_be_done_is_said(sample_city: str, words: tuple[str, ...], said: str) -> None:
    done = onemap("divisions", *words, ONEMAP_DATABASE_URL=sample_city, ONEMAP_LANG="en")
    assert done.returncode == 1 and said in done.stderr
