"""Resolution on the sample city: precision and recall on held-out noise and on the answer key, and the command."""

import csv
import json

import numpy as np
import openpyxl
import psycopg
import pyarrow as pa
import pytest

from gis.access import PUBLIC
from gis.catalog import Catalogue
from gis.errors import Forbidden
from gis.exchange.resolution import ResolveOptions, resolve
from gis.settings import CHECKOUT
from gis.store.database import Database
from layers import LAYERS
from tests.bench import resolution as bench
from tests.commands import onemap

LUAN = CHECKOUT / "data-samples" / "luan"


@pytest.fixture(scope="module")
def firms() -> pa.Table:
    return bench.read_entities()


@pytest.mark.parametrize(
    ("row", "verdict", "fid"),
    [
        ({"企业名称": "嘉禾商贸有限责任公司", "法定代表人": "毛涓", "地址编码": "D341502001008000000"}, "same", 0),
        ({"企业名称": "六安市润泽置业有限公司", "法人证件号码": "341525198512285952"}, "same", 1),
        ({"统一社会信用代码": "91341502MA22Y2OR4W", "企业名称": "卓越物流有限公司"}, "same", 2),
        ({"统一社会信用代码": "91341502MA22Y20R4W", "企业名称": "六安市安丰建筑工程有限公司"}, "clerk", None),
        ({"企业名称": "六安市嘉禾商贸有限公司"}, "clerk", None),
        ({"企业名称": "合肥宏图电子有限公司", "法定代表人": "赵六"}, "different", None),
    ],
)
def test_entities(firms, row, verdict, fid):
    table = pa.table({name: [value] for name, value in row.items()})
    found = bench.resolve_entities(firms, table)
    assert (found.table()["verdict"][0].as_py(), found.table()["fid"][0].as_py()) == (verdict, fid)


def test_precision_and_recall_of_entities(firms):
    score = bench.evaluate_entities(firms)
    print(score)
    assert score.precision >= 0.98
    assert score.recall >= 0.85


@pytest.fixture(scope="module")
def sample() -> bench.Sample:
    return bench.read_sample()


@pytest.mark.parametrize(
    ("seed", "precision", "recall"), [(bench.HELD_OUT, 0.995, 0.955), (None, 0.995, 0.965)],
    ids=["held-out noise", "hospital visitors"],
)  # fmt: skip
def test_precision_and_recall(sample, seed, precision, recall):
    score = bench.evaluate(sample, seed)
    print(score)
    assert score.precision >= precision
    assert score.recall >= recall
    assert score.found >= 0.985
    assert score.strangers >= 0.97
    assert score.clerk <= 0.10


def test_the_sample_city_is_asked_as_it_stands(sample_city):
    with (LUAN / "deliveries" / "hospital_visitors.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    answers = json.loads((LUAN / "resolution_answers.json").read_text("utf-8"))["rows"]
    table = pa.table({name: [r[name] for r in rows] for name in rows[0]})
    database = Database(sample_city)
    try:
        found = resolve(database, Catalogue(LAYERS), "base.persons", table)
        with pytest.raises(Forbidden):
            resolve(database, Catalogue(LAYERS), "base.persons", table, ResolveOptions(identity=PUBLIC))
    finally:
        database.close()
    with psycopg.connect(sample_city) as conn:
        fids = dict(conn.execute("SELECT i.citizen_id, i.fid FROM base.persons_identifier i").fetchall())
        registered = {fid for (fid,) in conn.execute("SELECT fid FROM base.persons")}
    truth = np.array([fids.get(a["citizen_id"], bench.STRANGER) for a in answers])
    truth[~np.isin(truth, list(registered))] = bench.STRANGER
    score = bench.score(found, truth)
    print(score)
    assert (truth != bench.STRANGER).mean() > 0.5
    assert score.precision >= 0.99
    assert score.recall >= 0.95


def test_entities_of_the_sample_city_are_found_by_name_and_head(sample_city):
    with psycopg.connect(sample_city) as conn:
        rows = conn.execute(
            "SELECT e.fid, replace(e.name, '有限公司', '有限责任公司'), i.name, a.text FROM base.entities e"
            " JOIN base.persons_identifier i ON i.fid = e.representative JOIN base.addresses a ON a.code = e.site"
            " WHERE e.name IN (SELECT name FROM base.entities GROUP BY name HAVING count(*) = 1)"
            " ORDER BY e.fid LIMIT 60"
        ).fetchall()
    assert len(rows) > 20
    table = pa.table({"企业名称": [r[1] for r in rows], "法人姓名": [r[2] for r in rows], "地址": [r[3] for r in rows]})
    database = Database(sample_city)
    try:
        found = resolve(database, Catalogue(LAYERS), "base.entities", table).table()
    finally:
        database.close()
    given = found["fid"].to_pylist()
    right = sum(fid == row[0] for fid, row in zip(given, rows, strict=True))
    assert right >= 0.9 * len(rows)
    assert right == len(rows) - given.count(None)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_the_command_writes_an_answer_for_every_row(sample_city, tmp_path, suffix):
    file, out = tmp_path / "挂号.csv", tmp_path / f"answers{suffix}"
    file.write_text("姓名,出生日期,证件号\n欧阳不存在,1901-01-01,\n,,\n陈某,,\n", encoding="gbk")
    ran = onemap("resolve", "base.persons", str(file), "-o", str(out), "--json", ONEMAP_DATABASE_URL=sample_city)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["rows"] == 2
    if suffix == ".xlsx":
        head, *lines = openpyxl.load_workbook(out).active.iter_rows(values_only=True)
        rows = [{k: str(v or "") for k, v in zip(head, line, strict=True)} for line in lines]
    else:
        with out.open(encoding="utf-8-sig", newline="") as written:
            rows = list(csv.DictReader(written))
    assert [r["row"] for r in rows] == ["2", "4"]
    assert rows[0]["verdict"] == "different"
    assert all(r["reasons"] for r in rows)
