"""What police tell later: moves, deaths, corrections and newcomers, in two editions and one that comes in late."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sample_city import names
from sample_city.deliveries.cast import Cast
from sample_city.deliveries.handed import Handed
from sample_city.deliveries.id_numbers import day_after, sealed, wrong_check
from sample_city.deliveries.lives import Life, Lives
from sample_city.deliveries.residents import CHANGE_HEADER, Resident, cover
from sample_city.deliveries.welfare import WelfareFiles

LATE, SECOND, THIRD = "2026-02-15", "2026-04-01", "2026-06-01"
_SAYS, _ENDS, _NEW = "变更", "删除", "新增"


@dataclass(frozen=True, slots=True)
class _Story:
    """Somebody to whom something happens: in three homes, on a day before each edition."""

    resident: Resident
    homes: tuple[str, str, str]
    early: str
    middle: str
    last: str


class MoveFiles:
    """Three changed-rows files, each with operation and day of effect."""

    def __init__(self, folder: Path) -> None:
        def file(name: str, edition: str, *title: str) -> Handed:
            return Handed.text(folder, cover(name, "incremental", edition, *title), CHANGE_HEADER)

        self.second = file(
            "persons_police_2", SECOND, "公安实有人口变更(二季度)", "Changes of residents, second quarter"
        )
        self.third = file("persons_police_3", THIRD, "公安实有人口变更(六月)", "Changes of residents, June")
        self.late = file(
            "persons_police_late", LATE, "公安实有人口变更(二月,迟报)", "Changes of residents, February, late"
        )
        self._turn = self._newborn = self._newcomers = 0

    def add(self, cast: Cast, told: list[Resident], welfare: WelfareFiles, lives: Lives) -> None:
        """Append what happens to a district's people, and tell their lives."""
        for n, resident in enumerate(told):
            part = cast.later.get(n, "")
            life = self._life(cast, n, resident, part)
            lives.add(resident.number, life, part or cast.police.get(n, ""))
            if part == "civil: then dead":
                self.second.cause(welfare.first, welfare.rows[n], "ended")
            elif part == "civil: then moved":
                self.second.cause(welfare.first, welfare.rows[n], "conflict", "dwelling")
        for n, part in sorted(cast.later.items()):
            for newcomer, life in self._newcomers_with(told[n], part):
                lives.add(newcomer.number, life, part)
        for number, since, home in welfare.strangers:
            lives.add(number, ((since, home),), "unknown to police")

    def _life(self, cast: Cast, n: int, resident: Resident, part: str) -> Life:
        tell = _TOLD.get(part)
        if tell is None:
            return (("", resident.dwelling),)
        return tell(self, self._story(cast, resident))

    def _story(self, cast: Cast, resident: Resident) -> _Story:
        self._turn += 1
        k, spare = self._turn, cast.quarter.spare
        free = [h.code for h in spare] or sorted(cast.quarter.known)
        others = [code for code in (free[k % len(free)], free[(k + 1) % len(free)]) if code != resident.dwelling]
        second, third = (*others, *others, resident.dwelling, resident.dwelling)[:2]
        days = (("2026-02-01", 12), ("2026-02-20", 34), ("2026-04-05", 54))
        early, middle, last = (day_after(first, k * 5 % span) for first, span in days)
        return _Story(resident, (resident.dwelling, second, third), early, middle, last)

    def _newcomers_with(self, host: Resident, part: str) -> Iterator[tuple[Resident, Life]]:
        """Who joins a household: told once, since a day."""
        if part == "with a newborn":
            self._newborn += 1
            k = self._newborn
            born = day_after("2026-01-10", k % 70)
            child = self._newcomer(host, k, born, "341502", "子女")
            _write(self.second, _NEW, child, born)
            yield child, ((born, child.dwelling),)
        elif part in ("with a newcomer", "with a late newcomer"):
            self._newcomers += 1
            k, late = self._newcomers, part == "with a late newcomer"
            since = day_after("2026-02-02" if late else "2026-02-20", k % 10)
            grown = self._newcomer(host, k, day_after("1975-01-01", k * 37 % 9000), "341221", "其他")
            _write(self.late if late else self.second, _NEW, grown, since)
            yield grown, ((since, grown.dwelling),)

    @staticmethod
    def _newcomer(host: Resident, k: int, born: str, region: str, relation: str) -> Resident:
        male = k % 2
        words = names.MALE_NAMES if male else names.FEMALE_NAMES
        return Resident(
            name=(host.name[0] if relation == "子女" else names.SURNAMES[k % 90]) + words[k * 11 % len(words)],
            sex="男" if male else "女",
            number=sealed(region, born.replace("-", ""), 2 * (k // 70 % 500) + male),
            born=born,
            ethnicity="汉族",
            marital="",
            household=host.household,
            relation=relation,
            registered=host.registered if relation == "子女" else "341221000000",
            dwelling=host.dwelling,
            telephone="",
        )


def _write(file: Handed, operation: str, resident: Resident, day: str = "") -> int:
    return file.write((operation, *resident.row(), day))


def _moved(files: MoveFiles, s: _Story) -> Life:
    _write(files.second, _SAYS, s.resident.in_home(s.homes[1]), s.middle)
    return ("", s.homes[0]), (s.middle, s.homes[1])


def _dead(files: MoveFiles, s: _Story) -> Life:
    _write(files.second, _ENDS, s.resident, s.middle)
    return ("", s.homes[0]), (s.middle, None)


def _corrected(files: MoveFiles, s: _Story) -> Life:
    other = "回族" if s.resident.ethnicity == "汉族" else "汉族"
    _write(files.second, _SAYS, replace(s.resident, ethnicity=other))
    return (("", s.homes[0]),)


def _repeated(files: MoveFiles, s: _Story) -> Life:
    _write(files.second, _SAYS, s.resident)
    files.second.unchanged += 1
    return (("", s.homes[0]),)


def _moved_late(files: MoveFiles, s: _Story) -> Life:
    _write(files.late, _SAYS, s.resident.in_home(s.homes[1]), s.early)
    return ("", s.homes[0]), (s.early, s.homes[1])


def _moved_late_then_moved(files: MoveFiles, s: _Story) -> Life:
    _write(files.second, _SAYS, s.resident.in_home(s.homes[2]), s.middle)
    return *_moved_late(files, s), (s.middle, s.homes[2])


def _moved_late_then_repeated(files: MoveFiles, s: _Story) -> Life:
    """The repetition changed nothing when it came; since the late word it says that the person is back."""
    _repeated(files, s)
    return *_moved_late(files, s), (SECOND, s.homes[0])


def _repeated_late(files: MoveFiles, s: _Story) -> Life:
    _write(files.late, _SAYS, s.resident)
    files.late.unchanged += 1
    return (("", s.homes[0]),)


def _dead_late_then_repeated(files: MoveFiles, s: _Story) -> Life:
    _repeated(files, s)
    _write(files.late, _ENDS, s.resident, s.early)
    return ("", s.homes[0]), (s.early, None), (SECOND, s.homes[0])


def _moved_third(files: MoveFiles, s: _Story) -> Life:
    _write(files.third, _SAYS, s.resident.in_home(s.homes[1]), s.last)
    return ("", s.homes[0]), (s.last, s.homes[1])


def _there_and_back(files: MoveFiles, s: _Story) -> Life:
    _write(files.third, _SAYS, s.resident, s.last)
    return *_moved(files, s), (s.last, s.homes[0])


def _dead_third(files: MoveFiles, s: _Story) -> Life:
    _write(files.third, _ENDS, s.resident, s.last)
    return ("", s.homes[0]), (s.last, None)


def _moved_nowhere(files: MoveFiles, s: _Story) -> Life:
    """A home that is in no register, in one edition and again in the next."""
    nowhere = s.resident.in_home(f"{s.homes[0][:12]}777777010101")
    for file in (files.second, files.third):
        row = _write(file, _SAYS, nowhere, s.middle)
        file.give_back(row, "unknown_reference", "moved to an unknown home", code=s.resident.number)
    return (("", s.homes[0]),)


def _wrong_number(files: MoveFiles, s: _Story) -> Life:
    wrong = replace(s.resident, number=wrong_check(s.resident.number))
    row = _write(files.second, _SAYS, wrong.in_home(s.homes[1]), s.middle)
    files.second.give_back(row, "check_digit", "check character", code=s.resident.number)
    return (("", s.homes[0]),)


def _late_other_sex(files: MoveFiles, s: _Story) -> Life:
    other = replace(s.resident, sex="女" if s.resident.sex == "男" else "男")
    row = _write(files.late, _SAYS, other, s.early)
    files.late.give_back(row, "contradiction", "other sex", code=s.resident.number)
    return (("", s.homes[0]),)


_TOLD = {
    "moved": _moved,
    "civil: then moved": _moved,
    "dead": _dead,
    "civil: then dead": _dead,
    "corrected": _corrected,
    "repeated": _repeated,
    "moved late": _moved_late,
    "moved late, then moved": _moved_late_then_moved,
    "moved late, then repeated": _moved_late_then_repeated,
    "repeated late": _repeated_late,
    "dead late, then repeated": _dead_late_then_repeated,
    "moved third": _moved_third,
    "there and back": _there_and_back,
    "dead third": _dead_third,
    "moved nowhere": _moved_nowhere,
    "changed with a wrong number": _wrong_number,
    "late with the other sex": _late_other_sex,
}
