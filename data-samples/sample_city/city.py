"""Write a whole sample city: plan it, then make and deliver it district by district."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from sample_city.built_files import AddressFile, AddressSupplement, BuildingFile, PoiFile
from sample_city.deliveries import Handover
from sample_city.directory import write_directory
from sample_city.divisions import make_frame
from sample_city.firms import Registrar
from sample_city.grids import make_grids, write_grids
from sample_city.ground_files import LandFile, RoadFile, WaterFile, write_divisions
from sample_city.highways import highways
from sample_city.land import river_greens, wide_cover
from sample_city.lattice import LINES, RIVER_COLUMN, make_lattice
from sample_city.people import Registry, dwellings_of, people_of
from sample_city.places import District, Surveyor
from sample_city.plan import Plan, Quad, built_up_quads, make_plan
from sample_city.pois import pois_of
from sample_city.record import FileRecord
from sample_city.register_files import DwellingFile, EntityFile, PersonFile
from sample_city.waters import River

LICENCE = "CC0-1.0"
QUADS_A_DISTRICT = 48

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was written: the size and seed of the city, and its files in the order in which to load them."""

    people: int
    seed: int
    files: list[FileRecord]

    def as_dict(self, folder: Path) -> dict[str, object]:
        """The manifest as JSON carries it, with digests of the files as they lie in the folder."""
        return {"people": self.people, "seed": self.seed, "files": [_entry(r, folder) for r in self.files]}


def write_city(out: Path, people: int, seed: int = 1, progress: Progress | None = None) -> Manifest:
    """Write a sample city of so many people into a folder: the files, the directory, manifest.json and answer_key.json.

    The same people and seed give the same bytes. `progress` is told (what, done, of how many) as districts pass.
    Memory is bounded by one district and the plan, whatever the size. Raises ValueError below 1 or above 10 million
    people.
    """
    if not 1 <= people <= 10_000_000:
        raise ValueError(f"people must be from 1 to 10 000 000, not {people}")
    tell = progress or (lambda *_: None)
    out.mkdir(parents=True, exist_ok=True)
    built_up = built_up_quads(people)
    lattice = make_lattice(seed)
    frame = make_frame(lattice, built_up)
    plan = make_plan(lattice, frame, people)
    divided = write_divisions(out, frame.divisions)
    watched = write_grids(out, make_grids(plan, built_up))
    files = [divided, *_write_ground_and_people(out, plan, people, built_up, tell), watched]
    manifest = Manifest(people, seed, files)
    write_directory(out)
    _write_json(out / "manifest.json", manifest.as_dict(out))
    _write_json(out / "answer_key.json", {"people": people, "seed": seed, "files": {r.file: r.answer() for r in files}})
    return manifest


def _write_ground_and_people(out: Path, plan: Plan, people: int, built_up: int, tell: Progress) -> list[FileRecord]:
    roads, water, land = RoadFile(out), WaterFile(out), LandFile(out)
    buildings, later = BuildingFile(out, 2025), BuildingFile(out, 2026)
    pois, later_pois = PoiFile(out, 2025), PoiFile(out, 2026)
    addresses, supplement = AddressFile(out), AddressSupplement(out)
    dwellings, persons, entities = DwellingFile(out), PersonFile(out), EntityFile(out)
    _add_wide_ground(plan, built_up, roads, water, land)
    homes_due, registry, registrar = _shares(plan, people, tell), Registry(), Registrar(plan.lattice.seed)
    handover = Handover(out, plan, people)
    for district, share, step in zip(_districts(plan), homes_due, range(len(homes_due)), strict=True):
        roads.add(district.roads)
        water.add(district.waters)
        land.add(district.parcels)
        found = list(pois_of(district, plan.lattice.seed))
        for points in (pois, later_pois):
            points.add(found)
        for built in (buildings, later, addresses, supplement):
            built.add(district.buildings)
        homes = [d for b in district.buildings for d in dwellings_of(b)]
        lived = list(people_of(homes, share, plan.lattice.seed, district.number, registry))
        dwellings.add(homes)
        persons.add(lived)
        firms = list(registrar.firms_of(district, lived))
        entities.add(firms)
        handover.add(district.number, district.buildings, homes, lived, firms)
        tell("districts", step + 1, len(homes_due))
    handover.close()
    water.close()
    for ground in (land, buildings, later, pois, later_pois, entities):
        ground.close()
    for tabled in (addresses, supplement, dwellings, persons):
        tabled.table.close()
    order = (
        roads,
        water,
        land,
        buildings,
        addresses,
        supplement,
        pois,
        later,
        later_pois,
        dwellings,
        persons,
        entities,
    )
    return [f.record for f in order]


def _districts(plan: Plan) -> Iterator[District]:
    surveyor = Surveyor(plan)
    for number, quads in enumerate(_groups(plan)):
        yield surveyor.district(number, quads)


def _groups(plan: Plan) -> list[list[Quad]]:
    return [plan.quads[k : k + QUADS_A_DISTRICT] for k in range(0, len(plan.quads), QUADS_A_DISTRICT)]


def _shares(plan: Plan, people: int, tell: Progress) -> list[int]:
    """How many people live in each district, by its dwellings; they sum to `people`."""
    homes = []
    groups = len(_groups(plan))
    for district in _districts(plan):
        homes.append(sum(b.dwellings for b in district.buildings))
        tell("survey", district.number + 1, groups)
    up_to = np.cumsum(homes) * people // sum(homes)
    shares: list[int] = np.diff(up_to, prepend=0).tolist()
    return shares


def _add_wide_ground(plan: Plan, built_up: int, roads: RoadFile, water: WaterFile, land: LandFile) -> None:
    """The river, the reservoirs, the land beyond and the roads through it."""
    river = River(plan.lattice)
    rows = np.flatnonzero(plan.frame.finest[LINES + RIVER_COLUMN] != "") - LINES
    waters = list(river.waters(range(int(rows.min()), int(rows.max()) + 1)))
    near = np.abs(np.arange(-LINES, LINES + 1)) <= built_up
    parcels, lakes = wide_cover(plan, near[:, None] & near[None, :])
    stream_area, lake_area = (shapely.union_all([w.shape for w in some]) for some in (waters, lakes))
    roads.add(list(highways(plan, stream_area, lake_area)))
    water.add([*waters, *lakes])
    land.add([*parcels, *river_greens(plan, river)])


def _entry(record: FileRecord, folder: Path) -> dict[str, object]:
    digests = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in record.paths(folder)}
    zh, en = record.title
    return {
        "file": record.file,
        "collection": record.collection,
        "dataset": Path(record.file).stem.removesuffix(f"_{record.edition}"),
        "layer": record.layer,
        "crs": None,
        "edition": record.edition,
        "rows": record.rows,
        "source": {"zh": f"{zh},示例数据", "en": f"{en}, sample data"},
        "licence": LICENCE,
        "sha256": digests,
    }


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")
