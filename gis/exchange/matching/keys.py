"""Which address a building has: registers name it in words, so full addresses are compared as they read.

What a building's own row says may be cut off (the fields of a shapefile hold 80 bytes) or be missing; its dwellings
say it again.
"""

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.codes.address import canonical
from gis.codes.address_column import AddressReader
from gis.codes.column import CodeColumn, strings


@dataclass(frozen=True, slots=True)
class Joined:
    """The addresses with `key`, and the dwellings with the key of theirs as `place` (null where none is known).

    A building whose full address is not among the addresses stands there too, without code and fid; its key is its
    code after "@".
    """

    addresses: pa.Table
    dwellings: pa.Table


def joined(addresses: pa.Table, buildings: pa.Table, dwellings: pa.Table) -> Joined:
    """Find each building's and each dwelling's place.

    `addresses` have code, text; `buildings` code, address; `dwellings` building, address; the first two also
    division, lon, lat. A dwelling is where its building is; where that is not known, where its own address says.
    """
    known = _doors(addresses["text"])
    built = strings(buildings["code"])
    texts = _building_texts(buildings, dwellings, built, known)
    at = pc.index_in(texts, value_set=known)
    alone = _whole(texts, known) & at.is_null().to_numpy(zero_copy_only=False)
    own_key = pc.if_else(pa.array(alone), pc.binary_join_element_wise("@", built, ""), pa.scalar(None, pa.string()))
    key = pc.coalesce(strings(addresses["code"]).take(at), own_key)
    place = key.take(pc.index_in(strings(dwellings["building"]), value_set=built))
    lost = place.is_null()
    if pc.any(lost).as_py():
        said = _doors(strings(dwellings["address"]).filter(lost))
        found = strings(addresses["code"]).take(pc.index_in(said, value_set=known))
        place = pc.replace_with_mask(place, lost, found)
    more = buildings.append_column("key", key).append_column("text", texts).filter(pa.array(alone))
    every = pa.concat_tables([addresses.append_column("key", addresses["code"]), _as_addresses(more, addresses)])
    return Joined(every, dwellings.append_column("place", place))


def _building_texts(buildings: pa.Table, dwellings: pa.Table, built: pa.Array, known: pa.Array) -> pa.Array:
    """Each building's address by its own row, or by its first dwelling where only that one is known or says more."""
    written = _doors(buildings["address"])
    home = pc.index_in(built, value_set=strings(dwellings["building"]))
    said = _doors(strings(dwellings["address"]).take(home))
    better = pc.and_(
        pc.invert(pc.is_in(written, value_set=known)),
        pc.or_(pc.is_in(said, value_set=known), pc.greater(_length(said), _length(written))),
    )
    return pc.if_else(better, said, written)


def _length(texts: pa.Array) -> pa.Array:
    return pc.utf8_length(texts).fill_null(0)


def _whole(texts: pa.Array, known: pa.Array) -> NDArray[np.bool_]:
    """Which texts are there and are not the beginning of a known address, as one that was cut off is."""
    ordered = sorted(filter(None, known.to_pylist()))

    def whole(text: str | None) -> bool:
        after = bisect_left(ordered, text) if text else 0
        return bool(text) and not (after < len(ordered) and ordered[after].startswith(text or ""))

    return np.fromiter(map(whole, texts.to_pylist()), dtype=np.bool_, count=len(texts))


def _as_addresses(buildings: pa.Table, addresses: pa.Table) -> pa.Table:
    shared = {name: buildings[name] for name in ("division", "text", "lon", "lat", "key")}
    names = (*addresses.column_names, "key")
    types = {**{f.name: f.type for f in addresses.schema}, "key": addresses.schema.field("code").type}
    return pa.table({n: shared.get(n, pa.nulls(len(buildings), types[n])).cast(types[n]) for n in names})


def _doors(texts: CodeColumn) -> pa.Array:
    """Addresses in standard form down to the building; null for a text without any."""
    found: list[str | None] = []
    for chunk in AddressReader().chunks(texts):
        for row in range(len(chunk)):
            door = chunk.parts(row)._replace(unit="", floor="", room="", remark="")
            found.append(canonical(door) or None)
    return pa.array(found, pa.string())
