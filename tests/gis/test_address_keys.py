"""Which address a building and its dwellings have, where registers write it otherwise, cut it off or leave it out."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.exchange.matching import AddressIndex, Register, Written
from gis.exchange.matching.keys import Joined, joined

HERE, THERE = "341502004010", "341502004011"
ABOVE = "安徽省六安市金安区望城街道大石岗社区"
TEXTS = pa.schema([("code", pa.string()), ("division", pa.string()), ("text", pa.string()), ("lon", pa.float64()),
                   ("lat", pa.float64())])  # fmt: skip
BUILT = pa.schema([("code", pa.string()), ("division", pa.string()), ("address", pa.string()), ("lon", pa.float64()),
                   ("lat", pa.float64())])  # fmt: skip
HOMES = pa.schema([(name, pa.string()) for name in ("code", "building", "unit", "room", "address")])
DIVISIONS = pa.table({
    "code": ["340000000000", "341500000000", "341502000000", "341502004000", HERE, THERE],
    "name": ["安徽省", "六安市", "金安区", "望城街道", "大石岗社区", "新河社区"],
})  # fmt: skip

Row = tuple[Any, ...]


def place(code: str, text: str, division: str = HERE) -> Row:
    return (code, division, text, 116.5 + sum(map(ord, code)) * 1e-5, 31.7)


def home(code: str, building: str, address: str) -> Row:
    unit, _, room = code.partition("-")[2].partition("-")
    return (code, building, unit, room, address)


def made(addresses: Sequence[Row], buildings: Sequence[Row], homes: Sequence[Row]) -> Joined:
    def table(rows: Sequence[Row], schema: pa.Schema) -> pa.Table:
        return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)

    return joined(table(addresses, TEXTS), table(buildings, BUILT), table(homes, HOMES))


def places(found: Joined) -> dict[str, str | None]:
    return dict(zip(found.dwellings["code"].to_pylist(), found.dwellings["place"].to_pylist(), strict=True))


FULL = f"{ABOVE}纬南十一东路161号紫荆东村3栋"
SHORT = FULL.removeprefix("安徽省")
#: what the building's row says; what its dwellings say, in order; the address that it has
CASES = {
    "as it is": (FULL, [FULL, FULL], "D3"),
    "cut, the first dwelling in full": (FULL[:-2], [FULL, SHORT], "D3"),
    "cut a little, the first dwelling without the province": (FULL[:-3], [SHORT, FULL], "D3"),
    "cut a lot, the first dwelling without the province": (FULL[:-5], [SHORT, FULL], "D3"),
    "cut, its only dwelling without the province": (FULL[:-2], [SHORT], "D3"),
    "cut within the number of the plate, which is another's": (FULL[:-8], [SHORT], "D3"),
    "nothing, no village": ("", [FULL.replace("大石岗社区", "")], "D3"),
    "another village's name, by its code": ("", [FULL.replace("大石岗社区", "红旗社区")], "D3"),
    "without any division": ("", ["紫荆东村3栋", "纬南十一东路161号紫荆东村3栋"], "D3"),
    "one dwelling says otherwise": (FULL, [FULL.replace("3栋", "4栋"), FULL], "D3"),
    "its dwellings say otherwise": (FULL, [FULL.replace("3栋", "4栋")] * 2, "D4"),
}


@pytest.mark.parametrize(("written", "said", "address"), CASES.values(), ids=CASES)
def test_a_building_has_the_address_that_its_row_or_its_dwellings_say(
    written: str, said: list[str], address: str
) -> None:
    addresses = [
        place("D1", f"{ABOVE}纬南十一东路16号"),
        place("D3", FULL),
        place("D4", FULL.replace("3栋", "4栋")),
    ]
    homes = [home(f"H{n}-1-{n}01", "B", text) for n, text in enumerate(said)]
    found = made(addresses, [place("B", written)], homes)
    assert set(places(found).values()) == {address}
    assert len(found.addresses) == 3, "the building is none of its own"


def test_two_compounds_of_one_name_are_told_apart_by_where_the_building_is() -> None:
    addresses = [
        place("DH", f"{ABOVE}红星组5号"),
        place("DT", f"{ABOVE.replace('大石岗', '新河')}红星组5号", THERE),
    ]
    buildings = [place("BH", "", HERE), place("BT", "", THERE)]
    homes = [
        home("HH", "BH", "金安区红星组5号"),
        home("HT", "BT", "金安区红星组5号"),
        home("H?", "none", "金安区红星组5号"),
    ]
    assert places(made(addresses, buildings, homes)) == {"HH": "DH", "HT": "DT", "H?": None}


def test_a_dwelling_without_a_building_is_where_its_own_address_says() -> None:
    homes = [home("H1", "gone", SHORT), home("H2", "gone", ABOVE), home("H3", "gone", "")]
    assert places(made([place("D3", FULL)], [], homes)) == {"H1": "D3", "H2": None, "H3": None}


def test_a_building_of_an_unknown_address_stands_for_itself_unless_it_was_cut_off() -> None:
    other = f"{ABOVE}安丰路7号"
    buildings = [place("BO", other), place("BC", f"{ABOVE}纬南十一东路16"), place("BE", "")]
    homes = [home("HO", "BO", other)]
    found = made([place("D3", FULL)], buildings, homes)
    assert found.addresses["key"].to_pylist() == ["D3", "@BO"]
    assert found.addresses["text"].to_pylist() == [FULL, other]
    assert places(found) == {"HO": "@BO"}


def test_what_police_shortened_is_still_found_by_its_full_address() -> None:
    """The same address twice, once without the province, is one place: its homes are found by either."""
    homes = [home("HA-1-101", "B", SHORT), home("HB-1-102", "B", FULL)]
    found = made([place("D3", FULL)], [place("B", FULL[:-5])], homes)
    index = AddressIndex(Register(found.addresses, DIVISIONS, found.dwellings))
    assert index.left_out["dwellings of no known address"] == 0
    texts = [f"{FULL}1单元101室", f"{SHORT}1单元102室", "紫荆东村3栋1单元101室"]
    codes, reason = Written(index, "base.dwellings").codes(texts)
    assert (codes.to_pylist(), reason.tolist()) == (["HA-1-101", "HB-1-102", "HA-1-101"], [0, 0, 0])


@given(st.data())
def test_the_order_of_rows_does_not_matter(data: st.DataObject) -> None:
    cases = list(CASES.values())
    addresses = [place("D1", f"{ABOVE}纬南十一东路16号"), place("D3", FULL), place("D4", FULL.replace("3栋", "4栋"))]
    buildings = [place(f"B{n}", written) for n, (written, _, _) in enumerate(cases)]
    homes = [home(f"H{n}.{k}", f"B{n}", text) for n, (_, said, _) in enumerate(cases) for k, text in enumerate(said)]
    straight = places(made(addresses, buildings, homes))
    drawn = (data.draw(st.permutations(rows)) for rows in (addresses, buildings, homes))
    assert places(made(*drawn)) == straight
