"""Rows about known persons as counters, forms and spreadsheets write them, and about strangers: seeded, with truths."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

Row = dict[str, str]
Rng = np.random.Generator

COLUMNS = ("姓名", "性别", "出生日期", "身份证号", "手机", "现住址")
STRANGER = -1
_SOUNDS = (
    "伟玮炜 静婧 磊蕾 洋阳杨 明铭 军君钧 华桦 芳方 敏闵 丽莉 强墙 杰捷 娟涓 涛滔 超朝 秀绣 "
    "霞侠 平萍 刚钢 桂贵 英瑛 文雯 玉钰 建健 国帼 云芸 波博 辉晖 佳嘉 宇雨 欣鑫 浩皓 晨辰 "
    "子梓 轩宣 雪薛 婷庭 慧惠 燕艳 红洪 梅玫 兰岚 陈程 张章 王汪 许徐 刘柳 吴武 余于俞 "
    "江姜 石史 朱诸 付傅 肖萧 林凌 何贺 蒋讲 邹周 田天 严颜 "
)
_LIKE = {c: group.replace(c, "") for group in _SOUNDS.split() for c in group}


@dataclass(frozen=True, slots=True)
class Asked:
    """Rows as a file holds them, and whose each is (a fid, or STRANGER)."""

    table: pa.Table
    truth: np.ndarray


def noisy(register: list[Row], fid: list[int], count: int, seed: int, *, strangers: float = 0.12) -> Asked:
    """`count` rows about persons of a register (columns as in COLUMNS) and about some who are not in it."""
    rng = np.random.default_rng(seed)
    rows, truth = [], []
    for n in rng.integers(0, len(register), count).tolist():
        row = dict(register[n])
        known = rng.random() >= strangers
        if not known:
            row = _stranger(row, register[int(rng.integers(len(register)))], rng)
        for name, ways in _WAYS.items():
            row[name] = _one_of(ways, rng)(row[name], rng)
        rows.append(row)
        truth.append(fid[n] if known else STRANGER)
    columns = {name: pa.array([r[name] for r in rows], pa.string()) for name in COLUMNS}
    return Asked(pa.table(columns), np.array(truth, dtype=np.int64))


def _stranger(row: Row, other: Row, rng: Rng) -> Row:
    """Somebody new: a namesake, somebody who moved into the same home, or neither."""
    born = str(np.datetime64("1938-01-01") + int(rng.integers(0, 31_000)))
    number = f"32010{rng.integers(2, 7)}{born.replace('-', '')}{rng.integers(0, 1000):03d}"
    fresh = row | {"出生日期": born, "身份证号": with_check(number), "手机": f"139{rng.integers(0, 10**8):08d}"}
    kind = rng.random()
    if kind < 0.3:
        return fresh | {"现住址": other["现住址"]}
    if kind < 0.6:
        return fresh | {"姓名": row["姓名"][0] + other["姓名"][1:]}
    return fresh | {"姓名": other["姓名"], "现住址": other["现住址"]}


def with_check(body: str) -> str:
    """17 digits with their check character (ISO 7064 MOD 11-2)."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, weights, strict=True)) % 11]


def _name_alike(name: str, rng: Rng) -> str:
    places = [k for k, c in enumerate(name) if c in _LIKE]
    if not places:
        return name
    at = places[int(rng.integers(len(places)))]
    return name[:at] + _LIKE[name[at]][0] + name[at + 1 :]


def _digit(text: str, rng: Rng, low: int, high: int) -> str:
    at = int(rng.integers(low, high))
    if len(text) <= at or not text[at].isdigit():
        return text
    return f"{text[:at]}{(int(text[at]) + int(rng.integers(1, 10))) % 10}{text[at + 1 :]}"


def _swap(text: str, rng: Rng, low: int, high: int) -> str:
    at = int(rng.integers(low, high))
    return text[:at] + text[at : at + 2][::-1] + text[at + 2 :]


def _month_and_day(day: str) -> str:
    year, month, of_month = day.split("-")
    return f"{year}-{of_month}-{month}"


def _year_off(day: str, rng: Rng) -> str:
    return f"{int(day[:4]) + int(rng.choice((-10, -2, -1, 1, 2, 10)))}{day[4:]}"


Way = Callable[[str, Rng], str]


def _as_is(text: str, _: Rng) -> str:
    return text


def _nothing(_text: str, _: Rng) -> str:
    return ""


