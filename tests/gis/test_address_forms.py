"""Main and auxiliary addresses: one place, several texts, and by which of them it was found."""

from typing import Any

import pyarrow as pa
import pytest

from gis.codes.address_levels import AddressLevel
from gis.exchange.matching import AddressIndex, Note, Register, Written, match_document

VILLAGE = "341502001001"
DIVISIONS = pa.table({"code": [VILLAGE], "name": ["迎宾社区"]})


def site(code: str, main: str = "", **parts: str) -> dict[str, Any]:
    places = {"M": 116.5, "B": 116.502}
    lon = places.get((main or code)[0], 116.51 + len(code) * 0.001)
    whole = {"street": "", "plate": "", "compound": "", "building": "", **parts}
    return {"code": code, "division": VILLAGE, **whole, "lon": lon, "lat": 31.7, "main": main}


SITES = [
    site("M", street="新街", plate="8"),
    site("A1", "M", street="旧巷", plate="3"),
    site("A2", "M", compound="供销小区"),
    site("A3", "A1", compound="东风旅社", building="1栋"),
    site("B", street="新街", plate="12", compound="锦绣花园", building="2栋"),
    site("B1", "B", street="后街", plate="5"),
    site("N", street="新街", plate="20"),
    site("C1", "C2", street="圆街", plate="1"),
    site("C2", "C1", street="圆街", plate="3"),
    site("L", "nowhere", street="新街", plate="30"),
]
HOMES = [
    {"code": "H1", "place": "M", "unit": "", "room": ""},
    {"code": "H2", "place": "B", "unit": "1", "room": "201"},
    {"code": "H3", "place": "B", "unit": "1", "room": "202"},
]


@pytest.fixture(scope="module")
def index() -> AddressIndex:
    return AddressIndex(Register(pa.Table.from_pylist(SITES), DIVISIONS, pa.Table.from_pylist(HOMES)))


#: text → the place, the level that the text reached, the auxiliary address by which it was found
EXAMPLES = [
    ("新街8号", "M", "PLATE", None),
    ("旧巷3号", "M", "PLATE", "A1"),
    ("供销小区", "M", "COMPOUND", "A2"),
    ("东风旅社1栋", "M", "BUILDING", "A3"),
    ("新街12号锦绣花园2栋", "B", "BUILDING", None),
    ("后街5号", "B", "PLATE", "B1"),
    ("新街20号", "N", "PLATE", None),
    ("圆街1号", "C1", "PLATE", None),
    ("圆街3号", "C2", "PLATE", None),
    ("新街30号", "L", "PLATE", None),
]


@pytest.mark.parametrize(("text", "code", "level", "form"), EXAMPLES)
def test_an_auxiliary_address_means_its_main_place(index, text, code, level, form):
    found = index.match(text)
    assert found.place is not None and (found.place.code, found.level.name) == (code, level)
    assert (found.form and found.form.code) == form
    assert (Note.AUXILIARY in found.notes) == (form is not None)
    assert found.confidence == 1.0 and found.lon == found.place.lon
    assert next(index.matches([text])).code.to_pylist() == [code]
    if form is not None:
        assert "辅地址" in found.explain().zh and found.form is not None
        assert found.form.address in found.explain().zh
        assert match_document(found)["form"]["code"] == form


def test_two_forms_of_one_place_are_no_ambiguity():
    twice = [site("M", street="新街", plate="8"), site("A", "M", compound="新街8号院", street="新街", plate="8")]
    apart = [
        *twice[:1],
        site("A", street="新街", plate="8", building="1栋"),
        site("B", "M", street="新街", plate="8-1"),
    ]
    index = AddressIndex(Register(pa.Table.from_pylist(apart), DIVISIONS))
    found = index.match("新街8-1号")
    assert (found.place.code, found.ambiguous) == ("M", False)  # type: ignore[union-attr]
    both = AddressIndex(
        Register(
            pa.Table.from_pylist(
                [site("M", compound="东园", building="1栋"), site("A", "M", compound="东园", building="1号楼")]
            ),
            DIVISIONS,
        )
    )
    for text in ("东园1栋", "东园1号楼", "东园1座"):
        found = both.match(text)
        assert found.place is not None and not found.ambiguous
        assert (found.place.code, found.level) == ("M", AddressLevel.BUILDING)


def test_codes_are_those_of_the_main_place(index):
    homes, doors = Written(index, "base.dwellings"), Written(index, "base.addresses")
    assert homes.codes(["旧巷3号", "后街5号1单元201室", "后街5号"]).codes.to_pylist() == ["H1", "H2", None]
    assert doors.codes(["旧巷3号", "后街5号", "供销小区"]).codes.to_pylist() == ["M", "B", "M"]
