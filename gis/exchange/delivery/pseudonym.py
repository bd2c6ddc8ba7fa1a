"""Numbers that stand for persons and for what names them: keyed, so that nobody can count through all id numbers.

BLAKE2b (RFC 7693) with the city's own key; 53 bits, so that a number survives JSON.
"""

from hashlib import blake2b
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
from numpy.typing import NDArray

_BITS = 53


def secret(conn: psycopg.Connection[Any]) -> bytes:
    """The city's key."""
    found = conn.execute("SELECT key FROM exchange.secret").fetchone()
    assert found is not None
    return bytes(found[0])


def person_fids(citizen_ids: pa.Array, key: bytes) -> NDArray[np.int64]:
    """The number of each person, of ids in their 18-character form; 0 for a null."""
    return _numbers([text.encode() if text is not None else None for text in citizen_ids.to_pylist()], key)


def digests(fids: NDArray[np.int64], texts: pa.Array, key: bytes) -> pa.Array:
    """A number for what each person's text says, comparable for the same person only; null stays null."""
    pairs = zip(fids.tolist(), texts.to_pylist(), strict=True)
    found = _numbers([f"{fid}\x1f{text}".encode() if text is not None else None for fid, text in pairs], key)
    return pa.array(found, mask=np.asarray(texts.is_null()))


def _numbers(values: list[bytes | None], key: bytes) -> NDArray[np.int64]:
    start = blake2b(digest_size=8, key=key)

    def digest(value: bytes | None) -> bytes:
        if value is None:
            return bytes(8)
        state = start.copy()
        state.update(value)
        return state.digest()

    joined = b"".join(map(digest, values))
    return (np.frombuffer(joined, ">u8") >> np.uint64(64 - _BITS)).astype(np.int64)
