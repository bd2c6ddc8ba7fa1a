import csv
import string

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.codes import address
from gis.codes.address import Address
from gis.codes.address_column import CHUNK_ROWS, AddressReader, parse_column
from gis.codes.address_levels import AddressLevel
from gis.codes.address_numerals import to_arabic, to_chinese
from gis.codes.address_text import plain, plain_column
from tests.bench.address_city import LUAN
from tests.bench.address_noise import chinese

FULL = "安徽省六安市裕安区小华山街道政务新区社区皖西路88号3栋2单元501室"
ALL_PARTS = {
    "province": "安徽省", "city": "六安市", "county": "裕安区", "township": "小华山街道", "village": "政务新区社区",
    "road": "皖西路", "plate": "88", "building": "3栋", "unit": "2", "floor": "5", "room": "501",
}  # fmt: skip

#: text → its parts (nothing else may be there), and the level that it supports
CASES = [
    (FULL, ALL_PARTS, "ROOM"),
    ("裕安区皖西路88-2号", {"county": "裕安区", "road": "皖西路", "plate": "88", "plate_sub": "2"}, "PLATE"),
    ("人民路小学门口", {"landmark": "人民路小学", "offset": "门口"}, "LANDMARK"),
    ("重庆市渝中区解放碑街道民族路88号",
     {"province": "重庆市", "county": "渝中区", "township": "解放碑街道", "road": "民族路", "plate": "88"}, "PLATE"),
    ("重庆市市辖区渝中区", {"province": "重庆市", "county": "渝中区"}, "COUNTY"),
    ("皖西路８８号", {"road": "皖西路", "plate": "88"}, "PLATE"),
    ("皖西路八十八号", {"road": "皖西路", "plate": "88"}, "PLATE"),
    ("皖西路88号贰单元", {"road": "皖西路", "plate": "88", "unit": "2"}, "UNIT"),
    ("皖西路88号附2号", {"road": "皖西路", "plate": "88", "plate_sub": "2"}, "PLATE"),
    ("皖西路88号之二", {"road": "皖西路", "plate": "88", "plate_sub": "2"}, "PLATE"),
    ("皖西路88号-2", {"road": "皖西路", "plate": "88", "plate_sub": "2"}, "PLATE"),
    ("皖西路88", {"road": "皖西路", "plate": "88"}, "PLATE"),
    ("皖西路88~92号", {"road": "皖西路", "plate": "88", "plate_to": "92"}, "ROAD"),
    ("皖西路88号至92号", {"road": "皖西路", "plate": "88", "plate_to": "92"}, "ROAD"),
    ("安徽六安裕安区皖西路88号",
     {"province": "安徽省", "city": "六安市", "county": "裕安区", "road": "皖西路", "plate": "88"}, "PLATE"),
    ("六安市金安区中市街道米市街15号",
     {"city": "六安市", "county": "金安区", "township": "中市街道", "road": "米市街", "plate": "15"}, "PLATE"),
    ("西市街道草市社区长安西路41号",
     {"township": "西市街道", "village": "草市社区", "road": "长安西路", "plate": "41"}, "PLATE"),
    ("落水桥社区铁匠里23号", {"village": "落水桥社区", "road": "铁匠里", "plate": "23"}, "PLATE"),
    ("平桥乡振华社区振华五福组1号",
     {"township": "平桥乡", "village": "振华社区", "compound": "振华五福组", "plate": "1"}, "PLATE"),
    ("青松村3号", {"village": "青松村", "plate": "3"}, "PLATE"),
    ("青松村三组3号", {"village": "青松村", "compound": "三组", "plate": "3"}, "PLATE"),
    ("青松村3组3号", {"village": "青松村", "compound": "三组", "plate": "3"}, "PLATE"),
    ("瓜片3巷1号", {"road": "瓜片三巷", "plate": "1"}, "PLATE"),
    ("312国道12号", {"road": "312国道", "plate": "12"}, "PLATE"),
    ("中市街道办事处健康苑社区居委会", {"township": "中市街道", "village": "健康苑社区"}, "VILLAGE"),
    ("迎宾居委会", {"village": "迎宾社区"}, "VILLAGE"),
    ("裕安区", {"county": "裕安区"}, "COUNTY"),
    ("盛世名邸3栋1503", {"compound": "盛世名邸", "building": "3栋", "room": "1503", "floor": "15"}, "ROOM"),
    ("盛世名邸3-2-1503",
     {"compound": "盛世名邸", "building": "3栋", "unit": "2", "room": "1503", "floor": "15"}, "ROOM"),
    ("盛世名邸3栋2-1503",
     {"compound": "盛世名邸", "building": "3栋", "unit": "2", "room": "1503", "floor": "15"}, "ROOM"),
    ("盛世名邸3#楼", {"compound": "盛世名邸", "building": "3号楼"}, "BUILDING"),
    ("盛世名邸十二幢", {"compound": "盛世名邸", "building": "12栋"}, "BUILDING"),
    ("盛世名邸三栋三〇一室", {"compound": "盛世名邸", "building": "3栋", "room": "301", "floor": "3"}, "ROOM"),
    ("锦绣花园北区3栋501", {"compound": "锦绣花园北区", "building": "3栋", "room": "501", "floor": "5"}, "ROOM"),
    ("皖西路盛世名邸3栋", {"road": "皖西路", "compound": "盛世名邸", "building": "3栋"}, "BUILDING"),
    ("万达广场B2栋12层1203", {"compound": "万达广场", "building": "B2栋", "floor": "12", "room": "1203"}, "ROOM"),
    ("CBD国际A座", {"compound": "CBD国际", "building": "A座"}, "BUILDING"),
    ("皖西北路48号甲单元", {"road": "皖西北路", "plate": "48", "unit": "甲"}, "UNIT"),
    ("皖西路88号院3号楼2门501",
     {"road": "皖西路", "plate": "88", "building": "3号楼", "unit": "2", "room": "501", "floor": "5"}, "ROOM"),
    ("长安西路41号3栋-2单元-501",
     {"road": "长安西路", "plate": "41", "building": "3栋", "unit": "2", "room": "501", "floor": "5"}, "ROOM"),
    ("六安市第一人民医院住院楼3楼",
     {"city": "六安市", "compound": "第一人民医院", "building": "住院楼", "floor": "3"}, "FLOOR"),
    ("万达广场负一层", {"compound": "万达广场", "floor": "B1"}, "FLOOR"),
    ("解放北路4号(张三收)", {"road": "解放北路", "plate": "4", "remark": "张三收"}, "PLATE"),
    ("解放北路4号【旧址】", {"road": "解放北路", "plate": "4", "remark": "旧址"}, "PLATE"),
    ("解放北路4号 电话13812345678", {"road": "解放北路", "plate": "4", "remark": "电话13812345678"}, "PLATE"),
    ("解放北路4号,金安区中市街道",
     {"county": "金安区", "township": "中市街道", "road": "解放北路", "plate": "4"}, "PLATE"),
    ("盛世名邸3栋2单元长安西路41号裕安区",
     {"county": "裕安区", "road": "长安西路", "plate": "41", "compound": "盛世名邸", "building": "3栋", "unit": "2"},
     "UNIT"),
    ("皖西路88号东50米", {"road": "皖西路", "plate": "88", "offset": "东50米"}, "LANDMARK"),
    ("皖西路88号对面", {"road": "皖西路", "plate": "88", "offset": "对面"}, "LANDMARK"),
    ("皖西路与人民路交叉口", {"road": "皖西路", "offset": "与人民路交叉口"}, "ROAD"),
    ("皖西路东段", {"road": "皖西路", "offset": "东段"}, "ROAD"),
    ("人民路菜市场", {"landmark": "人民路菜市场"}, "LANDMARK"),
    ("上海市浦东新区世纪大道100号",
     {"province": "上海市", "county": "浦东新区", "road": "世纪大道", "plate": "100"}, "PLATE"),
    ("内蒙古呼和浩特市新城区新华大街1号",
     {"province": "内蒙古自治区", "city": "呼和浩特市", "county": "新城区", "road": "新华大街", "plate": "1"}, "PLATE"),
    ("济宁市市中区太白路3号", {"city": "济宁市", "county": "市中区", "road": "太白路", "plate": "3"}, "PLATE"),
    ("清水河东路201号丽江新村7栋", {"road": "清水河东路", "plate": "201", "compound": "丽江新村", "building": "7栋"},
     "BUILDING"),
    ("北京路12号", {"road": "北京路", "plate": "12"}, "PLATE"),
    ("", {}, "NONE"),
    ("\ud800\x00\n", {}, "NONE"),
]  # fmt: skip


