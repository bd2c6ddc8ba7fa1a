"""A person forgotten on lawful request (PIPL art. 47): what names and numbers them is destroyed, wherever it stands.

What names a person stands in one row, which is removed. Registers, history, claims and tasks know only a number and
stay whole. The number follows from the id number under the city's key: whoever has both can compute it, and by it a
later delivery that brings the person again is known, and its row returned. So what is left is pseudonymous and kept by
the duty to keep the registers, not anonymous: its use is confined to that (art. 47, second paragraph).

The keyed numbers of names in claims could be found out by trying names. They are replaced by others that are drawn:
equal ones by equal ones, so that the claims still agree or differ as they did, and nobody can try names any more.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
from psycopg.types.json import Jsonb

from gis.codes.citizen_id import CitizenId
from gis.errors import BadInput, BadQuery, Conflict, NotFound
from gis.exchange.delivery import records
from gis.exchange.delivery.blackening import blacken, standing
from gis.exchange.delivery.identifiers import table_of
from gis.exchange.delivery.pseudonym import person_fids, secret
from gis.exchange.delivery.redaction import Forgotten, Redacted, redact
from gis.exchange.delivery.words import Ints
from gis.exchange.directory.registers import known_deliverables
from gis.exchange.readers.source import ReadOptions
from gis.exchange.registers import PERSONS_DELIVERED, Deliverable
from gis.query.span import instant_text, now
from gis.store.database import Database, connect, translated

_PERSONS = PERSONS_DELIVERED
_BITS = 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """By what right a person is forgotten: the number of the request, its legal basis, and who carries it out."""

    number: str
    basis: str
    by: str

    def check(self) -> None:
        """Raises BadQuery naming what is missing."""
        for name, value in asdict(self).items():
            if not value.strip():
                raise BadQuery(
                    f"an erasure needs its request's number, its legal basis and who carries it out; {name} is empty",
                    f"删除个人信息须注明申请编号、法律依据和经办人;{name} 为空",
                    subject=name,
                )


@dataclass(slots=True, kw_only=True)
class Certificate:
    """What was removed, or with `dry` would be: nothing of the person itself stands here.

    `identifiers` are rows of the table of identifiers; `claims` and `tasks` those whose keyed numbers were replaced;
    `texts` columns with rows in which an id number, a telephone or a name was blackened; `files` those handed over,
    with rows; `removed` files that could not be read and were removed whole; `left` what the search found after all,
    by column; `backups` those made before, which still hold the person.
    """

    register: str
    request: str
    basis: str
    by: str
    at: str
    dry: bool
    identifiers: int = 0
    claims: int = 0
    tasks: int = 0
    texts: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)
    backups: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """As JSON carries it."""
        return asdict(self)


def erase(database: Database, home: Path, number: str, request: Request, *, dry: bool = True) -> Certificate:
    """Forget the person of an id number (18 or 15 characters); with `dry` only say what that would remove.

    It may be done again, should something have been interrupted. Raises BadInput for what is no id number, BadQuery for
    a request without number or basis, Conflict while deliveries wait to be worked on.
    """
    request.check()
    person = _person(number)
    registers = sorted(known_deliverables(database))
    with translated(), connect(database.url, autocommit=True) as conn, _turns(conn, registers):
        whom = _whom(conn, person)
        made = Certificate(
            register=_PERSONS.collection.id, request=request.number, basis=request.basis, by=request.by,
            at=instant_text(now()), dry=dry, backups=_backups(home),
        )  # fmt: skip
        with conn.transaction():
            _files(conn, database, whom, made)
            _rows(conn, whom, made)
            made.texts = blacken(conn, whom, dry=dry)
            if not dry:
                made.left = dict(standing(conn, whom))
                _record(conn, whom, request, made)
    if not dry:
        _overwrite(database)
    return made


def erased(conn: psycopg.Connection[Any], register: str) -> Ints:
    """The numbers of those whom a register is to forget, ascending."""
    found = conn.execute(
        "SELECT fid FROM base.erasure WHERE register = %s AND lifted_at IS NULL ORDER BY fid", (register,)
    ).fetchall()
    return np.array([row[0] for row in found], np.int64)


def lift(database: Database, number: str, request: Request) -> datetime:
    """Let departments deliver a person again, on a new legal basis; returns when the erasure had been.

    Nothing that was removed comes back. Raises NotFound where the person was not erased, and as `erase`.
    """
    request.check()
    person = _person(number)
    with translated(), connect(database.url) as conn:
        fid = int(_fids(conn, person)[0])
        found = conn.execute(
            "UPDATE base.erasure SET lifted_at = clock_timestamp(), lifted_basis = %s"
            " WHERE register = %s AND fid = %s AND lifted_at IS NULL RETURNING erased_at",
            (f"{request.number}: {request.basis} ({request.by})", _PERSONS.collection.id, fid),
        ).fetchone()
    if found is None:
        raise NotFound("this person was not erased", "该人员没有被删除的记录", subject="citizen_id")
    return datetime.fromisoformat(str(found[0]))


def _person(number: str) -> str:
    """The id number in its form of 18 characters. Raises BadInput, which shows it masked."""
    return CitizenId.parse(number).text


def _fids(conn: psycopg.Connection[Any], person: str) -> Ints:
    return person_fids(pa.array([person]), secret(conn))


def _whom(conn: psycopg.Connection[Any], person: str) -> Forgotten:
    """The person as files and texts may tell of them: by the number, and by what the table of identifiers holds."""
    fids = _fids(conn, person)
    row = conn.execute(
        f"SELECT name, telephone, variants FROM {table_of(_PERSONS)} WHERE fid = %s", (int(fids[0]),)
    ).fetchone()
    name, telephone, variants = row or (None, None, None)
    called = {text for text in (name, telephone, *(variants or {}).values()) if text}
    lines = {text for text in called if sum(map(str.isdigit, text)) >= 7}
    old = {person[:6] + person[8:17]} if person[6:8] == "19" else set()
    return Forgotten(fids, secret(conn), frozenset({person, *old, *lines}), frozenset(called - lines))


@contextmanager
def _turns(conn: psycopg.Connection[Any], registers: Sequence[str]) -> Iterator[None]:
    """The turn of every register: no delivery may be under way. Raises Conflict where some wait."""
    with ExitStack() as turns:
        for register in registers:
            turns.enter_context(records.turn(conn, register))
        waiting = records.pending(conn)
        if waiting:
            raise Conflict(
                f"deliveries {', '.join(map(str, waiting[:5]))} wait to be worked on; erase when they are done",
                f"报送 {'、'.join(map(str, waiting[:5]))} 尚待处理,请在处理完成后再删除",
                subject="deliveries",
            )
        yield


def _files(conn: psycopg.Connection[Any], database: Database, whom: Forgotten, made: Certificate) -> None:
    """Blacken what departments handed over, of every register: a guardian or an owner is named in others' files."""
    declared = known_deliverables(database)
    rows = conn.execute("SELECT id, register, spool, options, state FROM exchange.delivery ORDER BY id").fetchall()
    for delivery, register, spool, options, _ in rows:
        path = records.kept_at(spool)
        if path.is_file() and register in declared:
            read = ReadOptions(**options.get("read", {}))
            _file(conn, (delivery, path, read, declared[register]), whom, made)


