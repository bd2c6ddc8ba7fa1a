"""People whom civil affairs know: marital status, guardians, and homes as written addresses in the bureau's manner."""

from dataclasses import dataclass, replace
from pathlib import Path

from sample_city import names
from sample_city.deliveries.cast import CIVIL_FAULTS, CIVIL_KEPT, Cast
from sample_city.deliveries.handed import Handed
from sample_city.deliveries.id_numbers import day_after, exponent, sealed, wrong_check
from sample_city.deliveries.residents import Resident, ResidentFiles, cover
from sample_city.deliveries.wording import AddressWriter
from sample_city.people import Dwelling

_HEADER = (
    ("姓名", "身份证号", "基本信息", "", "", "居住信息", "", "联系电话", "监护人身份号码"),
    ("", "", "性别", "出生日期", "婚姻状况", "居住地址", "起始日期", "", ""),
)
_MERGED = ("A1:A2", "B1:B2", "C1:E1", "F1:G1", "H1:H2", "I1:I2")
_AGAIN_HEADER = tuple((first, *row) for first, row in zip(("操作", ""), _HEADER, strict=True))
_AGAIN_MERGED = ("A1:A2", "B1:B2", "C1:C2", "D1:F1", "G1:H1", "I1:I2", "J1:J2")
_ANOTHER_CITY = "上海市浦东新区世纪大道100号3栋2单元501室"


@dataclass(frozen=True, slots=True)
class Ward:
    """One person as civil affairs tell it; the fields in the order of the columns."""

    name: str
    number: str
    sex: str
    born: str
    marital: str
    address: str
    since: str
    telephone: str
    guardian: str

    def row(self) -> tuple[str, ...]:
        """The cells."""
        return (
            self.name, self.number, self.sex, self.born, self.marital, self.address, self.since, self.telephone,
            self.guardian,
        )  # fmt: skip


