"""What names persons, in its one table: the prevailing texts, and beside them what departments wrote otherwise."""

import json
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa

from gis.exchange.delivery.claims import STAGE
from gis.exchange.delivery.pseudonym import digests
from gis.exchange.delivery.words import Words
from gis.exchange.registers import Deliverable
from gis.store import copy


def table_of(register: Deliverable) -> str:
    """The quoted name of the register's table of identifiers."""
    return f'"{register.collection.layer}"."{register.collection.noun}_identifier"'


def insert(conn: psycopg.Connection[Any], register: Deliverable) -> None:
    """Keep the staged texts of entities that are not among the `named`."""
    names = ", ".join(f'"{f.name}"' for f in register.identifiers)
    texts = ", ".join(f'"i_{f.name}"' for f in register.identifiers)
    conn.execute(
        f"INSERT INTO {table_of(register)} (fid, {names}) SELECT fid, {texts} FROM {STAGE} s WHERE said"
        " AND NOT EXISTS (SELECT FROM named i WHERE i.fid = s.fid) ORDER BY fid"
    )


def encode_first(words: Words) -> pa.LargeBinaryArray:
    """The texts of first words, for COPY: number, then the identifiers in their order; none of what has ended."""
    said = ~words.ends
    columns = [copy.integers(words.fids[said]), *(copy.arrow(c.filter(pa.array(said))) for c in words.texts.values())]
    return copy.encode(columns, int(said.sum()), counted=len(columns))


def collisions(conn: psycopg.Connection[Any], register: Deliverable) -> list[int]:
    """Staged rows whose number belongs to somebody else already (one chance in 10 000 at a million); taken out.

    `named` holds from then on what was kept of the staged entities.
    """
    key = register.identifiers[0].name
    conn.execute(
        "CREATE TEMP TABLE named ON COMMIT DROP AS"
        f" SELECT i.* FROM (SELECT fid FROM {STAGE} ORDER BY fid) s JOIN {table_of(register)} i USING (fid)"
    )
    conn.execute("ANALYZE named (fid)")
    found = conn.execute(
        f'DELETE FROM {STAGE} s USING named i WHERE i.fid = s.fid AND i."{key}" <> s."i_{key}" RETURNING s.src_row'
    ).fetchall()
    return [row[0] for row in found]


def prevail(conn: psycopg.Connection[Any], register: Deliverable, secret: bytes) -> None:
    """After the fold: of those who are called several things, keep every text and let the prevailing one stand."""
    names = [f.name for f in register.identifiers[1:]]
    if not names:
        return
    otherwise = " OR ".join(f's."i_{n}" IS NOT NULL AND s."i_{n}" IS DISTINCT FROM i."{n}"' for n in names)
    called = conn.execute(
        f"CREATE TEMP TABLE called ON COMMIT DROP AS SELECT s.* FROM {STAGE} s JOIN named i USING (fid)"
        f" WHERE i.variants IS NOT NULL OR {otherwise}"
    ).rowcount
    for name in names if called else ():
        _prevail(conn, register, name, secret)


def _prevail(conn: psycopg.Connection[Any], register: Deliverable, name: str, secret: bytes) -> None:
    rows = conn.execute(
        f"""
        SELECT i.fid, i."{name}", s."i_{name}", i.variants, w."{name}"
        FROM called s JOIN {table_of(register)} i USING (fid) LEFT JOIN LATERAL (
            SELECT "{name}" FROM weighed w WHERE w.fid = s.fid ORDER BY starts DESC LIMIT 1) w ON true
        WHERE s."i_{name}" IS NOT NULL AND (s."i_{name}" IS DISTINCT FROM i."{name}" OR i.variants IS NOT NULL)
        """
    ).fetchall()
    if not rows:
        return
    fids = np.array([r[0] for r in rows], np.int64)
    standing, said = (digests(fids, pa.array([r[i] for r in rows], pa.string()), secret).to_pylist() for i in (1, 2))
    changes = []
    for (fid, main, text, variants, prevailing), old, new in zip(rows, standing, said, strict=True):
        known = {**(variants or {}), str(new): text} | ({str(old): main} if main is not None else {})
        changes.append((known.get(str(prevailing), main or text), json.dumps(known, ensure_ascii=False), fid))
    with conn.cursor() as cursor:
        cursor.executemany(f'UPDATE {table_of(register)} SET "{name}" = %s, variants = %s WHERE fid = %s', changes)
