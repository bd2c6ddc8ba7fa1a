"""The words in which the datum detector gives its evidence and its verdict."""

from collections.abc import Sequence
from typing import Protocol

from gis.geo.alignment import MOVED_M, Fit
from gis.geo.reading import Reading
from gis.text import Text


class Ranked(Protocol):
    """A reading with its evidence."""

    @property
    def reading(self) -> Reading:
        """The reading."""
        ...

    @property
    def evidence(self) -> Text:
        """What speaks for it."""
        ...


def describe(inside: float, fits: Sequence[tuple[Text, Fit]]) -> Text:
    """The evidence for one reading: the share in the extent, and how it sits on each kind of thing."""
    zh, en = [f"{inside:.0%} 的点在参照范围内"], [f"{inside:.0%} of the points lie in the reference's area"]
    low, high = MOVED_M
    for name, fit in fits:
        zh.append(
            f"到最近{name.zh}的中位距离 {fit.median_m:.0f} m(整体平移 {low:.0f}–{high:.0f} m 后为 "
            f"{fit.moved_median_m:.0f} m),吻合度 {fit.gain:+.0f}(平移时最高 {fit.chance:+.0f})"
        )
        en.append(
            f"median distance to the nearest {name.en} {fit.median_m:.0f} m ({fit.moved_median_m:.0f} m when all "
            f"points are moved by {low:.0f}-{high:.0f} m), fit {fit.gain:+.0f} (at most {fit.chance:+.0f} when moved)"
        )
    return Text(";".join(zh), "; ".join(en))


_REASONS = {
    "none": Text("坐标数值不像任何已知坐标系", "the numbers fit no known coordinate system"),
    "outside": Text(
        "没有一种读法能使大多数点落在参照范围内",
        "no reading puts most of the points into the reference's area",
    ),
    "few": Text("不同的点太少,不足以判断", "too few different points to decide"),
    "only": Text("只有这种读法使点落在参照范围内", "only this reading puts the points into the reference's area"),
    "box": Text(
        "范围框无法区分相距几百米的坐标系,需要道路、建筑物或行政区作参照",
        "an extent cannot tell apart datums a few hundred metres from each other; "
        "roads, buildings or districts are needed",
    ),
    "zones": Text(
        "坐标不带带号,参照范围内有几个投影带都可能;请指明中央经线,或给出更小的范围",
        "the eastings carry no zone number and several zones are possible in the reference's area; "
        "name the central meridian or give a smaller area",
    ),
    "fit": Text("这种读法与参照明显吻合,其他读法不吻合", "this reading fits the reference clearly, the others do not"),
    "unclear": Text(
        "各种读法与参照的吻合程度没有明显差别", "no reading fits the reference clearly better than the others"
    ),
}
_DECIDED = {"only", "fit"}


def explain(reason: str, points: int, ranking: Sequence[Ranked]) -> Text:
    """The verdict in a sentence, with the evidence for the first reading."""
    why = _REASONS[reason]
    zh, en = f"{why.zh}({points} 个不同的点)", f"{why.en} ({points} different points)"
    if ranking:
        first = ranking[0]
        zh, en = f"{zh};{first.evidence.zh}", f"{en}; {first.evidence.en}"
    if reason not in _DECIDED:
        return Text(f"未能判定坐标系:{zh}", f"datum undecided: {en}")
    name = ranking[0].reading.title
    return Text(f"判定为 {name.zh}:{zh}", f"found to be {name.en}: {en}")
