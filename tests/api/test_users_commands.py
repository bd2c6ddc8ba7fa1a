"""`onemap users` and `onemap keys`: accounts and keys from the machine itself."""

import json
from typing import Any

import pytest

from gis.store.database import Database
from gis.store.sign_in import Attempt, SignIn
from tests.commands import onemap

PASSWORD = "Kestrel-over-9-moors"


def test_accounts_from_the_first_to_the_last_command(database_url: str) -> None:
    def run(*words: str, fails: bool = False) -> Any:
        done = onemap(*words, "--json", ONEMAP_DATABASE_URL=database_url)
        assert (done.returncode != 0) == fails, done.stderr + done.stdout
        return json.loads(done.stderr if fails else done.stdout)

    made = run("users", "add", "Li.Si", "--person", "李四 007", "--role", "duty", "--division", "341502")
    assert (made["name"], made["role"], made["divisions"]) == ("li.si", "duty", [[341502000000, 341502999999]])
    database = Database(database_url)
    door = SignIn(database)
    once = made["one_time_password"]
    assert door.sign_in(Attempt("li.si", once, "127.0.0.1", new_password=PASSWORD)).account.role == "duty"
    assert run("users", "add", "li.si", "--person", "李四", fails=True)["kind"] == "Conflict"
    assert run("users", "role", "li.si", "system_admin")["divisions"] == []
    run("users", "add", "li.si2", "--person", "李四 007")
    assert run("users", "role", "li.si2", "audit_admin", fails=True)["kind"] == "Conflict"
    assert run("users", "disable", "li.si")["disabled_at"] is not None
    assert run("users", "enable", "li.si", "--days", "3")["expires_at"] is not None
    again = run("users", "reset", "li.si", "--factor")["one_time_password"]
    assert again != once
    assert run("users", "unlock", "li.si")["name"] == "li.si"
    listed = run("users", "list")["users"]
    assert [one["name"] for one in listed] == ["li.si", "li.si2"] and again not in json.dumps(listed)
    words = onemap("users", "list", ONEMAP_DATABASE_URL=database_url, ONEMAP_LANG="zh").stdout
    assert "李四 007" in words and "system_admin" in words
    database.close()


@pytest.mark.parametrize("wrong", [("--role", "system_admin"), ("--collection", "no.such"), ("--division", "9x")])
def test_keys_of_systems(database_url: str, wrong: tuple[str, str]) -> None:
    refused = onemap("keys", "issue", "bus", *wrong, "--json", ONEMAP_DATABASE_URL=database_url)
    assert refused.returncode == 1 and wrong[1] in refused.stderr
    done = onemap("keys", "issue", "bus", "--role", "analyst", "--collection", "base.pois", "--per-minute", "60",
                  "--json", ONEMAP_DATABASE_URL=database_url)  # fmt: skip
    made = json.loads(done.stdout)
    assert made["collections"] == ["base.pois"] and made["writes"] is False and made["per_minute"] == 60
    listed = onemap("keys", "list", "--json", ONEMAP_DATABASE_URL=database_url).stdout
    assert [one["name"] for one in json.loads(listed)["keys"]] == ["bus"] and made["key"] not in listed
