"""From a file's columns to a collection's declared fields: by name, said with its evidence, never guessed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import pyarrow as pa
import pyarrow.compute as pc

from gis.catalog import Collection, Field, FieldType
from gis.errors import BadInput
from gis.exchange.column_names import is_cut_from, is_unit, normal, unit_factor, unit_in
from gis.exchange.notes import Notes
from gis.exchange.readers.source import Batch, Decision
from gis.text import Text

VALID_FROM, VALID_TO = "valid_from", "valid_to"
_VALID_TIME = {
    VALID_FROM: ("valid_from", "启用日期", "启用时间", "生效日期", "生效时间", "起始日期", "有效期起"),
    VALID_TO: ("valid_to", "停用日期", "停用时间", "失效日期", "失效时间", "终止日期", "废止日期", "有效期止"),
}


class How(IntEnum):
    """How a column was recognised, strongest first."""

    ASKED = 0
    NAME = 1
    TITLE = 2
    ALIAS = 3
    NORMAL = 4
    CUT = 5


_WORDS = {
    How.ASKED: Text("由使用者指定", "as the user said"),
    How.NAME: Text("与字段名相同", "it is the field's name"),
    How.TITLE: Text("与字段标题相同", "it is the field's title"),
    How.ALIAS: Text("是字段的别名", "it is an alias of the field"),
    How.NORMAL: Text("忽略大小写、全半角、空格和单位后相同", "the same but for case, width, spaces and unit"),
    How.CUT: Text("是被 DBF 截断的名称(10 字节)", "it is a name cut to 10 bytes by dBase"),
}


@dataclass(frozen=True, slots=True)
class Match:
    """A field and the column that holds it; values are multiplied by `factor` to be in the field's unit."""

    field: Field
    column: str
    how: How
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Matching:
    """Which column holds which field of a collection.

    `unmatched` columns are kept out; `valid_from` and `valid_to` are the columns of valid time; `decisions` say all
    that was settled, for the file's findings.
    """

    collection: Collection
    matches: Mapping[str, Match]
    unmatched: tuple[str, ...] = ()
    valid_from: str | None = None
    valid_to: str | None = None
    decisions: tuple[Decision, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Typed:
    """A batch in its collection's types: `table` has the declared fields in declared order.

    Arrow types: text string, integer int64, number float64, boolean bool, date date32, instant timestamp[us, UTC].
    `valid_from` and `valid_to` are timestamp[us, UTC], null where the file says nothing. `batch` holds the rows that
    were taken, `table` and the two arrays as many. `notes` are the values that became null.
    """

    batch: Batch
    table: pa.Table
    valid_from: pa.Array
    valid_to: pa.Array
    notes: Notes

    def __len__(self) -> int:
        """How many rows."""
        return len(self.batch)


def match(
    columns: Sequence[str],
    collection: Collection,
    sample: pa.Table | None = None,
    *,
    overrides: Mapping[str, str] | None = None,
) -> Matching:
    """Match a file's columns to a collection's fields.

    Tried in this order: `overrides` ({field: column}; also valid_from and valid_to), the field's name, its title, its
    aliases, the same without case, width, spaces and unit, names cut by dBase. Of several columns that fit equally
    well, those empty in `sample` or equal to the first there do not count; when several are left, none is taken and
    that is said. Raises BadInput when an override names no column and when a required field has no column,
    UnknownName when an override names no field.
    """
    asked = _checked(columns, collection, overrides or {})
    chosen, said = _choose(columns, collection, sample, asked)
    times = {name: _time_column(name, columns, chosen, asked) for name in (VALID_FROM, VALID_TO)}
    used = {m.column for m in chosen.values()} | set(times.values())
    unmatched = tuple(c for c in columns if c not in used)
    said = [*(_said(m) for m in chosen.values()), *(_said_time(n, c) for n, c in times.items() if c), *said]
    if unmatched:
        names = ", ".join(unmatched[:50])
        text = Text(f"未对应任何字段,不导入:{names}", f"they fit no field and are left out: {names}")
        said.append(Decision("columns", f"{len(unmatched)} unmatched", text))
    _require(columns, collection, chosen, said)
    return Matching(collection, chosen, unmatched, times[VALID_FROM], times[VALID_TO], tuple(said))


def _checked(columns: Sequence[str], collection: Collection, asked: Mapping[str, str]) -> Mapping[str, str]:
    for name, column in asked.items():
        if name not in _VALID_TIME:
            collection.field(name)
        if column not in columns:
            raise BadInput(
                f"there is no column {column!r} for {name}; the file has {', '.join(columns)}",
                f"没有列 {column!r} 可对应 {name};文件的列:{'、'.join(columns)}",
                subject=column,
            )
    return asked


def _choose(
    columns: Sequence[str], collection: Collection, sample: pa.Table | None, asked: Mapping[str, str]
) -> tuple[dict[str, Match], list[Decision]]:
    """Field by field from the strongest evidence to the weakest, so that a weak claim never takes a column away."""
    chosen: dict[str, Match] = {}
    said: list[Decision] = []
    taken = {column: name for name, column in asked.items()}
    unsettled: set[str] = set()
    for how in How:
        claims = {
            f.name: [c for c in columns if c not in taken and _fits(c, f, how)]
            for f in collection.fields
            if f.name not in chosen and f.name not in unsettled and (how is How.ASKED) == (f.name in asked)
        }
        for name, found in claims.items():
            of_field = collection.field(name)
            mine = [asked[name]] if how is How.ASKED else _distinct(found, sample)
            rivals = [n for n, cs in claims.items() if n != name and set(cs) & set(mine)] if mine else []
            if len(mine) > 1 or rivals:
                unsettled.add(name)
                said.append(_ambiguous(of_field, mine, rivals))
            elif mine:
                settled = _with_unit(of_field, mine[0], how)
                if isinstance(settled, Match):
                    chosen[name] = settled
                else:
                    unsettled.add(name)
                    said.append(settled)
                taken[mine[0]] = name
    return chosen, said


def _fits(column: str, of_field: Field, how: How) -> bool:
    labels = (of_field.name, of_field.title.zh, of_field.title.en, *of_field.aliases)
    name = column.strip()
    match how:
        case How.NAME:
            return name == of_field.name
        case How.TITLE:
            return name in (of_field.title.zh, of_field.title.en)
        case How.ALIAS:
            return name in of_field.aliases
        case How.NORMAL:
            return normal(name) in {normal(label) for label in labels}
        case How.CUT:
            return any(is_cut_from(name, label) for label in labels)
        case _:
            return False


def _distinct(found: list[str], sample: pa.Table | None) -> list[str]:
    """The columns that differ: without those that are empty in the sample, and those that repeat the first."""
    if len(found) < 2 or sample is None:
        return found
    filled = [c for c in found if c not in sample.column_names or not _is_empty(sample[c])] or found[:1]
    first = filled[0]
    return [first] + [c for c in filled[1:] if first not in sample.column_names or sample[c] != sample[first]]


def _is_empty(column: pa.ChunkedArray) -> bool:
    if column.null_count == len(column):
        return True
    return pa.types.is_string(column.type) and not pc.any(pc.greater(pc.binary_length(column), 0)).as_py()


def _with_unit(of_field: Field, column: str, how: How) -> Match | Decision:
    unit = unit_in(column) if of_field.type in (FieldType.NUMBER, FieldType.INTEGER) else None
    if unit is None or not of_field.unit or not is_unit(unit):
        return Match(of_field, column, how)
    factor = unit_factor(unit, of_field.unit)
    if factor is not None and (factor == 1 or of_field.type is FieldType.NUMBER):
        return Match(of_field, column, how, factor)
    return Decision(
        "columns",
        f"{of_field.name}: none",
        Text(
            f"列 {column} 的单位 {unit} 不能换算为 {of_field.unit},不导入",
            f"column {column} is in {unit}, which is not converted to {of_field.unit}: left out",
        ),
        sure=False,
    )


def _time_column(
    name: str, columns: Sequence[str], chosen: Mapping[str, Match], asked: Mapping[str, str]
) -> str | None:
    if name in asked:
        return asked[name]
    free = [c for c in columns if c not in {m.column for m in chosen.values()}]
    words = {normal(word) for word in _VALID_TIME[name]}
    return next((c for c in free if normal(c) in words), None)


def _require(columns: Sequence[str], collection: Collection, chosen: Mapping[str, Match], said: list[Decision]) -> None:
    missing = [f for f in required_fields(collection) if f.name not in chosen]
    if not missing:
        return
    names_en = ", ".join(f"{f.name} ({f.title.en})" for f in missing)
    names_zh = "、".join(f"{f.name}({f.title.zh})" for f in missing)
    unsure = [d for d in said if d.value.partition(":")[0] in {f.name for f in missing}]
    why_en = "".join(f"; {d.evidence.en}" for d in unsure)
    why_zh = "".join(f";{d.evidence.zh}" for d in unsure)
    shown = columns[:100]
    raise BadInput(
        f"no column for required {names_en} of {collection.id}{why_en}; the file has {', '.join(shown)}; "
        f"name one with --map {missing[0].name}=COLUMN",
        f"{collection.id} 的必填字段 {names_zh} 没有对应的列{why_zh};文件的列:{'、'.join(shown)};"
        f"可用 --map {missing[0].name}=列名 指定",
        subject=missing[0].name,
    )


def required_fields(collection: Collection) -> Iterator[Field]:
    """The fields without which a row is not taken: those declared so, and the key."""
    return (f for f in collection.fields if f.required or f.name in collection.key)


def _ambiguous(of_field: Field, columns: list[str], rivals: list[str]) -> Decision:
    names = ", ".join(columns)
    zh = f"列 {names} 都可对应 {of_field.title.zh}" if len(columns) > 1 else f"列 {names} 可对应多个字段"
    en = f"{names} all fit {of_field.name}" if len(columns) > 1 else f"{names} fits several fields"
    if rivals:
        zh, en = f"{zh}({'、'.join(rivals)})", f"{en} (also {', '.join(rivals)})"
    return Decision(
        "columns",
        f"{of_field.name}: none",
        Text(f"{zh},未采用;请用 --map 指定", f"{en}; none is taken, name one with --map"),
        sure=False,
    )


def _said(found: Match) -> Decision:
    zh, en = _WORDS[found.how]
    if found.factor != 1:
        zh, en = (
            f"{zh};乘以 {found.factor:g} 换算单位",
            f"{en}; multiplied by {found.factor:g} to be in {found.field.unit}",
        )
    return Decision("columns", f"{found.field.name}: {found.column}", Text(zh, en), sure=found.how is not How.CUT)


def _said_time(name: str, column: str) -> Decision:
    text = Text("作为有效时间", "it is taken as valid time")
    return Decision("columns", f"{name}: {column}", text)
