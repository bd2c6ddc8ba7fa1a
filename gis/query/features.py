"""The features of a page in the asked order: keyset conditions that an index can follow, whatever the directions.

Missing values come last, ascending and descending alike. An index keeps them at one end only, so that a page which may
hold both values and missing ones is two index scans, the second of which runs only where the first does not fill it.
"""

from dataclasses import dataclass

from gis.errors import BadQuery
from gis.query.plan import Plan
from gis.query.query import After
from gis.query.statement import Statement, conjunction

#: So many rows are sorted at once when no index keeps the order.
UNINDEXED_TO = 50_000

CELL, CODE = "to_hex({})", "lpad(({})::text, 12, '0')"

#: The standard columns as people and programs read them.
_READABLE = (
    "fid",
    "nullif(q.valid_from, '-infinity') AS valid_from",
    "nullif(q.valid_to, 'infinity') AS valid_to",
    f"{CELL.format('cell')} AS cell",
    f"{CODE.format('division')} AS division",
)


def features(
    plan: Plan,
    geometry: str = "ST_AsBinary(geom)",
    also: Statement | None = None,
    *,
    keyed: bool = False,
    ordered: bool = True,
    beyond: int = 0,
) -> Statement:
    """The rows of a page in the asked order; features of equal rank follow their fid, so that paging is stable.

    Columns: fid, valid_from and valid_to (null where there is no bound), cell (hexadecimal), division (12 digits),
    geometry (as the SQL expression says; WKB), the fields; with `keyed` then `key`, the sort keys as an array of text
    for `After.values`. `also` narrows the rows further; not `ordered`, they come as they lie in the table. So many rows
    `beyond` the page's limit are added, by which it is seen whether there are more.
    """
    names = [*_READABLE, f"{geometry} AS geometry", *(f'"{name}"' for name in plan.fields)]
    if keyed:
        names.append(f"ARRAY[{', '.join(f'{k.column}::text' for k in _keys(plan))}]::text[] AS key")
    found, page = _found(plan, [also] if also else [], beyond), plan.query.page
    order = f" ORDER BY {_order(plan)}" if ordered else ""
    limit = Statement("") if page.limit is None else Statement(" LIMIT %s", (page.limit + beyond,))
    if page.offset:
        # skipped rows are skipped as they lie there: to write them out before, as those of the page are, costs more
        # than to find them
        skipped = f"(SELECT * FROM {found.sql} q{order}{limit.sql} OFFSET %s)"
        found = Statement(skipped, (*found.args, *limit.args, page.offset))
        limit = Statement("")
    return Statement(f"SELECT {', '.join(names)} FROM {found.sql} q{order}{limit.sql}", (*found.args, *limit.args))


def count(plan: Plan, at_most: int | None = None) -> Statement:
    """How many rows there are, counted no further than `at_most`."""
    relation = plan.relation()
    if at_most is None:
        return Statement(f"SELECT count(*) FROM ({relation.sql}) q", relation.args)
    return Statement(
        f"SELECT count(*) FROM (SELECT 1 FROM ({relation.sql}) q LIMIT %s) n",
        (*relation.args, at_most),
    )


def epoch_seen(plan: Plan) -> Statement:
    """The last recorded change that the same statement sees: what a token of its page pins."""
    return Statement("SELECT coalesce(max(epoch), 0) FROM core.epoch WHERE register = %s", (plan.collection.id,))


def unindexed(plan: Plan) -> tuple[str, ...]:
    """The fields of the order that no index keeps. Raises UnknownName."""
    fields = [plan.collection.field(plan.visible(sort.field)) for sort in plan.query.sort]
    return tuple(field.name for field in fields if not field.sortable)


def check_unindexed(plan: Plan, rows: int) -> None:
    """Raises BadQuery where more than `UNINDEXED_TO` rows would be sorted without an index."""
    names = unindexed(plan)
    if names and rows > UNINDEXED_TO:
        listed = ", ".join(f.name for f in plan.collection.fields if f.sortable) or "fid"
        raise BadQuery(
            f"more than {UNINDEXED_TO} rows cannot be sorted by {', '.join(names)}; {plan.collection.id} can be sorted"
            f" by {listed}, or ask for fewer rows",
            f"超过 {UNINDEXED_TO} 行时不能按 {'、'.join(names)} 排序;可按 {listed} 排序,或缩小查询范围",
            subject="sortby",
        )


