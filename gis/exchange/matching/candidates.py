"""Places that readings of addresses lead to, what speaks against each, and which one stands out."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gis.exchange.matching.asked import Asked, Hypotheses
from gis.exchange.matching.nodes import Nodes, main_of
from gis.exchange.matching.vocabulary import MOST_NODES, UNKNOWN, Edges, Ints, packed

Floats32 = NDArray[np.float32]

DIVISION_DISAGREES = np.array([3.0, 3.0, 0.8, 0.8, 0.8], dtype=np.float32)
"""The cost of naming another province, city, county, township or village than the place lies in."""
DIVISION_UNKNOWN = np.array([3.0, 3.0, 2.0, 0.8, 0.8], dtype=np.float32)
"""The cost of naming one that the city has not; another city's district is no place here."""
NAME_DISAGREES, NAME_UNKNOWN, PLATE_DISAGREES, HOUSE_DISAGREES, KIND_DIFFERS = 1.5, 1.0, 0.9, 0.8, 0.4
ROOM_LACKING = 0.5
LIMIT = 1.65
"""What may speak against a place at most; beyond it the next coarser level is tried."""
MARGIN = 0.35
"""Places closer than this in cost are equally good: the text does not decide between them."""


class Candidates(NamedTuple):
    """Pairs of an address and a place, each reached by a hypothesis, with what speaks against it."""

    row: Ints
    node: NDArray[np.int32]
    penalty: Floats32
    hypothesis: Ints

    def taken(self, which: NDArray[Any]) -> "Candidates":
        """Some of the pairs, by number or by mask."""
        return Candidates(self.row[which], self.node[which], self.penalty[which], self.hypothesis[which])


@dataclass(frozen=True, slots=True)
class Best:
    """For each address that has a candidate: the best, its cost, and how many places are as good (`ties` from 1).

    `ranked` are all its candidates, cheapest first, each place once; those of the k-th address begin at `start[k]`.
    """

    row: Ints
    node: NDArray[np.int32]
    penalty: Floats32
    hypothesis: Ints
    ties: Ints
    ranked: Candidates
    start: Ints


def reached(way: Edges, keys: tuple[NDArray[np.int32], ...], hypotheses: Hypotheses, which: Ints) -> Candidates:
    """What a way leads to for those hypotheses whose words are all known."""
    known = np.all([k > 0 for k in keys], axis=0)
    at = which[known]
    words = [k[known].astype(np.int64) for k in keys]
    asked, node = way.find(packed(words[0], words[1] if len(words) > 1 else np.zeros_like(words[0]),
                                  words[2] if len(words) > 2 else 0))  # fmt: skip
    hypothesis = at[asked]
    return Candidates(hypotheses.row[hypothesis], node, hypotheses.penalty[hypothesis], hypothesis)


def judged(found: Candidates, asked: Asked, nodes: Nodes, hypotheses: Hypotheses) -> Candidates:
    """Add what speaks against each: divisions, street, plate and compound that the text names otherwise."""
    if not len(found.row):
        return found
    row, node = found.row, found.node
    cost = found.penalty + division_cost(asked, nodes, row, node)
    street, there = hypotheses.street[found.hypothesis], nodes.street[node]
    other_street = (street > 0) & (there > 0) & (street != there)
    cost += other_street * np.float32(NAME_DISAGREES)
    cost += (street == UNKNOWN) * np.float32(NAME_UNKNOWN)
    plate, number = asked.plate[row], nodes.plate[node]
    cost += ((plate != 0) & (number > 0) & (plate != number) & ~other_street) * np.float32(PLATE_DISAGREES)
    compound, named = hypotheses.compound[found.hypothesis], nodes.compound[node]
    cost += ((compound > 0) & (named > 0) & (compound != named)) * np.float32(NAME_DISAGREES)
    cost += ((compound > 0) & (named == 0)) * np.float32(HOUSE_DISAGREES)
    cost += (compound == UNKNOWN) * np.float32(NAME_UNKNOWN)
    return found._replace(penalty=cost.astype(np.float32))


def division_cost(asked: Asked, nodes: Nodes, row: Ints, node: NDArray[np.int32]) -> Floats32:
    """What the divisions that the text names say against each place."""
    given, there = asked.divisions[row], nodes.divisions[node]
    disagrees = (given > 0) & (there > 0) & (given != there)
    # no number can be amiss here, but the product of matrices may leave the processor's flag as if one were
    with np.errstate(invalid="ignore"):
        found: Floats32 = disagrees @ DIVISION_DISAGREES + (given == UNKNOWN) @ DIVISION_UNKNOWN
    return found.astype(np.float32)


def joined(parts: list[Candidates]) -> Candidates:
    """All candidates together."""
    return Candidates(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def best(found: Candidates, nodes: Nodes) -> Best:
    """The best place of each address, each place counted once at its lowest cost, whatever form of it was met."""
    if len(found.row) and (found.row[1:] > found.row[:-1]).all():
        # one candidate an address, as most have it
        every = np.arange(len(found.row))
        return Best(found.row, found.node, found.penalty, found.hypothesis, np.ones_like(every), found, every)
    place = found.row * MOST_NODES + main_of(nodes, found.node)
    order = np.lexsort((found.penalty, place))
    order = order[np.concatenate([[True], np.diff(place[order]) > 0])] if len(order) else order
    ranked = found.taken(order)
    order = np.lexsort((ranked.penalty, ranked.row))
    ranked = ranked.taken(order)
    start = np.flatnonzero(np.concatenate([[True], np.diff(ranked.row) > 0])) if len(order) else order
    size = np.diff(np.concatenate([start, [len(ranked.row)]]))
    lowest = np.repeat(ranked.penalty[start], size)
    tied = ranked.penalty <= lowest + np.float32(MARGIN)
    ties = np.add.reduceat(tied.astype(np.int64), start) if len(start) else np.zeros(0, dtype=np.int64)
    return Best(ranked.row[start], ranked.node[start], ranked.penalty[start], ranked.hypothesis[start], ties, ranked,
                start)  # fmt: skip
