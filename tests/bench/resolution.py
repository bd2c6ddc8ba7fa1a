"""How well and how fast rows are resolved: precision and recall on the sample's answer key and on seeded noise.

The thresholds were settled on the seeds of SETTLED_ON; what is reported is of another seed, and of the sample's own
file, which nothing was settled on.
"""

import csv
import io
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa

from gis.exchange.matching import AddressIndex
from gis.exchange.resolution import ResolveOptions, Verdict
from gis.exchange.resolution.asked import asked
from gis.exchange.resolution.preparation import entities_sides, persons_sides
from gis.exchange.resolution.resolution import Resolution
from gis.exchange.resolution.resolving import resolved
from tests.bench.address_city import LUAN, read_city
from tests.bench.resolution_noise import STRANGER, Row, noisy, noisy_entities

SETTLED_ON, HELD_OUT = (1, 2), 3
_ROWS = 4_000


@dataclass(frozen=True, slots=True)
class Score:
    """Of rows about registered persons `recall` were given to them; of those given to somebody `precision` rightly.

    `found` is the share that were given to them or laid before a clerk with the right candidate first; `strangers` the
    share of others' rows that were given to nobody; `clerk` the share of all rows that a clerk must look at.
    """

    rows: int
    precision: float
    recall: float
    found: float
    strangers: float
    clerk: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample city's persons as the register gives them, how they would write themselves, and its addresses."""

    register: pa.Table
    people: list[Row]
    numbers: dict[str, int]
    index: AddressIndex


def read_sample(folder: Path = LUAN) -> Sample:
    """Persons with a sound id number; a person's fid is his place among them."""
    city = read_city(folder)
    homes = {r["房屋编码"]: r for r in _rows(folder / "dwellings.csv", "gbk")}
    points = {t.code: (t.lon, t.lat) for t in city.truths}
    people = {r["公民身份号码"]: r for r in _rows(folder / "persons.csv", "gbk") if len(r["公民身份号码"]) == 18}
    rows = list(people.values())
    known = [homes.get(r["房屋编码"], {}) for r in rows]
    where = [points.get(f"D{h.get('建筑编码', '')}", (None, None)) for h in known]
    phones = [f"135{n * 7919 % 10**8:08d}" for n in range(len(rows))]
    register = pa.table(
        {
            "fid": pa.array(range(len(rows)), pa.int64()),
            "division": pa.array([int(h["区划代码"]) if h else None for h in known], pa.int64()),
            "lon": pa.array([p[0] for p in where], pa.float64()),
            "lat": pa.array([p[1] for p in where], pa.float64()),
            "sex": ["male" if r["性别"] == "男" else "female" for r in rows],
            "birth_date": pa.array(np.array([r["出生日期"] for r in rows], dtype="datetime64[D]")),
            "dwelling": [r["房屋编码"] for r in rows],
            "unit": [h.get("单元") for h in known],
            "room": [h.get("室号") for h in known],
            "citizen_id": [r["公民身份号码"] for r in rows],
            "name": [r["姓名"] for r in rows],
            "telephone": phones,
            "variants": pa.nulls(len(rows), pa.list_(pa.string())),
        }
    )
    written = [
        {"姓名": r["姓名"], "性别": r["性别"], "出生日期": r["出生日期"], "身份证号": r["公民身份号码"], "手机": phone,
         "现住址": h.get("标准地址", "")}
        for r, h, phone in zip(rows, known, phones, strict=True)
    ]  # fmt: skip
    return Sample(register, written, {n: k for k, n in enumerate(people)}, AddressIndex(city.register))


def resolve_in_memory(sample: Sample, table: pa.Table, options: ResolveOptions | None = None) -> Resolution:
    """Resolve a table against the sample's persons, without a database."""
    options = options or ResolveOptions()
    rows = asked("base.persons", table, options.columns)
    return resolved("base.persons", persons_sides(sample.register, rows, sample.index), options)


def evaluate(sample: Sample | None = None, seed: int | None = HELD_OUT, rows: int = _ROWS) -> Score:
    """The score on seeded noise, or without a seed on the sample's hospital visitors."""
    sample = sample or read_sample()
    if seed is None:
        table, truth = visitors(sample)
    else:
        made = noisy(sample.people, list(range(len(sample.people))), rows, seed)
        table, truth = made.table, made.truth
    start = time.perf_counter()
    found = resolve_in_memory(sample, table)
    return score(found, truth, time.perf_counter() - start)


