"""A person is forgotten: nothing names or numbers them any more, and everything else stays as it was."""

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from gis.errors import BadInput, BadQuery, Conflict, NotFound
from gis.exchange.delivery import records
from gis.exchange.delivery.account import DeliveryOptions
from gis.exchange.delivery.erasure import Request, erase, erased, lift
from gis.exchange.delivery.handed_over import handed_over
from gis.exchange.delivery.ledger import record
from gis.exchange.delivery.redaction import BLACK
from tests.gis.deliveries import REGISTER, Desk, Line, citizen_id, day, line, put_dwellings, write_csv

ASKED = Request(number="2026-17", basis="PIPL art. 47(1)(3)", by="records office")
PERSON, CHILD, OTHER = 7, 8, 9
NAME, CALLED, PHONE = "钟离昧", "钟离眛", "13956412345"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def desk(database_url: str, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("ONEMAP_HOME", str(home))
    put_dwellings(database_url)
    made = Desk(database_url, tmp_path)
    yield made
    made.city.close()


def people(*more: Line) -> list[Line]:
    said = {"name": NAME, "telephone": PHONE, "sex": "男", "dwelling": "D1", "marital_status": "married"}
    return [
        line(PERSON, said),
        line(CHILD, {"name": "钟离春", "household": "H1"}),
        line(OTHER, {"name": "王芳", "telephone": "13956499999", "dwelling": "D2"}),
        *more,
    ]


def handed(desk: Desk, name: str, lines: Sequence[Line], department: str, when: int, *, full: bool = True) -> Any:
    path = desk.folder / name
    path.parent.mkdir(exist_ok=True)
    write_csv(path, lines, full=full)
    if path.suffix != ".csv":
        _as(path)
    return desk.deliver(path, department, day(when), full=full)


def _as(path: Path) -> None:
    """The CSV that was written, in the format of its suffix."""
    table = pa.csv.read_csv(
        path, convert_options=pa.csv.ConvertOptions(column_types=dict.fromkeys(_columns(path), pa.string()))
    )
    if path.suffix == ".parquet":
        pa.parquet.write_table(table, path)
        return
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["人口基本信息"])
    sheet.append(table.column_names)
    for row in table.to_pylist():
        sheet.append(list(row.values()))
    book.save(path)


def _columns(path: Path) -> list[str]:
    return path.read_text().splitlines()[0].split(",")


def dumped(url: str) -> str:
    return subprocess.run(["pg_dump", "--no-owner", url], check=True, capture_output=True, text=True).stdout


def found_in(url: str, home: Path, words: Sequence[str]) -> set[str]:
    """Where any of the words stands: in a dump of the database, or in any file of the home, packed or not."""
    text = dumped(url)
    places = {word for word in words if word in text}
    for path in (p for p in home.rglob("*") if p.is_file()):
        held = path.read_bytes()
        if path.suffix == ".parquet":
            held = str(pa.parquet.read_table(path).to_pylist()).encode()
        elif held.startswith(b"PK"):
            book = openpyxl.load_workbook(path)
            held = str([list(sheet.values) for sheet in book.worksheets]).encode()
        if any(word.encode(how) in held for word in words for how in ("utf-8", "gb18030", "utf-16-le")):
            places.add(str(path.relative_to(home)))
    return places


WORDS = (citizen_id(PERSON), NAME, CALLED, PHONE)


def register(desk: Desk) -> list[Any]:
    """All that the register and its history show, by number."""
    tables = ("base.persons", "base.persons_past", "base.persons_id")
    return [desk.rows(f"SELECT t::text FROM {table} t ORDER BY 1") for table in tables]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
