"""From a question, a declaration and the rules in force to one SELECT: names from declarations, values bound.

`relation` is the protected relation: exactly the rows and columns that the caller may see of what was asked. Items,
tiles, groups, exports and analyses wrap it; nobody else names a table.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b

from gis.access import Identity, Rules, rules_in, seen_in
from gis.access.seen import is_whole
from gis.catalog import STANDARD_COLUMNS, Catalogue, Collection
from gis.errors import BadQuery, Forbidden, UnknownName
from gis.geo.area import Area, Within
from gis.query.areas import area_condition, touching
from gis.query.query import Query
from gis.query.span import TICK
from gis.query.statement import Statement, conjunction
from gis.query.told_rows import near, told_rows

#: Without a time a timed collection answers for now, rounded down to this, so that equal questions have equal answers.
NOW_TICK = timedelta(minutes=1)
#: The end of record of an open row, as the view of open and past rows has it.
_NEVER = 2**63 - 1
#: What every row of the protected relation has beside geometry and fields.
STANDARD = ("fid", "valid_from", "valid_to", "cell", "division", "load", "src_row", "rec_from")


@dataclass(frozen=True, slots=True)
class Plan:
    """A question made ready for a caller; `now` is the moment that counts as now.

    `counting` is for who makes counts of rows that are not told themselves, and sees to it that these tell of nobody.
    """

    query: Query
    catalogue: Catalogue
    identity: Identity
    now: datetime
    counting: bool = False

    @property
    def register(self) -> Collection:
        """What is asked, as it is declared: what its tables are named and made by. Raises UnknownName."""
        return self.catalogue[self.query.collection]

    @property
    def collection(self) -> Collection:
        """What is asked, as the caller sees it. Raises UnknownName, Forbidden."""
        return seen_in(self.catalogue, self.identity, self.query.collection)

    @property
    def rules(self) -> Rules:
        """The rules in force for the caller. Raises UnknownName, Forbidden."""
        return rules_in(self.catalogue, self.identity, self.query.collection)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields in the answer: those asked for, else all that the rules allow. Raises UnknownName."""
        names, told = self.query.fields, self.rules.told
        if names is None:
            return tuple(self.collection.by_name)
        for name in names:
            if name not in told:
                raise self._unknown(name, told)
        return names

    def visible(self, name: str) -> str:
        """A field's name, if the caller may ask about it.

        Raises UnknownName alike for hidden, for masked and for undeclared names.
        """
        if name not in self.rules.fields:
            raise self._unknown(name, self.rules.fields)
        return name

    def _unknown(self, name: str, among: frozenset[str]) -> UnknownName:
        known = ", ".join(n for n in self.collection.by_name if n in among)
        return UnknownName(
            f"{self.collection.id} has no field {name!r}; it has {known}",
            f"{self.collection.id} 没有字段 {name!r};可用字段:{known}",
            subject=name,
        )

    def check_rows(self) -> None:
        """That the caller may be told rows at all. Raises Forbidden where only counts are told."""
        if self.rules.anonymous is not None and not self.counting:
            raise Forbidden(
                f"of {self.collection.id} {self.identity.name or 'you'} may be told counts only: group by cell or"
                " division (by=cell:7, by=division:4)",
                f"数据集 {self.collection.id} 对 {self.identity.name or '您'} 只提供统计数:请按网格或区划分组"
                "(by=cell:7、by=division:4)",
                subject=self.collection.id,
            )

    @property
    def registers(self) -> tuple[str, ...]:
        """The collections that the answer rests on: the one asked, and that whose feature is the area."""
        area = self.query.area
        return (self.query.collection, *([area.collection] if isinstance(area, Within) else []))

    @property
    def follows_now(self) -> bool:
        """Whether the answer changes as time goes by, though nobody writes anything."""
        return self.query.time is None and any(self.catalogue[name].timed for name in self.registers)

    @property
    def rules_digest(self) -> str:
        """Names the rules in force for the caller in all of these: what an answer that is kept must be kept under."""
        return _digest(self.catalogue, self.identity, self.registers)

    def relation(
        self, *, geometry: str = "geom", also: Statement | None = None, inside: Statement | None = None
    ) -> Statement:
        """The protected relation: the standard columns, the asked fields and those of the order, one geometry column.

        `also` narrows it further; its values come last. `inside` is looser, and only helps where rows are not told as
        they are recorded: it is a condition on the recorded ones, by which an index finds them. Raises Forbidden.
        """
        self.check_rows()
        fields = dict.fromkeys((*self.fields, *(self.visible(s.field) for s in self.query.sort)))
        names = [*STANDARD, f"{geometry} AS geom", *(f'"{n}"' for n in fields)]
        if is_whole(self.register, self.rules):
            source, rights = self._source(), self._rights()
        else:
            source, rights = self._told_rows(inside), []
        where = conjunction([*rights, *self._narrowed(), *([also] if also else [])])
        return Statement(f"SELECT {', '.join(names)} FROM {source.sql} r WHERE {where.sql}", source.args + where.args)

    def conditions(self) -> Statement:
        """Everything that a recorded row must satisfy: rights, recorded time, scenario, valid time, area, filter.

        Raises Forbidden where rows, or the places of rows, are not told as they are recorded.
        """
        self.check_rows()
        if self.rules.precision != "exact":
            raise Forbidden(
                f"the places of {self.collection.id} are not told exactly",
                f"数据集 {self.collection.id} 不提供精确位置",
                subject=self.collection.id,
            )
        return conjunction([*self._rights(), *self._narrowed()])

    def _narrowed(self) -> list[Statement]:
        parts = [*self._recorded(), *self._scenario(), *self._valid()]
        if self.query.area is not None:
            parts.append(self._area(self.query.area))
        if self.query.where is not None:
            parts.append(self.query.where.sql(self.collection, self.rules.fields))
        return parts

    def _told_rows(self, inside: Statement | None) -> Statement:
        """The rows in the place of their table, as the caller may see them."""
        conditions = [*self._rights(), near(self.query.area, self.register, self.rules), *([inside] if inside else [])]
        record: tuple[str, ...] = ()
        if self._pinned is not None:
            record = ("is_open", "rec_to", "closed_on")
        elif self.query.as_of is not None:
            record = ("rec_to", "closed_on")
        return told_rows(self.register, self.rules, self._source(), record, conjunction(conditions))

    def _area(self, area: Area) -> Statement:
        if not isinstance(area, Within):
            return area_condition(area, self.collection)
        # the other feature as this caller may see it, at the same time
        time = self.query.time if self.catalogue[area.collection].timed else None
        there = Query(collection=area.collection, time=time, as_of=self.query.as_of, fields=())
        plan = Plan(there, self.catalogue, self.identity, self.now)
        found = plan.relation(also=Statement("fid = %s", (area.fid,)))
        other = Statement(f"(SELECT w.geom FROM ({found.sql}) w LIMIT 1)", found.args)
        return touching(other)

    @property
    def _pinned(self) -> int | None:
        """The recorded change up to which a later page sees, as the first page did."""
        after = self.query.page.after
        return after.epoch if after and self.query.as_of is None else None

    def _source(self) -> Statement:
        """The open rows; those of any recorded time where one is asked; those of the first page behind it."""
        table = f'"{self.collection.layer}"."{self.collection.noun}'
        if self._pinned is None:
            return Statement(f'{table}"' if self.query.as_of is None else f'{table}_all"')
        columns = ", ".join(f'"{name}"' for name in self._columns())
        # the parts bare, so that the planner takes them for one table and reads both in the order of their indexes
        return Statement(
            f"(SELECT {columns}, true AS is_open, {_NEVER} AS rec_to, 'infinity'::date AS closed_on FROM {table}\""
            f' UNION ALL SELECT {columns}, false, rec_to, closed_on FROM {table}_past")'
        )

    def _columns(self) -> list[str]:
        mercator = {"geom_3857"} if not self.register.tiled else set()
        return [n for n in (*STANDARD_COLUMNS, *self.register.by_name) if n not in mercator]

    def _rights(self, row: str = "") -> list[Statement]:
        if self.rules.divisions is None:
            return []
        ranges = [Statement(f"{row}division BETWEEN %s AND %s", r) for r in self.rules.divisions]
        if not ranges:
            return [Statement("false")]
        return [Statement(f"({' OR '.join(r.sql for r in ranges)})", tuple(v for r in ranges for v in r.args))]

    def _recorded(self, row: str = "") -> list[Statement]:
        """Rows as they were known at `as_of`: recorded not later, and not yet closed."""
        if self._pinned is not None:
            return self._still_known(row, self._pinned)
        as_of = self.query.as_of
        if as_of is None:
            return []
        register = self.collection.id
        epoch = (
            "(SELECT core.settled_epoch(%s, %s, max(epoch)) FROM core.epoch WHERE register = %s AND recorded_at <= %s)"
        )
        args = (register, as_of, register, as_of)
        return [
            Statement(f"{row}rec_from <= {epoch}", args),
            Statement(f"{row}rec_to > {epoch}", args),
            # the date names the partitions; a day of margin, since it may have been taken in another time zone
            Statement(f"{row}closed_on >= %s::date - 1", (as_of.astimezone(UTC).date(),)),
        ]

    def _still_known(self, row: str, epoch: int) -> list[Statement]:
        """Rows as the first page saw them; the past is looked into only where anything was recorded since."""
        newest = "(SELECT max(epoch) FROM core.epoch WHERE register = %s)"
        return [
            Statement(f"{row}rec_from <= %s AND {row}rec_to > %s", (epoch, epoch)),
            Statement(f"{row}closed_on >= %s::date - 1", (self.now.astimezone(UTC).date(),)),
            Statement(f"({row}is_open OR {newest} > %s)", (self.collection.id, epoch)),
        ]

    def _scenario(self) -> list[Statement]:
        """The city as it is, or a planned variant laid over it: a variant's row replaces the city's of that feature.

        A row that the caller may not see replaces nothing: it would tell of itself.
        """
        if self.query.scenario is None:
            return [Statement("scenario = 0")]
        source, variant, name = self._source(), "(SELECT core.scenario_id(%s))", self.query.scenario
        same = Statement(f"o.fid = r.fid AND o.scenario = {variant}", (name,))
        theirs = conjunction([same, *self._rights("o."), *self._recorded("o.")])
        return [
            Statement(
                f"(scenario = {variant} OR (scenario = 0 AND NOT EXISTS (SELECT 1 FROM {source.sql} o"
                f" WHERE {theirs.sql})))",
                (name, *source.args, *theirs.args),
            )
        ]

    def _valid(self) -> list[Statement]:
        span = self.query.time
        if span is None:
            return self._valid_between(self.now, self.now + TICK) if self.collection.timed else []
        if not self.collection.timed:
            raise BadQuery(
                f"{self.collection.id} has no valid time; leave datetime out",
                f"数据集 {self.collection.id} 没有有效时间,请去掉 datetime",
                subject="datetime",
            )
        return self._valid_between(span.start, span.end)

    @staticmethod
    def _valid_between(start: datetime | None, end: datetime | None) -> list[Statement]:
        parts = []
        if end is not None:
            parts.append(Statement("valid_from < %s", (end,)))
        if start is not None:
            parts.append(Statement("valid_to > %s", (start,)))
        return parts


@lru_cache(maxsize=4_096)
def _digest(catalogue: Catalogue, identity: Identity, registers: tuple[str, ...]) -> str:
    text = "\n".join(f"{name}:{rules_in(catalogue, identity, name).text}" for name in registers)
    return blake2b(text.encode(), digest_size=12).hexdigest()


def rounded(now: datetime) -> datetime:
    """Now, rounded down to the tick."""
    return datetime.fromtimestamp(now.timestamp() // NOW_TICK.total_seconds() * NOW_TICK.total_seconds(), tz=now.tzinfo)
