"""Down the ladder of precision: building, door plate, compound, landmark, road, community … province.

An address stops at the first rung where one place fits. Where several fit equally well, the answer is what they
share, and it says so; where what fits best is spoken against too strongly, the next rung is tried.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gis.codes.address_levels import AddressLevel
from gis.exchange.matching.asked import Asked, Hypotheses
from gis.exchange.matching.assembly import Ways
from gis.exchange.matching.candidates import (
    HOUSE_DISAGREES,
    KIND_DIFFERS,
    LIMIT,
    ROOM_LACKING,
    Best,
    Candidates,
    best,
    division_cost,
    joined,
    judged,
    reached,
)
from gis.exchange.matching.lexicon import LEVELS
from gis.exchange.matching.nodes import NO_NODE, Nodes, shared_division
from gis.exchange.matching.rooms import Rooms
from gis.exchange.matching.vocabulary import MOST_NODES, Ints


@dataclass(slots=True)
class Reached:
    """Where each address came to; `node` is −1 where nothing fits at all."""

    node: NDArray[np.int32]
    level: NDArray[np.uint8]
    penalty: NDArray[np.float32]
    hypothesis: Ints
    ties: Ints
    plate_seen: NDArray[np.bool_]
    """Whether some place has the plate that was asked for, even one that was not taken."""
    others: list[Candidates]
    """What else was considered, from the finest rung down."""

    @classmethod
    def nowhere(cls, count: int) -> "Reached":
        """Nothing found yet."""
        return cls(
            np.full(count, NO_NODE, dtype=np.int32),
            np.zeros(count, dtype=np.uint8),
            np.zeros(count, dtype=np.float32),
            np.full(count, -1, dtype=np.int64),
            np.zeros(count, dtype=np.int64),
            np.zeros(count, dtype=np.bool_),
            [],
        )


@dataclass(frozen=True, slots=True)
class Ladder:
    """The rungs over one table of places."""

    nodes: Nodes
    ways: Ways
    rooms: Rooms

    def climb(self, asked: Asked, hypotheses: Hypotheses, wanted: NDArray[np.bool_]) -> Reached:
        """Where the wanted addresses come to by any of the hypotheses."""
        state = Reached.nowhere(len(asked))
        open_rows = wanted.copy()
        for level, found in self._rungs(asked, hypotheses, open_rows):
            if level == AddressLevel.PLATE:
                state.plate_seen[found.row] = True
            if not len(found.row):
                continue
            chosen = best(found, self.nodes)
            state.others.append(chosen.ranked)
            self._settle(state, asked, chosen, chosen.penalty <= LIMIT)
            open_rows &= state.node == NO_NODE
            if not open_rows.any():
                break
        return state

    def _rungs(
        self, asked: Asked, hyps: Hypotheses, open_rows: NDArray[np.bool_]
    ) -> Iterator[tuple[AddressLevel, Candidates]]:
        """Candidates rung by rung, for the addresses that are still open when their rung comes."""
        which = hyps.of_rows(open_rows & (asked.building != 0))
        if len(which):
            yield AddressLevel.BUILDING, self._buildings(asked, hyps, which)
        which = hyps.of_rows(open_rows & (asked.plate != 0))
        if len(which):
            yield AddressLevel.PLATE, self._plates(asked, hyps, which)
        for level, way, words in (
            (AddressLevel.COMPOUND, self.ways.compound, hyps.compound),
            (AddressLevel.LANDMARK, self.ways.landmark, hyps.landmark),
            (AddressLevel.ROAD, self.ways.street, hyps.street),
        ):
            which = hyps.of_rows(open_rows)
            found = reached(way, (words[which],), hyps, which)
            if level is AddressLevel.COMPOUND:
                found = judged(found, asked, self.nodes, hyps)
            else:
                found = found._replace(penalty=found.penalty + division_cost(asked, self.nodes, found.row, found.node))
            yield level, found
        for place in reversed(range(LEVELS)):
            rows = np.flatnonzero(open_rows & (asked.divisions[:, place] > 0))
            yield AddressLevel(place + 1), self._divisions(asked, rows, place)

    def _buildings(self, asked: Asked, hyps: Hypotheses, which: Ints) -> Candidates:
        row, ways = hyps.row[which], self.ways
        street, compound, plate = hyps.street[which], hyps.compound[which], asked.plate[row]
        exact, number = asked.building[row], asked.building_number[row]
        alike = [
            reached(ways.plate_number, (street, plate, number), hyps, which),
            reached(ways.compound_number, (compound, number), hyps, which),
        ]
        found = joined(
            [
                reached(ways.plate_building, (street, plate, exact), hyps, which),
                reached(ways.compound_building, (compound, exact), hyps, which),
                *(a._replace(penalty=a.penalty + np.float32(KIND_DIFFERS)) for a in alike),
            ]
        )
        found = self._with_rooms(judged(found, asked, self.nodes, hyps), asked)
        return self._with_other_doors(found, asked, hyps, which)

    def _with_other_doors(self, found: Candidates, asked: Asked, hyps: Hypotheses, which: Ints) -> Candidates:
        """Where street and plate name one place and the compound another, both are candidates."""
        if not len(found.row) or found.penalty.max() < HOUSE_DISAGREES:
            return found
        lowest = np.full(len(asked), np.inf, dtype=np.float32)
        np.minimum.at(lowest, found.row, found.penalty)
        doubtful = np.isfinite(lowest) & (lowest >= HOUSE_DISAGREES)
        which = which[doubtful[hyps.row[which]]]
        doors = self._plates(asked, hyps, which)
        plates = found.row * MOST_NODES + self.nodes.plate_node[found.node]
        own = np.isin(doors.row * MOST_NODES + doors.node, plates)
        return joined([found, doors.taken(~own & (doors.penalty <= LIMIT))])

    def _with_rooms(self, found: Candidates, asked: Asked) -> Candidates:
        """Of several buildings, those whose rooms are known and that have not the one asked for are less likely."""
        several = (np.bincount(found.row, minlength=len(asked))[found.row] > 1) & (asked.room[found.row] != 0)
        at = np.flatnonzero(several)
        if not len(at):
            return found
        lacking = self.rooms.lacking(found.node[at], asked.unit[found.row[at]], asked.room[found.row[at]])
        penalty = found.penalty.copy()
        penalty[at[lacking]] += np.float32(ROOM_LACKING)
        return found._replace(penalty=penalty)

    def _plates(self, asked: Asked, hyps: Hypotheses, which: Ints) -> Candidates:
        row = hyps.row[which]
        plate = asked.plate[row]
        house = np.where(hyps.street[which] == 0, hyps.compound[which], 0).astype(np.int32)
        found = joined(
            [
                reached(self.ways.plate, (hyps.street[which], plate), hyps, which),
                reached(self.ways.compound_plate, (house, plate), hyps, which),
            ]
        )
        return judged(found, asked, self.nodes, hyps)

    def _divisions(self, asked: Asked, rows: Ints, level: int) -> Candidates:
        token = asked.divisions[rows, level].astype(np.int64)
        place, node = self.ways.division.find((np.int64(level) << 40) | (token << 20))
        row = rows[place]
        found = Candidates(row, node, np.zeros(len(row), dtype=np.float32), np.full(len(row), -1, dtype=np.int64))
        # a coarser place is not spoken against by the finer names that were not found
        upper = replace(asked, divisions=np.where(np.arange(LEVELS) <= level, asked.divisions, 0).astype(np.int32))
        return found._replace(penalty=division_cost(upper, self.nodes, row, node))

    def _settle(self, state: Reached, asked: Asked, chosen: Best, accepted: NDArray[np.bool_]) -> None:
        """Write the answers of one rung; ties become what they share."""
        at = np.flatnonzero(accepted)
        row = chosen.row[at]
        node = chosen.node[at]
        tied = chosen.ties[at] > 1
        if tied.any():
            node = node.copy()
            node[tied] = self._shared(chosen, at[tied])
        state.node[row] = node
        state.level[row] = np.where(node >= 0, self.nodes.level[node], 0)
        state.penalty[row] = chosen.penalty[at]
        state.hypothesis[row] = np.where(tied, -1, chosen.hypothesis[at])
        state.ties[row] = chosen.ties[at]

    def _shared(self, chosen: Best, at: Ints) -> NDArray[np.int32]:
        """The finest place that holds all that are equally good: plate, compound, street, division."""
        size = chosen.ties[at]
        member = np.repeat(chosen.start[at], size) + np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
        node, begin = chosen.ranked.node[member], np.concatenate([[0], np.cumsum(size)[:-1]]).astype(np.int64)
        found = np.full(len(at), NO_NODE, dtype=np.int32)
        for pointer in (self.nodes.plate_node, self.nodes.compound_node, self.nodes.street_node):
            low, high = np.minimum.reduceat(pointer[node], begin), np.maximum.reduceat(pointer[node], begin)
            same = (found == NO_NODE) & (low == high) & (low >= 0)
            found[same] = low[same]
        code = self.nodes.division[node]
        low_code, high_code = np.minimum.reduceat(code, begin), np.maximum.reduceat(code, begin)
        return np.where(found == NO_NODE, self.division_node(shared_division(low_code, high_code)), found).astype(
            np.int32
        )

    def division_node(self, code: Ints) -> NDArray[np.int32]:
        """The node of each division code, or of the next one above that is known; −1 where none is."""
        known = self.nodes.division[: int((self.nodes.level <= AddressLevel.VILLAGE).sum())]
        found = np.full(len(code), NO_NODE, dtype=np.int32)
        for span in (1, 10**3, 10**6, 10**8, 10**10):
            ancestor = code // span * span
            place = np.searchsorted(known, ancestor)
            there = (
                (found == NO_NODE) & (known.take(place, mode="clip") == ancestor) & (ancestor > 0)
                if len(known)
                else found > 0
            )
            found[there] = place[there]
        return found
