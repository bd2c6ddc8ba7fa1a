"""Everything that departments hand over, written while the city passes district by district."""

from pathlib import Path

from sample_city.deliveries.cast import Casting
from sample_city.deliveries.visitors import VisitorFile
from sample_city.deliveries.wording import AddressWriter
from sample_city.people import Dwelling, Person
from sample_city.plan import Plan


class Handover:
    """The folder `deliveries` with its manifest and answers; memory is bounded by a district and the seeded faults."""

    def __init__(self, out: Path, plan: Plan, people: int) -> None:
        (out / "deliveries").mkdir(exist_ok=True)
        seed, writer = plan.lattice.seed, AddressWriter(plan.frame.names)
        self._casting = Casting(seed)
        self._visitors = VisitorFile(out, people, seed, writer)

    def add(self, district: int, homes: list[Dwelling], people: list[Person]) -> None:
        """Append what is said of a district."""
        cast = self._casting.of(district, people)
        self._visitors.add(district, cast, homes)

    def close(self) -> None:
        """End all files."""
        self._visitors.close()
