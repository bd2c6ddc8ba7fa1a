"""Accounts in the tables: who of the administrators may change what, whatever the program says."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import argon2
import psycopg
import pytest
from psycopg import errors

from gis.access import passwords
from gis.errors import BadInput, Conflict, Forbidden, NotFound, NotSignedIn
from gis.store import accounts, factors, failures, sessions
from gis.store.accounts import AT_THE_MACHINE, ITSELF, Account
from gis.store.cluster import Cluster
from gis.store.database import Database
from gis.store.sessions import Lifetime
from gis.store.sign_in import Attempt, SignIn
from tests.conftest import copied_database

OWN = "Kestrel-over-9-moors"
OFFICES = ("system_admin", "security_admin", "audit_admin")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that cost little: what is tested here is what becomes of them."""
    monkeypatch.setattr(passwords, "_HASHER", argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    passwords._nobodys.cache_clear()


@pytest.fixture(scope="module")
def url(cluster: Cluster, template: str) -> Iterator[str]:
    """A database of this file's own; each test finds it without accounts."""
    with copied_database(cluster, template, "accounts") as found:
        yield found


@pytest.fixture
def conn(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as found:
        yield found
        found.execute("SET session_replication_role = replica")
        found.execute("DELETE FROM access.session; DELETE FROM access.recovery_code")
        found.execute("DELETE FROM access.former_password")
        found.execute("DELETE FROM access.account; DELETE FROM access.failure")


@pytest.fixture
def door(url: str, conn: psycopg.Connection) -> Iterator[SignIn]:
    database = Database(url, size=8)
    yield SignIn(database)
    database.close()


def _made(conn: psycopg.Connection, name: str, role: str = "public") -> Account:
    made, _ = accounts.add(conn, name, f"person of {name}", actor=AT_THE_MACHINE, by="test")
    return made if role == "public" else accounts.grant(conn, name, role, actor=AT_THE_MACHINE)


@pytest.fixture
def actors(conn: psycopg.Connection) -> dict[str, str]:
    """The numbers of an account of each office, of a worker, and of one who is nobody yet."""
    found = {role: str(_made(conn, f"the.{role}", role).id) for role in (*OFFICES, "staff")}
    return {**found, "public": str(_made(conn, "nobody").id), "unknown": "987654", "unsaid": "", "odd": "1; DROP"}


@pytest.mark.parametrize("role", [*OFFICES, "staff", "public", "unknown", "unsaid", "odd", ITSELF])
def test_who_may_do_what(conn: psycopg.Connection, actors: dict[str, str], role: str) -> None:
    target, actor = _made(conn, "target"), actors.get(role, role)
    may = {
        "add": lambda: accounts.add(conn, "new.one", "somebody", actor=actor, by="x"),
        "disable": lambda: accounts.disable(conn, target.name, actor=actor),
        "enable": lambda: accounts.enable(conn, target.name, actor=actor),
        "reset": lambda: accounts.reset(conn, target.name, actor=actor),
        "grant": lambda: accounts.grant(conn, target.name, "analyst", actor=actor, divisions=None),
    }
    allowed = {
        "system_admin": {"add", "disable", "enable", "reset"},
        "security_admin": {"grant"},
        # its own password, and no more
        ITSELF: {"reset"},
    }.get(role, set())
    for name, act in may.items():
        if name in allowed:
            act()
        else:
            with pytest.raises(Forbidden):
                act()


def test_the_tables_hold_though_the_program_does_not_ask(conn: psycopg.Connection, actors: dict[str, str]) -> None:
    for actor in ("", actors["staff"], actors["audit_admin"], actors["system_admin"]):
        with pytest.raises(errors.InsufficientPrivilege), conn.transaction():
            conn.execute("SELECT set_config('onemap.actor', %s, true)", (actor,))
            conn.execute("UPDATE access.account SET role = 'command' WHERE name = 'the.staff'")
    with pytest.raises(errors.InsufficientPrivilege):
        conn.execute("UPDATE access.account SET role = 'command', divisions = NULL")
    for statement in ("DELETE FROM access.account", "TRUNCATE access.account CASCADE"):
        with pytest.raises(errors.InsufficientPrivilege):
            conn.execute(statement)
    assert accounts.find(conn, "the.staff").role == "staff"


def test_nobody_changes_their_own_role(conn: psycopg.Connection, actors: dict[str, str]) -> None:
    for role in ("staff", "system_admin", "command", "public"):
        with pytest.raises(Forbidden):
            accounts.grant(conn, "the.security_admin", role, actor=actors["security_admin"])
    with pytest.raises(Forbidden):
        accounts.disable(conn, "the.system_admin", actor=actors["system_admin"])


def test_nobody_holds_two_offices(conn: psycopg.Connection, actors: dict[str, str]) -> None:
    accounts.add(conn, "second", "person  of the.audit_admin ", actor=AT_THE_MACHINE, by="test")
    for role in OFFICES:
        with pytest.raises(Conflict, match="administrator already"):
            accounts.grant(conn, "second", role, actor=actors["security_admin"])
    assert accounts.grant(conn, "second", "staff", actor=actors["security_admin"]).role == "staff"
    accounts.disable(conn, "the.audit_admin", actor=actors["system_admin"])
    with pytest.raises(Conflict):
        accounts.grant(conn, "second", "security_admin", actor=AT_THE_MACHINE)
    accounts.grant(conn, "the.audit_admin", "public", actor=actors["security_admin"])
    assert accounts.grant(conn, "second", "audit_admin", actor=actors["security_admin"]).role == "audit_admin"


def test_who_was_shut_acts_no_more(conn: psycopg.Connection, actors: dict[str, str]) -> None:
    accounts.disable(conn, "the.security_admin", actor=actors["system_admin"])
    with pytest.raises(Forbidden):
        accounts.grant(conn, "nobody", "staff", actor=actors["security_admin"])


def test_administrators_see_nothing_of_the_city(conn: psycopg.Connection) -> None:
    _made(conn, "boss")
    found = accounts.grant(conn, "boss", "audit_admin", actor=AT_THE_MACHINE, divisions=None, department="police")
    assert found.divisions == () and found.department is None
    with pytest.raises(errors.CheckViolation), accounts.acting(conn, AT_THE_MACHINE):
        conn.execute("UPDATE access.account SET divisions = NULL WHERE name = 'boss'")


def test_a_second_factor_and_a_password_are_not_in_one_hand(conn: psycopg.Connection, actors: dict[str, str]) -> None:
    accounts.take_factor(conn, "target" if False else "nobody", actor=actors["security_admin"])
    target = accounts.find(conn, "nobody")
    factors.begin(conn, target)
    with pytest.raises(Forbidden):
        accounts.take_factor(conn, "nobody", actor=actors["system_admin"])
    with pytest.raises(Forbidden):
        accounts.reset(conn, "nobody", actor=actors["security_admin"])
    accounts.take_factor(conn, "nobody", actor=actors["security_admin"])


@pytest.mark.parametrize("name", ["", "a", "two words", "半" * 64, "x/y", "a@b", "-dash", "a\nb", "a;b", "\x00x"])
def test_names_that_cannot_be(conn: psycopg.Connection, name: str) -> None:
    with pytest.raises(BadInput):
        accounts.add(conn, name, "somebody", actor=AT_THE_MACHINE, by="test")


def test_a_name_is_one_however_it_is_written(conn: psycopg.Connection) -> None:
    accounts.add(conn, "Ｚhang.San", "张三", actor=AT_THE_MACHINE, by="test")
    assert accounts.find(conn, " ZHANG.san").name == "zhang.san"
    with pytest.raises(Conflict):
        accounts.add(conn, "zhang.san", "张三", actor=AT_THE_MACHINE, by="test")
    with pytest.raises(BadInput):
        accounts.add(conn, "li.si", "  ", actor=AT_THE_MACHINE, by="test")
    with pytest.raises(NotFound):
        accounts.find(conn, "li.si")
    with pytest.raises(BadInput):
        accounts.grant(conn, "zhang.san", "owner", actor=AT_THE_MACHINE)


def _signed_in(door: SignIn, name: str, once: str, **more: str) -> str:
    return door.sign_in(Attempt(name, once, "10.0.0.1", **more)).token


@pytest.mark.parametrize(
    "shut",
    [
        "UPDATE access.account SET disabled_at = now()",
        "UPDATE access.account SET expires_at = now() - interval '1 s'",
        "UPDATE access.account SET enabled_at = now() - interval '91 days', signed_in_at = now() - interval '91 days'",
        "UPDATE access.account SET one_time_until = now() - interval '1 s'",
    ],
)
def test_accounts_that_are_shut_let_nobody_in(conn: psycopg.Connection, door: SignIn, shut: str) -> None:
    _, once = accounts.add(conn, "wang", "王五", actor=AT_THE_MACHINE, by="test")
    _signed_in(door, "wang", once, new_password=OWN)
    with conn.transaction():
        conn.execute("SELECT set_config('onemap.actor', 'owner', true)")
        conn.execute(shut)
    with pytest.raises(NotSignedIn) as refused:
        _signed_in(door, "wang", OWN)
    assert refused.value.subject == "account"
    with pytest.raises(NotSignedIn) as refused:
        _signed_in(door, "wang", "not-The-1-password")
    assert refused.value.subject == "password"


def test_a_password_is_changed_now_and_then(conn: psycopg.Connection, door: SignIn) -> None:
    _, once = accounts.add(conn, "wang", "王五", actor=AT_THE_MACHINE, by="test")
    with pytest.raises(NotSignedIn) as refused:
        _signed_in(door, "wang", once)
    assert refused.value.subject == "new_password"
    for password in (once, "short", "Wang-likes-7-moors"):
        with pytest.raises(BadInput):
            _signed_in(door, "wang", once, new_password=password)
    _signed_in(door, "wang", once, new_password=OWN)
    with pytest.raises(NotSignedIn):
        _signed_in(door, "wang", once, new_password="Heron-under-8-bridges")
    conn.execute("UPDATE access.account SET password_set_at = now() - interval '91 days'")
    with pytest.raises(NotSignedIn) as refused:
        _signed_in(door, "wang", OWN)
    assert refused.value.subject == "new_password"
    assert _signed_in(door, "wang", OWN, new_password="Heron-under-8-bridges")


def test_none_of_the_last_passwords_is_taken_again(conn: psycopg.Connection, door: SignIn) -> None:
    _, once = accounts.add(conn, "wang", "王五", actor=AT_THE_MACHINE, by="test")
    own = [f"Heron-{word}-8-bridges" for word in ("under", "above", "beside", "behind")]
    short = replace(door, password_history=2)
    _signed_in(short, "wang", once, new_password=own[0])
    for old, new in pairwise(own):
        short.change_password("wang", old, new, keep="")
    for again in own[1:]:
        with pytest.raises(BadInput) as refused:
            short.change_password("wang", own[-1], again, keep="")
        assert refused.value.subject == "new_password"
    # nor is it by way of somebody who resets it
    _, once = accounts.reset(conn, "wang", actor=AT_THE_MACHINE)
    with pytest.raises(BadInput):
        _signed_in(short, "wang", once, new_password=own[-1])
    assert _signed_in(short, "wang", once, new_password=own[0])
    kept = conn.execute("SELECT password FROM access.former_password").fetchall()
    assert len(kept) == len(own) and all(str(row[0]).startswith("$argon2id$") for row in kept)


def test_a_password_that_is_hashed_anew_is_no_former_one(
    conn: psycopg.Connection, door: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, once = accounts.add(conn, "wang", "王五", actor=AT_THE_MACHINE, by="test")
    _signed_in(door, "wang", once, new_password=OWN)
    monkeypatch.setattr(passwords, "_HASHER", argon2.PasswordHasher(time_cost=2, memory_cost=64, parallelism=1))
    before = conn.execute("SELECT password FROM access.account").fetchone()
    assert _signed_in(door, "wang", OWN)
    assert conn.execute("SELECT password FROM access.account").fetchone() != before
    assert conn.execute("SELECT count(*) FROM access.former_password").fetchone() == (0,)


def test_sessions_end_when_idle_when_old_and_with_their_account(conn: psycopg.Connection, door: SignIn) -> None:
    _, once = accounts.add(conn, "wang", "王五", actor=AT_THE_MACHINE, by="test", expires_at=None)
    life = Lifetime(idle=timedelta(minutes=5), longest=timedelta(hours=1))
    token = _signed_in(door, "wang", once, new_password=OWN)
    assert sessions.session(conn, token, life) is not None
    assert sessions.session(conn, token + "x", life) is None
    kept = conn.execute("SELECT string_agg(s::text, '') FROM access.session s").fetchone()
    assert kept is not None and token not in kept[0]
    conn.execute("UPDATE access.session SET seen_at = now() - interval '4 minutes'")
    assert sessions.session(conn, token, life) is not None
    row = conn.execute("SELECT seen_at > now() - interval '1 minute' FROM access.session").fetchone()
    assert row == (True,)
    conn.execute("UPDATE access.session SET seen_at = now() - interval '6 minutes'")
    assert sessions.session(conn, token, life) is None
    conn.execute("UPDATE access.session SET seen_at = now(), begun_at = now() - interval '61 minutes'")
    assert sessions.session(conn, token, life) is None
    token = _signed_in(door, "wang", OWN)
    accounts.enable(conn, "wang", actor=AT_THE_MACHINE, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert sessions.session(conn, token, life) is None
    accounts.enable(conn, "wang", actor=AT_THE_MACHINE)
    assert sessions.session(conn, token, life) is not None
    accounts.disable(conn, "wang", actor=AT_THE_MACHINE)
    accounts.enable(conn, "wang", actor=AT_THE_MACHINE)
    assert sessions.session(conn, token, life) is None


def test_only_so_many_sessions_of_one_account(conn: psycopg.Connection) -> None:
    account = _made(conn, "wang")
    tokens = [sessions.begin(conn, account.id, "", restricted=False) for _ in range(12)]
    stand = [token for token in tokens if sessions.session(conn, token, Lifetime()) is not None]
    assert stand == tokens[-8:]


def test_a_factor_of_another_account_opens_nothing(conn: psycopg.Connection) -> None:
    first, second = _made(conn, "first"), _made(conn, "second")
    secret, _ = factors.begin(conn, first)
    kept = conn.execute("SELECT factor FROM access.account WHERE name = 'first'").fetchone()
    assert kept is not None and secret not in bytes(kept[0])
    with accounts.acting(conn, ITSELF):
        conn.execute(
            "UPDATE access.account SET factor = (SELECT factor FROM access.account WHERE name = 'first')"
            " WHERE name = 'second'"
        )
    with pytest.raises(Conflict):
        factors.confirm(conn, second, "123456")


def test_failures_are_kept_without_names(conn: psycopg.Connection) -> None:
    for _ in range(7):
        failures.count(conn, "name", "my-Password-typed-here")
    row = conn.execute("SELECT string_agg(f::text, '') FROM access.failure f").fetchone()
    assert row is not None and "Password" not in row[0]
