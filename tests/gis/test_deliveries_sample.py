"""The sample city's deliveries: every seeded fault comes back with its reason, no clean row does, facts are as told.

The files' answer key decides. At a torture scale of 1 the city has a million people.
"""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from psycopg import sql

from gis.exchange.delivery.pseudonym import person_fids, secret
from gis.settings import CHECKOUT
from gis.store.cluster import Cluster
from tests.gis.register_deliveries import SHANGHAI

PEOPLE = 1_000_000
PATIENCE_S = 6_000
#: A fault: file, row, reason; and the item, where the key tells it.
Fault = tuple[str, int, str, str]


@dataclass(frozen=True)
class Sample:
    """A city with its deliveries made, and what must have come of them."""

    url: str
    folder: Path

    @cached_property
    def deliveries(self) -> list[dict[str, Any]]:
        """The list of what was handed over, in order."""
        return self._told("deliveries.json")["deliveries"]  # type: ignore[no-any-return]

    @cached_property
    def answers(self) -> dict[str, Any]:
        """The answer key."""
        return self._told("deliveries_answers.json")

    def _told(self, name: str) -> dict[str, Any]:
        return json.loads((self.folder / name).read_text("utf-8"))  # type: ignore[no-any-return]

    def rows(self, statement: str, *args: object) -> list[Any]:
        """Ask the database."""
        with psycopg.connect(self.url, autocommit=True) as conn:
            return conn.execute(statement, args).fetchall()

    @cached_property
    def files(self) -> dict[int, str]:
        """The file of each delivery."""
        names = {Path(entry["file"]).name: entry["file"] for entry in self.deliveries}
        return {number: names[file] for number, file in self.rows("SELECT id, file FROM exchange.delivery")}

    def raised(self) -> list[tuple[str, Fault, str]]:
        """Every task ever raised: by which file, the fault, and the item whatever the key tells."""
        found = self.rows("SELECT raised_by, delivery, src_row, reason, item FROM exchange.returned")
        return [
            (self.files[by], (self.files[delivery], row, reason, ""), item) for by, delivery, row, reason, item in found
        ]

    def expected(self) -> dict[tuple[str, Fault], str]:
        """By raising file and fault without its item: the item, where the key tells one."""
        found = {}
        for file, answer in self.answers["files"].items():
            for fault in answer["returned"]:
                found[file, (file, fault["row"], fault["reason"], "")] = fault.get("item", "")
            for fault in answer["raises"]:
                found[file, (fault["file"], fault["row"], fault["reason"], "")] = fault.get("item", "")
        return found


@pytest.fixture(scope="module")
def sample(
    request: pytest.FixtureRequest, cluster: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory,
    torture_scale: float,
) -> Iterator[Sample]:  # fmt: skip
    if torture_scale < 1:
        yield Sample(request.getfixturevalue("sample_city"), CHECKOUT / "data-samples" / "luan")
        return
    folder, name = tmp_path_factory.mktemp("million"), f"test_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    made, own = sql.Identifier(template), sql.Identifier(name)
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(own, made))
        try:
            run(["data-samples/generate.py", "--people", str(PEOPLE), "--out", str(folder)], {})
            home = {"ONEMAP_DATABASE_URL": cluster.url(name), "ONEMAP_HOME": str(folder / "home")}
            run(["-m", "api.cli", "demo", "--from", str(folder)], home)
            yield Sample(cluster.url(name), folder)
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(own))