def held(parsed: Address) -> dict[str, str]:
    return {name: value for name, value in zip(parsed.parts._fields, parsed.parts, strict=True) if value}


@pytest.mark.parametrize(("text", "parts", "level"), CASES)
def test_parts_and_level(text, parts, level):
    parsed = Address.parse(text)
    assert held(parsed) == parts
    assert parsed.level.name == level
    assert parsed.text == text


@pytest.mark.parametrize("text", [text for text, parts, _ in CASES if parts])
def test_the_canonical_form_is_read_as_the_same_address(text):
    parsed = Address.parse(text)
    assert Address.parse(parsed.canonical) == parsed
    assert Address.parse(parsed.canonical).canonical == parsed.canonical


@pytest.mark.parametrize(
    ("room", "floor"),
    [("501", "5"), ("1203", "12"), ("0501", "5"), ("A501", "5"), ("01", ""), ("B1", ""), ("B101", ""), ("001", ""),
     ("5", ""), ("10501", "")],
)  # fmt: skip
def test_a_floor_is_inferred_only_where_the_room_tells_it(room, floor):
    parsed = Address.parse(f"盛世名邸3栋{room}室")
    assert (parsed.parts.floor, parsed.provenance("floor")) == (floor, "inferred" if floor else None)


def test_a_floor_that_is_given_is_not_inferred():
    parsed = Address.parse("盛世名邸3栋6层501室")
    assert (parsed.parts.floor, parsed.provenance("floor"), parsed.provenance("room")) == ("6", "given", "given")
    assert Address.parse("盛世名邸3栋501室").level is AddressLevel.ROOM
    assert parsed.provenance("unit") is None


