"""Rows without codes against a register: laws that always hold, verdicts that are explained, precision and recall."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.codes.citizen_id import check_character
from gis.errors import BadInput, NotFound
from gis.exchange.resolution import Resolution, ResolveOptions, Verdict
from gis.exchange.resolution.asked import asked
from gis.exchange.resolution.model import Model
from gis.exchange.resolution.persons import COMPARISONS
from gis.exchange.resolution.preparation import persons_sides
from gis.exchange.resolution.resolving import resolved

FIELDS = ("name", "sex", "birth_date", "citizen_id", "telephone", "dwelling")
SURNAMES, GIVEN = "王李张刘陈", ("伟", "玮", "子轩", "子豪", "梓轩", "芳", "静", "明", "小明", "雨桐")


def number_of(k: int, born: dt.date, male: bool) -> str:
    body = f"341502{born:%Y%m%d}{k * 2 % 1000 + male:03d}"
    return body + check_character(body)


@st.composite
def registers(draw) -> list[dict[str, str]]:
    """Persons of one town, close to one another: twins, namesakes, families; each with a number of his own."""
    people = []
    for k in range(draw(st.integers(1, 25))):
        born = dt.date(1990, 1, 1) + dt.timedelta(days=draw(st.integers(0, 40)))
        male = draw(st.booleans())
        people.append(
            {
                "name": draw(st.sampled_from(SURNAMES)) + draw(st.sampled_from(GIVEN)),
                "sex": "男" if male else "女",
                "birth_date": born.isoformat(),
                "citizen_id": number_of(k, born, male),
                "telephone": f"1350000000{draw(st.integers(0, 9))}",
                "dwelling": f"34150200100800000701010{draw(st.integers(0, 9))}",
            }
        )
    return people


def register_of(people: Sequence[dict[str, str]]) -> pa.Table:
    none = pa.nulls(len(people), pa.float64())

    def texts(name: str) -> pa.Array:
        return pa.array([p[name] for p in people], pa.string())

    return pa.table(
        {
            "fid": pa.array([1000 + k for k in range(len(people))], pa.int64()),
            "division": pa.array([341502001008] * len(people), pa.int64()),
            "lon": none,
            "lat": none,
            "sex": pa.array(["male" if p["sex"] == "男" else "female" for p in people], pa.string()),
            "birth_date": pa.array([dt.date.fromisoformat(p["birth_date"]) for p in people], pa.date32()),
            "dwelling": texts("dwelling"),
            "unit": pa.nulls(len(people), pa.string()),
            "room": pa.nulls(len(people), pa.string()),
            "citizen_id": texts("citizen_id"),
            "name": texts("name"),
            "telephone": texts("telephone"),
            "variants": pa.array([p.get("variants") for p in people], pa.list_(pa.string())),
        }
    )


def resolved_of(
    people: Sequence[dict[str, str]], rows: Sequence[dict[str, str]], options: ResolveOptions | None = None
) -> Resolution:
    table = pa.table({name: pa.array([r.get(name, "") for r in rows], pa.string()) for name in FIELDS})
    options = options or ResolveOptions()
    sides = persons_sides(register_of(people), asked("base.persons", table, options.columns), None)
    return resolved("base.persons", sides, options)


@given(registers(), st.data())
@settings(max_examples=60)
def test_the_registers_own_row_is_always_the_same(people, data):
    chosen = data.draw(st.lists(st.integers(0, len(people) - 1), min_size=1, max_size=10))
    found = resolved_of(people, [people[k] for k in chosen]).table()
    assert found["verdict"].to_pylist() == ["same"] * len(chosen)
    assert found["fid"].to_pylist() == [1000 + k for k in chosen]


@given(registers(), st.data())
@settings(max_examples=40)
def test_the_order_of_the_rows_changes_nothing(people, data):
    rows = [
        {name: p[name] for name in data.draw(st.sets(st.sampled_from(FIELDS), min_size=1))}
        for p in data.draw(st.lists(st.sampled_from(people), min_size=2, max_size=12))
    ]
    order = data.draw(st.permutations(range(len(rows))))
    first = resolved_of(people, rows).table().drop("row")
    second = resolved_of(people, [rows[k] for k in order]).table().drop("row")
    assert second.to_pylist() == [first.to_pylist()[k] for k in order]


@given(registers(), st.data())
@settings(max_examples=60)
def test_a_field_that_agrees_never_lowers_the_weight(people, data):
    person = data.draw(st.sampled_from(people))
    held = data.draw(st.sets(st.sampled_from(FIELDS), min_size=1, max_size=len(FIELDS) - 1))
    more = data.draw(st.sampled_from([f for f in FIELDS if f not in held]))
    fewer, fuller = ({name: person[name] for name in names} for names in (held, held | {more}))
    model = resolved_of(people, [fewer, fuller]).model
    found = resolved_of(people, [fewer, fuller], ResolveOptions(model=model)).candidates
    mine = found.fid == 1000 + people.index(person)
    weight = {int(r): float(w) for r, w in zip(found.row[mine], found.weight[mine], strict=True)}
    if 0 in weight:
        assert weight[1] >= weight[0] - 1e-6


@given(registers())
@settings(max_examples=30)
def test_weights_fall_from_level_to_level_and_agreement_never_speaks_against(people):
    model = resolved_of(people, people).model
    for comparison, weights in zip(model.comparisons, model.weights, strict=True):
        of_levels = weights[1 : len(comparison.levels) + 1]
        assert weights[0] == 0
        assert (np.diff(of_levels) <= 0).all()
        for level, weight in zip(comparison.levels, of_levels, strict=True):
            assert weight >= 0 if level.agrees else weight <= 0


CHEN = {"name": "陈子轩", "sex": "男", "birth_date": "1990-01-05", "telephone": "13500000001",
        "dwelling": "341502001008000007010101"}  # fmt: skip


def town(count: int = 300) -> list[dict[str, str]]:
    """People who are unlike one another."""
    rng = np.random.default_rng(5)
    people = []
    for k in range(count):
        born = dt.date(1950, 1, 1) + dt.timedelta(days=int(rng.integers(0, 25_000)))
        given_name = "".join(chr(0x4E00 + c) for c in rng.integers(0, 5000, 2).tolist())
        people.append({"name": "赵钱孙周吴郑冯"[k % 7] + given_name, "sex": "男", "birth_date": born.isoformat(),
                       "citizen_id": number_of(k, born, True), "telephone": f"136{k:08d}",
                       "dwelling": f"3415020010080009{k:05d}101"})  # fmt: skip
    return people


def chen(k: int, **other: str) -> dict[str, str]:
    person = CHEN | other
    return person | {"citizen_id": number_of(k, dt.date.fromisoformat(person["birth_date"]), person["sex"] == "男")}


def test_two_who_fit_equally_well_are_a_matter_for_a_clerk():
    people = [*town(), chen(1), chen(2)]
    found = resolved_of(people, [{n: CHEN[n] for n in ("name", "sex", "birth_date", "dwelling")}])
    row = found.table().to_pylist()[0]
    assert (row["verdict"], row["fid"], row["rivals"]) == ("clerk", None, 1)
    assert row["probability"] == pytest.approx(0.5, abs=0.01)
    assert "另有候选" in found.explain(0).zh
    assert "another candidate fits as well" in found.explain(0).en


def test_one_to_one_gives_nobody_to_two_rows():
    people = [*town(), chen(1), chen(2)]
    either = {n: CHEN[n] for n in ("name", "sex", "birth_date", "dwelling")}
    rows = [people[-2], either]
    assert resolved_of(people, rows).table()["verdict"].to_pylist() == ["same", "clerk"]
    found = resolved_of(people, rows, ResolveOptions(one_to_one=True)).table()
    assert found["fid"].to_pylist() == [1300, 1301]
    equal = resolved_of(people[:-1], [either, either], ResolveOptions(one_to_one=True))
    assert equal.table()["verdict"].to_pylist() == ["clerk", "clerk"]
    assert "another row fits the same one" in equal.explain(0).en


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ({"name": "陈梓轩", "birth_date": "1990-05-01", "dwelling": CHEN["dwelling"]}, "same"),
        ({"name": "陈子轩", "birth_date": "1990-01-05"}, "same"),
        ({"name": "陈子轩"}, "clerk"),
        ({"name": "陈子轩", "birth_date": "1961-11-23", "dwelling": CHEN["dwelling"]}, "clerk"),
        ({"name": "陈子轩", "citizen_id": "320106197605310012", "dwelling": CHEN["dwelling"]}, "clerk"),
        ({"name": "陈子轩", "sex": "女", "dwelling": CHEN["dwelling"]}, "clerk"),
        ({"name": "欧阳娜", "sex": "女", "birth_date": "1971-03-08"}, "different"),
        ({"name": ""}, "different"),
    ],
)
def test_verdicts(row, verdict):
    found = resolved_of([*town(), chen(1)], [row])
    assert found.table()["verdict"].to_pylist() == [verdict]


def test_a_childs_row_with_a_parents_number_is_not_taken_for_the_parent():
    people = [*town(), chen(1)]
    row = {"name": "陈一诺", "sex": "女", "birth_date": "2019-06-30", "citizen_id": people[-1]["citizen_id"]}
    found = resolved_of(people, [row])
    assert found.table()["verdict"][0].as_py() != "same"


def test_a_number_is_enough_and_its_damaged_forms_are_with_a_name():
    people = [*town(), chen(1)]
    number = people[-1]["citizen_id"]
    wrong = number[:9] + str((int(number[9]) + 1) % 10) + number[10:]
    rows = [{"citizen_id": number}, *({"citizen_id": w, "name": "陈子轩"} for w in (wrong, number[:15] + "000"))]
    assert resolved_of(people, rows).table()["fid"].to_pylist() == [1300] * 3
    assert resolved_of(people, [{"citizen_id": wrong}]).table()["verdict"].to_pylist() == ["clerk"]


def test_another_spelling_of_the_name_is_the_person_too():
    people = [*town(), chen(1, name="陈轩") | {"variants": ["陈子轩", "13511112222"]}]
    found = resolved_of(people, [{"name": "陈子轩", "birth_date": "1990-01-05"}])
    assert found.table()["fid"].to_pylist() == [1300]
    assert found.model.population == 301


def test_the_explanation_shows_every_comparison_with_its_weight_and_no_name():
    found = resolved_of([*town(), chen(1)], [chen(1) | {"telephone": ""}])
    for language in ("zh", "en"):
        said = found.explain(0).in_(language)
        assert all(c.title.in_(language) in said for c in COMPARISONS)
        assert "陈" not in said
        assert chen(1)["citizen_id"] not in said
    bits = [float(line.split()[0]) for line in found.explain(0).en.splitlines()[1:]]
    assert sum(bits) == pytest.approx(found.table()["weight"][0].as_py(), abs=0.5)
    with pytest.raises(NotFound):
        found.explain(1)


def test_what_very_many_share_is_said_to_be_too_common():
    people = [chen(k, birth_date=f"19{40 + k % 60}-0{k % 9 + 1}-{k % 28 + 1:02d}") for k in range(500)]
    found = resolved_of(people, [{"name": "陈子轩"}])
    assert found.decided.verdict.tolist() == [Verdict.CLERK]
    assert "very many" in found.explain(0).en


def test_no_rows_and_no_register():
    assert len(resolved_of(town(), []).table()) == 0
    assert resolved_of([], [CHEN]).table()["verdict"].to_pylist() == ["different"]


def test_a_model_is_learnt_from_many_rows_and_stays_declared_for_few():
    people = town(300)
    few, many = (resolved_of(people, [p | {"telephone": "18800000000"} for p in people[:n]]).model for n in (3, 300))
    name = [c.name for c in COMPARISONS].index("telephone")
    assert few.m[name, 1] > 0.5
    assert many.m[name, 1] < 0.2
    assert isinstance(replace(many, share=0.5), Model)


def test_columns_that_say_nobody_are_refused():
    with pytest.raises(BadInput, match="name, a number or a telephone"):
        asked("base.persons", pa.table({"血型": ["A"]}), {})
    with pytest.raises(BadInput, match=r"base\.persons, base\.entities"):
        asked("base.dwellings", pa.table({"房屋编码": ["1"]}), {})
    with pytest.raises(BadInput, match=r"base\.persons, base\.entities"):
        asked("city.credit_marks", pa.table({"name": ["A"]}), {})
