"""Rows that say again what their department had said: no claims, but whom they are about and where they stand.

Kept by delivery, in parts of at most 8 192 entities in ascending order: numbers of 8 bytes, rows of 4, big-endian.
"""

from typing import Any

import numpy as np
import psycopg

from gis.exchange.delivery.words import Ints

_PART = 8_192


def keep(conn: psycopg.Connection[Any], delivery: int, fids: Ints, rows: Ints) -> None:
    """Keep which entities a delivery repeated, and in which rows of its file."""
    order = np.argsort(fids)
    ordered, numbers = fids[order].astype(">i8"), rows[order].astype(">i4")
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO exchange.repeated (delivery, part, fids, rows) VALUES (%s, %s, %s, %s)",
            [(delivery, part, ordered[start : start + _PART].tobytes(), numbers[start : start + _PART].tobytes())
             for part, start in enumerate(range(0, len(ordered), _PART))],
        )  # fmt: skip


def among(conn: psycopg.Connection[Any], delivery: int, wanted: Ints) -> tuple[Ints, Ints]:
    """Which of some entities a delivery repeated, ascending, and in which rows; 0 where that was not kept."""
    found = [_of_part(fids, rows, wanted) for fids, rows in _parts(conn, delivery, np.sort(wanted))]
    nothing = np.empty(0, np.int64)
    return (
        np.concatenate([nothing, *(fids for fids, _ in found)]),
        np.concatenate([nothing, *(rows for _, rows in found)]),
    )


def _parts(conn: psycopg.Connection[Any], delivery: int, wanted: Ints) -> list[tuple[bytes, bytes | None]]:
    """The parts that may hold any of the entities: each begins with its least."""
    least = conn.execute(
        "SELECT part, substring(fids FROM 1 FOR 8) FROM exchange.repeated WHERE delivery = %s ORDER BY part",
        (delivery,),
    ).fetchall()
    if not least or not len(wanted):
        return []
    numbers = np.frombuffer(b"".join(bytes(fid) for _, fid in least), ">i8").astype(np.int64)
    at = np.unique(np.searchsorted(numbers, wanted, "right") - 1)
    parts = [least[i][0] for i in at.tolist() if i >= 0]
    return conn.execute(
        "SELECT fids, rows FROM exchange.repeated WHERE delivery = %s AND part = ANY(%s) ORDER BY part",
        (delivery, parts),
    ).fetchall()


def _of_part(fids: bytes, rows: bytes | None, wanted: Ints) -> tuple[Ints, Ints]:
    own = np.frombuffer(fids, ">i8").astype(np.int64)
    numbers = np.frombuffer(rows, ">i4").astype(np.int64) if rows is not None else np.zeros(len(own), np.int64)
    held = np.isin(own, wanted)
    return own[held], numbers[held]