def run(arguments: list[str], variables: dict[str, str]) -> None:
    ran = subprocess.run(
        [sys.executable, *arguments], cwd=CHECKOUT, env=os.environ | variables, capture_output=True, text=True,
        timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, f"{arguments}:\n{ran.stdout[-2000:]}\n{ran.stderr[-2000:]}"


@pytest.mark.torture
def test_every_seeded_fault_is_returned_and_no_clean_row(sample: Sample) -> None:
    expected, raised = sample.expected(), sample.raised()
    found = {(by, fault) for by, fault, _ in raised}
    missed, clean = set(expected) - found, found - set(expected)
    delivered = sum(answer["rows"] for answer in sample.answers["files"].values())
    print(f"\n{len(expected) - len(missed)} of {len(expected)} faults found; {len(clean)} of {delivered} rows in vain")
    assert sorted(missed) == []
    assert sorted(clean) == []
    told = [(expected[by, fault], item) for by, fault, item in raised if expected[by, fault]]
    assert [pair for pair in told if pair[0] != pair[1]] == [], "the right row, the wrong item"


@pytest.mark.torture
def test_accounts_are_those_of_the_list(sample: Sample) -> None:
    parts = ("delivered", "accepted", "unchanged", "returned")
    columns = ", ".join(f"rows_{part}" for part in parts)
    found = {
        sample.files[number]: {"rows": dict(zip(parts, counts, strict=True)), "reasons": reasons, "ended": ended}
        for number, reasons, ended, *counts in sample.rows(
            f"SELECT id, reasons, ended, {columns} FROM exchange.delivery WHERE state = 'done'"
        )
    }
    assert found == {entry["file"]: entry["expected"] for entry in sample.deliveries}
    off = "facts_delivered <> facts_accepted + facts_unchanged + facts_returned"
    assert sample.rows(f"SELECT file FROM exchange.delivery WHERE {off}") == []


@pytest.mark.torture
def test_corrected_rows_close_the_tasks_that_they_answer(sample: Sample) -> None:
    states: dict[tuple[str, int], set[tuple[str, str | None]]] = {}
    for delivery, row, state, closer in sample.rows(
        "SELECT delivery, src_row, state, closed_by FROM exchange.returned"
    ):
        states.setdefault((sample.files[delivery], row), set()).add((state, sample.files.get(closer)))
    answers = [
        (file, answer["file"], answer["of"])
        for file, told in sample.answers["files"].items()
        for answer in told["answers"]
        if answer["keyed"]
    ]
    assert answers
    assert [a for a in answers if states[a[1], a[2]] != {("answered", a[0])}] == []


def noon(day: str) -> datetime:
    return datetime.combine(datetime.fromisoformat(day), time(12), SHANGHAI)


@pytest.mark.torture
def test_people_live_where_they_were_said_to_live(sample: Sample) -> None:
    told = sample.answers["facts"]["persons"]
    with psycopg.connect(sample.url) as conn:
        fids = person_fids(pa.array([person["citizen_id"] for person in told]), secret(conn)).tolist()
        wrong, asked = [], 0
        for person, fid in zip(told, fids, strict=True):
            for day, fact in person["on"].items():
                found = conn.execute(
                    "SELECT dwelling FROM base.persons WHERE fid = %s AND valid_from <= %s AND valid_to > %s",
                    (fid, noon(day), noon(day)),
                ).fetchall()
                asked += 1
                if found != ([(fact.get("dwelling"),)] if fact["registered"] else []):
                    wrong.append((person["part"], day, fact, found))
    print(f"\n{asked - len(wrong)} of {asked} facts of where people live are right")
    assert wrong == []


@pytest.mark.torture
def test_counts_of_days_are_those_told(sample: Sample) -> None:
    facts = sample.answers["facts"]
    valid = "valid_from <= %s AND valid_to > %s"
    for day, count in facts["registered"].items():
        assert sample.rows(f"SELECT count(*) FROM base.persons WHERE {valid}", *[noon(day)] * 2) == [(count,)], day
    for day, count in facts["entities_registered"].items():
        assert sample.rows(f"SELECT count(*) FROM base.entities WHERE {valid}", *[noon(day)] * 2) == [(count,)], day
    for day, villages in facts["population"].items():
        found = sample.rows(
            "SELECT division::text, count(*) FROM base.persons WHERE division IS NOT NULL"
            f" AND {valid} GROUP BY 1 ORDER BY 1",
            *[noon(day)] * 2,
        )
        assert dict(found) == villages, day
    for entity in facts["entities"]:
        for day, name in entity["name_on"].items():
            found = sample.rows(
                f"SELECT name FROM base.entities WHERE credit_code = %s AND {valid}",
                entity["credit_code"], *[noon(day)] * 2,
            )  # fmt: skip
            assert found == ([(name,)] if name else []), (entity["part"], day)
