"""Whether the server says rightly that it lives, and that it can be asked."""

import asyncio
from typing import Any

import pytest

from gis import errors
from gis.query.statement import Statement
from gis.store.database import AsyncDatabase
from gis.store.migrated import Expected
from layers import LAYERS
from tests.api.served_city import SampleCity

CHECKS = ("database", "migrations", "changes")


def test_all_is_well(city: SampleCity) -> None:
    found = city.get("/health").json()
    assert found["status"] == "ready" and {found[name] for name in CHECKS} == {"ok"}
    assert found["round_trip_ms"] > 0 and found["changes_age_s"] >= 0 and found["worker"] == "none"
    assert found["pool"]["most"] >= found["pool"]["size"] >= 1
    assert city.get("/health/ready").json() == {"status": "ready", **dict.fromkeys(CHECKS, "ok")}
    assert city.get("/health/live").json() == {"status": "alive"}


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready"])
def test_each_is_of_the_moment_and_takes_no_parameters(city: SampleCity, path: str) -> None:
    assert city.get(path).headers["cache-control"] == "no-store"
    assert city.get(path, "HEAD").status_code == 200
    assert city.get(f"{path}?deep=1").json()["subject"] == "deep"


def test_alive_without_a_database(city: SampleCity, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(*_: Any) -> Any:
        raise errors.Unavailable("the database does not answer", "数据库无响应")

    monkeypatch.setattr(AsyncDatabase, "rows", gone)
    for path in ("/health", "/health/ready"):
        answer = city.get(path)
        assert answer.status_code == 503 and answer.headers["retry-after"] == "2"
        assert answer.json()["status"] == "alive" and answer.json()["database"] == "unavailable"
    assert city.get("/health/live").status_code == 200


def test_a_database_that_hangs_is_not_waited_for(city: SampleCity, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hangs(*_: Any) -> Any:
        await asyncio.sleep(60)

    monkeypatch.setattr(AsyncDatabase, "rows", hangs)
    monkeypatch.setattr("api.health._PATIENCE_S", 0.05)
    assert city.get("/health/ready").json()["database"] == "unavailable"


def test_tables_of_another_program_are_not_served_as_ready(city: SampleCity, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = AsyncDatabase.rows

    async def newer(self: AsyncDatabase, statement: Statement) -> Any:
        found = await rows(self, statement)
        return [(s, "9999" if s == "base" else r) for s, r in found] if "version_num" in statement.sql else found

    monkeypatch.setattr(AsyncDatabase, "rows", newer)
    answer = city.get("/health/ready")
    assert answer.status_code == 503 and answer.json()["migrations"] == "other revision: base"


def test_a_log_that_cannot_be_read_is_not_ready(city: SampleCity, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(_: Any) -> None:
        raise errors.Unavailable("the log of changes cannot be read", "无法读取变更记录")

    monkeypatch.setattr("gis.store.changes.Changes.settled", lost)
    answer = city.get("/health")
    assert answer.status_code == 503 and answer.json()["changes"] == "unavailable" and answer.json()["database"] == "ok"


def test_what_is_expected_is_what_migrations_lead_to() -> None:
    expected = Expected.of(LAYERS)
    assert {schema for schema, _ in expected.revisions} >= {"core", "base", "exchange"}
    assert expected.missing(expected.revisions) == []
    assert expected.missing([]) == sorted({schema for schema, _ in expected.revisions})
