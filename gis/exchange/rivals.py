"""Why rows that the database found in the way of others are refused, each with the row that was kept."""

from collections.abc import Callable

from gis.text import Text


def _overlap(row: int, kept: int) -> Text:
    return Text(
        f"与第 {kept} 行为同一要素且有效期重叠,保留第 {kept} 行",
        f"the same feature as row {kept} with overlapping valid time; row {kept} was kept",
    )


def _duplicate(row: int, kept: int) -> Text:
    return Text(f"与第 {kept} 行为同一要素,保留第 {kept} 行", f"the same feature as row {kept}, which was kept")


def _standing(row: int, kept: int) -> Text:
    return Text(
        "有效期与库中同一要素的另一记录重叠;请提供完整版本,或填写停用日期",
        "its valid time overlaps that of a row on record; load a full edition, or say when each row ends",
    )


def _collision(row: int, kept: int) -> Text:
    return Text(
        "编号与另一要素冲突,请修改该行主键", "its number belongs to another feature; change the key of this row"
    )


#: By the reason that the row is listed with: what is said of it, from its number and that of the row that was kept.
WHY: dict[str, Callable[[int, int], Text]] = {
    "overlap": _overlap,
    "duplicate": _duplicate,
    "collision": _collision,
    "standing": _standing,
}
