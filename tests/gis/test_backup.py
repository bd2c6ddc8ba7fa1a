"""A backup comes back whole or not at all."""

from pathlib import Path

import psycopg
import pytest

from gis.errors import BadInput, Conflict, OneMapError, Unavailable
from gis.store.backup import backup, restore


def nothing(_what: str, _done: int, _total: int) -> None:
    return


def words(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [word for (word,) in connection.execute("SELECT word FROM said ORDER BY word")]


@pytest.fixture
def city(database_url: str) -> str:
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE said (word text, place geometry(Point, 4326))")
        connection.execute("INSERT INTO said VALUES ('六安', ST_SetSRID(ST_Point(116.5, 31.7), 4326))")
    return database_url


def say(url: str, word: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO said VALUES (%s)", [word])


def test_there_and_back(city: str, tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    size = backup(city, tmp_path / "city.dump", lambda *step: steps.append(step))
    assert size == (tmp_path / "city.dump").stat().st_size > 0
    assert "said" in "".join(what for what, _, _ in steps)
    say(city, "后来")
    finished: list[str] = []
    restore(city, tmp_path / "city.dump", nothing, replace=True, finish=finished.append)
    assert words(city) == ["六安"]
    assert len(finished) == 1
    with psycopg.connect(city) as connection:
        assert connection.execute("SELECT ST_AsText(place) FROM said").fetchone() == ("POINT(116.5 31.7)",)
        left = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE current_database() || '_re%'")
        assert left.fetchall() == []


def test_what_is_there_is_not_replaced_unasked(city: str, tmp_path: Path) -> None:
    backup(city, tmp_path / "city.dump", nothing)
    with pytest.raises(Conflict, match="--replace"):
        restore(city, tmp_path / "city.dump", nothing, replace=False, finish=nothing_to_finish)
    assert words(city) == ["六安"]


def nothing_to_finish(_url: str) -> None:
    return


def fail(_url: str) -> None:
    raise BadInput("no", "不")


@pytest.mark.parametrize("fault", ["cut short", "no backup", "missing", "a folder", "migration fails"])
def test_a_restore_that_fails_leaves_what_was_there(city: str, tmp_path: Path, fault: str) -> None:
    path = tmp_path / "city.dump"
    backup(city, path, nothing)
    match fault:
        case "cut short":
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        case "no backup":
            path.write_text("CREATE TABLE x ()")
        case "missing":
            path.unlink()
        case "a folder":
            path = tmp_path
    finish = fail if fault == "migration fails" else nothing_to_finish
    with pytest.raises((BadInput, Unavailable)) as caught:
        restore(city, path, nothing, replace=True, finish=finish)
    assert isinstance(caught.value, OneMapError)
    assert words(city) == ["六安"]


def test_open_sessions_do_not_hold_a_restore_up(city: str, tmp_path: Path) -> None:
    backup(city, tmp_path / "city.dump", nothing)
    with psycopg.connect(city, autocommit=True) as idle:
        idle.execute("SELECT 1")
        restore(city, tmp_path / "city.dump", nothing, replace=True, finish=nothing_to_finish)
        with pytest.raises(psycopg.OperationalError):
            idle.execute("SELECT 1")
    assert words(city) == ["六安"]


def test_a_backup_into_a_folder_that_is_not_there(city: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is not a folder"):
        backup(city, tmp_path / "nowhere" / "city.dump", nothing)
