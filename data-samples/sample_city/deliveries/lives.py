"""The facts to check in the end: where sampled people live on some days, and how many in each village."""

from collections import Counter
from dataclasses import dataclass, field

#: (from which day, "" always; the dwelling's code, "" none known, None no longer in the register), in order.
Life = tuple[tuple[str, str | None], ...]

ASKED_DAYS = ("2020-01-01", "2026-02-14", "2026-03-31", "2026-04-15", "2026-06-15")
COUNTED_DAYS = ("2026-02-14", "2026-06-15")
_SAMPLES = 2


@dataclass(slots=True)
class Lives:
    """Keeps the lives of the first few people of each part, and counts everybody by village."""

    people: list[dict[str, object]] = field(default_factory=list)
    population: dict[str, Counter[str]] = field(default_factory=lambda: {d: Counter() for d in COUNTED_DAYS})
    persons: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED_DAYS, 0))
    _kept: Counter[str] = field(default_factory=Counter)

    def add(self, number: str, life: Life, part: str) -> None:
        """Take in one life; `part` says what is special about it ("" nothing)."""
        for day in COUNTED_DAYS:
            home = _on(life, day)
            self.persons[day] += home is not None
            if home:
                self.population[day][home[:12]] += 1
        self._kept[part] += 1
        if self._kept[part] <= _SAMPLES:
            homes = {day: _on(life, day) for day in ASKED_DAYS}
            told = {day: {"registered": home is not None, "dwelling": home or None} for day, home in homes.items()}
            self.people.append({"citizen_id": number, "part": part or "plain", "on": told})

    def facts(self) -> dict[str, object]:
        """All of it, for the answers."""
        population = {day: dict(sorted(counts.items())) for day, counts in self.population.items()}
        return {"persons": self.people, "registered": self.persons, "population": population}


def _on(life: Life, day: str) -> str | None:
    home: str | None = None
    for since, where in life:
        if since <= day:
            home = where
    return home
