"""What a load did, row for row: every row of the file is new, changed, unchanged or refused, with the reasons."""

import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any

from gis.exchange.notes import Notes
from gis.exchange.readers.source import Findings
from gis.store.versions import Changes


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """The account of one load. `rows` = `changes.new` + `.changed` + `.unchanged` + `rejected`, always.

    `closed` counts rows of the dataset's last edition that this one no longer holds.
    """

    load: int
    collection: str
    dataset: str
    file: str
    rows: int
    rejected: int
    changes: Changes
    source_crs: str
    findings: Findings = field(repr=False)
    notes: Notes = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """The account as JSON carries it."""
        return {
            "load": self.load,
            "collection": self.collection,
            "dataset": self.dataset,
            "file": self.file,
            "rows": self.rows,
            **asdict(self.changes),
            "rejected": self.rejected,
            "source_crs": self.source_crs,
            "reasons": dict(self.findings.rejected),
            "decisions": decisions(self.findings),
            "notes": noted(self.notes),
            "rejects": [
                {"row": r.row, "reason": r.reason, "text": r.text.as_dict(), "value": r.value}
                for r in self.findings.rejects
            ],
        }


def noted(notes: Notes) -> list[dict[str, Any]]:
    """Values that became null although their row was taken: how many, by field and reason."""
    return [{"field": name, "reason": reason, "values": n} for (name, reason), n in notes.counts.items()]


def decisions(findings: Findings) -> list[dict[str, Any]]:
    """What was decided about the file, with the evidence."""
    return [
        {"about": d.about, "value": d.value, "evidence": d.evidence.as_dict(), "sure": d.sure}
        for d in findings.decisions
    ]


def stored_json(value: object) -> str:
    """JSON that PostgreSQL takes: without NUL, which a column's name may hold."""
    return re.sub(r"(?<!\\)((?:\\\\)*)\\u0000", r"\1␀", json.dumps(value, ensure_ascii=False))
