"""Once a commit is visible, no later answer is older: many writers, some slow, commit in any order.

Readers keep answers by digest as a server does. An answer is held against what had been committed before it was asked
for. The same is tried with a log that is read by its highest number, which must be caught giving old answers.
"""

import asyncio
import random
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

import psycopg
import pytest

from gis.store import changes_poll
from gis.store.changes import Changes
from gis.store.database import AsyncDatabase

POIS = "base.pois"
#: Places in squares of their own, with their tile at zoom 14.
PLACES = {"a": (116.10, 31.10), "b": (116.40, 31.50), "c": (116.80, 31.90)}
TILES = {"a": (14, 13475, 6701), "b": (14, 13489, 6680), "c": (14, 13507, 6658)}
WRITERS, ROWS = 5, 4
COMMITS = 300

READ = "SELECT fid, load FROM base.pois WHERE name = %s"
INSERT = "INSERT INTO base.pois (fid, rec_from, digest, load, name, geom) VALUES (%s, 1, 0, 0, 'a', {})"
UPDATE = "UPDATE base.pois SET load = %s, name = %s, geom = {} WHERE fid = %s"
POINT = "ST_SetSRID(ST_Point(%s, %s), 4326)"

# the highest number that was seen takes the place of the oldest transaction that may still be under way
HIGHEST = "(SELECT format('%1$s:%1$s:', coalesce(max(xid::text::bigint), 0) + 1) FROM core.change)"


@dataclass
class Record:
    """What was written: the place of each version of a row, and the newest version that is committed for certain."""

    places: defaultdict[int, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    committed: dict[int, int] = field(default_factory=dict)
    commits: int = 0
    stop: bool = False

    def fault(self, place: str, floor: dict[int, int], answer: dict[int, int]) -> str | None:
        """What an answer lacks that had been committed when it was asked for."""
        for fid, version in floor.items():
            got = answer.get(fid)
            if got is not None and got < version:
                return f"row {fid} is shown in version {got}, {version} was committed"
            later = (where for number, where in list(self.places[fid].items()) if number > version)
            if got is None and self.places[fid][version] == place and all(where == place for where in later):
                return f"row {fid} is not shown, version {version} lies there"
        return None


def write(url: str, record: Record, number: int) -> None:
    """Change rows of one's own again and again; every fifth transaction is slow, every sixth is taken back."""
    rng = random.Random(number)
    own = [number * ROWS + n for n in range(ROWS)]
    with psycopg.connect(url) as conn:
        version = 0
        while not record.stop:
            version += 1
            changed = rng.sample(own, rng.randrange(1, ROWS))
            for fid in changed:
                place = rng.choice(list(PLACES))
                record.places[fid][version] = place
                conn.execute(UPDATE.format(POINT), (version, place, *PLACES[place], fid))
                time.sleep(rng.choice([0.0, 0.001]))
            time.sleep(0.05 if number == 0 or rng.random() < 0.2 else 0.0)
            if rng.random() < 1 / 6:
                conn.rollback()
                for fid in changed:
                    del record.places[fid][version]
                continue
            conn.commit()
            record.committed.update(dict.fromkeys(changed, version))
            record.commits += 1


async def read(database: AsyncDatabase, record: Record, commits: int) -> list[str]:
    """Answer as a server does, from what is kept by digest, until there were so many commits; returns the faults."""
    changes = Changes(database)
    await changes.open()
    kept: dict[tuple[str, int], dict[int, int]] = {}
    faults: list[str] = []

    async def ask(rng: random.Random) -> None:
        while record.commits < commits and not faults:
            place = rng.choice(list(PLACES))
            floor = dict(record.committed)
            await changes.settled()
            key = (place, changes.digest(POIS, *TILES[place]))
            if key not in kept:
                async with database.connection() as conn:
                    kept[key] = dict(await (await conn.execute(READ, (place,))).fetchall())  # type: ignore[arg-type]
            fault = record.fault(place, floor, kept[key])
            if fault:
                faults.append(fault)
            await asyncio.sleep(0)

    try:
        await asyncio.gather(*(ask(random.Random(n)) for n in range(6)))
    finally:
        await changes.close()
    return faults


def trial(url: str, commits: int) -> tuple[list[str], int]:
    """Faults of one trial, and how many commits it took."""
    with psycopg.connect(url) as conn:
        conn.execute("TRUNCATE base.pois")
        for fid in range(WRITERS * ROWS):
            conn.execute(INSERT.format(POINT), (fid, *PLACES["a"]))
    record = Record(committed=dict.fromkeys(range(WRITERS * ROWS), 0))
    for fid in range(WRITERS * ROWS):
        record.places[fid][0] = "a"
    writers = [threading.Thread(target=write, args=(url, record, number)) for number in range(WRITERS)]

    async def run() -> list[str]:
        database = AsyncDatabase(url, size=4)
        await database.open()
        try:
            return await read(database, record, commits)
        finally:
            await database.close()

    for writer in writers:
        writer.start()
    try:
        return asyncio.run(run()), record.commits
    finally:
        record.stop = True
        for writer in writers:
            writer.join()


def test_no_answer_is_older_than_what_was_committed_when_it_was_asked_for(module_url: str) -> None:
    faults, commits = trial(module_url, COMMITS)
    assert faults == []
    assert commits >= COMMITS


@pytest.mark.torture
def test_no_answer_is_older_for_long(module_url: str, torture_scale: float) -> None:
    faults, _ = trial(module_url, int(100_000 * torture_scale))
    assert faults == []


def test_reading_by_the_highest_number_is_caught(module_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant = changes_poll._POLL.replace(changes_poll.POSITION, HIGHEST)
    assert mutant != changes_poll._POLL
    monkeypatch.setattr(changes_poll, "_POLL", mutant)
    faults, _ = trial(module_url, 20 * COMMITS)
    assert faults


def test_the_trial_notices_old_answers() -> None:
    record = Record()
    record.places[1] = {1: "a", 2: "a", 3: "b"}
    assert record.fault("a", {1: 2}, {1: 1})
    assert record.fault("a", {1: 2}, {1: 2}) is None
    assert record.fault("a", {1: 2}, {}) is None
    del record.places[1][3]
    assert record.fault("a", {1: 2}, {})


def test_the_places_lie_in_their_tiles_and_apart(module_url: str) -> None:
    boxes = f"SELECT ST_Intersects(ST_Transform({POINT}, 3857), ST_TileEnvelope(%s, %s, %s))"
    with psycopg.connect(module_url) as conn:
        for place, where in PLACES.items():
            assert conn.execute(boxes, (*where, *TILES[place])).fetchone() == (True,)
    for (_, one, _), (_, other, _) in pairwise(TILES.values()):
        assert other - one > 4
