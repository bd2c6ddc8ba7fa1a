from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.access import OWNER
from gis.catalog import Catalogue
from gis.codes.address_levels import AddressLevel
from gis.errors import BadQuery
from gis.exchange.matching import AddressIndex, Note, Register, ReverseGeocoder, register_of
from gis.store.database import Database
from layers import LAYERS
from tests.bench.address_city import LUAN, SampleCity, read_city
from tests.bench.address_noise import KINDS, LEVELS, NoiseMaker, Noisy, Oracle, twins

TEXTS_A_CLASS = 300


@pytest.fixture(scope="module")
def city() -> SampleCity:
    return read_city(LUAN)


@pytest.fixture(scope="module")
def index(city: SampleCity) -> AddressIndex:
    return AddressIndex(city.register)


#: text → level reached, code or name of the place, notes
EXAMPLES = [
    ("安徽省六安市裕安区西市街道草市社区长安西路41号盛世名邸3栋2单元1503室", "ROOM", "341503002007000003021503", ""),
    ("盛世名邸3-2-1503", "ROOM", "341503002007000003021503", ""),
    ("长安西路41号盛世名邸3栋", "BUILDING", "D341503002007000003", ""),
    ("长安西路41号3栋", "BUILDING", "D341503002007000003", ""),
    ("盛世名底3栋", "BUILDING", "D341503002007000003", "CORRECTED"),
    ("盛世名邸3栋2单元", "UNIT", "D341503002007000003", ""),
    ("盛世名邸3栋9单元", "BUILDING", "D341503002007000003", "COARSER"),
    ("盛世名邸3栋1503", "BUILDING", "D341503002007000003", "AMBIGUOUS|COARSER"),
    ("盛世名邸99栋", "COMPOUND", "盛世名邸", "COARSER"),
    ("长安西路41号盛世名邸99栋", "PLATE", "41号", "COARSER"),
    ("盛世名邸", "COMPOUND", "盛世名邸", ""),
    ("长安西路41号", "PLATE", "41号", ""),
    ("解放北路４号", "PLATE", "D341502001008000001", ""),
    ("解放北路四号", "PLATE", "D341502001008000001", ""),
    ("解访北路4号", "PLATE", "D341502001008000001", "CORRECTED"),
    ("安徽六安金安中市健康苑解放北路4号", "PLATE", "D341502001008000001", ""),
    ("裕安区解放北路4号", "PLATE", "D341502001008000001", "CONTRADICTED"),
    ("解放北路4号对面", "LANDMARK", "D341502001008000001", "NEAR"),
    ("卫生巷社区解放北路4号", "PLATE", "D341502001008000001", ""),
    ("解放北路999号", "ROAD", "解放北路", "COARSER"),
    ("解放北路", "ROAD", "解放北路", ""),
    ("解放北路4~8号", "ROAD", "解放北路", ""),
    ("振华五福组1号", "PLATE", "D341503204004000001", ""),
    ("人民夕路4号", "CITY", "六安市", "AMBIGUOUS|COARSER"),
    ("裕安区西市街道", "TOWNSHIP", "西市街道", ""),
    ("六安市", "CITY", "六安市", ""),
    ("上海市黄浦区人民东路43号", "NONE", "", "COARSER"),
    ("黄浦区人民东路43号", "NONE", "", "COARSER"),
    ("你好", "NONE", "", "COARSER"),
    ("", "NONE", "", ""),
]


@pytest.mark.parametrize(("text", "level", "place", "notes"), EXAMPLES)
def test_examples(index, text, level, place, notes):
    found = index.match(text)
    assert found.level.name == level
    assert (found.place is None) == (place == "")
    if found.place is not None:
        assert place in (found.place.code, found.place.name)
    assert found.notes == sum(Note[n] for n in notes.split("|") if n)
    assert found.ambiguous == ("AMBIGUOUS" in notes)
    assert found.level <= max(found.address.level, AddressLevel.NONE)
    assert found.explain().zh and found.explain().en


