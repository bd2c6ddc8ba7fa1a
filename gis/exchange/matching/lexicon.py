"""Which names the city has, and how a written beginning of an address falls apart into them.

The parser cuts names by their endings, which fails where an ending is left out (安徽六安金安区) or a name holds
another one (三里桥街道三里桥社区三里桥映山组). Here the city's own names decide.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from gis.codes.address_parts import DIVISIONS, Parts, township_name, village_name
from gis.exchange.matching.spelling import Spelling
from gis.exchange.matching.vocabulary import NONE, UNKNOWN, Vocabulary

LEVELS = len(DIVISIONS)
_ENDINGS = (
    ("省", "自治区", "壮族自治区", "回族自治区", "维吾尔自治区", "特别行政区", "市"),
    ("市", "地区", "自治州", "盟"),
    ("自治县", "区", "县", "市", "旗"),
    ("街道", "镇", "乡", "苏木"),
    ("社区", "村", "嘎查"),
)
_LONGEST = 60
KINDS = ("street", "compound", "landmark")


class Correction(NamedTuple):
    """A name that was read as another one."""

    written: str
    read: str


@dataclass(frozen=True, slots=True)
class Names:
    """What the names of an address mean in this city: tokens by level, UNKNOWN for a name that the city has not."""

    divisions: tuple[int, ...] = (NONE,) * LEVELS
    street: int = NONE
    compound: int = NONE
    landmark: int = NONE
    written: tuple[tuple[str, str], ...] = ()
    """Road, compound and landmark as written, with the kind that each was taken for."""
    corrections: tuple[Correction, ...] = ()


@dataclass(slots=True)
class Lexicon:
    """The names of one city. Former names of a division mean the division."""

    vocabulary: Vocabulary
    streets: set[str] = field(default_factory=set)
    compounds: set[str] = field(default_factory=set)
    landmarks: set[str] = field(default_factory=set)
    _full: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    _short: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    _kinds: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What each local name is called for: street, compound, landmark."""
    _starts: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """By their first two characters: the lengths that known names have, those to try first at the front."""
    _local: Spelling = field(default_factory=lambda: Spelling(()))
    _divisions: Spelling = field(default_factory=lambda: Spelling(()))

    def add_division(self, level: int, name: str, former: Iterable[str] = ()) -> int:
        """Make a division's name known (level from 0), with its short and former forms; returns its token."""
        canonical = division_name(level, name)
        token = self.vocabulary.add(f"{level}{canonical}")
        for known in (name, canonical, *former, *(division_name(level, f) for f in former)):
            _enter(self._full, known, (level, token))
        for known in (canonical, *(division_name(level, f) for f in former)):
            for short in _shortened(level, known):
                _enter(self._short, short, (level, token))
        return token

    def close(self) -> None:
        """All names are in: prepare to find those that are misspelt."""
        for kind, called in zip(KINDS, (self.streets, self.compounds, self.landmarks), strict=True):
            for name in called:
                self._kinds[name] = (*self._kinds.get(name, ()), kind)
        self._local = Spelling(self._kinds)
        self._divisions = Spelling(self._full)
        starts: dict[str, set[tuple[int, int]]] = {}
        for rank, known in enumerate((self.streets, self.compounds, self.landmarks, self._full, self._short)):
            for name in known:
                if len(name) > 1:
                    starts.setdefault(name[:2], set()).add((rank, len(name)))
        self._starts = {
            start: sorted(sizes, key=lambda s: (s[0] // 3, s[0] // 4, -s[1])) for start, sizes in starts.items()
        }

    def resolve(self, head: Parts) -> Names:
        """What the names of a parsed address mean here."""
        read = self._by_parts(head)
        if UNKNOWN not in (*read.divisions, read.street, read.compound, read.landmark):
            return read
        local = f"{head.road}{head.compound}{head.landmark}"
        whole = next((f"{d}{local}" for d in head[:LEVELS] if d and f"{d}{local}" in self._kinds), "")
        if whole:  # 六安市第四人民医院 has the city in its name
            return self._with_local(read.divisions, ("", whole, ""))
        # what stands before a number is no division, even if one is called so for short
        numbered = bool(head.road or head.compound)
        for base, text in self._unread(head, read):
            pieces = self._segment(text, 0, {}) if len(text) <= _LONGEST else None
            if pieces and not (numbered and pieces[-1] not in self._full and pieces[-1] not in self._kinds):
                return self._of_pieces(pieces, base)
        return self._corrected(head, read)

    def near(self, written: str) -> list[tuple[str, str]]:
        """Names of streets, compounds and landmarks one edit away: ("street", name), …"""
        return [(kind, name) for name in self._local.near(written) for kind in self._kinds[name]]

    @staticmethod
    def _unread(head: Parts, read: Names) -> Iterator[tuple[tuple[int, ...], str]]:
        """What is still to be read, with the divisions that are settled: the local name, or all of it."""
        if UNKNOWN not in read.divisions:
            yield read.divisions, f"{head.road}{head.compound}{head.landmark}"
            return
        for city in dict.fromkeys((head.city, head.city.removesuffix("市"))):
            yield (NONE,) * LEVELS, "".join((head.province, city, *head[2:6], head.compound, head.landmark))

    def _by_parts(self, head: Parts) -> Names:
        divisions = [NONE] * LEVELS
        for level, name in enumerate(head[:LEVELS]):
            if not name:
                continue
            known = self._full.get(name)
            if known is None:
                divisions[level] = UNKNOWN
            else:
                at, token = next((k for k in known if k[0] == level), known[0])
                divisions[at] = token
        return self._with_local(tuple(divisions), (head.road, head.compound, head.landmark))

    def _with_local(self, divisions: tuple[int, ...], local: Sequence[str]) -> Names:
        """Whichever of road, compound and landmark the parser took a name for, the city says what it is."""
        found = _no_local()
        written = []
        for kind, name in zip(KINDS, local, strict=True):
            if name:
                kinds = self._kinds.get(name, ())
                there = kind if kind in kinds else next(iter(kinds), kind)
                found[there] = self.vocabulary.find(f"名{name}") if kinds else UNKNOWN
                written.append((there, name))
        return Names(divisions, found["street"], found["compound"], found["landmark"], tuple(written))

    def _segment(self, text: str, start: int, seen: dict[int, list[str] | None]) -> list[str] | None:
        """Known names that make up the text from `start` on without a gap; None where there are none."""
        if start == len(text):
            return []
        if start not in seen:
            seen[start] = None
            for _, size in self._starts.get(text[start : start + 2], ()):
                piece = text[start : start + size]
                if len(piece) < size or not self._known(piece):
                    continue
                below = self._segment(text, start + size, seen)
                if below is not None:
                    seen[start] = [piece, *below]
                    break
        return seen[start]

    def _known(self, name: str) -> bool:
        return name in self._full or name in self._short or name in self._kinds

    def _of_pieces(self, pieces: list[str], settled: tuple[int, ...]) -> Names:
        divisions = list(settled)
        local = [p for p in pieces if p in self._kinds]
        for piece in pieces:
            if piece in self._kinds:
                continue
            known = self._full.get(piece) or self._short[piece]
            if len(known) == 1 and divisions[known[0][0]] == NONE:
                divisions[known[0][0]] = known[0][1]
            elif len(known) > 1:  # 三里桥 may be the street office or the community: the first that fits and is free
                free = [k for k in known if divisions[k[0]] == NONE]
                if len(free) == 1:
                    divisions[free[0][0]] = free[0][1]
        found = _no_local()
        written = []
        for name in local:
            kind = next((k for k in self._kinds[name] if found[k] == NONE), None)
            if kind:
                found[kind] = self.vocabulary.find(f"名{name}")
                written.append((kind, name))
        return Names(tuple(divisions), found["street"], found["compound"], found["landmark"], tuple(written))

    def _corrected(self, head: Parts, read: Names) -> Names:
        """Correct misspelt divisions where only one name is near; split short ones off the local name."""
        divisions, corrections = list(read.divisions), []
        for level, name in enumerate(head[:LEVELS]):
            if divisions[level] != UNKNOWN:
                continue
            near = [(n, k) for n in self._divisions.near(name) for k in self._full[n] if k[0] == level]
            if len({k for _, k in near}) == 1:
                divisions[level] = near[0][1][1]
                corrections.append(Correction(name, near[0][0]))
        local = [head.road, head.compound, head.landmark]
        if head.road and head.compound and self._local.near(head.road + head.compound):
            local = ["", head.road + head.compound, ""]  # 齐云路双井组 is one name
        first = next((n for n, name in enumerate(local) if name and name not in self._kinds), None)
        if first is not None:
            local[first] = self._without_short_divisions(local[first], divisions)
        found = self._with_local(tuple(divisions), local)
        return replace(found, corrections=tuple(corrections))

    def _without_short_divisions(self, name: str, divisions: list[int]) -> str:
        """裕安皖溪路 is 皖溪路 in 裕安: a short name is split off when what is left is near a known name."""
        if self._local.near(name):
            return name
        for size in range(min(len(name) - 2, 6), 1, -1):
            known = self._full.get(name[:size]) or self._short.get(name[:size], [])
            if len(known) == 1 and (name[size:] in self._kinds or self._local.near(name[size:])):
                level, token = known[0]
                divisions[level] = divisions[level] or token
                return name[size:]
        return name


def _no_local() -> dict[str, int]:
    return dict.fromkeys(KINDS, NONE)


def division_name(level: int, official: str) -> str:
    """A division's name as addresses write it (level from 0)."""
    return township_name(official) if level == 3 else village_name(official) if level == 4 else official


def _shortened(level: int, name: str) -> Iterator[str]:
    for ending in _ENDINGS[level]:
        if name.endswith(ending) and len(name) - len(ending) >= 2:
            yield name.removesuffix(ending)


def _enter(names: dict[str, list[tuple[int, int]]], name: str, meaning: tuple[int, int]) -> None:
    known = names.setdefault(name, [])
    if meaning not in known:
        known.append(meaning)