def _file(
    conn: psycopg.Connection[Any], kept: tuple[int, Path, ReadOptions, Deliverable], whom: Forgotten, made: Certificate
) -> None:
    delivery, path, read, declared = kept
    try:
        found = redact(path, read, declared, whom, dry=made.dry)
    except BadInput:
        made.removed.append(f"{delivery}/{path.name}")
        if not made.dry:
            path.unlink()
        return
    if found.rows:
        made.files[f"{delivery}/{path.name}"] = len(found.rows)
        if not made.dry:
            _keep(conn, delivery, path, found)


def _keep(conn: psycopg.Connection[Any], delivery: int, path: Path, found: Redacted) -> None:
    """Where a file lies that could not be changed in place; what was known of how it was written holds no longer."""
    if found.path is not None and found.path != path:
        conn.execute(
            "UPDATE exchange.delivery SET spool = regexp_replace(spool, '[^/]+$', %s), options = options - 'read'"
            " WHERE id = %s",
            (found.path.name.replace("\\", "\\\\"), delivery),
        )


def _rows(conn: psycopg.Connection[Any], whom: Forgotten, made: Certificate) -> None:
    """The row of identifiers, and the keyed numbers that stand for what it held."""
    fid, register = int(whom.fids[0]), _PERSONS
    count = {"identifiers": table_of(register), "claims": register.claims}
    for name, table in count.items():
        found = conn.execute(f"SELECT count(*) FROM {table} WHERE fid = %s", (fid,)).fetchone()
        setattr(made, name, found[0] if found else 0)
    found = conn.execute(
        "SELECT count(*) FROM exchange.returned WHERE register = %s AND fid = %s AND traces IS NOT NULL",
        (register.collection.id, fid),
    ).fetchone()
    made.tasks = found[0] if found else 0
    if made.dry:
        return
    conn.execute(f"DELETE FROM {table_of(register)} WHERE fid = %s", (fid,))
    for column in (*(f.name for f in register.identifiers[1:]), "digest"):
        _redraw(conn, register, fid, column)
    conn.execute(
        "UPDATE exchange.returned SET traces = NULL WHERE register = %s AND fid = %s", (register.collection.id, fid)
    )


