"""Passwords: which ones are taken, and how they are kept (Argon2id, RFC 9106).

The rules are those of GB/T 22239-2019, 8.1.4.1 (complexity, change) and of NIST SP 800-63B, 3.1.1.2 (no word that
everybody tries, nothing of the account's own name).
"""

import re
import secrets
import string
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gis.errors import BadInput

LEAST, MOST = 10, 128
_LEAST_CLASSES = 3
#: So many characters must be left when all that everybody tries is taken out.
_LEAST_OWN = 5
_LEAST_RUN = 3

#: Words that passwords are made of the world over, and here.
_COMMON = (
    "password", "passwort", "passwd", "welcome", "letmein", "iloveyou", "woaini", "woaizhongguo", "administrator",
    "admin", "root", "guest", "test", "demo", "user", "login", "monkey", "dragon", "master", "sunshine", "princess",
    "football", "baseball", "superman", "batman", "shadow", "hello", "secret", "changeme", "default", "system",
    "security", "audit", "onemap", "zhongguo", "china", "beijing", "shanghai", "hefei", "anhui", "luan", "nihao",
    "mima", "huawei", "abc", "qaz", "wsx", "edc", "love", "spring", "summer", "autumn", "winter",
)  # fmt: skip
#: Keys side by side, as they are with and without the shift key.
_ROWS = ("`1234567890-=", "~!@#$%^&*()_+", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./", "abcdefghijklmnopqrstuvwxyz")
_LEET = str.maketrans("@4301$5!7", "aaeoissit")
_YEAR = re.compile(r"(?:19|20)\d\d")
_REPEATED = re.compile(r"(.)\1{2,}")

#: No letters that look alike: somebody reads it from a sheet of paper.
_ONE_TIME_LETTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"

_HASHER = PasswordHasher()


def check_password(password: str, *own: str) -> None:
    """That a password may be used; `own` are the account's name and whose it is. Raises BadInput saying all that
    it lacks, and never the password.
    """
    missing = [(en, zh) for wrong, en, zh in _findings(tidy(password), own) if wrong]
    if missing:
        raise BadInput(
            f"choose another password: {'; '.join(en for en, _ in missing)}",
            f"请更换密码:{';'.join(zh for _, zh in missing)}",
            subject="new_password",
        )


def _findings(password: str, own: tuple[str, ...]) -> tuple[tuple[bool, str, str], ...]:
    classes = sum(bool(re.search(form, password)) for form in (r"[a-z]", r"[A-Z]", r"\d", r"[^A-Za-z\d]"))
    return (
        (len(password) < LEAST, f"it needs at least {LEAST} characters", f"至少 {LEAST} 个字符"),
        (len(password) > MOST, f"it may have {MOST} characters at most", f"至多 {MOST} 个字符"),
        (
            classes < _LEAST_CLASSES,
            "it needs three of: small letters, capital letters, digits, other characters",
            "须含小写字母、大写字母、数字、其他字符中的三类",
        ),
        (_holds(password, own), "it must not hold the account's name", "不得包含账号或姓名"),
        (len(_own_part(password)) < _LEAST_OWN, "it is one that everybody tries", "过于常见,容易被猜中"),
    )


def _holds(password: str, own: tuple[str, ...]) -> bool:
    lowered = password.casefold()
    words = [word for text in own for word in re.split(r"[\s._-]+", text.casefold()) if len(word) > 1]
    return any(word in lowered for word in words)


def _own_part(password: str) -> str:
    """What is left without common words, rows of keys, years, and characters repeated.

    >>> _own_part("P@ssw0rd2026"), _own_part("Qwer1234!@#$"), _own_part("aaaaAAAA1111")
    ('', '', '')
    """
    text = password.casefold()
    for word in _COMMON:
        while (at := text.translate(_LEET).find(word)) >= 0:
            text = text[:at] + text[at + len(word) :]
    text = _REPEATED.sub(r"\1", _YEAR.sub("", text))
    for run in _runs():
        text = text.replace(run, "")
    return text if len(set(text)) > 3 else ""


@cache
def _runs() -> tuple[str, ...]:
    """Runs of neighbouring keys, forwards and backwards, the longest first."""
    rows = [row[::step] for row in _ROWS for step in (1, -1)]
    found = {row[a:b] for row in rows for a in range(len(row)) for b in range(a + _LEAST_RUN, len(row) + 1)}
    return tuple(sorted(found, key=lambda run: (-len(run), run)))


def tidy(password: str) -> str:
    """A password in the one form in which it is compared (RFC 8265, 4.2.2: NFC), however it was typed."""
    return unicodedata.normalize("NFC", password)


def hashed(password: str) -> str:
    """What is kept of a password: Argon2id with its parameters and salt, in the PHC string format."""
    return _HASHER.hash(tidy(password))


def fits(kept: str | None, password: str) -> bool:
    """Whether it is the password that `kept` is of; without one the same work is done, and it is not."""
    try:
        return _HASHER.verify(kept or _nobodys(), tidy(password)[: MOST + 1]) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Whether what is kept was made with less work than is usual now."""
    return _HASHER.check_needs_rehash(kept)


def one_time_password() -> str:
    """A password for one sign-in: 16 random letters and digits (93 bits) in groups of four."""
    letters = [secrets.choice(_ONE_TIME_LETTERS) for _ in range(16)]
    return "-".join("".join(letters[at : at + 4]) for at in range(0, 16, 4))


@cache
def _nobodys() -> str:
    return _HASHER.hash("".join(secrets.choice(string.ascii_letters) for _ in range(32)))
