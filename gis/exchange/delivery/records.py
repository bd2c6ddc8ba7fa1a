"""Deliveries as they are on record: handed over, taken up, closed; and the turn of each register."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from gis.errors import BadInput, NotFound, OneMapError, UnknownName
from gis.exchange.delivery.account import Account, Delivered, DeliveryOptions, Mode
from gis.exchange.delivery.claims import Place
from gis.exchange.delivery.pseudonym import secret
from gis.exchange.directory.registers import known_deliverable
from gis.exchange.provenance import file_name, sha256
from gis.exchange.readers.source import ReadOptions
from gis.query.span import now
from gis.settings import Settings
from gis.store.database import Database, connect, translated
from gis.text import Text

_COLUMNS = (
    "id, register, department, mode, edition, file, state, rows_delivered, rows_accepted, rows_unchanged,"
    " rows_returned, facts_delivered, facts_accepted, facts_unchanged, facts_returned, ended, reasons, epoch,"
    " findings, error"
)


@dataclass(frozen=True, slots=True)
class Record:
    """A delivery that is to be worked on."""

    id: int
    register: str
    department: str
    mode: Mode
    edition: datetime
    path: Path
    sha256: str
    state: str
    options: DeliveryOptions

    @property
    def place(self) -> Place:
        """Where it stands among its department's words."""
        return Place(self.id, self.department, self.edition)


def kept_at(spool: str) -> Path:
    """Where a file is kept as it was handed over, by what its record says."""
    return Settings().home / "deliveries" / spool


def receive(database: Database, register: str, path: Path, department: str, options: DeliveryOptions) -> int:
    """Keep the file and record the delivery; returns its number.

    Raises UnknownName for the register or the department, BadInput for a file that is not there or an edition without
    time zone or in the future.
    """
    known_deliverable(database, register)
    if not path.is_file():
        raise BadInput(f"{path} is no file", f"{path} 不是文件", subject=str(path))
    edition, known = _edition(options), titles(database)
    if department not in known:
        raise UnknownName(
            f"there is no department {department!r}; there are {', '.join(known)}",
            f"没有部门 {department!r};现有:{'、'.join(known)}",
            subject=department,
        )
    with translated(), connect(database.url) as conn:
        number = int(_one(conn, "SELECT nextval(pg_get_serial_sequence('core.load', 'id'))"))
        spool = f"{hashlib.sha256(secret(conn)).hexdigest()[:12]}/{number}/{file_name(path)}"
        kept = kept_at(spool).parent
        kept.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(1) as beside:
            digest = beside.submit(sha256, path)
            for part in _parts(path):
                shutil.copyfile(part, kept / file_name(part))
                with (kept / file_name(part)).open("rb") as file:
                    os.fsync(file.fileno())
        conn.execute(
            "INSERT INTO exchange.delivery (id, register, department, mode, edition, file, file_sha256, spool, options,"
            " received_by) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (number, register, department, options.mode, edition, file_name(path), digest.result(), spool,
             json.dumps(options.as_dict()), options.received_by),
        )  # fmt: skip
    return number


def handed_over_before(database: Database, register: str, path: Path, department: str, edition: datetime) -> bool:
    """Whether this very file came from the department before, for the same moment, and did not fail."""
    with translated(), connect(database.url) as conn:
        return bool(
            _one(
                conn,
                "SELECT EXISTS (SELECT FROM exchange.delivery WHERE register = %s AND department = %s"
                " AND edition = %s AND file_sha256 = %s AND state <> 'failed')",
                register, department, edition, sha256(path),
            )
        )  # fmt: skip


def _parts(path: Path) -> list[Path]:
    """The file, of a Shapefile with all that belongs to it."""
    if path.suffix.lower() != ".shp":
        return [path]
    return sorted(p for p in path.parent.iterdir() if p.stem == path.stem)


def _edition(options: DeliveryOptions) -> datetime:
    edition = options.edition or now()
    if edition.tzinfo is None:
        raise BadInput(
            f"the date of the data, {edition.isoformat()}, has no time zone",
            f"数据日期 {edition.isoformat()} 缺少时区",
            subject="edition",
        )
    if edition > now():
        raise BadInput(
            f"the date of the data, {edition.isoformat()}, is in the future",
            f"数据日期 {edition.isoformat()} 在将来",
            subject="edition",
        )
    return edition


def titles(database: Database) -> dict[str, Text]:
    """The departments that may deliver, by code, with their titles."""
    from gis.exchange.directory import departments  # noqa: PLC0415

    return dict(departments(database))


