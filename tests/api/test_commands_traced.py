"""What administrators do by commands is in the trace: who at the machine, what, on whom, how it ended, no secret."""

import getpass
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api.clerk_key import clerk_key
from tests.commands import onemap

POLICY = {"grants": [{"roles": ["public"], "hidden": ["telephone"]}]}


class Machine:
    """A machine with a city of its own; what its commands print is JSON."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder

    def __call__(self, *words: str, fails: bool = False) -> Any:
        done = onemap(*words, "--json", ONEMAP_HOME=str(self.folder / "home"), ONEMAP_DATABASE_URL=self.url)
        assert (done.returncode != 0) == fails, done.stderr + done.stdout
        return {} if fails else json.loads(done.stdout)

    def entries(self) -> list[tuple[str, ...]]:
        """Event, outcome, role, who, collection and detail of each entry, the oldest first."""
        with psycopg.connect(self.url) as conn:
            return conn.execute(
                "SELECT event, outcome, role, who, collection, detail FROM access.trace ORDER BY number"
            ).fetchall()


@pytest.fixture
def machine(database_url: str, tmp_path: Path) -> Machine:
    (tmp_path / "policy.json").write_text(json.dumps(POLICY))
    return Machine(database_url, tmp_path)


#: A command → its event, and facts of its entry.
DONE: list[tuple[tuple[str, ...], str, dict[str, Any]]] = [
    (("users", "add", "li.si", "--person", "李四 007", "--role", "duty", "--division", "3415"), "users_changed",
     {"act": "add", "account": "li.si", "role": "duty"}),
    (("users", "role", "li.si", "staff", "--division", "341502"), "users_changed",
     {"act": "role", "account": "li.si", "role": "staff"}),
    (("users", "disable", "li.si"), "users_changed", {"act": "disable", "account": "li.si"}),
    (("users", "enable", "li.si", "--days", "3"), "users_changed", {"act": "enable", "account": "li.si"}),
    (("users", "reset", "li.si", "--factor"), "users_changed", {"act": "reset", "account": "li.si", "factor": True}),
    (("users", "unlock", "li.si"), "users_changed", {"act": "unlock", "account": "li.si"}),
    (("keys", "add", "police"), "keys_changed", {"act": "add", "department": "police", "key": 1}),
    (("keys", "issue", "bus", "--role", "analyst"), "keys_changed",
     {"act": "add", "role": "analyst", "for": "bus", "key": 2}),
    (("keys", "revoke", "2"), "keys_changed", {"act": "revoke", "key": 2}),
    (("policy", "set", "base.pois", "{folder}/policy.json", "--why", "complaints", "--by", "li"), "policies_changed",
     {"act": "set", "by": "li", "version": 1}),
    (("policy", "reset", "base.pois", "--why", "settled"), "policies_changed",
     {"act": "reset", "by": "owner", "version": 2}),
    (("emergency", "declare", "flood", "--division", "341503", "--why", "rain", "--by", "li"), "emergency",
     {"act": "declare", "by": "li", "emergency": 1}),
    (("emergency", "end", "1"), "emergency", {"act": "end", "by": "owner", "emergency": 1}),
]  # fmt: skip
#: What cannot be done leaves an entry as well.
FAILED: list[tuple[tuple[str, ...], str, dict[str, Any]]] = [
    (("users", "add", "x", "--person", "y"), "users_changed", {"act": "add", "account": "x"}),
    (("users", "disable", "nobody"), "users_changed", {"act": "disable", "account": "nobody"}),
    (("keys", "issue", "bus", "--role", "boss"), "keys_changed", {"act": "add", "role": "boss"}),
    (("policy", "reset", "base.pois", "--why", " "), "policies_changed", {"act": "reset"}),
    (("emergency", "end", "99"), "emergency", {"act": "end", "emergency": 99}),
]


def test_every_command_that_changes_rights_is_traced(machine: Machine) -> None:
    secrets: list[str] = []
    for words, event, facts in DONE:
        before = len(machine.entries())
        told = machine(*(word.format(folder=machine.folder) for word in words))
        secrets += [told[name] for name in ("one_time_password", "key") if isinstance(told.get(name), str)]
        (entry,) = machine.entries()[before:]
        assert entry[:4] == (event, "success", "owner", f"owner ({getpass.getuser()})"), words
        assert facts.items() <= json.loads(entry[5]).items(), words
        assert entry[4] == ("base.pois" if event == "policies_changed" else ""), words
    assert len(secrets) == 4
    assert not any(secret in str(machine.entries()) for secret in secrets)
    for listed in (("users", "list"), ("keys", "list"), ("emergency", "list"), ("policy", "show", "base.pois")):
        machine(*listed)
    assert len(machine.entries()) == len(DONE)


def test_what_could_not_be_done_is_traced_too(machine: Machine) -> None:
    for words, event, facts in FAILED:
        before = len(machine.entries())
        machine(*words, fails=True)
        (entry,) = machine.entries()[before:]
        assert entry[:3] == (event, "failed", "owner"), words
        assert facts.items() <= json.loads(entry[5]).items(), words


def test_the_data_centres_own_key_is_traced(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    home = machine.folder / "home"
    home.mkdir()
    monkeypatch.setenv("ONEMAP_HOME", str(home))
    key = clerk_key(home, machine.url)
    assert clerk_key(home, machine.url) == key
    ((event, outcome, _, _, _, detail),) = machine.entries()
    assert (event, outcome, json.loads(detail)["department"]) == ("keys_changed", "success", "*")
    assert key not in detail
