"""Second factors of accounts: kept encrypted with the city's own key (AES-256-GCM), and no code serves twice."""

import os
import time
from typing import Any

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gis.access import one_time_codes
from gis.errors import BadInput, Conflict, Forbidden
from gis.store.accounts import ITSELF, Account, acting

Connection = psycopg.Connection[Any]

_NONCE_BYTES = 12
_NOBODYS = bytes(20)


def begin(conn: Connection, account: Account) -> tuple[bytes, str]:
    """A new secret, to be confirmed with a code of it; and its address for authenticator apps. Raises Conflict."""
    if account.has_factor:
        raise Conflict(
            "this account has a second factor; take it away first", "该账号已有第二因素,请先取消", subject="factor"
        )
    secret = one_time_codes.new_secret()
    with acting(conn, ITSELF):
        conn.execute(
            "UPDATE access.account SET factor = %s, factor_step = 0 WHERE id = %s AND NOT factor_confirmed",
            (_sealed(conn, account.id, secret), account.id),
        )
    return secret, one_time_codes.address_of(secret, account.name)


def confirm(conn: Connection, account: Account, code: str) -> list[str]:
    """Confirm the secret with a code; returns the recovery codes, which are kept nowhere. Raises BadInput, Conflict."""
    if account.has_factor:
        raise Conflict("this account has a second factor", "该账号已有第二因素", subject="factor")
    with conn.transaction():
        if not use(conn, account.id, code, confirmed=False):
            raise BadInput(
                "the code does not fit: look at the app's present one, and at the clock of the phone",
                "验证码不正确:请输入应用当前显示的验证码,并检查手机时间",
                subject="code",
            )
        codes = one_time_codes.recovery_codes()
        with acting(conn, ITSELF):
            conn.execute("UPDATE access.account SET factor_confirmed = true WHERE id = %s", (account.id,))
        conn.execute("DELETE FROM access.recovery_code WHERE account = %s", (account.id,))
        conn.cursor().executemany(
            "INSERT INTO access.recovery_code (account, digest) VALUES (%s, %s)",
            [(account.id, one_time_codes.recovery_digest(one)) for one in codes],
        )
    return codes


def remove(conn: Connection, account: Account, code: str) -> None:
    """An account does without its second factor, shown a code of it. Raises BadInput, Forbidden."""
    if account.is_administrator:
        raise Forbidden("an administrator needs a second factor", "管理员必须使用第二因素", subject="factor")
    with conn.transaction():
        if not use(conn, account.id, code):
            raise BadInput("the code does not fit", "验证码不正确", subject="code")
        with acting(conn, ITSELF):
            conn.execute(
                "UPDATE access.account SET factor = NULL, factor_confirmed = false WHERE id = %s", (account.id,)
            )
        conn.execute("DELETE FROM access.recovery_code WHERE account = %s", (account.id,))


def use(conn: Connection, account: int, code: str, *, confirmed: bool = True) -> bool:
    """Whether a code, or a recovery code, is the account's and was never used; it is used up by that."""
    row = conn.execute(
        "SELECT factor, factor_step FROM access.account WHERE id = %s AND factor_confirmed = %s", (account, confirmed)
    ).fetchone()
    sealed, last = row or (None, 0)
    secret = _NOBODYS if sealed is None else _opened(conn, account, bytes(sealed))
    step = one_time_codes.fitting_step(secret, code, time.time(), last)
    if sealed is None:
        return False
    if step is not None:
        # of two who show the same code at once, one is too late
        return (
            conn.execute(
                "UPDATE access.account SET factor_step = %s WHERE id = %s AND factor_step < %s", (step, account, step)
            ).rowcount
            == 1
        )
    return (
        confirmed
        and conn.execute(
            "DELETE FROM access.recovery_code WHERE account = %s AND digest = %s",
            (account, one_time_codes.recovery_digest(code)),
        ).rowcount
        == 1
    )


def _key(conn: Connection) -> AESGCM:
    found = conn.execute("SELECT key FROM access.secret").fetchone()
    assert found is not None
    return AESGCM(bytes(found[0]))


def _sealed(conn: Connection, account: int, secret: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    # bound to the account: moved to another's row it opens nothing
    return nonce + _key(conn).encrypt(nonce, secret, str(account).encode())


def _opened(conn: Connection, account: int, sealed: bytes) -> bytes:
    try:
        return _key(conn).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], str(account).encode())
    except InvalidTag:
        raise Conflict(
            "the second factor cannot be read; let the security administrator take it away, and set up another",
            "第二因素无法读取,请由安全管理员取消后重新设置",
            subject="factor",
        ) from None
