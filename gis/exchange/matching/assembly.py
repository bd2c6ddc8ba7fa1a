"""Streets, compounds and door plates drawn together from the register's rows, with the ways that lead to each place."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.codes.address_levels import AddressLevel
from gis.codes.division import SPANS
from gis.errors import BadInput
from gis.exchange.matching.clusters import clusters, metres
from gis.exchange.matching.nodes import NO_FID, NO_NODE, Floats, Nodes, Places, grouped, stacked
from gis.exchange.matching.register import DivisionRows, Landmarks, SiteRows
from gis.exchange.matching.vocabulary import MOST_NODES, Edges, Ints, Tokens, packed

_POINTERS = ("street_node", "compound_node", "plate_node", "main")
_LONGEST_CHAIN = 3
STREET_REACH_M, COMPOUND_REACH_M = 400.0, 300.0
"""A gap without an address that parts two streets, or two compounds, of one name."""


@dataclass(frozen=True, slots=True)
class Ways:
    """From words to places. Keys: (street, plate, building), (compound, building), (street, plate), …"""

    plate_building: Edges
    plate_number: Edges
    compound_building: Edges
    compound_number: Edges
    plate: Edges
    compound_plate: Edges
    compound: Edges
    street: Edges
    landmark: Edges
    division: Edges
    """(level from 0, token)."""


@dataclass(slots=True)
class _Groups:
    """Groups of sites: which group each site is in (−1 none) and which node each group is."""

    of_site: Ints
    nodes: Nodes


def assemble(
    divisions: DivisionRows, sites: SiteRows, landmarks: Landmarks, names: list[str]
) -> tuple[Nodes, Ways, Ints]:
    """The table of places, the ways to them, and the place of each site (without building: the plate or compound).

    `names` are the words by token. Raises BadInput beyond eight million places.
    """
    word = pa.array([n[1:] for n in names], pa.string())
    above = divisions.above(sites.division)
    parts = [_division_nodes(divisions, sites)]
    start = len(parts[0])
    streets = _named(divisions, sites, sites.street, (AddressLevel.ROAD, STREET_REACH_M, start), word)
    start += len(streets.nodes)
    compounds = _named(divisions, sites, sites.compound, (AddressLevel.COMPOUND, COMPOUND_REACH_M, start), word)
    start += len(compounds.nodes)
    plates = _plates(divisions, sites, streets, compounds, word)
    plate_start, start = start, start + len(plates.nodes)
    built = (sites.building > 0).nonzero()[0]
    pointers = _pointers(sites, streets, compounds, (plates, plate_start), built)
    buildings = _building_nodes(sites, above, built, pointers, word)
    marks = _landmark_nodes(landmarks, divisions)
    nodes = stacked([*parts, streets.nodes, compounds.nodes, plates.nodes, buildings, marks])
    if len(nodes) >= MOST_NODES:
        raise BadInput(
            f"{len(nodes):,} places are too many for one index; index one city at a time",
            f"{len(nodes):,} 个地点超过一个索引的上限,请按城市分别建索引",
            subject="places",
        )
    place = np.full(len(sites), NO_NODE, dtype=np.int64)
    for groups, first in (
        (streets, len(parts[0])),
        (compounds, len(parts[0]) + len(streets.nodes)),
        (plates, plate_start),
    ):
        there = groups.of_site >= 0
        place[there] = groups.of_site[there] + first
    place[built] = start + np.arange(len(built))
    nodes = replace(nodes, main=_mains(sites, place, nodes))
    return nodes, _ways(nodes, sites.number[built], start), place


def _division_nodes(divisions: DivisionRows, sites: SiteRows) -> Nodes:
    """Divisions where their table puts them, else amid their addresses."""
    count = len(divisions.code)
    order = np.argsort(sites.division, kind="stable")
    codes = sites.division[order]
    span = np.array(SPANS, dtype=np.int64)[divisions.level - 1] if count else np.empty(0, dtype=np.int64)
    low, high = np.searchsorted(codes, divisions.code), np.searchsorted(codes, divisions.code + span)
    size = np.maximum(high - low, 1)

    def mean(values: Floats) -> Floats:
        total = np.concatenate([[0.0], np.cumsum(values[order])])
        return np.asarray((total[high] - total[low]) / size, dtype=np.float64)

    x, y = metres(sites.lon, sites.lat)
    x, y = x - x.mean() if len(x) else x, y - y.mean() if len(y) else y
    spread = np.sqrt(np.maximum(mean(x * x) - mean(x) ** 2 + mean(y * y) - mean(y) ** 2, 0.0))
    radius = (2 * spread).astype(np.float32)
    amid = np.where(high > low, 1.0, np.nan)
    lon, lat = (
        np.where(np.isnan(given), mean(there) * amid, given)
        for given, there in ((divisions.lon, sites.lon), (divisions.lat, sites.lat))
    )
    return _nodes(
        count,
        level=divisions.level.astype(np.uint8),
        division=divisions.code,
        divisions=divisions.tokens,
        lon=lon,
        lat=lat,
        radius_m=radius,
        fid=divisions.fid,
        code=pa.array([f"{c:012d}" for c in divisions.code.tolist()], pa.string()),
        name=pa.array(divisions.name, pa.string()),
    )


def _named(
    divisions: DivisionRows, sites: SiteRows, token: Tokens, kind: tuple[AddressLevel, float, int], word: pa.Array
) -> _Groups:
    """Streets or compounds: the sites of one name that stand together."""
    level, reach_m, start = kind
    rows = (token > 0).nonzero()[0]
    x, y = metres(sites.lon[rows], sites.lat[rows])
    group = clusters(token[rows].astype(np.int64), x, y, reach_m)
    drawn = grouped(group, sites.lon[rows], sites.lat[rows], sites.division[rows])
    own = token[rows][drawn.first]
    itself = (np.arange(len(own)) + start).astype(np.int32)
    is_street = level is AddressLevel.ROAD
    here = sites.building[rows] == 0
    here &= (sites.plate[rows] == 0) & ((sites.compound[rows] == 0) if is_street else (sites.street[rows] >= 0))
    fid, code = _sole(group, here, rows, sites, len(own))
    nodes = _nodes(
        len(own),
        level=np.full(len(own), level, dtype=np.uint8),
        division=drawn.division,
        divisions=divisions.above(drawn.division),
        street=own if is_street else _common(sites.street[rows], group, len(own)),
        compound=own if not is_street else np.zeros(len(own), dtype=np.int32),
        plate=np.zeros(len(own), dtype=np.int32) if is_street else _common(sites.plate[rows], group, len(own)),
        street_node=itself if is_street else np.full(len(own), NO_NODE, dtype=np.int32),
        compound_node=itself if not is_street else np.full(len(own), NO_NODE, dtype=np.int32),
        lon=drawn.lon,
        lat=drawn.lat,
        radius_m=drawn.radius_m,
        fid=fid,
        code=code,
        name=word.take(pa.array(own)),
    )
    of_site = np.full(len(sites), -1, dtype=np.int64)
    of_site[rows] = group
    return _Groups(of_site, nodes)


def _plates(divisions: DivisionRows, sites: SiteRows, streets: _Groups, compounds: _Groups, word: pa.Array) -> _Groups:
    """Door plates along streets, and houses numbered within a compound; one in each community that has the number."""
    on_street = sites.street > 0
    street_first, compound_first = _firsts(divisions, streets)
    owner = np.where(on_street, streets.of_site, compounds.of_site + len(streets.nodes))
    rows = ((sites.plate > 0) & (on_street | (compounds.of_site >= 0))).nonzero()[0]
    keys = np.stack([owner[rows], sites.plate[rows].astype(np.int64), sites.division[rows]], axis=1)
    _, group = np.unique(keys, axis=0, return_inverse=True)
    group = group.reshape(-1).astype(np.int64)
    drawn = grouped(group, sites.lon[rows], sites.lat[rows], sites.division[rows])
    at = rows[drawn.first]
    fid, code = _sole(group, sites.building[rows] == 0, rows, sites, len(at))
    start = compound_first + len(compounds.nodes)
    nodes = _nodes(
        len(at),
        level=np.full(len(at), AddressLevel.PLATE, dtype=np.uint8),
        division=drawn.division,
        divisions=divisions.above(drawn.division),
        street=sites.street[at],
        compound=_common(sites.compound[rows], group, len(at)),
        plate=sites.plate[at],
        street_node=np.where(on_street[at], streets.of_site[at] + street_first, NO_NODE).astype(np.int32),
        compound_node=np.where(
            (compounds.of_site[at] >= 0) & (_common(sites.compound[rows], group, len(at)) > 0),
            compounds.of_site[at] + compound_first,
            NO_NODE,
        ).astype(np.int32),
        plate_node=(np.arange(len(at)) + start).astype(np.int32),
        lon=drawn.lon,
        lat=drawn.lat,
        radius_m=drawn.radius_m,
        fid=fid,
        code=code,
        name=_numbered(word.take(pa.array(sites.plate[at]))),
    )
    of_site = np.full(len(sites), -1, dtype=np.int64)
    of_site[rows] = group
    return _Groups(of_site, nodes)


def _numbered(plates: pa.Array) -> pa.Array:
    return pa.array([f"{p}号" for p in plates.to_pylist()], pa.string())


def _firsts(divisions: DivisionRows, streets: _Groups) -> tuple[int, int]:
    return len(divisions.code), len(divisions.code) + len(streets.nodes)


def _pointers(
    sites: SiteRows, streets: _Groups, compounds: _Groups, plates: tuple[_Groups, int], rows: Ints
) -> dict[str, Places]:
    """Street, compound and plate of the buildings."""
    plate_start = plates[1]
    compound_start = plate_start - len(compounds.nodes)
    starts = (compound_start - len(streets.nodes), compound_start, plate_start)
    found = {}
    for name, groups, start in zip(
        ("street", "compound", "plate"), (streets, compounds, plates[0]), starts, strict=True
    ):
        group = groups.of_site[rows]
        found[f"{name}_node"] = np.where(group >= 0, group + start, NO_NODE).astype(np.int32)
    return found


def _building_nodes(sites: SiteRows, above: Tokens, rows: Ints, pointers: dict[str, Places], word: pa.Array) -> Nodes:
    return _nodes(
        len(rows),
        level=np.full(len(rows), AddressLevel.BUILDING, dtype=np.uint8),
        division=sites.division[rows],
        divisions=above[rows],
        street=sites.street[rows],
        compound=sites.compound[rows],
        plate=sites.plate[rows],
        building=sites.building[rows],
        **pointers,
        lon=sites.lon[rows],
        lat=sites.lat[rows],
        fid=sites.fid[rows],
        code=sites.code.take(pa.array(rows)),
        name=word.take(pa.array(sites.building[rows])),
    )


def _landmark_nodes(marks: Landmarks, divisions: DivisionRows) -> Nodes:
    return _nodes(
        len(marks.token),
        level=np.full(len(marks.token), AddressLevel.LANDMARK, dtype=np.uint8),
        division=marks.division,
        divisions=divisions.above(marks.division),
        compound=marks.token,
        lon=marks.lon,
        lat=marks.lat,
        fid=marks.fid,
        code=marks.code,
        name=marks.name,
    )


def _mains(sites: SiteRows, place: Ints, nodes: Nodes) -> Places:
    """For each node the place of its main address, where it is an auxiliary address and nothing else."""
    found = np.full(len(nodes), NO_NODE, dtype=np.int32)
    named = np.flatnonzero(pc.not_equal(sites.main, "").to_numpy(zero_copy_only=False))
    at = pc.index_in(sites.main.take(pa.array(named)), value_set=sites.key).fill_null(-1).to_numpy()
    known = named[at >= 0]
    other, own = place[at[at >= 0]], place[known]
    # a door with buildings of its own, or with several rows, is more than this one address
    alone = pc.equal(nodes.code.take(pa.array(own)), sites.code.take(pa.array(known))).to_numpy(zero_copy_only=False)
    alone &= (
        (nodes.fid[own] == sites.fid[known])
        & (other != own)
        & ~np.isin(own, nodes.plate_node[nodes.level == AddressLevel.BUILDING])
    )
    found[own[alone]] = other[alone]
    for _ in range(_LONGEST_CHAIN):
        onward = np.where(found >= 0, found[found], NO_NODE)
        found = np.where(onward >= 0, onward, found)
    # what still leads on is a circle
    return np.where((found >= 0) & (found[found] < 0), found, NO_NODE).astype(np.int32)


def _ways(nodes: Nodes, number: Tokens, first_building: int) -> Ways:
    """Index every kind of place by the words that lead to it."""
    every = np.arange(len(nodes), dtype=np.int32)
    kinds = {level: every[nodes.level == level] for level in AddressLevel}
    plates, built = kinds[AddressLevel.PLATE], kinds[AddressLevel.BUILDING]
    numbers = np.zeros(len(nodes), dtype=np.int32)
    numbers[first_building : first_building + len(number)] = number
    on_street = plates[nodes.street[plates] > 0]
    in_compound = plates[nodes.street[plates] == 0]

    def edges(rows: Places, *columns: NDArray[np.int32]) -> Edges:
        values = [c[rows] for c in columns] + [np.zeros(len(rows), dtype=np.int32)] * (3 - len(columns))
        kept = np.all([v > 0 for v in values[: len(columns)]], axis=0) if len(rows) else np.zeros(0, bool)
        return Edges.of(packed(*(v[kept].astype(np.int64) for v in values)), rows[kept])

    divided = every[nodes.level <= AddressLevel.VILLAGE]
    level = nodes.level[divided].astype(np.int64)
    own = nodes.divisions[divided, level - 1].astype(np.int64)
    return Ways(
        plate_building=edges(built, nodes.street, nodes.plate, nodes.building),
        plate_number=edges(built, nodes.street, nodes.plate, numbers),
        compound_building=edges(built, nodes.compound, nodes.building),
        compound_number=edges(built, nodes.compound, numbers),
        plate=edges(on_street, nodes.street, nodes.plate),
        compound_plate=edges(in_compound, nodes.compound, nodes.plate),
        compound=edges(kinds[AddressLevel.COMPOUND], nodes.compound),
        street=edges(kinds[AddressLevel.ROAD], nodes.street),
        landmark=edges(kinds[AddressLevel.LANDMARK], nodes.compound),
        division=Edges.of(packed(level - 1, own), divided),
    )


def _sole(group: Ints, here: NDArray[np.bool_], rows: Ints, sites: SiteRows, count: int) -> tuple[Ints, pa.Array]:
    """The fid and code of the row that is the group itself, where there is exactly one."""
    own = np.flatnonzero(here)
    many = np.bincount(group[own], minlength=count)
    row = np.zeros(count, dtype=np.int64)
    row[group[own]] = rows[own]
    fid = np.where(many == 1, sites.fid[row] if len(sites) else NO_FID, NO_FID)
    code = sites.code.take(pa.array(row, mask=many != 1)).fill_null("")
    return fid.astype(np.int64), code


def _common(token: Tokens, group: Ints, count: int) -> Tokens:
    """The token that all rows of a group have, else 0."""
    low, high = np.full(count, np.iinfo(np.int32).max, dtype=np.int32), np.zeros(count, dtype=np.int32)
    np.minimum.at(low, group, token)
    np.maximum.at(high, group, token)
    return np.where(low == high, high, 0).astype(np.int32)


def _nodes(count: int, **columns: object) -> Nodes:
    """A table of places with what is not given left empty."""
    empty: dict[str, object] = {
        **{name: np.zeros(count, dtype=np.int32) for name in ("street", "compound", "plate", "building")},
        **{name: np.full(count, NO_NODE, dtype=np.int32) for name in _POINTERS},
        "radius_m": np.zeros(count, dtype=np.float32),
    }
    return Nodes(**(empty | columns))  # type: ignore[arg-type]
