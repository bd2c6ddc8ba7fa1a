"""A file into a collection: opened, placed, matched, typed, numbered, staged, compared, recorded. All of it or nothing.

open_source -> place -> columns.convert -> Frame.encode -> COPY -> first load: Bulk | later: versions.merge
"""

import glob
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa

from gis.catalog import Catalogue, Collection
from gis.errors import Conflict
from gis.exchange import columns
from gis.exchange.columns import Typed
from gis.exchange.locate import DivisionMap
from gis.exchange.notes import Notes
from gis.exchange.place import Placement, place
from gis.exchange.readers import ReadOptions, Source, open_source
from gis.exchange.readers.source import Batch
from gis.exchange.reference import reference_for
from gis.exchange.report import LoadReport, decisions, noted
from gis.exchange.rows import Frame, key_sql
from gis.exchange.values import convert
from gis.query.span import now
from gis.query.statement import Statement
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
    """

    read: ReadOptions = field(default_factory=ReadOptions)
    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    dataset: str | None = None
    scenario: str | None = None
    partial: bool = False
    source: Text | None = None
    licence: str | None = None


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
    source = open_source(path, replace(options.read, prefer=collection.noun))
    divisions = DivisionMap.of(database, catalogue) if collection.division == "locate" else DivisionMap(())
    reference = reference_for(database, catalogue)
    placement = place(source, geometry=collection.geometry, crs=options.read.crs, reference=reference)
    with connect(database.url) as conn, translated(), _alone(conn, collection.id):
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
        return self.options.dataset or self.source.path.name.split(".")[0]

    def run(self, divisions: DivisionMap) -> LoadReport:
        """Bring the rows in by the way that fits, and record it."""
        with self.conn.transaction():
            load = self._value("SELECT nextval(pg_get_serial_sequence('core.load', 'id'))")
            epoch = self._value(
                "SELECT coalesce(max(epoch), 0) + 1 FROM core.epoch WHERE register = %s", self.collection.id
            )
            scenario = self._scenario()
            first = scenario == 0 and may_swap(self.conn, self.register)
        frame = Frame(self.collection, load, epoch, scenario, divisions.codes)
        rows = Rows(frame.columns, frame.encoded(self._typed()))
        changes = self._first(frame, rows) if first else self._later(frame, rows)
        return self._report(load, changes)

    def _first(self, frame: Frame, rows: Rows) -> Changes:
        bulk = Bulk(self.register, self.url, self.key, dated=False)
        bulk.fill(self.conn, rows)
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
            bulk.swap(self.conn)
            self._record(frame, changes)
        with self.conn.transaction():
            self.conn.execute(f"ANALYZE {self.register.table()}")
        return changes

    def _later(self, frame: Frame, rows: Rows) -> Changes:
        with self.conn.transaction():
            stage(self.conn, self.register, rows)
            self._refuse(drop_doubles(self.conn, STAGE), "duplicate")
            self._refuse(drop_collisions(self.conn, self.register, self.key), "collision")
            if self.dated:
                self._refuse(drop_overlaps(self.conn, STAGE), "overlap")
            changes = merge(self.conn, self.register, self.key, self._change(frame))
            self._record(frame, changes)
        return changes

    def _change(self, frame: Frame) -> Change:
        loads = self.conn.execute(
            "SELECT id FROM core.load WHERE collection = %s AND dataset = %s", (self.collection.id, self.dataset)
        ).fetchall()
        return Change(
            epoch=frame.epoch,
            loads=[row[0] for row in loads],
            scenario=frame.scenario,
            full=not self.options.partial and not self._empty(),
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
            self.source.findings.reject(row, reason, _WHY[reason](row, kept))
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
                frame.load, self.collection.id, self.dataset, frame.scenario, self.source.path.name,
                _digest(self.source.path), json.dumps((options.source or self.collection.source).as_dict()),
                options.licence or self.collection.licence, self.placement.source_crs, json.dumps(found),
                json.dumps(counts),
            ),
        )  # fmt: skip
        with self.conn.cursor() as cursor, cursor.copy("COPY core.load_reject FROM STDIN") as copy:
            for r in findings.rejects:
                copy.write_row((frame.load, r.row, r.reason, r.text.zh, r.text.en, r.value.replace("\0", "␀")))
        if changes.new or changes.changed or changes.closed:
            self.conn.execute("SELECT core.stamp(%s, %s, %s)", (self.collection.id, frame.epoch, frame.load))

    def _report(self, load: int, changes: Changes) -> LoadReport:
        findings = self.source.findings
        return LoadReport(
            load=load,
            collection=self.collection.id,
            dataset=self.dataset,
            file=self.source.path.name,
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
        (into, path.name, _digest(path)),
    )
    return bool(database.rows(asked)[0][0])


def _overlap(row: int, kept: int) -> Text:
    return Text(
        f"与第 {kept} 行为同一要素且有效期重叠,保留第 {kept} 行",
        f"the same feature as row {kept} with overlapping valid time; row {kept} was kept",
    )


def _duplicate(row: int, kept: int) -> Text:
    return Text(f"与第 {kept} 行为同一要素,保留第 {kept} 行", f"the same feature as row {kept}, which was kept")


def _collision(row: int, kept: int) -> Text:
    return Text(
        "编号与另一要素冲突,请修改该行主键", "its number belongs to another feature; change the key of this row"
    )


_WHY: dict[str, Callable[[int, int], Text]] = {"overlap": _overlap, "duplicate": _duplicate, "collision": _collision}


class _alone:
    """The collection's load lock, held by the session: loads of one collection run one after another."""

    def __init__(self, conn: psycopg.Connection[Any], collection: str) -> None:
        self.conn, self.collection = conn, collection

    def __enter__(self) -> None:
        """Take the lock. Raises Conflict where somebody else holds it."""
        with self.conn.transaction():
            found = self.conn.execute(
                "SELECT pg_try_advisory_lock(core.lock_key('load', %s))", (self.collection,)
            ).fetchone()
        if not (found and found[0]):
            raise Conflict(
                f"{self.collection} is being loaded by someone else; try again when that is done",
                f"数据集 {self.collection} 正在被其他任务加载,请稍后重试",
                subject=self.collection,
            )

    def __exit__(self, *_: object) -> None:
        """The lock goes with the connection."""


def _digest(path: Path) -> str:
    """SHA-256 of the file's bytes; of a Shapefile those of all its parts, by name."""
    parts = sorted(path.parent.glob(f"{glob.escape(path.stem)}.*")) if path.suffix.lower() == ".shp" else [path]
    total = hashlib.sha256()
    for part in parts:
        with part.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()