def test_a_correction_is_said(index):
    found = index.match("解访北路4号")
    assert [tuple(c) for c in found.corrections] == [("解访北路", "解放北路")]
    assert found.confidence < index.match("解放北路4号").confidence == 1.0
    assert "「解访北路」读作「解放北路」" in found.explain().zh


def test_ambiguity_names_its_candidates_and_drops_to_what_they_share(index):
    found = index.match("人民夕路4号")
    assert {p.code for p in found.candidates} == {"D341502001003000037", "D341503002004000045"}
    assert found.place is not None and found.place.level is AddressLevel.CITY
    assert found.confidence < 0.5
    rooms = index.match("盛世名邸3栋1503")
    assert {p.name for p in rooms.candidates} == {"1单元1503室", "2单元1503室"}


def test_runners_up_are_listed(index):
    found = index.match("裕安区解放北路4号")
    assert found.runners_up and all(r.confidence < found.confidence for r in found.runners_up)


@pytest.mark.parametrize(("number", "inside"), [(6, True), (20, False)])
def test_a_plate_between_known_plates_is_interpolated_on_its_side(number, inside):
    known = {2: 0, 4: 40, 8: 120, 10: 160, 3: 20, 5: 60, 7: 100}
    index = AddressIndex(street_of({f"{n}": (x, 10 if n % 2 else -10) for n, x in known.items()}))
    found = index.match(f"新街{number}号")
    assert (found.level is AddressLevel.INTERPOLATED) == inside
    if inside:
        x, y = (found.lon - 116.5) * metre_x(), (found.lat - 31.7) * 111_320
        assert (x, y) == pytest.approx((80, -10), abs=0.5)
        assert 30 <= found.error_m <= 50
        assert Note.INTERPOLATED in found.notes
        assert found.place is not None and found.place.fid is None
    else:
        assert found.level is AddressLevel.ROAD


def test_a_plate_whose_side_is_unknown_is_less_sure():
    odd = AddressIndex(street_of({"3": (0, 10), "5": (40, 10), "9": (120, 10)}))
    found = odd.match("新街6号")
    assert found.level is AddressLevel.INTERPOLATED and found.error_m >= 60


def test_a_sub_number_that_is_not_known_stands_beside_its_plate():
    found = AddressIndex(street_of({"3": (0, 10), "5": (40, 10)})).match("新街5号附2号")
    assert found.level is AddressLevel.INTERPOLATED
    assert (found.lon - 116.5) * metre_x() == pytest.approx(40, abs=0.5)


def metre_x() -> float:
    return float(111_320 * np.cos(np.radians(31.7)))


def street_of(plates: dict[str, tuple[float, float]], street: str = "新街") -> Register:
    rows = [
        {"code": f"A{p}", "division": "341502001001", "street": street, "plate": p, "compound": "", "building": "",
         "lon": 116.5 + x / metre_x(), "lat": 31.7 + y / 111_320}
        for p, (x, y) in plates.items()
    ]  # fmt: skip
    return Register(pa.Table.from_pylist(rows), pa.table({"code": ["341502001001"], "name": ["迎宾居委会"]}))


def test_two_lanes_of_one_name_stay_two():
    near, far = street_of({"1": (0, 0), "3": (50, 0)}), street_of({"5": (9000, 0), "7": (9050, 0)})
    index = AddressIndex(Register(pa.concat_tables([near.addresses, far.addresses]), near.divisions))
    lane = index.match("新街")
    assert lane.ambiguous and len(lane.candidates) == 2
    assert lane.place is not None and lane.place.level is AddressLevel.VILLAGE
    assert index.match("新街4号").level is not AddressLevel.INTERPOLATED
    assert index.match("新街5号").level is AddressLevel.PLATE


