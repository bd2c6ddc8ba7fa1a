"""A file into a collection: opened, placed, matched, typed, numbered, staged, compared, recorded. All of it or nothing.

open_source -> place -> columns.convert -> Frame.encode -> COPY -> first load: Bulk | later: versions.merge
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa

from gis.base.divisions import DIVISIONS
from gis.base.succession import find_links
from gis.catalog import Catalogue, Collection
from gis.errors import BadInput
from gis.exchange import columns
from gis.exchange.columns import Typed
from gis.exchange.locate import DivisionMap
from gis.exchange.notes import Notes
from gis.exchange.place import Placement, place
from gis.exchange.provenance import file_name, sha256
from gis.exchange.readers import ReadOptions, Source, open_source
from gis.exchange.readers.source import Batch
from gis.exchange.reference import reference_for
from gis.exchange.report import LoadReport, decisions, noted, stored_json
from gis.exchange.rivals import WHY
from gis.exchange.rows import Frame, key_sql
from gis.exchange.values import convert
from gis.query.span import now
from gis.query.statement import Statement
from gis.store import load_lock
from gis.store.bulk import Bulk, may_swap
from gis.store.copy import ahead
from gis.store.database import Database, connect, translated
from gis.store.tables import Register
from gis.store.versions import (
    STAGE,
    Change,
    Changes,
    Doubles,
    Rows,
    drop_collisions,
    drop_doubles,
    drop_overlaps,
    drop_standing,
    merge,
    stage,
)
from gis.text import Text

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, kw_only=True)
class LoadOptions:
    """How to take a file in; everything left out is found out or declared.

    `dataset` names the series of editions that the file belongs to (its name without the suffix); a later edition of
    it that lacks a row closes that row unless `partial`. `columns` maps declared fields to the file's columns;
    `constants` gives fields that the file does not hold the same value in every row.

    `within` is done on the load's connection in the transaction that puts the rows in place: with them, or not at all.
    With `anew` it also puts empty tables there, into whose place the rows are swapped, whatever stood before.
    """

    read: ReadOptions = field(default_factory=ReadOptions)
    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    dataset: str | None = None
    scenario: str | None = None
    partial: bool = False
    source: Text | None = None
    licence: str | None = None
    within: Callable[[psycopg.Connection[Any]], None] = lambda conn: None
    anew: bool = False


def load(
    database: Database,
    catalogue: Catalogue,
    path: Path,
    into: str,
    options: LoadOptions | None = None,
    progress: Progress | None = None,
) -> LoadReport:
    """Take a file into a collection and say what became of every row.

    Raises UnknownName for the collection, BadInput for a file that cannot be read, placed or matched, Conflict when
    the same collection is being loaded by someone else. Whatever is raised, nothing of the file is in the database.
    """
    collection = catalogue[into]
    options = options or LoadOptions()
    _check_scenario(options.scenario)
    if collection.division == "placed":
        raise BadInput(
            f"{into} is filled by what departments deliver: onemap deliver {into} FILE --from DEPARTMENT",
            f"{into} 由各部门报送数据汇成,请用:onemap deliver {into} 文件 --from 部门",
            subject=into,
        )
    source = open_source(path, replace(options.read, prefer=collection.noun))
    divisions = DivisionMap.of(database, catalogue) if collection.division == "locate" else DivisionMap(())
    reference = reference_for(database, catalogue)
    placement = place(source, geometry=collection.geometry, crs=options.read.crs, reference=reference)
    with translated(), connect(database.url) as conn, load_lock.held(conn, collection.id):
        intake = _Intake(conn, database.url, collection, source, placement, options, progress)
        return intake.run(divisions)


@dataclass(slots=True)
class _Intake:
    """One load under way, on a connection that holds the collection's load lock; `taken` counts rows not refused,
    `dated` says that the file holds valid times.
    """

    conn: psycopg.Connection[Any]
    url: str
    collection: Collection
    source: Source
    placement: Placement
    options: LoadOptions
    progress: Progress | None
    taken: int = 0
    dated: bool = False
    notes: Notes = field(default_factory=Notes)

    @property
    def register(self) -> Register:
        """The collection's tables."""
        return Register.of(self.collection)

    @property
    def key(self) -> str:
        """The natural key in SQL."""
        return key_sql(self.collection)

    @property
    def dataset(self) -> str:
        """The series of editions that the file belongs to."""
        return self.options.dataset or file_name(self.source.path).split(".")[0]

    def run(self, divisions: DivisionMap) -> LoadReport:
        """Bring the rows in by the way that fits, and record it."""
        with self.conn.transaction():
            load = self._value("SELECT nextval(pg_get_serial_sequence('core.load', 'id'))")
            epoch = self._value(
                "SELECT coalesce(max(epoch), 0) + 1 FROM core.epoch WHERE register = %s", self.collection.id
            )
            first = self.options.anew or (self.options.scenario is None and may_swap(self.conn, self.register))
        frame = Frame(self.collection, load, epoch, 0, divisions.codes)
        with Bulk(self.collection, self.url, self.key, dated=False).cleared(self.conn) as bulk:
            changes = self._first(frame, bulk) if first else self._later(frame)
        return self._report(load, changes)

    def _first(self, frame: Frame, bulk: Bulk) -> Changes:
        self._check(bulk.fill(self.conn, self._rows(frame)))
        if self.dated:
            bulk = replace(bulk, dated=True)
            with self.conn.transaction():
                self._refuse(drop_doubles(self.conn, bulk.copy.table()), "duplicate")
                self._refuse(drop_overlaps(self.conn, bulk.copy.table()), "overlap")
        self.conn.autocommit = True
        bulk.index(self.conn, frame.epoch, lambda doubles: self._refuse(doubles, "duplicate"))
        self.conn.autocommit = False
        changes = Changes(new=self.taken)
        with self.conn.transaction():
            self.options.within(self.conn)
            bulk.swap(self.conn)
            self._record(frame, changes)
        return changes

    def _later(self, frame: Frame) -> Changes:
        with self.conn.transaction():
            frame = replace(frame, scenario=self._scenario())
            self._check(stage(self.conn, self.register, self._rows(frame)))
            self._refuse(drop_doubles(self.conn, STAGE), "duplicate")
            self._refuse(drop_collisions(self.conn, self.register, self.key), "collision")
            if self.dated:
                self._refuse(drop_overlaps(self.conn, STAGE), "overlap")
            change = self._change(frame)
            self._refuse(drop_standing(self.conn, self.register, change), "standing")
            change = replace(change, full=change.full and not self._empty())
            changes = merge(self.conn, self.register, self.key, change)
            self.options.within(self.conn)
            self._record(frame, changes)
        return changes

    def _rows(self, frame: Frame) -> Rows:
        return Rows(frame.columns, frame.encoded(self._typed()))

    def _change(self, frame: Frame) -> Change:
        loads = self.conn.execute(
            "SELECT id FROM core.load WHERE collection = %s AND dataset = %s", (self.collection.id, self.dataset)
        ).fetchall()
        return Change(
            epoch=frame.epoch,
            loads=[row[0] for row in loads],
            scenario=frame.scenario,
            full=not self.options.partial,
            today=now().date(),
        )

    def _empty(self) -> bool:
        """Whether no row was left to take; then the edition is not believed, and closes nothing."""
        if self.taken == 0:
            self.source.findings.decide(
                "edition", "empty",
                "没有任何可接收的行,原有记录保持不变", "no row could be taken; the earlier rows stay as they are",
                sure=False,
            )  # fmt: skip
        return self.taken == 0

    def _typed(self) -> Iterator[Typed]:
        """The file's rows, placed and typed, batch after batch."""
        matching: columns.Matching | None = None
        findings = self.source.findings
        for batch in ahead(self.placement.batches()):
            self._add_constants(batch)
            if matching is None:
                matching = columns.match(
                    batch.table.column_names, self.collection, batch.table, overrides=self.options.columns
                )
                findings.decisions += matching.decisions
                self.dated = matching.valid_from is not None or matching.valid_to is not None
            typed = convert(batch, matching, findings, self.notes)
            if self.collection.derive is not None:
                typed = replace(typed, table=self.collection.derive(typed.table))
            self.taken += len(typed.batch)
            yield typed
            if self.progress is not None:
                self.progress(self.taken + findings.rejected_rows, self.source.total_rows)

    def _check(self, copied: int) -> None:
        """What the server took is what was made ready, or the load fails."""
        if copied != self.taken:
            raise AssertionError(f"{self.taken} rows were made ready, the server took {copied}")

    def _add_constants(self, batch: Batch) -> None:
        """The fields that the user gave for the whole file, as columns of their names."""
        for name, value in self.options.constants.items():
            self.collection.field(name)
            column = pa.repeat(pa.scalar(value), len(batch))
            index = batch.table.schema.get_field_index(name)
            batch.table = (
                batch.table.append_column(name, column) if index < 0 else batch.table.set_column(index, name, column)
            )

    def _refuse(self, doubles: Doubles, reason: str) -> None:
        """List rows that the database found to be in the way of others."""
        for row, kept in doubles.pairs:
            self.source.findings.reject(row, reason, WHY[reason](row, kept))
        self.taken -= len(doubles.pairs)

    def _record(self, frame: Frame, changes: Changes) -> None:
        """The load, its refused rows and, where anything changed, its epoch; last of all before the commit."""
        findings, options = self.source.findings, self.options
        counts = {"rows": self.taken + findings.rejected_rows, **asdict(changes), "rejected": findings.rejected_rows}
        if counts["rows"] != changes.new + changes.changed + changes.unchanged + findings.rejected_rows:
            raise AssertionError(f"rows of load {frame.load} do not add up: {counts}")
        found = {"decisions": decisions(findings), "rejected": findings.rejected, "notes": noted(self.notes)}
        self.conn.execute(
            "INSERT INTO core.load (id, collection, dataset, scenario, file, file_sha256, source, licence, source_crs,"
            " findings, counts) OVERRIDING SYSTEM VALUE VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                frame.load, self.collection.id, self.dataset, frame.scenario, file_name(self.source.path),
                sha256(self.source.path), json.dumps((options.source or self.collection.source).as_dict()),
                options.licence or self.collection.licence, self.placement.source_crs, stored_json(found),
                json.dumps(counts),
            ),
        )  # fmt: skip
        with self.conn.cursor() as cursor, cursor.copy("COPY core.load_reject FROM STDIN") as copy:
            for r in findings.rejects:
                copy.write_row((frame.load, r.row, r.reason, r.text.zh, r.text.en, r.value.replace("\0", "␀")))
        if changes.new or changes.changed or changes.closed:
            if self.collection.id == DIVISIONS.id:
                find_links(self.conn)
            self.conn.execute("SELECT core.stamp(%s, %s, %s)", (self.collection.id, frame.epoch, frame.load))

    def _report(self, load: int, changes: Changes) -> LoadReport:
        findings = self.source.findings
        return LoadReport(
            load=load,
            collection=self.collection.id,
            dataset=self.dataset,
            file=file_name(self.source.path),
            rows=self.taken + findings.rejected_rows,
            rejected=findings.rejected_rows,
            changes=changes,
            source_crs=self.placement.source_crs or "",
            findings=findings,
            notes=self.notes,
        )

    def _scenario(self) -> int:
        if self.options.scenario is None:
            return 0
        known = self.conn.execute("SELECT core.scenario_id(%s)", (self.options.scenario,)).fetchone()
        if known and known[0]:
            return int(known[0])
        return self._value(
            "INSERT INTO core.scenario (name, title) VALUES (%s, '{}')"
            " ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id",
            self.options.scenario,
        )

    def _value(self, sql: str, *args: object) -> int:
        found = self.conn.execute(sql, args).fetchone()
        assert found is not None
        return int(found[0])


def loaded_before(database: Database, path: Path, into: str) -> bool:
    """Whether this very file was taken into the collection before, as the latest edition or an earlier one."""
    asked = Statement(
        "SELECT EXISTS (SELECT FROM core.load WHERE collection = %s AND file = %s AND file_sha256 = %s)",
        (into, file_name(path), sha256(path)),
    )
    return bool(database.rows(asked)[0][0])


def _check_scenario(name: str | None) -> None:
    if name is not None and not re.fullmatch("[a-z][a-z0-9_-]*", name):
        raise BadInput(
            f"{name!r} cannot name a scenario: use small letters, digits, - and _, a letter first",
            f"{name!r} 不能作方案名:请用小写字母、数字、- 和 _,以字母开头",
            subject=name,
        )
