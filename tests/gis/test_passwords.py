"""Which passwords are taken, how they are kept, and that no more work tells who there is."""

import argon2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.access import passwords
from gis.errors import BadInput


@pytest.mark.parametrize(
    "password",
    [
        "Kestrel-over-9-moors",
        "Tr0ub4dor&3xyz!",
        "七里塘Bridge-41-west",
        "xK4#pL9@vQ2m",
        "correct horse battery 7 Staple",
    ],
)
def test_passwords_that_are_taken(password: str) -> None:
    passwords.check_password(password, "zhang.san", "张三 0042")


@pytest.mark.parametrize(
    ("password", "lacks"),
    [
        ("Sh0rt-pw!", "at least 10"), ("x" * 100 + "A1" + "y" * 30, "at most"), ("alllettersonlyhere", "three of"),
        ("zhang-Quilt-88-oak", "name"), ("Quilt-张三-88-oak", "name"), ("Quilt-0042-Birch-oak", "name"),
        ("P@ssw0rd2026", "everybody"), ("Qwer1234!@#$", "everybody"), ("aaaaAAAA1111", "everybody"),
        ("Admin@2026!!", "everybody"), ("Zhongguo@123456", "everybody"), ("1qaz@WSX3edc", "everybody"),
        ("Welcome123!@#", "everybody"), ("Luan@20262026", "everybody"), ("", "at least 10"),
    ],
)  # fmt: skip
def test_passwords_that_are_not(password: str, lacks: str) -> None:
    with pytest.raises(BadInput, match=lacks) as refused:
        passwords.check_password(password, "zhang.san", "张三 0042")
    assert not password or password not in refused.value.text.en + refused.value.text.zh
    assert refused.value.subject == "new_password"


@given(st.text(max_size=200), st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_judged(password: str, name: str, person: str) -> None:
    try:
        passwords.check_password(password, name, person)
    except BadInput:
        return
    assert passwords.LEAST <= len(passwords.tidy(password)) <= passwords.MOST


def test_what_is_kept_fits_and_tells_nothing() -> None:
    kept = passwords.hashed("Kestrel-over-9-moors")
    assert kept.startswith("$argon2id$") and "Kestrel" not in kept and kept != passwords.hashed("Kestrel-over-9-moors")
    assert passwords.fits(kept, "Kestrel-over-9-moors") and not passwords.fits(kept, "kestrel-over-9-moors")
    # however it was typed
    assert passwords.fits(passwords.hashed("Caf\u00e9-over-9-moors"), "Cafe\u0301-over-9-moors")
    assert not passwords.fits("nothing that a hash looks like", "Kestrel-over-9-moors")


def test_without_an_account_the_same_work_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    verify = argon2.PasswordHasher.verify

    def noted(self: argon2.PasswordHasher, kept: str, password: str) -> bool:
        done.append(kept.rpartition("$")[0].rpartition("$")[0])
        return verify(self, kept, password)

    # what stands for nobody's password is made once: by the work of now
    passwords._nobodys.cache_clear()
    monkeypatch.setattr(argon2.PasswordHasher, "verify", noted)
    assert not passwords.fits(None, "Kestrel-over-9-moors")
    assert not passwords.fits(passwords.hashed("another-One-7"), "Kestrel-over-9-moors")
    assert len(done) == 2 and done[0] == done[1]


def test_hashes_of_less_work_are_made_anew() -> None:
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=1024).hash("Kestrel-over-9-moors")
    assert passwords.is_outdated(weak) and passwords.fits(weak, "Kestrel-over-9-moors")
    assert not passwords.is_outdated(passwords.hashed("Kestrel-over-9-moors"))


def test_one_time_passwords_are_long_and_never_the_same() -> None:
    drawn = {passwords.one_time_password() for _ in range(200)}
    assert len(drawn) == 200 and all(len(one) == 19 for one in drawn)
    assert not {"0", "O", "1", "l", "I"} & set("".join(drawn))
