"""The purpose that a request states, by the header OneMap-Purpose: words in UTF-8, percent-encoded where need be."""

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import unquote

from gis.access.identity import Identity
from gis.access.purpose import LONGEST
from gis.errors import BadQuery

_HEADER = b"onemap-purpose"


def with_purpose(identity: Identity, headers: Iterable[tuple[bytes, bytes]]) -> Identity:
    """The caller with the purpose that the request states. Raises BadQuery for one that nobody could read."""
    said = next((value for name, value in headers if name == _HEADER), b"").strip()
    return replace(identity, purpose=_words(said)) if said else identity


def checked_purpose(text: str) -> str:
    """A purpose as it is stated in words. Raises BadQuery for one that nobody could read."""
    if len(text) > LONGEST or not text.isprintable():
        raise BadQuery(
            f"OneMap-Purpose is at most {LONGEST} characters of text in UTF-8, percent-encoded",
            f"OneMap-Purpose 应为不超过 {LONGEST} 个字符的文本(UTF-8,百分号编码)",
            subject="OneMap-Purpose",
        )
    return text


def _words(said: bytes) -> str:
    try:
        text = unquote(said.decode(), errors="strict").strip()
    except UnicodeDecodeError:
        text = "\0"
    return checked_purpose(text)