def test_nothing_tells_of_the_person_any_more(desk: Desk, home: Path, suffix: str) -> None:
    handed(desk, f"police/people{suffix}", people(), "police", 10)
    other = replace(line(PERSON, {"name": CALLED, "telephone": "13800000000"}))
    handed(desk, f"civil/people{suffix}", [other, *people()[1:]], "civil_affairs", 20)
    handed(desk, f"police/later{suffix}", people(line(11, {"name": "李四"})), "police", 30)
    before = register(desk)
    assert len(found_in(desk.url, home, WORDS)) >= 6

    tried = erase(desk.city.database, home, citizen_id(PERSON), ASKED)
    assert (tried.dry, tried.identifiers, len(tried.files)) == (True, 1, 3)
    assert len(found_in(desk.url, home, WORDS)) >= 6

    made = erase(desk.city.database, home, citizen_id(PERSON).lower(), ASKED, dry=False)
    assert (made.identifiers, made.claims, len(made.files), made.removed, made.left) == (1, 2, 3, [], {})
    assert found_in(desk.url, home, (*WORDS, "13800000000")) == set()
    assert register(desk) == before
    # the others are there as they were
    assert len(found_in(desk.url, home, ("王芳", "13956499999"))) >= 5
    assert str(made.as_dict()).count(NAME) == 0


def test_the_numbers_in_claims_are_drawn_and_agree_as_they_did(desk: Desk, home: Path) -> None:
    handed(desk, "police.csv", people(), "police", 10)
    handed(desk, "civil.csv", people(), "civil_affairs", 20)
    fid = desk.fids([citizen_id(PERSON)])[citizen_id(PERSON)]
    numbers = "SELECT name, telephone, digest FROM exchange.base_persons_claim WHERE fid = %s ORDER BY department"
    before = desk.rows(numbers, fid)
    erase(desk.city.database, home, citizen_id(PERSON), ASKED, dry=False)
    after = desk.rows(numbers, fid)
    assert before[0][0] == before[1][0] and after[0][0] == after[1][0]
    assert not {n for row in before for n in row} & {n for row in after for n in row}


def test_later_deliveries_bring_the_person_back_to_nobody(desk: Desk, home: Path) -> None:
    handed(desk, "one.csv", people(), "police", 10)
    erase(desk.city.database, home, citizen_id(PERSON), ASKED, dry=False)
    before = register(desk)
    again = handed(desk, "two.csv", people(), "police", 20)
    assert (again.rows.returned, again.reasons, again.ended) == (1, {"erased": 1}, 0)
    desk.assert_adds_up(again)
    assert register(desk) == before
    assert found_in(desk.url, home, WORDS) == set()
    # the row is shown to its department as it is kept
    held = handed_over(desk.city.database, record(desk.city.database, again.id))
    ((number, cells),) = held.rows([2])
    assert number == 2 and BLACK in cells.values() and NAME not in cells.values()
    # who does not deliver the person any more says that it is no more, as with anybody
    last = handed(desk, "three.csv", people()[1:], "police", 30)
    assert (last.rows.returned, last.ended) == (0, 1)
    assert not [task for task in desk.tasks() if task.reason == "erased"]


def test_a_child_may_name_a_guardian_who_was_erased(desk: Desk, home: Path) -> None:
    desk.folder.joinpath("police.csv").write_text(
        f"身份证号,姓名,监护人身份号码\n{citizen_id(PERSON)},{NAME},\n{citizen_id(CHILD)},钟离春,{citizen_id(PERSON)}\n"
    )
    desk.deliver(desk.folder / "police.csv", "police", day(10), full=True)
    fids = desk.fids([citizen_id(PERSON), citizen_id(CHILD)])
    guardian = "SELECT guardian FROM base.persons WHERE fid = %s"
    made = erase(desk.city.database, home, citizen_id(PERSON), ASKED, dry=False)
    assert sum(made.files.values()) == 2
    assert found_in(desk.url, home, WORDS) == set()
    assert desk.rows(guardian, fids[citizen_id(CHILD)]) == [(fids[citizen_id(PERSON)],)]
    desk.folder.joinpath("next.csv").write_text(
        f"身份证号,姓名,监护人身份号码\n{citizen_id(CHILD)},钟离春,{citizen_id(PERSON)}\n"
    )
    desk.deliver(desk.folder / "next.csv", "police", day(20), full=False)
    assert found_in(desk.url, home, WORDS) == set()
    assert desk.rows(guardian, fids[citizen_id(CHILD)]) == [(fids[citizen_id(PERSON)],)]