class WelfareFiles:
    """The file in full and its corrections; `rows` are the row numbers of the latest district's people."""

    def __init__(self, folder: Path, writer: AddressWriter, *, small: bool) -> None:
        first = cover(
            "persons_civil_affairs",
            "full",
            "2026-01-10",
            "民政服务对象",
            "People served by civil affairs",
            department="civil_affairs",
        )
        self.first = Handed.book(folder, first, _HEADER, _MERGED, small=small)
        self.again = Handed.book(folder, first.corrected(), _AGAIN_HEADER, _AGAIN_MERGED, small=small)
        self.rows: dict[int, int] = {}
        self.strangers: list[tuple[str, str, str]] = []
        self._writer, self._strangers = writer, 0

    def add(self, cast: Cast, told: list[Resident], police: ResidentFiles) -> None:
        """Append a district's people; `strangers` are then (number, since, dwelling) of those whom police never saw."""
        self.rows.clear()
        self.strangers.clear()
        for n, part in sorted(cast.later.items()):
            if part == "with a stranger":
                self._add_stranger(cast.quarter.homes[told[n].dwelling])
            elif part == "civil" or part in CIVIL_FAULTS or part in CIVIL_KEPT:
                self._add(cast, n, told[n], police)

    def _add(self, cast: Cast, n: int, resident: Resident, police: ResidentFiles) -> None:
        part, right = cast.later[n], self._ward(cast, n, resident)
        told = self._faulty(cast, n, right) if part in CIVIL_FAULTS else right
        self.rows[n] = row = self.first.write(told.row())
        if part in CIVIL_FAULTS:
            self._return(part, right, told, row)
        elif part == "civil: twice":
            again = self.first.write(right.row())
            self.first.give_back(again, "duplicate", "twice", code=right.number)
        elif part == "civil: divorced":
            self.first.cause(police.first, police.rows[n], "conflict", "marital_status")
            divorced = replace(resident, marital="离婚").row()
            police.again.answer(police.again.write(("变更", *divorced, right.since)), police.first, police.rows[n])

    def _return(self, part: str, right: Ward, told: Ward, row: int) -> None:
        """A row that comes back, and what civil affairs answer: all but those who insist send it corrected."""
        item = "dwelling" if part.startswith("civil: other home") else ""
        fault = part.removeprefix("civil: ")
        self.first.give_back(row, CIVIL_FAULTS[part], fault, item=item, code=right.number)
        if part == "civil: other home again":
            again = self.again.write(("变更", *told.row()))
            self.again.give_back(again, "conflict", fault, item=item, code=right.number)
        else:
            again = self.again.write(("变更", *right.row()))
            self.again.answer(again, self.first, row, keyed=told.number == right.number)

    def _ward(self, cast: Cast, n: int, resident: Resident) -> Ward:
        part = cast.later[n]
        since = since_when(resident.number, resident.born)
        guardian = cast.people[cast.head[n]].number if cast.is_ward(n) else ""
        marital = "离婚" if part == "civil: divorced" else resident.marital
        telephone = f"1990565{n % 10_000:04d}" if part == "civil: other telephone" else ""
        home = cast.quarter.homes[resident.dwelling]
        return Ward(resident.name, resident.number, resident.sex, resident.born, marital, self._address(home, n), since,
                    telephone, guardian)  # fmt: skip

    def _address(self, home: Dwelling, n: int) -> str:
        """The address in one of the ways in which bureaus have it; each of them leaves no doubt."""
        w = self._writer
        ways = (w.full, w.full_width, w.numerals, w.without_upper, w.without_township, w.spaced)
        return ways[n % len(ways)](home)

    def _faulty(self, cast: Cast, n: int, right: Ward) -> Ward:
        part, home = cast.later[n], cast.quarter.homes[cast.people[n].dwelling]
        swapped = {
            "civil: village only": ("address", self._writer.coarse(home)),
            "civil: building only": ("address", self._writer.building(home)),
            "civil: no staircase": ("address", self._writer.without_staircase(home)),
            "civil: no such room": ("address", f"{self._writer.building(home)}{home.unit}单元9909室"),
            "civil: another city": ("address", _ANOTHER_CITY),
            "civil: other home": ("address", _other(cast, home).text),
            "civil: other home again": ("address", _other(cast, home).text),
            "civil: other name": ("name", f"{right.name[:1]}{'建国' if right.name[1:] != '建国' else '淑珍'}"),
            "civil: other sex": ("sex", "女" if right.sex == "男" else "男"),
            "civil: other birth": ("born", f"{int(right.born[:4]) - 2}{right.born[4:8]}11"),
            "civil: check character": ("number", wrong_check(right.number)),
            "civil: exponent": ("number", exponent(right.number)),
            "civil: no name": ("name", ""),
            "civil: marital status in words": ("marital", "结过婚"),
            "civil: guardian's check character": ("guardian", wrong_check(right.guardian or right.number)),
            "civil: guardian's exponent": ("guardian", exponent(right.guardian or right.number)),
        }
        item, value = swapped[part]
        return replace(right, **{item: value})

    def _add_stranger(self, home: Dwelling) -> None:
        """Somebody in care whom police do not know: civil affairs bring the person into being."""
        self._strangers += 1
        k = self._strangers
        born = day_after("1931-03-01", k * 37 % 9000)
        number = sealed("340304", born.replace("-", ""), 2 * (k // 9000) + 1)
        name = names.SURNAMES[k % 90] + names.MALE_NAMES[k * 7 % len(names.MALE_NAMES)]
        since = since_when(number, born)
        row = self.first.write(Ward(name, number, "男", born, "丧偶", self._writer.full(home), since, "", "").row())
        self.first.note(row, "unknown to police", number)
        self.strangers.append((number, since, home.code))


def since_when(number: str, born: str) -> str:
    """Since when civil affairs know a person: some day of 2016 to 2024, or the day of birth where that is later."""
    turn = int(number[6:17])
    return max(born, f"{2016 + turn % 9}-{1 + turn % 12:02d}-{1 + turn % 28:02d}")


def _other(cast: Cast, home: Dwelling) -> Dwelling:
    """Another home that the register holds."""
    homes = cast.quarter.spare or [cast.quarter.homes[code] for code in sorted(cast.quarter.known)]
    return next((h for h in homes if h.code != home.code), home)
