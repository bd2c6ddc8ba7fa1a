"""Names with one character wrong, missing or too many, found by their deletion neighbourhood.

Two names are one edit apart only if they share a form that either yields by deleting at most one character: so a
dictionary of those forms finds all candidates with as many look-ups as the name has characters (Garbe's symmetric
delete; Mor and Fraenkel 1982).
"""

from collections.abc import Iterable, Iterator

_SHORTEST = 3
_KEPT = 1 << 16


class Spelling:
    """Finds the known names that are one edit away from a written one."""

    def __init__(self, names: Iterable[str]) -> None:
        self._found: dict[str, list[str]] = {}
        self._forms: dict[str, list[str]] = {}
        for name in names:
            if len(name) >= _SHORTEST:
                for form in {name, *_deletions(name)}:
                    self._forms.setdefault(form, []).append(name)

    def near(self, written: str) -> list[str]:
        """Known names of three characters or more at edit distance one, in order; the name itself is not among them."""
        known = self._found.get(written)
        if known is None:
            if len(self._found) > _KEPT:
                self._found.clear()
            known = self._found[written] = self._search(written)
        return known

    def _search(self, written: str) -> list[str]:
        found: set[str] = set()
        for form in {written, *_deletions(written)} if len(written) >= _SHORTEST - 1 else ():
            found.update(self._forms.get(form, ()))
        return sorted(name for name in found if one_edit(name, written))


def _deletions(name: str) -> Iterator[str]:
    return (name[:place] + name[place + 1 :] for place in range(len(name)))


def one_edit(a: str, b: str) -> bool:
    """Whether one substitution, insertion, deletion or swap of neighbours makes one name of the other."""
    if a == b or abs(len(a) - len(b)) > 1:
        return False
    first = next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    if len(a) == len(b):
        swapped = a[first : first + 2] == b[first : first + 2][::-1] and a[first + 2 :] == b[first + 2 :]
        return swapped or a[first + 1 :] == b[first + 1 :]
    long, short = (a, b) if len(a) > len(b) else (b, a)
    return long[first + 1 :] == short[first:]
