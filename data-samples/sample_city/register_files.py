"""The files of the registers to come: dwellings, persons and legal entities, with the damage that Excel does."""

import datetime
from pathlib import Path

import numpy as np

from sample_city.codes import citizen_ids
from sample_city.firms import Firm
from sample_city.people import Dwelling, Person
from sample_city.record import FileRecord
from sample_city.tables import BookTable, TextTable

_SCIENTIFIC, _BAD_CHECK, _NO_DAY, _TWICE, _LOWER = (101, 2003, 4005), (202, 3303), (404,), (555, 1200), (700,)
_EXCEL_ZERO = datetime.date(1899, 12, 30)


class DwellingFile:
    """CSV, GBK: one line a home with its full address."""

    def __init__(self, folder: Path) -> None:
        self.record = FileRecord(
            "dwellings.csv", ("房屋(住建局)", "Dwellings (housing)"), None, "none", "GBK", "nothing"
        )
        self.table = TextTable(folder / self.record.file, "gbk")
        self.table.write(("房屋编码", "建筑编码", "区划代码", "单元", "楼层", "室号", "标准地址"))

    def add(self, dwellings: list[Dwelling]) -> None:
        """Append homes."""
        for d in dwellings:
            self.record.rows += 1
            self.record.count("village", d.village)
            self.table.write((d.code, d.building, d.village, d.unit, d.floor, d.room, d.text))


class PersonFile:
    """CSV, GB18030: one line a person; some id numbers damaged, a few persons twice."""

    def __init__(self, folder: Path) -> None:
        self.record = FileRecord(
            "persons.csv", ("实有人口(公安局)", "Persons (public security)"), None, "none", "GB18030", "nothing"
        )
        self.table = TextTable(folder / self.record.file, "gb18030")
        self.table.write(
            (
                "姓名",
                "性别",
                "公民身份号码",
                "出生日期",
                "民族",
                "户号",
                "与户主关系",
                "户籍地区划代码",
                "居住地区划代码",
                "房屋编码",
            )
        )
        self._seen = 0

    def add(self, people: list[Person]) -> None:
        """Append persons."""
        for person in people:
            self._seen += 1
            self.record.count("village", person.village)
            self._write(person, self._number(person))
            if self._seen in _TWICE:
                self.record.reject(self.table.line + 1, "person given twice", person.number)
                self._write(person, person.number)

    def _write(self, p: Person, number: str) -> None:
        self.record.rows += 1
        self.table.write(
            (p.name, p.sex, number, p.born, p.ethnicity, p.household, p.relation, p.registered, p.village, p.dwelling)
        )

    def _number(self, person: Person) -> str:
        """The id number as the file has it."""
        n, row, number = self._seen, self.table.line + 1, person.number
        if n in _SCIENTIFIC:
            self.record.reject(row, "id number damaged by Excel", number)
            return f"{float(number[:17] + '0'):.5E}"
        if n in _BAD_CHECK:
            self.record.reject(row, "id number with a wrong check character", number)
            return number[:17] + ("1" if number[17] != "1" else "2")
        if n in _NO_DAY:
            self.record.reject(row, "id number with an impossible date", number)
            one = citizen_ids(np.array([int(number[:6])]), np.array([19990229]), np.array([int(number[14:17])]))
            return one[0]
        if n in _LOWER:
            self.record.note(row, "lower-case check character where it is X", code=number)
            return number.lower()
        return number


class EntityFile:
    """Workbook: two header rows with merged cells, days as serial numbers, every ninth id number a damaged number."""

    _HEADER = (
        ("统一社会信用代码", "单位名称", "机构类型", "行业", "", "登记信息", "", "法定代表人", "", "住所", "区划代码"),
        ("", "", "", "代码", "名称", "成立日期", "注册资本(万元)", "姓名", "证件号码", "", ""),
    )
    _MERGED = ("A1:A2", "B1:B2", "C1:C2", "D1:E1", "F1:G1", "H1:I1", "J1:J2", "K1:K2")

    def __init__(self, folder: Path) -> None:
        self.record = FileRecord(
            "entities.xlsx", ("法人单位(市场监管局)", "Legal entities (market supervision)"), None, "none", "UTF-8",
            "nothing", layer="法人单位",
        )  # fmt: skip
        self.table = BookTable(folder / self.record.file, "法人单位", self._HEADER, self._MERGED)

    def add(self, firms: list[Firm]) -> None:
        """Append entities."""
        for f in firms:
            self.record.rows += 1
            day = (datetime.date.fromisoformat(f.since) - _EXCEL_ZERO).days
            number: object = f.legal_number
            if self.record.rows % 9 == 4 and f.legal_number.isdigit():
                number = int(f.legal_number) // 1000 * 1000  # Excel keeps 15 digits
                if len(self.record.notes) < 200:
                    self.record.note(
                        self.table.line + 1, "id number damaged by Excel", code=f.code, true=f.legal_number
                    )
            self.record.count("kind", f.kind)
            self.table.write(
                (
                    f.code,
                    f.name,
                    f.kind,
                    f.industry,
                    f.industry_name,
                    day,
                    f.capital,
                    f.legal_person,
                    number,
                    f.address,
                    f.village,
                )
            )

    def close(self) -> None:
        """Save, with a hidden sheet of words that is no data."""
        self.table.close(
            "字典", (("机构类型", "含义"), ("企业", "公司法人"), ("个体工商户", "个体"), ("事业单位", "事业法人"))
        )
