"""What departments said: staged as delivered, compared with what they had said before, and kept as claims."""

from collections.abc import Iterator, Sequence
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


@dataclass(frozen=True, slots=True)
class Standing:
    """What a department's word on each entity is just before an edition: digests, even for "no more"; sorted by number.

    `late` says that the department has spoken for a later edition already.
    """

    fids: Ints
    digests: Ints
    late: bool

    @classmethod
    def before(cls, conn: psycopg.Connection[Any], register: Deliverable, place: Place) -> "Standing":
        """Read from the claims: from the index alone, unless the delivery is late."""
        late = _one(
            conn,
            f"SELECT EXISTS (SELECT FROM {register.claims} WHERE department = %(department)s AND NOT withdrawn"
            " AND (edition, delivery) > (%(edition)s, %(delivery)s)) OR EXISTS (SELECT FROM exchange.delivery"
            " WHERE register = %(register)s AND department = %(department)s AND state = 'done'"
            " AND (edition, id) > (%(edition)s, %(delivery)s))",
            {**place.args, "register": register.collection.id},
        )
        literal = psycopg.sql.Literal(place.department).as_string(conn)
        if late:
            when = psycopg.sql.Literal(place.edition).as_string(conn)
            select = (
                f"SELECT DISTINCT ON (fid) fid, digest FROM {register.claims} WHERE department = {literal}"
                f" AND NOT withdrawn AND (edition, delivery) < ({when}, {int(place.delivery)})"
                " ORDER BY fid, edition DESC, delivery DESC"
            )
        else:
            select = f"SELECT fid, digest FROM {register.claims} WHERE department = {literal} AND latest ORDER BY fid"
        found = copy.numbers(conn, select, ("fid", "digest"))
        order = np.argsort(found["fid"], kind="stable")
        return cls(found["fid"][order], found["digest"][order], bool(late))

    def find(self, fids: Ints) -> tuple[Ints, NDArray[np.bool_]]:
        """The place of each entity here, and which are here at all."""
        if not len(self.fids):
            return np.zeros(len(fids), np.int64), np.zeros(len(fids), bool)
        at = np.minimum(np.searchsorted(self.fids, fids), len(self.fids) - 1)
        return at, self.fids[at] == fids


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


def stage(
    conn: psycopg.Connection[Any], register: Deliverable, batches: Iterator[pa.LargeBinaryArray], table: str = ""
) -> int:
    """COPY rows into a staging table: one of the transaction's own, or a plain one of that name.

    Not an unlogged one: PostgreSQL 15 does not start again where the making of one was broken off just before a crash.
    """
    body = ", ".join(f'"{name}" {kind}' for name, kind in stage_columns(register))
    names = ", ".join(f'"{name}"' for name, _ in stage_columns(register))
    made = f"CREATE TABLE {table} ({body})" if table else f"CREATE TEMP TABLE {STAGE} ({body}) ON COMMIT DROP"
    with conn.cursor() as cursor:
        cursor.execute(made)
        copied = copy.stream(cursor, f"COPY {table or STAGE} ({names}) FROM STDIN (FORMAT binary)", batches)
        cursor.execute(f"ANALYZE {table or STAGE} (fid)")
    return copied


def insert(conn: psycopg.Connection[Any], register: Deliverable, place: Place, *, table: str = STAGE) -> None:
    """Keep the staged words as claims, the latest of their department."""
    names = ", ".join(f'"{name}"' for name, _ in register.claim_columns)
    conn.execute(
        f"INSERT INTO {register.claims}"
        f" (fid, department, delivery, edition, src_row, said, latest, valid_from, valid_to, digest, {names})"
        f" SELECT fid, %(department)s, %(delivery)s, %(edition)s, src_row, said, true, valid_from, valid_to, digest,"
        f" {names} FROM {table} ORDER BY fid",
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
    """`prior`: the department's word just before the edition on what is staged or ended."""
    conn.execute(
        f"CREATE TEMP TABLE prior ON COMMIT DROP AS SELECT DISTINCT ON (c.fid) c.* FROM {register.claims} c"
        " JOIN touched USING (fid) WHERE c.department = %(department)s AND NOT c.withdrawn"
        " AND (c.edition, c.delivery) < (%(edition)s, %(delivery)s) ORDER BY c.fid, c.edition DESC, c.delivery DESC",
        place.args,
    )


def settle_latest(conn: psycopg.Connection[Any], register: Deliverable, department: str) -> None:
    """Mark, of what was touched, the claim of each entity that is the department's latest word."""
    conn.execute(
        f"""
        UPDATE {register.claims} c SET latest = w.latest FROM (
            SELECT c.fid, c.delivery, NOT c.withdrawn AND row_number() OVER (
                PARTITION BY c.fid ORDER BY c.withdrawn, c.edition DESC, c.delivery DESC) = 1 AS latest
            FROM {register.claims} c JOIN touched USING (fid) WHERE c.department = %(department)s
        ) w
        WHERE c.fid = w.fid AND c.department = %(department)s AND c.delivery = w.delivery
          AND c.latest IS DISTINCT FROM w.latest
        """,
        {"department": department},
    )


def keep_repeated(conn: psycopg.Connection[Any], delivery: int, fids: Ints) -> None:
    """Keep which entities a delivery repeated: in parts of 64 KB."""
    ordered = np.sort(fids)
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO exchange.repeated VALUES (%s, %s, %s)",
            [(delivery, i, ordered[i * 8192 : (i + 1) * 8192].astype(">i8").tobytes())
             for i in range(-(-len(ordered) // 8192))],
        )  # fmt: skip


def repeated(conn: psycopg.Connection[Any], delivery: int) -> Ints:
    """Which entities a delivery repeated, ascending."""
    parts = conn.execute("SELECT fids FROM exchange.repeated WHERE delivery = %s ORDER BY part", (delivery,)).fetchall()
    found: Ints = np.frombuffer(b"".join(bytes(p) for (p,) in parts), ">i8").astype(np.int64)
    return found


def _one(conn: psycopg.Connection[Any], sql: str, args: dict[str, Any] | Sequence[Any] = ()) -> Any:
    found = conn.execute(sql, args).fetchone()
    return found[0] if found else None
