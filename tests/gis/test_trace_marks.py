"""A watermark stands in the trace as it stands in the file, whatever digits chance has given it."""

from datetime import UTC, datetime

import pytest

from gis.access.trace import Entry, Event, Pseudonyms


def _kept(mark: str) -> str:
    event = Event(event="exported", who="zhao", mark=mark)
    return Entry.of(event, 1, datetime(2026, 1, 1, tzinfo=UTC), Pseudonyms(b"key")).mark


@pytest.mark.parametrize(
    "digits", ["12345678901234567-12345678"[1:], "abcd12345678901f-00000000", "fffffffffffff138-12345678"]
)
def test_a_mark_of_digits_is_found_again(digits: str) -> None:
    assert _kept(f"omx-{digits}") == f"omx-{digits}"


@pytest.mark.parametrize("text", ["13812345678", "omx-110101199001011234", "omx-13812345678"])
def test_what_is_no_mark_is_kept_as_a_pseudonym(text: str) -> None:
    assert text.removeprefix("omx-") not in _kept(text)
