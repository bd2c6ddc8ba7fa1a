"""Rows of a delivery as its department wrote them: read again from the file that it handed over."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from gis.errors import NotFound
from gis.exchange.columns import match
from gis.exchange.delivery.identifier_texts import subject
from gis.exchange.delivery.ledger import Record
from gis.exchange.directory import known_deliverable
from gis.exchange.readers import Source, open_source
from gis.exchange.readers.source import Batch
from gis.exchange.registers import Deliverable
from gis.store.database import Database

#: The column in which a line stands that could not be cut into cells.
WHOLE_LINE = "原文"


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A delivery's file: its columns in their order, and which of them holds which item."""

    declared: Deliverable
    source: Source
    columns: tuple[str, ...]
    items: dict[str, str]

    def said(self, item: str, reason: str, texts: Mapping[str, str]) -> str | None:
        """What a row says of the item that it was returned for."""
        about = subject(self.declared, item, reason)
        written = self.declared.item(about).written
        # a place may be given by its code, or in words in another column
        columns = [self.items.get(name, "") for name in (about, written.name if written else "")]
        return next((texts[column] for column in columns if texts.get(column)), None)

    def rows(self, wanted: Collection[int]) -> Iterator[tuple[int, dict[str, str]]]:
        """The rows of these numbers, {column: text}, in the file's order; the whole line where it could not be cut."""
        numbers, last = np.array(sorted(wanted), np.int64), max(wanted, default=0)
        missing = set(wanted)
        for batch in self.source.batches():
            for at in np.flatnonzero(np.isin(batch.rows, numbers)):
                missing.discard(int(batch.rows[at]))
                yield int(batch.rows[at]), _texts(batch, int(at))
            if len(batch) and batch.rows[-1] >= last:
                break
        for reject in self.source.findings.rejects:
            if reject.row in missing:
                missing.discard(reject.row)
                yield reject.row, {WHOLE_LINE: reject.value}


def handed_over(database: Database, delivery: Record) -> HandedOver:
    """The file of a delivery, opened as it was when the delivery was worked on. Raises NotFound, BadInput."""
    if not delivery.path.is_file():
        raise NotFound(
            f"the file of delivery {delivery.id} is not kept any more",
            f"批次 {delivery.id} 的原始文件已不在",
            subject=str(delivery.id),
        )
    source = open_source(delivery.path, delivery.options.read)
    # columns that look like coordinates are columns like any other here
    tabulator = getattr(source, "tabulator", None)
    if tabulator is not None:
        tabulator.coordinates = None
    first = next(source.batches(), None)
    columns = tuple(first.table.column_names) if first is not None else ()
    declared = known_deliverable(database, delivery.register)
    return HandedOver(declared, source, columns, _items(declared, delivery, first))


def _items(declared: Deliverable, delivery: Record, first: Batch | None) -> dict[str, str]:
    """Which column holds which item."""
    if first is None:
        return {}
    matching = match(first.table.column_names, declared.intake, first.table, overrides=delivery.options.columns)
    return {name: found.column for name, found in matching.matches.items()}


def _texts(batch: Batch, at: int) -> dict[str, str]:
    found = {name: batch.table.column(name)[at].as_py() for name in batch.table.column_names}
    return {name: "" if value is None else str(value) for name, value in found.items()}