def record(conn: psycopg.Connection[Any], delivery: int) -> Record:
    """A delivery as it was handed over. Raises NotFound."""
    found = conn.execute(
        "SELECT id, register, department, mode, edition, spool, file_sha256, state, options FROM exchange.delivery"
        " WHERE id = %s",
        (delivery,),
    ).fetchone()
    if found is None:
        raise NotFound(f"there is no delivery {delivery}", f"没有编号为 {delivery} 的报送", subject=str(delivery))
    number, register, department, mode, edition, spool, digest, state, kept = found
    options = DeliveryOptions(
        mode=mode, edition=edition, read=ReadOptions(**kept.get("read", {})), columns=kept.get("columns", {}),
        allow_ends=kept.get("allow_ends", False),
    )  # fmt: skip
    return Record(number, register, department, mode, edition, kept_at(spool), digest, state, options)


def delivered(conn: psycopg.Connection[Any], delivery: int) -> Delivered:
    """A delivery and its account. Raises NotFound."""
    found = conn.execute(f"SELECT {_COLUMNS} FROM exchange.delivery WHERE id = %s", (delivery,)).fetchone()
    if found is None:
        raise NotFound(f"there is no delivery {delivery}", f"没有编号为 {delivery} 的报送", subject=str(delivery))
    number, register, department, mode, edition, file, state, *figures = found
    return Delivered(
        id=number, register=register, department=department, mode=mode, edition=edition, file=file, state=state,
        rows=Account(*(f or 0 for f in figures[:4])), facts=Account(*(f or 0 for f in figures[4:8])),
        ended=figures[8] or 0, reasons=figures[9], epoch=figures[10], findings=figures[11], error=figures[12],
    )  # fmt: skip


def pending(conn: psycopg.Connection[Any]) -> list[int]:
    """Deliveries that wait, or whose worker died, in the order in which they came."""
    rows = conn.execute(
        "SELECT id FROM exchange.delivery WHERE state IN ('received', 'working') ORDER BY id"
    ).fetchall()
    return [row[0] for row in rows]


def take_up(conn: psycopg.Connection[Any], delivery: int) -> int:
    """Say that work has begun; returns how many times it did, since the delivery came or the server started."""
    with conn.transaction():
        # who was at work when the server went down did not die of the delivery
        found = conn.execute(
            "UPDATE exchange.delivery SET state = 'working', started_at = clock_timestamp(), done_rows = 0,"
            " error = NULL, findings = jsonb_build_object('attempts', 1 + CASE"
            " WHEN state = 'working' AND started_at > pg_postmaster_start_time()"
            " THEN coalesce((findings ->> 'attempts')::integer, 0) ELSE 0 END)"
            " WHERE id = %s RETURNING (findings ->> 'attempts')::integer",
            (delivery,),
        ).fetchone()
    assert found is not None
    return int(found[0])


def put_back(url: str, deliveries: Sequence[int]) -> None:
    """Say of deliveries under way that their worker is told to stop, which is no attempt that failed."""
    with suppress(OneMapError, psycopg.Error), connect(url) as conn:
        conn.execute("SET LOCAL lock_timeout = '1s'")
        conn.execute(
            "UPDATE exchange.delivery SET state = 'received' WHERE id = ANY(%s) AND state = 'working'",
            (list(deliveries),),
        )


def fail(url: str, delivery: int, why: Text) -> None:
    """Say that nothing of a delivery could be taken, and why."""
    with suppress(OneMapError, psycopg.Error), connect(url) as conn:
        conn.execute(
            "UPDATE exchange.delivery SET state = 'failed', finished_at = clock_timestamp(), error = %s"
            " WHERE id = %s AND state IN ('received', 'working')",
            (json.dumps(why.as_dict()), delivery),
        )


@contextmanager
def turn(conn: psycopg.Connection[Any], register: str) -> Iterator[None]:
    """The register's turn: deliveries of one register wait for one another here, those of others do not."""
    with conn.transaction():
        conn.execute("SELECT pg_advisory_lock(core.lock_key('deliver', %s))", (register,))
    try:
        yield
    finally:
        with suppress(psycopg.Error):
            conn.rollback()
            conn.execute("SELECT pg_advisory_unlock(core.lock_key('deliver', %s))", (register,))
            conn.commit()


def _one(conn: psycopg.Connection[Any], sql: str, *args: object) -> Any:
    found = conn.execute(sql, args).fetchone()
    assert found is not None
    return found[0]
