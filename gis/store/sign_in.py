"""Signing in with a name and a password: the same work whether there is such an account or not, and the same words."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from gis.access import passwords
from gis.errors import BadInput, NotFound, NotSignedIn
from gis.store import factors, failures, sessions
from gis.store.accounts import ITSELF, Account, acting, find, tidy_name
from gis.store.database import Database
from gis.store.sessions import Lifetime

Connection = psycopg.Connection[Any]

_LONGEST_NAME, _LONGEST_ORIGIN = 256, 64


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody shows to sign in; `origin` is the address from which. `new_password` takes the old one's place."""

    name: str
    password: str
    origin: str
    code: str = ""
    new_password: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has begun: its token, which is shown this once; restricted until a second factor is set up."""

    token: str
    account: Account
    restricted: bool


@dataclass(frozen=True, slots=True)
class SignIn:
    """The door of one city.

    `password_lasts`: from then on another is to be chosen (GB/T 22239-2019, 8.1.4.1 a), and none of so many that were
    there before, `password_history`.
    """

    database: Database
    lifetime: Lifetime = Lifetime()
    password_lasts: timedelta = timedelta(days=90)
    password_history: int = 5
    fits: Callable[[str | None, str], bool] = passwords.fits

    def sign_in(self, attempt: Attempt) -> SignedIn:
        """Begin a session.

        Raises NotSignedIn: `subject` is `password` where name or password are wrong or must wait, which is not told
        apart; `account` where it is shut; `code` or `new_password` where that is needed as well. Raises BadInput for a
        new password that cannot be taken.
        """
        name, origin = tidy_name(attempt.name)[:_LONGEST_NAME], attempt.origin[:_LONGEST_ORIGIN]
        with self.database.connection() as conn:
            if not failures.count(conn, "address", origin):
                raise _wrong()
            may_try = failures.count(conn, "name", name)
            account, kept, set_at = _kept(conn, name)
        # no connection is held while the hash is worked out
        is_right = self.fits(kept, attempt.password)
        with self.database.connection() as conn:
            if not (may_try and is_right and account is not None and kept is not None):
                raise _wrong()
            self._check(conn, account, kept, set_at, attempt, origin)
            return self._begin(conn, account, kept, attempt, origin)

    def _check(
        self, conn: Connection, account: Account, kept: str, set_at: datetime | None, attempt: Attempt, origin: str
    ) -> None:
        """What beside the password must be right. What is merely missing counts as no failure."""
        missing = None
        if account.has_factor and not attempt.code:
            missing = NotSignedIn("enter the code of the second factor", "请输入第二因素验证码", subject="code")
        elif not attempt.new_password and self._must_change(account, set_at):
            missing = NotSignedIn("choose a password of your own", "请设置新密码", subject="new_password")
        if attempt.new_password and missing is None:
            self._check_new(_former(conn, account, self.password_history), account, kept, attempt.new_password)
        shut = _shut(account)
        if missing is not None and shut is None:
            _forgive(conn, account.name, origin)
            raise missing
        if account.has_factor and not factors.use(conn, account.id, attempt.code):
            raise NotSignedIn("the code does not fit, or was used already", "验证码不正确或已使用过", subject="code")
        if shut is not None:
            raise shut

    def _check_new(self, former: list[str], account: Account, kept: str, password: str) -> None:
        """That a password is a good one, and none of those before. Raises BadInput."""
        passwords.check_password(password, account.name, account.person)
        if self.fits(kept, password):
            raise BadInput("the new password is the old one", "新密码不得与原密码相同", subject="new_password")
        if any(self.fits(one, password) for one in former):
            raise BadInput(
                f"choose another password: this is one of your last {len(former) + 1}",
                f"新密码不得与最近 {len(former) + 1} 次使用的密码相同",
                subject="new_password",
            )

    def _must_change(self, account: Account, set_at: datetime | None) -> bool:
        return account.one_time_until is not None or set_at is None or set_at < datetime.now(UTC) - self.password_lasts

    def _begin(self, conn: Connection, account: Account, kept: str, attempt: Attempt, origin: str) -> SignedIn:
        restricted = account.is_administrator and not account.has_factor
        with conn.transaction():
            if attempt.new_password:
                _set_password(conn, account.id, kept, attempt.new_password)
            elif passwords.is_outdated(kept):
                _rehash(conn, account.id, attempt.password)
            conn.execute("UPDATE access.account SET signed_in_at = clock_timestamp() WHERE id = %s", (account.id,))
            failures.forget(conn, "name", account.name)
            failures.take_back(conn, "address", origin)
            failures.prune(conn)
            sessions.prune(conn, self.lifetime)
            token = sessions.begin(conn, account.id, origin, restricted=restricted)
        return SignedIn(token, account, restricted)

    def change_password(self, name: str, password: str, new_password: str, *, keep: str) -> None:
        """An account that has signed in takes another password; its sessions but that of the token `keep` end.

        Raises NotSignedIn where the present one is wrong, BadInput.
        """
        with self.database.connection() as conn:
            may_try = failures.count(conn, "name", name)
            account, kept, _ = _kept(conn, name)
            former = _former(conn, account, self.password_history) if account else []
        is_right = self.fits(kept, password)
        if not (may_try and is_right and account is not None and kept is not None):
            raise _wrong()
        self._check_new(former, account, kept, new_password)
        with self.database.connection() as conn, conn.transaction():
            _set_password(conn, account.id, kept, new_password)
            sessions.end_others(conn, account.id, keep)
            failures.forget(conn, "name", account.name)


def _kept(conn: Connection, name: str) -> tuple[Account | None, str | None, datetime | None]:
    """The account, what is kept of its password, and since when."""
    try:
        account = find(conn, name)
    except NotFound:
        return None, None, None
    row = conn.execute("SELECT password, password_set_at FROM access.account WHERE id = %s", (account.id,)).fetchone()
    assert row is not None
    return account, row[0], row[1]


def _former(conn: Connection, account: Account, most: int) -> list[str]:
    """What is kept of the passwords before the present one, the newest first."""
    rows = conn.execute(
        "SELECT password FROM access.former_password WHERE account = %s ORDER BY until DESC LIMIT %s",
        (account.id, most),
    )
    return [kept for (kept,) in rows]


def _shut(account: Account) -> NotSignedIn | None:
    """Why an account cannot be used now, told to who knows its password."""
    now = datetime.now(UTC)
    if account.one_time_until is not None and account.one_time_until <= now:
        return NotSignedIn(
            "the one-time password has expired; ask the system administrator for another",
            "一次性密码已过期,请联系系统管理员重置",
            subject="account",
        )
    if account.disabled_at is not None or account.unused or (account.expires_at or now) < now:
        return NotSignedIn(
            "this account is shut; ask the system administrator", "该账号已停用或过期,请联系系统管理员",
            subject="account",
        )  # fmt: skip
    return None


def _set_password(conn: Connection, account: int, kept: str, password: str) -> None:
    """Of two who change it at once, one is too late. Raises NotSignedIn."""
    with acting(conn, ITSELF):
        changed = conn.execute(
            "UPDATE access.account SET password = %s, password_set_at = clock_timestamp(), one_time_until = NULL"
            " WHERE id = %s AND password = %s",
            (passwords.hashed(password), account, kept),
        ).rowcount
    if not changed:
        raise _wrong()


def _rehash(conn: Connection, account: int, password: str) -> None:
    with acting(conn, ITSELF):
        conn.execute("UPDATE access.account SET password = %s WHERE id = %s", (passwords.hashed(password), account))


def _forgive(conn: Connection, name: str, origin: str) -> None:
    failures.take_back(conn, "name", name)
    failures.take_back(conn, "address", origin)


def _wrong() -> NotSignedIn:
    return NotSignedIn(
        "name or password are wrong, or too many attempts failed: then wait some minutes before the next",
        "账号或密码错误;如连续多次失败,请等待数分钟后再试",
        subject="password",
    )
