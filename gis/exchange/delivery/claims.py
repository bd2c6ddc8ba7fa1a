"""What departments said: staged as delivered, compared with what they had said before, and kept as claims."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
from numpy.typing import NDArray

from gis.exchange.delivery.words import Ints, Words
from gis.exchange.registers import Deliverable
from gis.store import copy

STAGE = "delivered"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a delivery stands in the order of a department's words."""

    delivery: int
    department: str
    edition: datetime

    @property
    def args(self) -> dict[str, Any]:
        """As the parameters of a statement."""
        return {"delivery": self.delivery, "department": self.department, "edition": self.edition}


def stage_columns(register: Deliverable) -> tuple[tuple[str, str], ...]:
    """(name, SQL type) of the staged rows; `i_…` are direct identifiers as written."""
    return (
        ("fid", "bigint"), ("src_row", "bigint"), ("said", "boolean"), ("same", "boolean"), ("facts", "bigint"),
        ("digest", "bigint"), ("valid_from", "timestamptz"), ("valid_to", "timestamptz"),
        *register.claim_columns, *((f"i_{f.name}", "text") for f in register.identifiers),
    )  # fmt: skip


def encode(words: Words, same: NDArray[np.bool_]) -> pa.LargeBinaryArray:
    """Rows for COPY in the order of `stage_columns`; `same` rows repeat what their department had said."""
    n = len(words)
    encoded: list[copy.Column] = [
        copy.integers(words.fids), copy.integers(words.rows), copy.Fixed((~words.ends).astype("u1")),
        copy.Fixed(same.astype("u1")), copy.integers(words.facts), copy.integers(words.digests),
        *(copy.arrow(c) for c in (words.valid_from, words.valid_to, *words.content)),
        *(copy.arrow(c) for c in words.texts.values()),
    ]  # fmt: skip
    return copy.encode(encoded, n, counted=len(encoded))


def encode_first(words: Words, place: Place) -> pa.LargeBinaryArray:
    """A register's first words as claims, for COPY in the order of `first_columns`."""
    n = len(words)
    edition_us = np.int64(round(place.edition.timestamp() * 1e6))
    columns: list[copy.Column] = [
        copy.integers(words.fids), copy.Fixed(np.full(n, place.department.encode())),
        copy.integers(np.full(n, place.delivery), width=4), copy.instants(np.full(n, edition_us)),
        copy.integers(words.rows), copy.Fixed((~words.ends).astype("u1")), copy.Fixed(np.ones(n, "u1")),
        copy.integers(words.digests),
        *(copy.arrow(c) for c in (words.valid_from, words.valid_to, *words.content)),
    ]  # fmt: skip
    return copy.encode(columns, n, counted=len(columns))


def first_columns(register: Deliverable) -> str:
    """The columns of a first claim, quoted where they have to be."""
    names = ", ".join(f'"{name}"' for name, _ in register.claim_columns)
    return f"fid, department, delivery, edition, src_row, said, latest, digest, valid_from, valid_to, {names}"


def stage(conn: psycopg.Connection[Any], register: Deliverable, batches: Iterator[pa.LargeBinaryArray]) -> int:
    """COPY rows into a staging table of the transaction's own."""
    body = ", ".join(f'"{name}" {kind}' for name, kind in stage_columns(register))
    names = ", ".join(f'"{name}"' for name, _ in stage_columns(register))
    with conn.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE {STAGE} ({body}) ON COMMIT DROP")
        copied = copy.stream(cursor, f"COPY {STAGE} ({names}) FROM STDIN (FORMAT binary)", batches)
        cursor.execute(f"ANALYZE {STAGE} (fid)")
    return copied


def insert(conn: psycopg.Connection[Any], register: Deliverable, place: Place) -> None:
    """Keep the staged words as claims, the latest of their department."""
    names = ", ".join(f'"{name}"' for name, _ in register.claim_columns)
    conn.execute(
        f"INSERT INTO {register.claims}"
        f" (fid, department, delivery, edition, src_row, said, latest, valid_from, valid_to, digest, {names})"
        f" SELECT fid, %(department)s, %(delivery)s, %(edition)s, src_row, said, true, valid_from, valid_to, digest,"
        f" {names} FROM {STAGE} ORDER BY fid",
        place.args,
    )


def insert_ends(conn: psycopg.Connection[Any], register: Deliverable, place: Place, fids: Ints) -> None:
    """Keep that the department no longer says anything of these entities."""
    conn.execute(
        f"INSERT INTO {register.claims} (fid, department, delivery, edition, said, latest, digest)"
        " SELECT fid, %(department)s, %(delivery)s, %(edition)s, false, true, 0 FROM unnest(%(fids)s::bigint[]) fid",
        {**place.args, "fids": fids.tolist()},
    )


def keep_prior(conn: psycopg.Connection[Any], register: Deliverable, place: Place) -> None:
    """`prior`: the department's word just before the edition on what is staged or ended, be there later ones."""
    conn.execute(
        f"CREATE TEMP TABLE prior ON COMMIT DROP AS SELECT DISTINCT ON (c.fid) c.* FROM {register.claims} c"
        " JOIN touched USING (fid) WHERE c.department = %(department)s"
        " AND NOT c.withdrawn AND (c.edition, c.delivery) < (%(edition)s, %(delivery)s)"
        " ORDER BY c.fid, c.edition DESC, c.delivery DESC",
        place.args,
    )


def give_way(conn: psycopg.Connection[Any], register: Deliverable, department: str) -> None:
    """The department's latest words on what was touched are no longer the latest: others come after them.

    They are the ones just before, `prior`.
    """
    conn.execute(f"CREATE TEMP TABLE prior (LIKE {register.claims}) ON COMMIT DROP")
    conn.execute(
        f"WITH gave AS (UPDATE {register.claims} c SET latest = false FROM touched"
        " WHERE c.fid = touched.fid AND c.department = %s AND c.latest RETURNING c.*)"
        " INSERT INTO prior SELECT * FROM gave",
        (department,),
    )


def settle_latest(conn: psycopg.Connection[Any], register: Deliverable, department: str) -> None:
    """Mark, of what was touched, the claim of each entity that is the department's latest word."""
    conn.execute(
        f"""
        UPDATE {register.claims} c SET latest = w.latest FROM (
            SELECT c.ctid AS place, c.latest AS marked, NOT c.withdrawn AND row_number() OVER (
                PARTITION BY c.fid ORDER BY c.withdrawn, c.edition DESC, c.delivery DESC) = 1 AS latest
            FROM {register.claims} c JOIN touched USING (fid) WHERE c.department = %(department)s
        ) w
        WHERE c.ctid = w.place AND w.marked IS DISTINCT FROM w.latest
        """,
        {"department": department},
    )
