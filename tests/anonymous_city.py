"""A small city of persons, of whom analysts and the public are told counts."""

import random

import h3
import psycopg

from gis.catalog import Anonymous, Catalogue, Grant, Policy
from layers import LAYERS
from tests.policies import with_policies

CATALOGUE = with_policies(
    Catalogue(LAYERS),
    {
        "base.persons": Policy(
            (
                Grant(roles=("analyst",), anonymous=Anonymous(9, 5, 2)),
                Grant(roles=("public",), anonymous=Anonymous(7, 10, 2)),
            )
        )
    },
)


def fill(url: str) -> None:
    """3 000 persons in 400 houses of six villages, some without a place."""
    chance = random.Random(3)
    houses = []
    for _ in range(400):
        village = chance.randrange(6)
        lat, lon = (
            31.75 + village // 3 * 0.02 + chance.gauss(0, 0.006),
            116.5 + village % 3 * 0.02 + chance.gauss(0, 0.006),
        )
        houses.append(
            (int(h3.latlng_to_cell(lat, lon, 11), 16), 341502001001 + village, chance.choice((1, 2, 3, 9, 40)))
        )
    places = chance.choices(houses, [house[2] for house in houses], k=3_000)
    with psycopg.connect(url) as conn:
        load = conn.execute(
            "INSERT INTO core.load (collection, dataset, file, file_sha256, source, licence)"
            """ VALUES ('base.persons', 'x', 'x', 'x', '{"zh": "x", "en": "x"}', 'x') RETURNING id"""
        ).fetchone()
        assert load is not None
        with conn.cursor().copy(
            "COPY base.persons (fid, scenario, valid_from, valid_to, rec_from, digest, load, src_row, cell, division,"
            " sex, marital_status) FROM STDIN"
        ) as rows:
            for fid, (cell, division, _) in enumerate(places, 1):
                sex, state = (
                    chance.choice(("male", "female")),
                    chance.choice(("single", "married", "married", "widowed")),
                )
                place = cell if fid % 50 else None
                rows.write_row((fid, 0, "-infinity", "infinity", 1, 0, load[0], fid, place, division, sex, state))
