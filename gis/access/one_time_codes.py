"""The second factor: codes that change with time (TOTP, RFC 6238), and codes for when the phone is lost."""

import base64
import hashlib
import hmac
import secrets
import struct
from urllib.parse import quote

PERIOD_S, DIGITS = 30, 6
#: Clocks may differ by so many periods.
_DRIFT = 1
_SECRET_BYTES = 20
_RECOVERY_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
RECOVERY_CODES = 10


def new_secret() -> bytes:
    """A secret of 160 bits (RFC 4226, 4, R6)."""
    return secrets.token_bytes(_SECRET_BYTES)


def step_at(unix_s: float) -> int:
    """The number of the period at a time."""
    return int(unix_s // PERIOD_S)


def code_of(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of a period (HOTP, RFC 4226, 5.3)."""
    digest = hmac.digest(secret, struct.pack(">Q", step), hashlib.sha1)
    at = digest[-1] & 0x0F
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}d}"


def fitting_step(secret: bytes, code: str, unix_s: float, last_step: int) -> int | None:
    """The period whose code it is: one about now and after the last that was used, so that no code serves twice.

    All that could be are compared, so that the time taken tells nothing.
    """
    given = "".join(code.split()).encode()
    found = None
    now = step_at(unix_s)
    for step in range(now - _DRIFT, now + _DRIFT + 1):
        is_it = hmac.compare_digest(code_of(secret, step).encode(), given)
        if is_it and step > last_step and found is None:
            found = step
    return found


def address_of(secret: bytes, account: str) -> str:
    """The address that authenticator apps read as a picture."""
    text = base64.b32encode(secret).decode()
    return f"otpauth://totp/OneMap:{quote(account)}?secret={text}&issuer=OneMap&period={PERIOD_S}&digits={DIGITS}"


def recovery_codes() -> list[str]:
    """Codes that serve once each in the place of the phone's: 10 random letters and digits (49 bits)."""
    return [
        "-".join("".join(secrets.choice(_RECOVERY_LETTERS) for _ in range(5)) for _ in range(2))
        for _ in range(RECOVERY_CODES)
    ]


def recovery_digest(code: str) -> bytes:
    """What is kept of a recovery code; spaces, dashes and capitals do not matter."""
    return hashlib.sha256("".join(c for c in code.lower() if c.isalnum()).encode()).digest()