def _redraw(conn: psycopg.Connection[Any], register: Deliverable, fid: int, column: str) -> None:
    """Put numbers that are drawn in the place of computed ones: equal for equal; of ends, which are even, none."""
    odd = " AND digest & 1 <> 0" if column == "digest" else ""
    held = conn.execute(
        f'SELECT DISTINCT "{column}" FROM {register.claims} WHERE fid = %s AND "{column}" IS NOT NULL{odd}', (fid,)
    ).fetchall()
    for (old,) in held:
        drawn = secrets.randbits(_BITS) | 1 if column == "digest" else secrets.randbits(53)
        conn.execute(
            f'UPDATE {register.claims} SET "{column}" = %s WHERE fid = %s AND "{column}" = %s', (drawn, fid, old)
        )


def _record(conn: psycopg.Connection[Any], whom: Forgotten, request: Request, made: Certificate) -> None:
    conn.execute(
        "INSERT INTO base.erasure (register, fid, request, basis, erased_by, certificate)"
        " VALUES (%s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (register, fid) WHERE lifted_at IS NULL DO UPDATE SET"
        " certificate = excluded.certificate || jsonb_build_object('before', erasure.certificate)",
        (made.register, int(whom.fids[0]), request.number, request.basis, request.by, Jsonb(made.as_dict())),
    )


def _overwrite(database: Database) -> None:
    """Write tables anew that held the person, so that no dead row stays in their files.

    What the log of the database held goes with its next segments; nobody has to wait for that.
    """
    tables = [table_of(_PERSONS), _PERSONS.claims, "exchange.returned"]
    with translated(), connect(database.url, autocommit=True) as conn:
        for table in tables:
            conn.execute(f"VACUUM (FULL) {table}".encode())
        with suppress(psycopg.errors.InsufficientPrivilege):
            conn.execute("CHECKPOINT")


def _backups(home: Path) -> list[str]:
    """Backups in the home folder: whoever restores one erases anew."""
    return sorted(path.name for path in (home / "backups").glob("*") if path.is_file())


def redact_again(conn: psycopg.Connection[Any], record: records.Record, declared: Deliverable) -> None:
    """Blacken a file that brings persons again who are to be forgotten; once it is taken in, and never before."""
    fids = erased(conn, _PERSONS.collection.id)
    if len(fids) and _tells_of(conn, record, declared, fids):
        _keep(conn, record.id, record.path, redact(record.path, record.options.read, declared, _again(conn, fids)))


def _tells_of(conn: psycopg.Connection[Any], record: records.Record, declared: Deliverable, fids: Ints) -> bool:
    """Whether rows were returned as such people's, or what the department says now refers to any."""
    persons = [f.name for f in declared.collection.fields if declared.item(f.name).check == "person"]
    refers = " OR ".join(f'"{name}" = ANY(%(fids)s)' for name in persons) or "false"
    found = conn.execute(
        "SELECT EXISTS (SELECT FROM exchange.returned WHERE delivery = %(id)s AND reason = 'erased') OR EXISTS"
        f" (SELECT FROM {declared.claims} WHERE department = %(department)s AND latest AND ({refers}))",
        {"id": record.id, "department": record.department, "fids": fids.tolist()},
    ).fetchone()
    return bool(found and found[0])


def _again(conn: psycopg.Connection[Any], fids: Ints) -> Forgotten:
    return Forgotten(fids, secret(conn))