def test_lines_that_could_not_be_cut_are_blackened_too(desk: Desk, home: Path) -> None:
    whole = f"身份证号,姓名,联系电话\n{citizen_id(OTHER)},王芳,\n{citizen_id(PERSON)},{NAME},{PHONE},x,y\n"
    desk.folder.joinpath("police.csv").write_bytes(whole.encode("gb18030"))
    done = desk.deliver(desk.folder / "police.csv", "police", day(10), full=True)
    assert done.rows.returned == 1
    desk.deliver(_sound(desk), "police", day(20), full=True)
    erase(desk.city.database, home, citizen_id(PERSON), ASKED, dry=False)
    assert found_in(desk.url, home, WORDS) == set()


def _sound(desk: Desk) -> Path:
    path = desk.folder / "sound.csv"
    write_csv(path, people(), full=True)
    return path


def test_texts_that_quote_the_id_number_are_blackened_alike(desk: Desk, home: Path) -> None:
    """A household numbered by the id of its head stays one household."""
    said = {"name": NAME, "household": citizen_id(PERSON)}
    handed(desk, "police.csv", [line(PERSON, said), line(CHILD, said | {"name": "钟离春"})], "police", 10)
    made = erase(desk.city.database, home, citizen_id(PERSON), ASKED, dry=False)
    assert made.texts and not made.left
    assert found_in(desk.url, home, WORDS) == set()
    (households,) = desk.rows("SELECT array_agg(DISTINCT household) FROM base.persons")
    assert len(households[0]) == 1 and households[0][0].startswith(BLACK)


def test_withdrawing_what_brought_the_person_still_works(desk: Desk, home: Path) -> None:
    first = handed(desk, "police.csv", people(), "police", 10)
    handed(desk, "civil.csv", people(), "civil_affairs", 20)
    erase(desk.city.database, home, citizen_id(PERSON), ASKED, dry=False)
    desk.city.withdraw(first.id)
    fid = desk.fids([citizen_id(PERSON)])[citizen_id(PERSON)]
    assert desk.rows("SELECT count(*) FROM base.persons WHERE fid = %s", fid) == [(1,)]
    assert found_in(desk.url, home, WORDS) == set()


def test_an_erasure_is_on_record_and_can_be_lifted(desk: Desk, home: Path) -> None:
    handed(desk, "one.csv", people(), "police", 10)
    database = desk.city.database
    with pytest.raises(NotFound):
        lift(database, citizen_id(PERSON), ASKED)
    erase(database, home, citizen_id(PERSON), ASKED, dry=False)
    erase(database, home, citizen_id(PERSON), ASKED, dry=False)
    kept = desk.rows("SELECT request, basis, erased_by, certificate ->> 'identifiers', lifted_at FROM base.erasure")
    assert kept == [(ASKED.number, ASKED.basis, ASKED.by, "0", None)]
    lift(database, citizen_id(PERSON), replace(ASKED, number="2026-18"))
    with psycopg.connect(desk.url) as conn:
        assert not len(erased(conn, REGISTER))
    again = handed(desk, "two.csv", people(), "police", 20)
    assert again.rows.returned == 0
    assert desk.rows("SELECT name FROM base.persons_identifier WHERE citizen_id = %s", citizen_id(PERSON)) == [(NAME,)]


def test_what_is_refused(desk: Desk, home: Path) -> None:
    database = desk.city.database
    with pytest.raises(BadQuery, match="basis"):
        erase(database, home, citizen_id(PERSON), replace(ASKED, basis=" "))
    wrong = citizen_id(PERSON)[:-1] + ("1" if citizen_id(PERSON)[-1] != "1" else "2")
    with pytest.raises(BadInput) as refused:
        erase(database, home, wrong, ASKED)
    assert wrong not in str(refused.value)
    records.receive(database, REGISTER, _sound(desk), "police", DeliveryOptions(edition=day(10), mode="full"))
    with pytest.raises(Conflict, match="wait"):
        erase(database, home, citizen_id(PERSON), ASKED)


def test_a_file_that_cannot_be_read_is_removed(desk: Desk, home: Path) -> None:
    path = desk.folder / "people.xlsx"
    path.write_bytes(b"PK\x03\x04 no workbook at all")
    with pytest.raises(BadInput):
        desk.deliver(path, "police", day(10), full=True)
    made = erase(desk.city.database, home, citizen_id(PERSON), ASKED, dry=False)
    assert made.removed == ["1/people.xlsx"]
    assert not list(home.rglob("people.xlsx"))
