"""Whether the places that rows refer to are there: codes of another register, known by their numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from numpy.typing import NDArray

from gis.exchange.delivery.words import array_literal, places
from gis.store.copy import numbers
from gis.store.database import Database

_FID_BITS = (1 << 53) - 1
#: So many codes are looked up one by one; for more, all features are read.
_FEW = 20_000


def code_fids(codes: pa.Array) -> NDArray[np.int64]:
    """The numbers of features whose natural key is one code, as `gis.exchange.rows` gives them; 0 for a null."""
    words = pc.dictionary_encode(codes.cast(pa.binary()))
    distinct = words.dictionary.to_pylist()
    numbers = np.fromiter(map(xxhash.xxh3_64_intdigest, distinct), np.uint64, len(distinct)) & np.uint64(_FID_BITS)
    known = np.asarray(words.indices.fill_null(len(distinct)))
    found: NDArray[np.int64] = np.append(numbers, np.uint64(0)).astype(np.int64)[known]
    return found


@dataclass(slots=True)
class References:
    """The features of a register that are open and valid now, by number: a few looked up, many read all at once."""

    database: Database
    collection: str
    fids: NDArray[np.int64] | None = None
    _asked: int = 0

    def known(self, codes: pa.Array) -> NDArray[np.bool_]:
        """Which codes are those of a feature; nulls are not."""
        wanted = code_fids(codes)
        self._asked += len(wanted)
        if self.fids is None and self._asked > _FEW:
            self.fids = self._select("", {})
        own = self.fids
        if own is None:
            own = self._select("AND fid = ANY(%(fids)s::bigint[])", {"fids": array_literal(np.unique(wanted))})
        _, is_known = places(own, wanted)
        return np.asarray(is_known & (wanted != 0))

    def _select(self, which: str, args: dict[str, Any]) -> NDArray[np.int64]:
        layer, _, noun = self.collection.partition(".")
        select = f'SELECT fid FROM "{layer}"."{noun}" WHERE scenario = 0 AND valid_to > now() {which}'
        with self.database.connection() as conn:
            return np.sort(numbers(conn, select, ("fid",), args)["fid"])
