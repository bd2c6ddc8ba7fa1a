"""From written addresses to codes for deliveries: which texts have one, and what is said of the others."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import psycopg
import pyarrow as pa
import pytest

from gis.access import PUBLIC
from gis.catalog import Catalogue
from gis.city import City
from gis.errors import UnknownName
from gis.exchange.matching import REASONS, AddressIndex, Register, Written, register_of
from gis.exchange.readers.source import ReadOptions
from gis.query.statement import Statement
from gis.store.database import Database
from layers import LAYERS
from tests.bench.address_city import LUAN, SampleCity, read_city
from tests.bench.address_noise import NoiseMaker

DWELLINGS, ADDRESSES = "base.dwellings", "base.addresses"
VILLAGE = "341502001001"


def site(code: str, *, street: str = "", plate: str = "", compound: str = "", building: str = "") -> dict[str, object]:
    lon = 116.5 + len(code) * 1e-5 + sum(map(ord, code)) * 1e-6
    return {"code": code, "division": VILLAGE, "street": street, "plate": plate, "compound": compound,
            "building": building, "lon": lon, "lat": 31.7}  # fmt: skip


def home(code: str, place: str, unit: str = "", room: str = "") -> dict[str, str]:
    return {"code": code, "place": place, "unit": unit, "room": room}


@pytest.fixture(scope="module")
def index() -> AddressIndex:
    """A house of one home, a house with two, a compound of two blocks, one of them with one numbered home."""
    sites = [
        site("A1", street="新街", plate="1"),
        site("A3", street="新街", plate="3"),
        site("A5", street="新街", plate="5"),
        site("B1", street="新街", plate="7", compound="锦绣花园", building="1栋"),
        site("B2", street="新街", plate="7", compound="锦绣花园", building="2栋"),
        site("C1", street="新街", plate="9", compound="单栋公寓", building="1栋"),
    ]
    homes = [
        home("H1", "A1"),
        home("H3a", "A3", "1", "101"),
        home("H3b", "A3", "1", "102"),
        home("HB11", "B1", "1", "101"),
        home("HB12", "B1", "2", "101"),
        home("HB2", "B2", "1", "501"),
        home("HC1", "C1", "1", "301"),
    ]
    divisions = pa.table({"code": [VILLAGE], "name": ["迎宾社区"]})
    return AddressIndex(Register(pa.Table.from_pylist(sites), divisions, pa.Table.from_pylist(homes)))


#: text → the dwelling, and what is said where there is none; the address, likewise
EXAMPLES = [
    ("新街1号", "H1", "A1"),
    ("新街一号", "H1", "A1"),
    ("新街1号101室", "address_unknown", "A1"),
    ("新街3号", "address_coarse", "A3"),
    ("新街3号101室", "H3a", "A3"),
    ("新街3号1单元102", "H3b", "A3"),
    ("新街3号103室", "address_unknown", "A3"),
    ("新街5号", "address_unknown", "A5"),
    ("新街7号", "address_coarse", "address_coarse"),
    ("新街7号锦绣花园", "address_coarse", "address_coarse"),
    ("锦绣花园", "address_coarse", "address_coarse"),
    ("锦绣花园1栋", "address_coarse", "B1"),
    ("锦绣花园1栋101室", "address_ambiguous", "B1"),
    ("锦绣花园1栋2单元101室", "HB12", "B1"),
    ("锦绣花园2栋", "HB2", "B2"),
    ("锦绣花园2栋1单元", "HB2", "B2"),
    ("锦绣花园2栋3单元", "address_unknown", "B2"),
    ("锦绣花园8栋1单元101室", "address_unknown", "address_unknown"),
    ("新街7号8栋", "address_unknown", "address_unknown"),
    ("新街9号", "HC1", "C1"),
    ("单栋公寓1栋301室", "HC1", "C1"),
    ("新街", "address_coarse", "address_coarse"),
    ("迎宾社区", "address_coarse", "address_coarse"),
    ("新街1号对面", "address_coarse", "address_coarse"),
    ("新街4号", "address_unknown", "address_unknown"),
    ("旧街4号", "address_unknown", "address_unknown"),
    ("上海市黄浦区人民东路43号", "address_unknown", "address_unknown"),
    ("你好", "address_unknown", "address_unknown"),
]


@pytest.mark.parametrize(("text", "dwelling", "address"), EXAMPLES)
def test_examples(index, text, dwelling, address):
    for refers, expected in ((DWELLINGS, dwelling), (ADDRESSES, address)):
        codes, reason = Written(index, refers).codes([text])
        given = codes[0].as_py() if reason[0] == 0 else REASONS[reason[0]]
        assert given == expected
        assert codes[0].is_valid == (reason[0] == 0)


def test_nothing_written_is_nothing_at_fault(index):
    codes, reason = Written(index, DWELLINGS).codes(pa.array([None, "", "  "]))
    assert codes.null_count == 3 and not reason.any()
    assert Written(index, DWELLINGS).codes([]).codes.type == pa.string()


#: text → words of the sentence about its dwelling
SENTENCES = [
    ("锦绣花园1栋101室", ("2处", "锦绣花园1栋1单元101室", "锦绣花园1栋2单元101室")),
    ("新街3号", ("新街3号有2户", "室号")),
    ("新街3号103室", ("没有登记", "新街3号")),
    ("新街", ("只写到路街巷",)),
    ("你好", ("没有找到",)),
    ("新街1号", ("门牌 1号",)),
]


@pytest.mark.parametrize(("text", "words"), SENTENCES)
def test_the_sentence_says_what_is_wanted_and_what_it_could_be(index, text, words):
    (said,) = Written(index, DWELLINGS).sentences([text])
    assert all(word in said.zh for word in words)
    assert said.en


def test_other_collections_have_no_addresses(index):
    with pytest.raises(UnknownName, match=r"base\.roads"):
        Written(index, "base.roads")


@pytest.fixture(scope="module")
def city() -> SampleCity:
    return read_city()


def test_clean_texts_of_the_sample_have_the_codes_that_wrote_them(city):
    maker = NoiseMaker(city.truths, seed=5)
    noisy = maker.make("clean", 600)
    index = AddressIndex(city.register)
    wanted = {t.code: t for t in city.truths}
    codes, reason = Written(index, DWELLINGS).codes([n.text for n in noisy])
    doors, door_reason = Written(index, ADDRESSES).codes([n.text for n in noisy])
    for n, text in enumerate(noisy):
        truth = text.truth
        assert doors[n].as_py() == (truth.code if not truth.room else f"D{truth.code[:-6]}"), text.text
        if truth.room:
            assert (codes[n].as_py(), reason[n]) == (truth.code, 0), text.text
        elif reason[n] == 0:
            assert codes[n].as_py() not in wanted or not wanted[codes[n].as_py()].room
    assert not door_reason.any()


def test_codes_cost_little_beside_the_matching(city):
    maker = NoiseMaker(city.truths, seed=9)
    texts = [n.text for n in maker.make("typing error in street", 4000)]
    index = AddressIndex(city.register)
    plain, judged = index.clone(), Written(index.clone(), DWELLINGS)
    taken: list[float] = []
    for run in (lambda: [c.level for c in plain.matches(texts)], lambda: judged.codes(texts)):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    assert taken[1] < 2 * taken[0] + 0.1


@pytest.fixture(scope="module")
def with_dwellings(module_url: str) -> Iterator[Database]:
    """Divisions, buildings and addresses as they are loaded, and the dwellings beside them."""
    with City.open(module_url) as city:
        for entry in json.loads((LUAN / "manifest.json").read_text("utf-8"))["files"]:
            if entry["edition"] == 2025 and entry["collection"] in (
                "base.divisions",
                "base.buildings",
                "base.addresses",
            ):
                read = ReadOptions(layer=entry["layer"], crs=entry["crs"])
                city.load(LUAN / entry["file"], entry["collection"], read=read, dataset=entry["dataset"])
    lines = (LUAN / "dwellings.csv").read_text("gbk").splitlines()[1:]
    columns = "fid, rec_from, digest, load, code, building, village, unit, floor, room, address"
    with (
        psycopg.connect(module_url, autocommit=True) as conn,
        conn.cursor().copy(f"COPY base.dwellings ({columns}) FROM STDIN") as copy,
    ):
        for n, line in enumerate(lines):
            copy.write_row((n, 1, 0, 1, *(value or None for value in line.split(","))))
    database = Database(module_url)
    yield database
    database.close()


def test_dwellings_come_from_their_register(with_dwellings):
    """Each dwelling's own full address means that dwelling, whatever became of its door's coordinates."""
    rows = with_dwellings.rows(Statement("SELECT code, address FROM base.dwellings"))
    register = register_of(with_dwellings, Catalogue(LAYERS))
    assert register.rooms is not None and len(register.rooms) == len(rows) > 5000
    assert register.rooms["place"].null_count == 0
    written = Written(AddressIndex(register), DWELLINGS)
    assert written.index.left_out["dwellings of no known address"] == 0
    codes, reason = written.codes([address for _, address in rows])
    at_fault = [(rows[n][1], REASONS[reason[n]]) for n in np.flatnonzero(reason)]
    assert not at_fault
    assert codes.to_pylist() == [code for code, _ in rows]


def test_the_public_sees_no_dwellings(with_dwellings):
    register = register_of(with_dwellings, Catalogue(LAYERS), PUBLIC)
    assert register.rooms is None and len(register.addresses) > 1000


def test_former_names_of_divisions_are_known(with_dwellings):
    index = AddressIndex(register_of(with_dwellings, Catalogue(LAYERS)))
    now, former = (index.match(f"中市街道{name}社区解放北路4号") for name in ("健康苑", "卫生巷"))
    assert now.place == former.place and former.confidence == 1.0


def test_without_dwellings_addresses_are_found_all_the_same(city):
    bare = replace(city.register, rooms=None)
    index = AddressIndex(bare)
    assert Written(index, ADDRESSES).codes(["解放北路4号"]).codes.to_pylist() == ["D341502001008000001"]
    assert Written(index, DWELLINGS).codes(["解放北路4号"]).reason.tolist() == [REASONS.index("address_unknown")]
    assert np.isfinite(index.match("解放北路4号").lon)
