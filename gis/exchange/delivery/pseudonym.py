"""Numbers that stand for persons and for what names them: keyed, so that nobody can count through all id numbers.

AES-256 (FIPS 197) with the city's own key as a pseudo-random function of one block a value, all values in one call;
of its output the first 53 bits, so that a number survives JSON.
"""

from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from numpy.typing import NDArray

from gis.codes.column import byte_matrix, digits_to_int

_BITS = 53
_BODY = 17
Ints = NDArray[np.int64]


def secret(conn: psycopg.Connection[Any]) -> bytes:
    """The city's key, of 32 bytes."""
    found = conn.execute("SELECT key FROM exchange.secret").fetchone()
    assert found is not None
    return bytes(found[0])


def person_fids(citizen_ids: pa.Array, key: bytes) -> Ints:
    """The number of each person, of ids in their 18-character form; 0 for a null.

    The check character follows from the digits before it, so those are the block.
    """
    given = np.asarray(pc.is_valid(citizen_ids))
    known = citizen_ids.drop_null().cast(pa.string())
    blocks = np.zeros((len(known), 2), ">u8")
    body, _ = digits_to_int(byte_matrix(known, _BODY + 1)[:, :_BODY])
    blocks[:, 0] = body
    found = np.zeros(len(citizen_ids), np.int64)
    found[given] = _numbers(blocks, key)
    return found


def digests(fids: Ints, texts: pa.Array, key: bytes) -> pa.Array:
    """A number for what each person's text says, comparable for the same person only; null stays null.

    The block is the text's fingerprint (XXH3, 128 bits) with the person's number in it.
    """
    words = pc.dictionary_encode(texts.cast(pa.binary()))
    prints = b"".join(map(xxhash.xxh3_128_digest, words.dictionary.to_pylist())) or bytes(16)
    at = np.asarray(words.indices.fill_null(0))
    blocks = np.frombuffer(prints, ">u8").reshape(-1, 2)[at].astype(">u8")
    blocks[:, 0] ^= fids.astype(">u8")
    return pa.array(_numbers(blocks, key), mask=np.asarray(texts.is_null()))


def _numbers(blocks: NDArray[Any], key: bytes) -> Ints:
    """The first 53 bits of each encrypted block of 16 bytes."""
    encryptor = Cipher(AES(key), ECB()).encryptor()  # one block a value: no two blocks follow one another
    out = np.frombuffer(encryptor.update(blocks.tobytes()) + encryptor.finalize(), ">u8").reshape(-1, 2)
    return (out[:, 0] >> np.uint64(64 - _BITS)).astype(np.int64)