def visitors(sample: Sample, folder: Path = LUAN) -> tuple[pa.Table, np.ndarray]:
    """The sample's hospital visitors, and whose each row is."""
    rows = _rows(folder / "deliveries" / "hospital_visitors.csv", "utf-8-sig")
    table = pa.table({name: [r[name] for r in rows] for name in rows[0]})
    answers = json.loads((folder / "resolution_answers.json").read_text("utf-8"))["rows"]
    truth = np.array([sample.numbers.get(a["citizen_id"], STRANGER) for a in answers], dtype=np.int64)
    return table, truth


def score(found: Resolution, truth: np.ndarray, seconds: float = 0.0) -> Score:
    """Compare answers with truths."""
    table = found.table()
    given = table["fid"].fill_null(STRANGER).to_numpy()
    first = table["candidate"].fill_null(STRANGER).to_numpy()
    clerk = found.decided.verdict == Verdict.CLERK
    known = truth != STRANGER
    right = (given == truth) & known
    return Score(
        rows=len(truth),
        precision=float(right.sum() / max((given != STRANGER).sum(), 1)),
        recall=float(right.sum() / max(known.sum(), 1)),
        found=float((right | known & (first == truth)).sum() / max(known.sum(), 1)),
        strangers=float((given == STRANGER)[~known].mean()) if (~known).any() else 1.0,
        clerk=float(clerk.mean()),
        seconds=seconds,
    )


def read_entities(folder: Path = LUAN) -> pa.Table:
    """The sample's legal entities with a sound code, as the register gives them; a fid is a row's place."""
    lines = openpyxl.load_workbook(folder / "entities.xlsx")["法人单位"].iter_rows(values_only=True)
    rows = [r for r in list(lines)[2:] if r[0] and len(str(r[0])) == 18 and r[1]]
    count = len(rows)
    return pa.table(
        {
            "fid": pa.array(range(count), pa.int64()),
            "division": pa.array([int(r[10]) if r[10] else None for r in rows], pa.int64()),
            "lon": pa.nulls(count, pa.float64()),
            "lat": pa.nulls(count, pa.float64()),
            "credit_code": [str(r[0]) for r in rows],
            "name": [str(r[1]).strip() for r in rows],
            "site": [f"D{r[10]}{k // 3:06d}" for k, r in enumerate(rows)],
            "representative": [str(r[7] or "") for r in rows],
            "representative_id": [str(r[8] or "") for r in rows],
        }
    )


def resolve_entities(register: pa.Table, table: pa.Table) -> Resolution:
    """Resolve a table against entities, without a database."""
    sides = entities_sides(register, asked("base.entities", table, {}), None, ("安徽省", "六安市", "金安区", "裕安区"))
    return resolved("base.entities", sides, ResolveOptions())


def evaluate_entities(register: pa.Table | None = None, seed: int = HELD_OUT, rows: int = 1_000) -> Score:
    """The score on seeded noise about the sample's entities."""
    register = register or read_entities()
    table, truth = noisy_entities(register.to_pylist(), rows, seed)
    start = time.perf_counter()
    found = resolve_entities(register, table)
    return score(found, truth, time.perf_counter() - start)


def bench() -> dict[str, dict[str, float]]:
    """All scores, by what they were measured on; printed as they come."""
    sample = read_sample()
    found = {}
    for name, seed in (*((f"seed {s}, settled on", s) for s in SETTLED_ON), (f"seed {HELD_OUT}, held out", HELD_OUT),
                       ("hospital visitors", None)):  # fmt: skip
        found[name] = asdict(evaluate(sample, seed))
        print(name, {k: round(v, 4) for k, v in found[name].items()})
    for seed in (*SETTLED_ON, HELD_OUT):
        found[f"entities, seed {seed}"] = asdict(evaluate_entities(seed=seed))
        print(f"entities, seed {seed}", {k: round(v, 4) for k, v in found[f"entities, seed {seed}"].items()})
    return found


def _rows(path: Path, encoding: str) -> list[Row]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding=encoding))))
