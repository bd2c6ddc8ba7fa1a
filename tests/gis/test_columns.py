"""From a file's columns to declared fields: by name, with its evidence, never guessed."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.base import ADDRESSES, BUILDINGS, DIVISIONS, POIS, ROADS
from gis.catalog import Collection, Geometry
from gis.catalog.field import number, text
from gis.errors import BadInput, UnknownName
from gis.exchange.column_names import cut, is_cut_from, normal, unit_in
from gis.exchange.columns import How, Matching, match
from gis.text import Text


def matched(matching: Matching) -> dict[str, str]:
    return {name: m.column for name, m in matching.matches.items()}


def told(matching: Matching) -> dict[str, bool]:
    return {d.value: d.sure for d in matching.decisions}


@pytest.mark.parametrize(
    ("column", "how"),
    [
        ("height_m", How.NAME), ("高度", How.TITLE), ("Height", How.TITLE), ("建筑高度", How.ALIAS),
        ("高度m", How.ALIAS),
        ("HEIGHT_M", How.NORMAL), ("高度(m)", How.NORMAL), ("高度\uff08米\uff09", How.NORMAL), (" 高 度 ", How.NORMAL),
        ("建筑_高度", How.NORMAL), ("Ｈｅｉｇｈｔ", How.NORMAL),
    ],
)  # fmt: skip
def test_how_a_column_is_recognised(column: str, how: How) -> None:
    matching = match(["code", column], BUILDINGS)
    assert matching.matches["height_m"].column == column
    assert matching.matches["height_m"].how is how
    assert matching.unmatched == ()


def test_every_decision_has_its_evidence_in_both_languages() -> None:
    matching = match(["编码", "名称", "奇怪的列", "启用日期"], POIS)
    assert told(matching) == {"code: 编码": True, "name: 名称": True, "valid_from: 启用日期": True, "1 unmatched": True}
    assert all(d.about == "columns" and d.evidence.zh and d.evidence.en for d in matching.decisions)
    assert "奇怪的列" in matching.decisions[-1].evidence.zh


WIDE = Collection(
    id="test.wide", title=Text("甲", "a"), description=Text("甲", "a"), geometry=Geometry.POINT, style=None,
    fields=(text("credit", "统一社会信用代码", "Credit code"), text("scope", "经营范围说明", "Scope of business"),
            text("scope_more", "经营范围补充", "More"), number("area_m2", "建筑面积", "Area", unit="m2")),
)  # fmt: skip


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("统一社会信", "credit"),
        ("统一社", "credit"),
        ("统一", None),
        ("经营范围说", "scope"),
        ("经营范", None),
        ("Scope of b", "scope"),
    ],
)
def test_names_cut_by_dbase(column: str, field: str | None) -> None:
    matching = match([column], WIDE)
    assert matched(matching) == ({field: column} if field else {})
    if field:
        assert told(matching) == {f"{field}: {column}": False}


@given(
    st.sampled_from(["统一社会信用代码", "建筑占地面积平方米", "DEPARTMENT_CODE"]), st.sampled_from(["gbk", "utf-8"])
)
def test_what_dbase_cuts_is_recognised(label: str, encoding: str) -> None:
    assert is_cut_from(cut(label, encoding), label)
    assert len(cut(label, encoding).encode(encoding)) <= 10
    assert not is_cut_from(label, label)


@given(st.text(alphabet="aB_ -高度(m)（）m²【】１.", max_size=30))
def test_normal_names_stay_what_they_are(name: str) -> None:
    once = normal(name)
    assert normal(once) == once or set("()【】") & set(once)
    assert unit_in(name) is None or "(" in name or "（" in name or "【" in name


def test_several_columns_that_fit_are_said_and_none_is_taken() -> None:
    with pytest.raises(BadInput, match="POI编码, osm_id all fit code") as error:
        match(["POI编码", "osm_id", "名称"], POIS)
    assert "--map" in error.value.text.zh
    matching = match(["code", "名称", "类型", "lb"], POIS)
    assert "kind" not in matching.matches
    assert told(matching)["kind: none"] is False
    assert matching.unmatched == ("类型", "lb")


def test_empty_and_repeated_columns_do_not_compete() -> None:
    sample = pa.table({"编码": ["1", "2"], "osm_id": ["", ""], "名称": ["a", "b"], "mc": ["a", "b"]})
    assert matched(match(sample.column_names, POIS, sample)) == {"code": "编码", "name": "名称"}


def test_stronger_evidence_wins() -> None:
    matching = match(["CODE", "code", "名称", "标准地址", "地址"], POIS)
    assert matched(matching) == {"code": "code", "name": "名称", "address": "地址"}
    assert matched(match(["code", "标准地址", "地址"], ADDRESSES))["text"] == "标准地址"


def test_the_user_decides() -> None:
    columns = ["编码", "osm_id", "名称", "x1", "建成日期"]
    matching = match(columns, POIS, overrides={"code": "osm_id", "address": "x1", "valid_from": "建成日期"})
    assert matched(matching) == {"code": "osm_id", "name": "名称", "address": "x1"}
    assert (matching.valid_from, matching.unmatched) == ("建成日期", ("编码",))
    with pytest.raises(BadInput, match="no column 'y'"):
        match(columns, POIS, overrides={"code": "y"})
    with pytest.raises(UnknownName):
        match(columns, POIS, overrides={"colour": "编码"})


def test_required_fields_without_a_column() -> None:
    with pytest.raises(BadInput, match=r"code \(Code\), name \(Name\).*甲, 乙") as error:
        match(["甲", "乙"], POIS)
    assert "编码" in error.value.text.zh
    assert error.value.subject == "code"


@pytest.mark.parametrize(
    ("column", "factor"),
    [("高度(m)", 1.0), ("高度(cm)", 0.01), ("建筑高度【毫米】", 0.001), ("高度(单位:米)", 1.0), ("高度(最高处)", 1.0)],
)
def test_units_in_a_name_are_converted(column: str, factor: float) -> None:
    assert match(["code", column], BUILDINGS).matches["height_m"].factor == factor


@pytest.mark.parametrize(("column", "field"), [("高度(吨)", "height_m"), ("限速(m/s)", "speed_limit_kmh")])
def test_units_that_do_not_convert_leave_the_column_out(column: str, field: str) -> None:
    matching = match(["code", column], BUILDINGS if field == "height_m" else ROADS)
    assert field not in matching.matches
    assert told(matching)[f"{field}: none"] is False


def test_valid_time() -> None:
    matching = match(["code", "name", "level", "生效日期", "废止日期"], DIVISIONS)
    assert (matching.valid_from, matching.valid_to, matching.unmatched) == ("生效日期", "废止日期", ())


@given(st.lists(st.text(min_size=1, max_size=8), max_size=8, unique=True))
def test_every_column_is_used_or_named(columns: list[str]) -> None:
    matching = match(columns, WIDE)
    used = set(matched(matching).values()) | {matching.valid_from, matching.valid_to}
    assert used - {None} | set(matching.unmatched) == set(columns)
    assert used.isdisjoint(matching.unmatched)