def test_it_explains_itself_in_both_languages():
    said = Address.parse(FULL).explain()
    assert "楼层 5(由户室 501 推断)" in said.zh
    assert "floor 5 (inferred from room 501)" in said.en
    assert Address.parse("").explain().en == "nothing that can be read as an address"
    assert Address.parse("重庆市渝中区").municipality and not Address.parse(FULL).municipality


@pytest.mark.parametrize(
    ("text", "reason"),
    [(FULL, "floor_inferred"), ("皖西路88号", "ok"), ("皖西路88号对面", "offset"), ("裕安区", "divisions_only"),
     ("  ", "empty"), ("(收)", "nothing")],
)  # fmt: skip
def test_a_text_is_judged_with_a_reason(text, reason):
    assert address.check(text).reason == reason


@pytest.mark.parametrize(("numeral", "number"), [("八十八", "88"), ("十", "10"), ("二十", "20"), ("三〇一", "301"),
                                                ("一千零一", "1001"), ("贰", "2"), ("二百零三", "203")])  # fmt: skip
def test_numerals(numeral, number):
    assert to_arabic(numeral) == number


@given(st.integers(1, 99))
def test_small_numbers_there_and_back(number):
    assert to_arabic(to_chinese(str(number))) == str(number)


DIVISIONS = st.sampled_from(
    ["", "安徽省", "安徽省六安市", "六安市裕安区", "裕安区", "安徽省六安市金安区中市街道", "金安区中市街道健康苑社区",
     "西市街道草市社区", "重庆市渝中区"]
)  # fmt: skip
ROADS = st.sampled_from(["皖西路", "解放北路", "米市街", "瓜片三巷", "迎宾大道", "五福前街"])
COMPOUNDS = st.sampled_from(["盛世名邸", "阳光小区", "康馨家属院", "锦绣新村", "万达广场", "瑞丰公馆"])
SMALL, ROOMS = st.integers(1, 99).map(str), st.integers(101, 3399).map(str)


@st.composite
def addresses(draw) -> tuple[str, dict[str, str]]:
    """An address in standard form, with its numbers by the kind of word that follows each."""
    divisions, along = draw(DIVISIONS), draw(st.booleans())
    road, plate = (draw(ROADS), draw(SMALL)) if along else ("", "")
    compound = draw(st.one_of(st.just(""), COMPOUNDS)) if along else draw(COMPOUNDS)
    building = draw(SMALL)
    unit, room = draw(st.one_of(st.just(""), SMALL)), draw(st.one_of(st.just(""), ROOMS))
    text = (
        f"{divisions}{road}{plate and plate + '号'}{compound}{building}栋{unit and unit + '单元'}{room and room + '室'}"
    )
    return text, {"plate": plate, "building": building, "unit": unit, "room": room}


