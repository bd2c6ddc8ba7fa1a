"""Whether the places that rows refer to are there: codes of another register, known by their numbers."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from numpy.typing import NDArray

from gis.store.copy import numbers
from gis.store.database import Database

_FID_BITS = (1 << 53) - 1


def code_fids(codes: pa.Array) -> NDArray[np.int64]:
    """The numbers of features whose natural key is one code, as `gis.exchange.rows` gives them; 0 for a null."""
    words = pc.dictionary_encode(codes.cast(pa.binary()))
    distinct = words.dictionary.to_pylist()
    numbers = np.fromiter(map(xxhash.xxh3_64_intdigest, distinct), np.uint64, len(distinct)) & np.uint64(_FID_BITS)
    known = np.asarray(words.indices.fill_null(len(distinct)))
    found: NDArray[np.int64] = np.append(numbers, np.uint64(0)).astype(np.int64)[known]
    return found


@dataclass(frozen=True, slots=True)
class References:
    """The features of a register that are open and valid now, by number."""

    fids: NDArray[np.int64]

    @classmethod
    def of(cls, database: Database, collection: str) -> "References":
        """All that the register holds now."""
        layer, _, noun = collection.partition(".")
        with database.connection() as conn:
            found = numbers(
                conn, f'SELECT fid FROM "{layer}"."{noun}" WHERE scenario = 0 AND valid_to > now()', ("fid",)
            )
        return cls(np.unique(found["fid"]))

    def known(self, codes: pa.Array) -> NDArray[np.bool_]:
        """Which codes are those of a feature; nulls are not."""
        fids = code_fids(codes)
        if not len(self.fids):
            return np.zeros(len(fids), bool)
        at = np.minimum(np.searchsorted(self.fids, fids), len(self.fids) - 1)
        return np.asarray((self.fids[at] == fids) & (fids != 0))