@dataclass(frozen=True, slots=True)
class _Key:
    """One field of the order; any of its values may be missing."""

    column: str
    type: str
    descending: bool

    def at(self, sign: str, value: str) -> Statement:
        """The column compared with a value; `>` means beyond it in the asked direction."""
        turned = sign.replace(">", "<") if self.descending else sign
        return Statement(f"{self.column} {turned} %s::{self.type}", (value,))

    @property
    def order(self) -> str:
        return f"{self.column} {'DESC' if self.descending else 'ASC'}"


def _keys(plan: Plan) -> list[_Key]:
    found = []
    for sort in plan.query.sort:
        field = plan.collection.field(plan.visible(sort.field))
        found.append(_Key(f'"{field.name}"', field.type.sql, sort.descending))
    return found


def _descends(keys: list[_Key]) -> bool:
    """Ties go on in the direction of the last key, so that one index serves both, forward or backward."""
    return bool(keys) and keys[-1].descending


def _ties(keys: list[_Key]) -> str:
    way = "DESC" if _descends(keys) else "ASC"
    return f"q.fid {way}, q.valid_from {way}"


def _order(plan: Plan) -> str:
    keys = _keys(plan)
    return ", ".join([*(f"{key.order} NULLS LAST" for key in keys), _ties(keys)])


def _found(plan: Plan, narrower: list[Statement], beyond: int) -> Statement:
    """The rows to take the page from, in brackets: all, or the two parts of them, each cut to the page's size."""
    page, keys = plan.query.page, _keys(plan)
    parts = _parts(keys, page.after)
    if page.limit is None or len(parts) == 1:
        after = [_beyond(keys, page.after)] if page.after else []
        # of one part the condition that an index can follow
        conditions = [*narrower, *(after if page.limit is None else parts)]
        relation = plan.relation(also=conjunction(conditions) if conditions else None)
        return Statement(f"({relation.sql})", relation.args)
    most = page.limit + beyond + page.offset
    with_value = plan.relation(also=conjunction([*narrower, parts[0]]))
    without = plan.relation(also=conjunction([*narrower, parts[1]]))
    rest = [f"{key.order} NULLS LAST" for key in keys[1:]]
    first = f"SELECT * FROM ({with_value.sql}) q ORDER BY {', '.join([keys[0].order, *rest, _ties(keys)])} LIMIT %s"
    second = f"SELECT * FROM ({without.sql}) q ORDER BY {', '.join([*rest, _ties(keys)])} LIMIT %s"
    return Statement(
        f"(WITH first AS ({first}), second AS (SELECT * FROM ({second}) s WHERE (SELECT count(*) FROM first) < %s)"
        " SELECT * FROM first UNION ALL SELECT * FROM second)",
        (*with_value.args, most, *without.args, most, most),
    )


def _parts(keys: list[_Key], after: After | None) -> list[Statement]:
    """Conditions under each of which one index scan gives the rows in order; together all that follow."""
    if not keys:
        return [_behind(keys, after)] if after else [Statement("true")]
    key = keys[0]
    missing = Statement(f"{key.column} IS NULL")
    if after is None:
        return [Statement(f"{key.column} IS NOT NULL"), missing] if key.descending else [Statement("true")]
    rest = _beyond(keys, after, 1)
    value = after.values[0]
    if value is None:
        return [conjunction([missing, rest])]
    at, beyond = key.at(">=", value), key.at(">", value)
    return [Statement(f"({at.sql} AND ({beyond.sql} OR {rest.sql}))", at.args + beyond.args + rest.args), missing]


def _beyond(keys: list[_Key], after: After, index: int = 0) -> Statement:
    """Rows behind the last one by the keys from `index` on."""
    if index == len(keys):
        return _behind(keys, after)
    key, value, rest = keys[index], after.values[index], _beyond(keys, after, index + 1)
    if value is None:
        return Statement(f"({key.column} IS NULL AND {rest.sql})", rest.args)
    beyond, at = key.at(">", value), key.at("=", value)
    return Statement(
        f"({beyond.sql} OR {key.column} IS NULL OR ({at.sql} AND {rest.sql}))", beyond.args + at.args + rest.args
    )


def _behind(keys: list[_Key], after: After) -> Statement:
    """Rows behind the last one among its equals."""
    sign, start = "<" if _descends(keys) else ">", after.valid_from
    # no COALESCE: it is taken for something that might tell of rows, which keeps the condition from the index
    since = "'-infinity'::timestamptz" if start is None else "%s::timestamptz"
    return Statement(
        f"(fid, valid_from) {sign} (%s::bigint, {since})", (after.fid, *([] if start is None else [start]))
    )