@given(addresses())
def test_the_canonical_form_of_any_address_is_read_as_the_same(made):
    text, numbers = made
    parsed = Address.parse(text)
    assert Address.parse(parsed.canonical) == parsed
    assert (parsed.parts.plate, parsed.parts.building, parsed.parts.unit, parsed.parts.room) == (
        numbers["plate"], f"{numbers['building']}栋", numbers["unit"], numbers["room"]
    )  # fmt: skip


WIDE = {ord(c): ord(c) + 0xFEE0 for c in string.digits + string.ascii_letters}


@given(addresses())
def test_full_width_and_chinese_numerals_are_read_as_the_same(made):
    text, numbers = made
    parsed = Address.parse(text)
    assert Address.parse(text.translate(WIDE)) == parsed
    in_words = text
    for kind, ending in (("plate", "号"), ("building", "栋"), ("unit", "单元"), ("room", "室")):
        if numbers[kind]:
            in_words = in_words.replace(f"{numbers[kind]}{ending}", f"{chinese(numbers[kind])}{ending}", 1)
    assert Address.parse(in_words) == parsed


@settings(max_examples=400)
@given(st.text(max_size=60))
def test_any_text_is_read(text):
    parsed = Address.parse(text)
    assert parsed.level in AddressLevel
    assert isinstance(parsed.canonical, str)
    assert address.check(text).text.en


HEAP = (
    "安徽省 六安市 裕安区 中市街道 健康苑社区 皖西路 88号 盛世名邸 3栋 2单元 501室 门口 对面 "
    "( ) （ 附2号 之 - ~ 至 号 栋 楼 A座 B1层 三 十 路 街 社区 区 市 50米 东 小学 13812345678 组 3-2-501 # ，"
)
WORDS = st.sampled_from(HEAP.split())


@settings(max_examples=400)
@given(st.lists(WORDS, max_size=12).map("".join))
def test_any_heap_of_address_words_is_read_alike_alone_and_in_a_column(text):
    chunk = AddressReader().read([text, "裕安区皖西路88号", text])
    assert chunk[0] == Address.parse(text) == chunk[2]
    assert chunk.level().tolist()[0] == Address.parse(text).level


def test_a_column_is_read_like_its_texts():
    lines = list(csv.reader((LUAN / "dwellings.csv").read_text(encoding="gbk").splitlines()))[1:]
    texts = [row[-1] for row in lines] + [text for text, _, _ in CASES if "\ud800" not in text]
    table = parse_column(pa.chunked_array([texts[:100], texts[100:]]))
    assert table.num_rows == len(texts)
    for row in range(0, len(texts), 97):
        parsed = Address.parse(texts[row])
        found = {name: table[name][row].as_py() for name in parsed.parts._fields}
        assert found == parsed.parts._replace(floor="" if parsed.inferred else parsed.parts.floor)._asdict()
        assert table["inferred_floor"][row].as_py() == (parsed.parts.floor if parsed.inferred else "")
        assert table["level"][row].as_py() == parsed.level


def test_every_dwelling_of_the_sample_city_is_read_to_its_parts():
    rows = list(csv.DictReader((LUAN / "dwellings.csv").read_text(encoding="gbk").splitlines()))
    table = parse_column([row["标准地址"] for row in rows])
    assert table["room"].to_pylist() == [row["室号"] for row in rows]
    assert table["unit"].to_pylist() == [row["单元"] if row["室号"] else "" for row in rows]
    floors = [f or i for f, i in zip(table["floor"].to_pylist(), table["inferred_floor"].to_pylist(), strict=True)]
    assert floors == [row["楼层"] if row["室号"] else "" for row in rows]


@pytest.mark.parametrize("column", [[], pa.array([], pa.string()), np.array([], dtype=object), pa.array([None, ""])])
def test_columns_without_texts(column):
    assert parse_column(column).num_rows == len(column)


def test_a_column_longer_than_a_chunk_keeps_its_order():
    texts = [f"皖西路{n}号" for n in range(1, 1001)] * (CHUNK_ROWS // 1000 + 1)
    plates = parse_column(texts)["plate"].to_pylist()
    assert plates == [str(n) for n in range(1, 1001)] * (CHUNK_ROWS // 1000 + 1)


@given(st.lists(st.text(max_size=20), max_size=8))
def test_texts_made_plain_together_are_those_made_plain_alone(texts):
    assert plain_column(texts) == [plain(text) for text in texts]