#: For each column: ways of writing, with their shares.
_WAYS: dict[str, tuple[tuple[float, Way], ...]] = {
    "姓名": (
        (0.84, _as_is), (0.07, _name_alike), (0.02, lambda t, r: t[:-1] if len(t) > 2 else t),
        (0.01, lambda t, r: t + t[-1]), (0.01, lambda t, r: t[0] + t[:0:-1]), (0.02, lambda t, r: f"{t[0]}*{t[2:]}"),
        (0.02, lambda t, r: f" {t[0]}\u3000{t[1:]} "), (0.01, _nothing),
    ),
    "性别": ((0.94, _as_is), (0.05, _nothing), (0.01, lambda t, r: "女" if t == "男" else "男")),
    "出生日期": (
        (0.60, _as_is), (0.10, lambda t, r: t.replace("-", "")), (0.06, lambda t, r: t.replace("-", "/")),
        (0.08, _nothing), (0.05, lambda t, r: _month_and_day(t)), (0.05, lambda t, r: _digit(t, r, 8, 10)),
        (0.04, _year_off), (0.02, lambda t, r: f"{t[:4]}-01-01"),
    ),
    "身份证号": (
        (0.55, _nothing), (0.12, _as_is), (0.12, lambda t, r: _digit(t, r, 0, 17)),
        (0.05, lambda t, r: _swap(t, r, 6, 16)), (0.04, lambda t, r: t[:15] + "000"),
        (0.03, lambda t, r: f"{float(t[:17] + '0'):.5E}"), (0.05, lambda t, r: f"{t[:6]}********{t[14:]}"),
        (0.02, lambda t, r: t[:9] + t[10:]), (0.02, lambda t, r: t[:9] + t[9] + t[9:]),
    ),
    "手机": ((0.5, _nothing), (0.32, _as_is), (0.18, lambda t, r: f"138{r.integers(0, 10**8):08d}")),
    "现住址": (
        (0.5, _as_is), (0.12, _nothing), (0.12, lambda t, r: t.replace("安徽省六安市", "")),
        (0.08, lambda t, r: t.translate(str.maketrans("0123456789", "０１２３４５６７８９"))),
        (0.08, lambda t, r: t.partition("社区")[0] + "社区" if "社区" in t else t),
        (0.10, lambda t, r: f"安徽省六安市裕安区小华山街道解放中路{r.integers(1, 300)}号"),
    ),
}  # fmt: skip


def _one_of(ways: tuple[tuple[float, Way], ...], rng: Rng) -> Way:
    drawn = rng.random()
    for share, way in ways:
        drawn -= share
        if drawn < 0:
            return way
    return ways[0][1]


def noisy_entities(register: list[dict[str, str]], count: int, seed: int) -> tuple[pa.Table, np.ndarray]:
    """Rows about entities as `Source.entities` gives them, and about some who are not in it; whose each is."""
    rng = np.random.default_rng(seed)
    rows, truth = [], []
    for n in rng.integers(0, len(register), count).tolist():
        of, other = register[n], register[int(rng.integers(len(register)))]
        known = rng.random() > 0.12
        row = {"单位名称": of["name"], "信用代码": of["credit_code"], "法人姓名": of["representative"],
               "地址编码": of["site"]}  # fmt: skip
        if not known:
            # a new firm of another's name and head's surname, at a third one's site
            row |= {"信用代码": "", "法人姓名": other["representative"][:1] + of["representative"][-1:],
                    "地址编码": other["site"]}  # fmt: skip
        row["单位名称"] = _one_of(_FIRM_NAME, rng)(row["单位名称"], rng)
        row["信用代码"] = _one_of(_CODE, rng)(row["信用代码"], rng)
        row["法人姓名"] = _one_of(_WAYS["姓名"], rng)(row["法人姓名"] or "无名", rng)
        row["地址编码"] = "" if rng.random() < 0.3 else row["地址编码"]
        rows.append(row)
        truth.append(n if known else STRANGER)
    table = pa.table({name: pa.array([r[name] for r in rows], pa.string()) for name in rows[0]})
    return table, np.array(truth, dtype=np.int64)


_FIRM_NAME: tuple[tuple[float, Way], ...] = (
    (0.55, _as_is), (0.15, lambda t, r: t.removeprefix("六安市")),
    (0.1, lambda t, r: t.replace("有限公司", "有限责任公司")),
    (0.05, lambda t, r: f"安徽省{t}"), (0.05, lambda t, r: t.replace("有限公司", "")), (0.1, _name_alike),
)  # fmt: skip
_CODE: tuple[tuple[float, Way], ...] = (
    (0.6, _nothing), (0.2, _as_is), (0.1, lambda t, r: _digit(t, r, 2, 8) if t else t),
    (0.1, lambda t, r: t[:10] + t[11:]),
)  # fmt: skip
