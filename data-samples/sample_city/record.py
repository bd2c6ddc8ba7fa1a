"""What a file is said to hold: its entry in the manifest and in the answer key, filled while it is written."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sample_city.lattice import Floats

_SAMPLES, _EVERY = 60, 29


@dataclass(slots=True)
class FileRecord:
    """One delivered file. `collection` is None for registers to come; `crs` and `encoding` are the true ones.

    `declared` says what the file itself claims of its coordinates. Row numbers are those that a person sees: lines
    of a text file or sheet counted from 1 with titles and headers, records of other files counted from 1.
    """

    file: str
    title: tuple[str, str]
    collection: str | None
    crs: str
    encoding: str
    declared: str
    layer: str | None = None
    edition: int = 2025
    rows: int = 0
    rejects: list[dict[str, object]] = field(default_factory=list)
    notes: list[dict[str, object]] = field(default_factory=list)
    samples: list[dict[str, object]] = field(default_factory=list)
    counts: dict[str, Counter[str]] = field(default_factory=dict)

    def reject(self, row: int, reason: str, code: str = "") -> None:
        """Note a row that must not be taken."""
        self.rejects.append({"row": row, "reason": reason, "code": code})

    def note(self, row: int, what: str, **more: object) -> None:
        """Note a row that may be taken but is not as it should be, or differs from the edition before."""
        self.notes.append({"row": row, "what": what, **more})

    def sample(self, row: int, code: str, degrees: Floats) -> None:
        """Keep the true place of every so many rows: a point inside, WGS 84 longitude and latitude."""
        if self.rows % _EVERY == 1 and len(self.samples) < _SAMPLES:
            lon, lat = np.round(degrees, 7).tolist()
            self.samples.append({"row": row, "code": code, "lon": lon, "lat": lat})

    def count(self, by: str, key: str) -> None:
        """Count a row under a heading."""
        self.counts.setdefault(by, Counter())[key] += 1

    def paths(self, folder: Path) -> list[Path]:
        """The file and its sidecars, as they lie in the folder."""
        stem = Path(self.file)
        if stem.suffix != ".shp":
            return [folder / stem]
        return sorted(p for p in folder.glob(f"{stem.stem}.*") if p.suffix in (".shp", ".shx", ".dbf", ".prj", ".cpg"))

    def answer(self) -> dict[str, object]:
        """The entry in the answer key."""
        return {
            "crs": self.crs,
            "declared": self.declared,
            "encoding": self.encoding,
            "rows": self.rows,
            "rejects": self.rejects,
            "notes": self.notes,
            "samples": self.samples,
            "counts": {by: dict(sorted(counter.items())) for by, counter in sorted(self.counts.items())},
        }