def test_a_compound_that_occurs_twice_is_never_chosen_silently(city, index):
    name = "盛世名邸"
    elsewhere = next(t for t in city.truths if t.divisions[2] == "金安区" and t.street)
    copies = twins(city.truths, name, elsewhere)
    houses = [t for t in copies if not t.room]
    division = index.match("".join(elsewhere.divisions)).place
    assert division is not None
    table = pa.Table.from_pylist(
        [
            {"code": t.code, "division": division.division, "street": t.street, "plate": t.plate, "compound": name,
             "building": t.building, "lon": t.lon, "lat": t.lat}
            for t in houses
        ],
        schema=city.register.addresses.schema,
    )  # fmt: skip
    both = AddressIndex(
        Register(pa.concat_tables([city.register.addresses, table]), city.register.divisions, city.register.rooms)
    )
    alone = both.match(f"{name}3栋")
    assert alone.ambiguous and alone.level <= AddressLevel.CITY
    assert {p.code for p in alone.candidates} == {"D341503002007000003", "TD341503002007000003"}
    assert both.match(f"裕安区{name}3栋").place.code == "D341503002007000003"  # type: ignore[union-attr]
    assert both.match(f"金安区{name}3栋").place.code == "TD341503002007000003"  # type: ignore[union-attr]


@dataclass
class Answers:
    codes: list[str]
    levels: list[int]
    ambiguous: list[bool]


def answers(index: AddressIndex, noisy: list[Noisy]) -> Answers:
    chunks = list(index.matches([n.text for n in noisy]))
    return Answers(
        [code for c in chunks for code in c.code.to_pylist()],
        [int(v) for c in chunks for v in c.level],
        [bool(v) for c in chunks for v in c.ambiguous],
    )


@pytest.fixture(scope="module")
def scored(city, index) -> dict[str, Counter[str]]:
    """For each class of noise: how the texts went whose address the text decides, and those that it does not."""
    oracle, maker = Oracle(city.truths), NoiseMaker(city.truths, seed=7)
    found = {}
    for kind in KINDS:
        noisy = maker.make(kind, TEXTS_A_CLASS)
        given = answers(index, noisy)
        count: Counter[str] = Counter()
        for n, text in enumerate(noisy):
            codes = {t.code for t in oracle.consistent(text)} if kind != "no such plate" else set()
            count["too fine"] += given.levels[n] > LEVELS[text.level]
            count["no such plate"] += kind == "no such plate" and given.levels[n] >= AddressLevel.PLATE
            if len(codes) == 1:
                right = given.codes[n] in codes and not given.ambiguous[n]
                count["right"] += right
                count["wrong"] += not right and not given.ambiguous[n] and given.levels[n] >= AddressLevel.PLATE
                count["decided"] += 1
            elif codes:
                count["silent"] += not given.ambiguous[n] and given.levels[n] >= AddressLevel.PLATE
        found[kind] = count
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_noise_is_seen_through(scored, kind):
    count = scored[kind]
    assert count["too fine"] == count["silent"] == count["no such plate"] == 0
    assert count["wrong"] <= 0.002 * TEXTS_A_CLASS
    # a wrong district may leave two places equally likely; then that is said
    least = 0.97 if kind == "wrong district" else 0.99
    assert count["right"] >= least * count["decided"]


def test_noise_as_a_whole_is_seen_through(scored):
    total = sum(scored.values(), Counter())
    assert total["decided"] > 10 * TEXTS_A_CLASS
    assert total["right"] >= 0.995 * total["decided"]


def test_one_text_is_answered_like_many(city, index):
    maker = NoiseMaker(city.truths, seed=3)
    noisy = [n for kind in KINDS for n in maker.make(kind, 8)]
    given = answers(index, noisy)
    for n, text in enumerate(noisy):
        alone = index.clone().match(text.text)
        assert (alone.place.code if alone.place else "") == given.codes[n]
        assert (int(alone.level), alone.ambiguous) == (given.levels[n], given.ambiguous[n])


@given(st.text(max_size=40))
def test_any_text_is_answered(index, text):
    found = index.match(text)
    assert found.level <= found.address.level
    assert 0 <= found.confidence <= 1


