"""Everything that departments hand over, written while the city passes district by district."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from sample_city.deliveries.cast import Casting
from sample_city.deliveries.census import Census
from sample_city.deliveries.handed import FOLDER, MOST_IN_BOOK, Handed
from sample_city.deliveries.housing import HousingFiles
from sample_city.deliveries.lives import Lives
from sample_city.deliveries.moves import MoveFiles
from sample_city.deliveries.residents import ResidentFiles
from sample_city.deliveries.trade import TradeFiles
from sample_city.deliveries.visitors import VisitorFile
from sample_city.deliveries.welfare import WelfareFiles
from sample_city.deliveries.wording import AddressWriter
from sample_city.firms import Firm
from sample_city.people import Dwelling, Person
from sample_city.places import Building
from sample_city.plan import Plan


class Handover:
    """The folder `deliveries` with its manifest and answers; memory is bounded by a district and the seeded faults."""

    def __init__(self, out: Path, plan: Plan, people: int) -> None:
        (out / FOLDER).mkdir(exist_ok=True)
        seed, writer, small = plan.lattice.seed, AddressWriter(plan.frame.names), people <= MOST_IN_BOOK
        self._out, self._people, self._seed = out, people, seed
        self._census, self._casting, self._lives = Census(), Casting(seed), Lives()
        self._housing = HousingFiles(out, seed, small=small)
        self._police = ResidentFiles(out)
        self._welfare = WelfareFiles(out, writer, small=small)
        self._moves = MoveFiles(out)
        self._trade = TradeFiles(out, seed, small=small)
        self._visitors = VisitorFile(out, people, seed, writer)

    def add(
        self, district: int, buildings: list[Building], homes: list[Dwelling], people: list[Person], firms: list[Firm]
    ) -> None:
        """Append what is said of a district."""
        self._census.take(buildings)
        quarter = self._housing.add(district, homes, {p.dwelling for p in people}, self._census)
        cast = self._casting.of(district, people, quarter)
        told = self._police.add(cast)
        self._welfare.add(cast, told, self._police)
        self._moves.add(cast, told, self._welfare, self._lives)
        self._trade.add(district, firms, self._census.unplaced)
        self._visitors.add(district, cast, homes)

    def close(self) -> None:
        """End all files; write deliveries.json and deliveries_answers.json."""
        self._visitors.close()
        files = list(self._files())
        for file in files:
            file.close()
        city = {"people": self._people, "seed": self._seed}
        digests = [hashlib.sha256((self._out / f.file).read_bytes()).hexdigest() for f in files]
        entries = [f.entry() | {"sha256": d} for f, d in zip(files, digests, strict=True)]
        _write_json(self._out / "deliveries.json", city | {"deliveries": entries})
        facts = self._lives.facts() | {
            "entities": self._trade.names.entities,
            "entities_registered": self._trade.names.registered,
        }
        answers = {f.file: f.answer_key() for f in files}
        _write_json(self._out / "deliveries_answers.json", city | {"files": answers, "facts": facts})

    def _files(self) -> Iterator[Handed]:
        """In the order in which they are handed over."""
        estate, checked, estate_again, checked_again = self._housing.files()
        yield from (estate, checked, self._police.first, self._welfare.first, self._trade.first, self._trade.civil)
        yield from (estate_again, checked_again, self._police.again, self._welfare.again)
        yield from (self._trade.again, self._trade.civil_again, self._trade.second)
        yield from (self._moves.second, self._moves.third, self._moves.late)


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")
