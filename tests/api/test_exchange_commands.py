"""The exchange at the command line: keys made, shown once and ended; returned rows listed and written out."""

import json
import stat
import time
from pathlib import Path

import psycopg
import pytest
from openpyxl import load_workbook

from api.clerk_key import clerk_key, clerk_key_file
from api.credentials import LOOK_EVERY_S
from gis.access import keys
from tests.api.exchange_city import ExchangeCity, person
from tests.commands import onemap


def _ask(exchange: ExchangeCity, *words: str) -> dict[str, object]:
    done = onemap(*words, "--json", ONEMAP_DATABASE_URL=exchange.url, ONEMAP_HOME=str(exchange.home))
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_the_life_of_a_key(exchange: ExchangeCity) -> None:
    made = _ask(exchange, "keys", "add", "market", "--days", "2")
    headers = {"authorization": f"Bearer {made['key']}"}
    assert exchange.ask("/exchange/me", None, headers=headers).json()["department"] == "market"
    listed = _ask(exchange, "keys", "list")
    assert str(made["key"]).partition("-")[2] not in json.dumps(listed) and made["expires_at"]
    assert _ask(exchange, "keys", "revoke", str(made["id"]))["revoked_at"]
    # a server looks for revocations twice a second
    deadline = time.monotonic() + 20
    while exchange.ask("/exchange/me", None, headers=headers).status_code != 401:
        assert time.monotonic() < deadline
        time.sleep(LOOK_EVERY_S / 5)


@pytest.mark.parametrize("words", [("add", "nobody"), ("add", "Police"), ("revoke", "99999")])
def test_what_cannot_be_is_said(exchange: ExchangeCity, words: tuple[str, ...]) -> None:
    done = onemap("keys", *words, ONEMAP_DATABASE_URL=exchange.url, ONEMAP_HOME=str(exchange.home), LANG="en_GB.UTF-8")
    assert done.returncode == 1 and done.stderr.startswith("Error: there is no")


def test_the_clerks_key_is_made_once_and_again_when_it_has_ended(exchange: ExchangeCity) -> None:
    first = clerk_key(exchange.home, exchange.url)
    path = clerk_key_file(exchange.home)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and path.read_text().strip() == first
    assert clerk_key(exchange.home, exchange.url) == first
    with psycopg.connect(exchange.url, autocommit=True) as conn:
        assert keys.holder(conn, first).department == "*"
        keys.revoke(conn, int(first.partition("-")[0]))
    second = clerk_key(exchange.home, exchange.url)
    assert second != first and path.read_text().strip() == second


def test_returned_rows_are_listed_and_written(exchange: ExchangeCity, tmp_path: Path) -> None:
    found = exchange.hand_over([person(1), person(2, 身份证号="3"), person(3, 身份证号="[4]")], mode="incremental")
    listed = _ask(exchange, "returned", "--department", "police")
    assert listed["matched"] == 2
    into = tmp_path / "back.xlsx"
    assert _ask(exchange, "returned", "--delivery", str(found["id"]), "-o", str(into))["rows"] == 2
    assert [row[0] for row in load_workbook(into).active.values] == ["身份证号", "3", "[4]"]
    shown = onemap("returned", ONEMAP_DATABASE_URL=exchange.url, ONEMAP_HOME=str(exchange.home), LANG="zh_CN.UTF-8")
    assert shown.returncode == 0 and "退回 2 项" in shown.stdout
    wrong = onemap("returned", "-o", "x.csv", ONEMAP_DATABASE_URL=exchange.url, LANG="en_GB.UTF-8")
    assert wrong.returncode == 1 and "--delivery N" in wrong.stderr