def test_a_table_of_answers(index):
    chunk = next(index.matches(pa.array(["解放北路4号", None, "你好"])))
    table = chunk.table()
    assert table["level"].to_pylist() == [AddressLevel.PLATE, AddressLevel.NONE, AddressLevel.NONE]
    assert table["code"].to_pylist() == ["D341502001008000001", "", ""]
    assert table["fid"].null_count == 3
    assert table["lon"].to_pylist()[0] == pytest.approx(116.5168549, abs=2e-5)
    assert table["lon"].null_count == 2


def test_rows_that_cannot_be_taken_in_are_counted(city, index):
    assert index.left_out == {"no coordinates": 3, "no street and no compound": 0, "dwellings of no known address": 3}


def test_landmarks_are_found_by_name(city):
    marks = pa.table(
        {"name": ["人民路小学"], "division": ["341502001001"], "lon": [116.51], "lat": [31.74], "fid": [5]}
    )
    index = AddressIndex(Register(city.register.addresses, city.register.divisions, landmarks=marks))
    found = index.match("金安区人民路小学门口")
    assert found.place is not None and (found.place.fid, found.level) == (5, AddressLevel.LANDMARK)


def test_back_from_a_point_to_what_is_there(city, index):
    geocoder = ReverseGeocoder(index)
    houses = [t for t in city.truths if not t.room][::37]
    here = geocoder.at_points(np.array([t.lon for t in houses]), np.array([t.lat for t in houses]))
    for truth, found in zip(houses, here, strict=True):
        assert found.building is not None and found.building.distance_m < 0.1
        assert found.building.place.code == truth.code
        assert [p.name for p in found.divisions[:4]] == list(truth.divisions[:4])
        assert found.by_address
        if truth.street:
            assert found.street is not None and found.street.distance_m < 400


def test_back_from_a_point_the_nearest_is_the_nearest_by_trying_all(city, index):
    geocoder, draw = ReverseGeocoder(index), np.random.default_rng(5)
    lon, lat = 116.517 + draw.normal(0, 0.003, 40), 31.738 + draw.normal(0, 0.003, 40)
    houses = [t for t in city.truths if not t.room]
    x, y = np.array([t.lon for t in houses]), np.array([t.lat for t in houses])
    for one, found in zip(zip(lon, lat, strict=True), geocoder.at_points(lon, lat, reach_m=5000), strict=True):
        away = np.hypot((x - one[0]) * 111_320 * np.cos(np.radians(31.74)), (y - one[1]) * 111_320)
        assert found.building is not None
        assert found.building.distance_m == pytest.approx(away.min(), rel=0.002, abs=0.1)


def test_back_from_a_point_with_borders_and_lines(index):
    codes = np.array([341502000000, 341502001000])
    shapes = shapely.box([116.4, 116.51], [31.6, 31.73], [116.6, 116.53], [31.8, 31.75])
    lines = np.array([shapely.LineString([(116.516, 31.73), (116.516, 31.75)])])
    geocoder = ReverseGeocoder(index, streets=(["解放北路"], lines), divisions=(codes, shapes))
    here = geocoder.at(116.517, 31.74)
    assert [p.name for p in here.divisions][-2:] == ["金安区", "中市街道"] and not here.by_address
    assert here.street is not None and here.street.place.name == "解放北路"
    assert here.street.distance_m == pytest.approx(94.7, abs=0.5)
    assert [p.name for p in geocoder.at(116.45, 31.65).divisions][-1] == "金安区"


@pytest.mark.parametrize("point", [(200, 30), (116, 95), (np.nan, 30)])
def test_back_from_no_point(index, point):
    with pytest.raises(BadQuery, match="lon, lat"):
        ReverseGeocoder(index).at(*point)


def test_an_index_of_the_city_as_it_is_loaded(sample_city):
    database = Database(sample_city)
    try:
        register = register_of(database, Catalogue(LAYERS), OWNER)
    finally:
        database.close()
    index = AddressIndex(register)
    found = index.match("安徽省六安市裕安区西市街道草市社区长安西路41号盛世名邸3栋")
    assert found.place is not None and found.place.fid is not None
    assert (found.place.code, found.level) == ("D341503002007000003", AddressLevel.BUILDING)
    assert index.left_out["no coordinates"] == 0
