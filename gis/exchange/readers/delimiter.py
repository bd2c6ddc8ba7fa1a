"""What separates the cells of a text table: the character that cuts most of its first lines into equally many."""

import csv
from collections import Counter
from collections.abc import Sequence

from gis.text import Text

CANDIDATES = {
    ",": Text("逗号", "comma"),
    "\t": Text("制表符", "tab"),
    ";": Text("分号", "semicolon"),
    "|": Text("竖线", "vertical bar"),
    "\uff0c": Text("全角逗号", "full-width comma"),
    "\uff1b": Text("全角分号", "full-width semicolon"),
}
_LINES = 60


def settle_delimiter(lines: Sequence[str], *, likely: str = ",") -> tuple[str, float]:
    """The delimiter of a table's first lines and the share of them that agree on the number of cells.

    `likely` wins where two do equally well, and where nothing separates anything (a table of one column).
    """
    first = [line for line in lines if line.strip()][:_LINES]
    if first and first[0].strip().casefold().startswith("sep=") and len(first[0].strip()) == 5:
        return first[0].strip()[4], 1.0
    scores = {candidate: _score(first, candidate) for candidate in CANDIDATES}
    best = max(scores, key=lambda c: (scores[c][0], c == likely))
    return (best, scores[best][1]) if scores[best][0] > 0 else (likely, 1.0)


def _score(lines: Sequence[str], delimiter: str) -> tuple[float, float]:
    counts = Counter(len(row) for row in _rows(lines, delimiter) if row)
    if not counts:
        return 0.0, 0.0
    columns = max(counts, key=lambda n: (counts[n], n))
    share = counts[columns] / counts.total()
    return (round(share * (1 - 1 / columns), 3), share) if columns > 1 else (0.0, share)


def _rows(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    if not any(delimiter in line for line in lines):
        return []
    try:
        return list(csv.reader((line + "\n" for line in lines), delimiter=delimiter))
    except csv.Error:
        return [line.split(delimiter) for line in lines]
