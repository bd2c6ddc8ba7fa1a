"""What the city's registers came to know of the buildings: deliveries refer to them, and the files had gaps."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from sample_city.built_files import DEMOLISHED, NO_SHAPE, WRONG_PLACES
from sample_city.places import Building


@dataclass(slots=True)
class Census:
    """Buildings in the order in which their files list them.

    `unregistered` are codes of buildings whose rows were refused, `gone` of those that the later edition lacks;
    `unplaced` are addresses that no register holds, `alike` the codes of buildings that share number and compound
    (2栋 and 2号楼). All four are of the latest district.
    """

    unregistered: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    unplaced: set[str] = field(default_factory=set)
    alike: set[str] = field(default_factory=set)
    _buildings: int = 0
    _plates: int = 0

    def take(self, buildings: list[Building]) -> None:
        """Go through a district's buildings."""
        for found in (self.unregistered, self.gone, self.unplaced, self.alike):
            found.clear()
        for building in buildings:
            self._buildings += 1
            if self._buildings in NO_SHAPE:
                self.unregistered.add(building.code)
            if self._buildings in DEMOLISHED:
                self.gone.add(building.code)
            if building.address.plate:
                self._plates += 1
                if self._plates in WRONG_PLACES:
                    self.unplaced.add(building.address.text)

        self.alike.update(_alike(buildings))

    def stands(self, building: str) -> bool:
        """Whether the register of buildings holds this code today."""
        return building not in self.unregistered and building not in self.gone


def _alike(buildings: list[Building]) -> Iterator[str]:
    """The codes of buildings that are told from another one of their compound only by 栋 or 号楼."""
    groups: dict[str, list[str]] = defaultdict(list)
    for building in buildings:
        groups[building.address.text.removesuffix("号楼").removesuffix("栋")].append(building.code)
    return chain.from_iterable(group for group in groups.values() if len(group) > 1)
