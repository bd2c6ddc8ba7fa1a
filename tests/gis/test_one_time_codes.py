"""Second factors: the published values, clocks that differ, codes that were used."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.access import one_time_codes as codes

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("unix_s", "code"),
    [
        (59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"),
        (2000000000, "69279037"), (20000000000, "65353130"),
    ],
)  # fmt: skip
def test_the_values_of_rfc_6238(unix_s: int, code: str) -> None:
    assert codes.code_of(SECRET, codes.step_at(unix_s), 8) == code
    assert codes.code_of(SECRET, codes.step_at(unix_s)) == code[2:]


@pytest.mark.parametrize(("counter", "code"), list(enumerate(["755224", "287082", "359152", "969429", "338314"])))
def test_the_values_of_rfc_4226(counter: int, code: str) -> None:
    assert codes.code_of(SECRET, counter) == code


@given(st.integers(100, 10**9), st.integers(-5, 5), st.integers(0, 29))
def test_clocks_may_differ_by_one_period_and_no_code_serves_twice(step: int, off: int, second: int) -> None:
    now = step * codes.PERIOD_S + second
    code = codes.code_of(SECRET, step + off)
    found = codes.fitting_step(SECRET, f" {code[:3]} {code[3:]} ", now, 0)
    collides = any(codes.code_of(SECRET, step + k) == code for k in (-1, 0, 1))
    assert (found is not None) == collides
    if found is not None:
        assert codes.fitting_step(SECRET, code, now, step + 1) is None


@given(st.text(max_size=20))
def test_what_is_no_code_is_refused(text: str) -> None:
    written = "".join(text.split())
    good = {codes.code_of(SECRET, step) for step in (1, 2)}
    assert (codes.fitting_step(SECRET, text, 59, 0) is not None) == (written in good)


def test_the_address_is_what_apps_read() -> None:
    address = codes.address_of(SECRET, "张三")
    assert address.startswith("otpauth://totp/OneMap:%E5%BC%A0%E4%B8%89?secret=")
    assert base64.b32encode(SECRET).decode() in address


def test_recovery_codes_are_kept_as_digests_however_they_are_typed() -> None:
    drawn = codes.recovery_codes()
    assert len(set(drawn)) == codes.RECOVERY_CODES
    assert codes.recovery_digest(drawn[0]) == codes.recovery_digest(f" {drawn[0].upper().replace('-', ' ')}")
    assert len({codes.recovery_digest(one) for one in drawn}) == codes.RECOVERY_CODES
