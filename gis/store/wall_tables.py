"""The tables that the second wall stands around, with the conditions and the views of each as SQL."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from gis.access.rules import policy_of
from gis.access.scope import BLURRED, EVERYWHERE, PARTLY, is_blurred, is_sensitive, restricted_fields
from gis.catalog import Collection, FieldType, Rows
from gis.codes.division import SPANS
from gis.geo.cells import parent_sql
from gis.query.rollup_tables import KEY, RollupTables
from gis.query.told_rows import level_told
from gis.store.generalised import band_table
from gis.store.tables import Register

#: What the names of the views end with: for who is told rows as they are, fields in part, divisions in the place of
#: places; and cells of a resolution, as `_blurred7`.
EXACT, SEEN, BLUR = "_exact", "_seen", "_blurred"
VIEWS = (EXACT, SEEN, BLUR, *(f"{BLUR}{resolution}" for resolution in range(16)))
#: Open rows and past ones.
PARTS = ("", "_past")

_KEYS = {EXACT: "", SEEN: PARTLY}


@dataclass(frozen=True, slots=True)
class Walled:
    """One table of a register that plans name.

    `columns` are its columns, quoted, `division` that of the division (None: the table tells of all of them together).
    `told` is the SQL for the columns that not everybody is told, `placed` for those that tell places, by view.
    """

    collection: Collection
    name: str
    columns: tuple[str, ...]
    division: str | None = "division"
    told: dict[str, str] = field(default_factory=dict)
    placed: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def table(self) -> str:
        """The quoted name."""
        return f'"{self.collection.layer}"."{self.name}"'

    def view(self, suffix: str) -> str:
        """The quoted name of a view in its place."""
        return f'"{self.collection.layer}"."{self.name}{suffix}"'

    @property
    def listed(self) -> str:
        """The columns that open and past rows share."""
        return ", ".join(name for name in self.columns if name not in ("rec_to", "closed_on", "xmin"))

    @property
    def views(self) -> tuple[str, ...]:
        """The views in its place, where the reader's role has no right to the table itself."""
        if not is_sensitive(self.collection):
            return ()
        partly = (SEEN,) if restricted_fields(self.collection) else ()
        return (EXACT, *partly, *self.placed)

    @property
    def readers(self) -> str:
        """The condition under which the reader's role is told a row of the table."""
        return self._condition("")

    @property
    def maskers(self) -> str:
        """The condition under which a row shows in the views, whichever of them is open."""
        return self._condition("", PARTLY, BLURRED)

    def view_statements(self, *, conditioned: bool) -> Iterator[tuple[str, str]]:
        """Name and CREATE VIEW of each view; `conditioned` ones carry the condition, and there is one of each table.

        A view is open as a whole or not at all: where it is not, nothing is read. Where it is so for some rows of what
        is sensitive, it is a barrier: no condition of a question is tried on others.
        """
        instead = {EXACT: {}, SEEN: self.told, **{view: {**self.told, **told} for view, told in self.placed.items()}}
        for suffix in self.views or ((EXACT,) if conditioned else ()):
            told, key = instead[suffix], _KEYS.get(suffix, BLURRED)
            columns = ", ".join(f"{told[c]} AS {c}" if c in told else c for c in self.columns)
            where, barrier = self._gate(suffix, key), ""
            if conditioned:
                where = f"{where} AND {self._condition(key)}"
                if self.views and _is_confined(self.collection):
                    where, barrier = f"{where} AND {self._reach(key)}", " WITH (security_barrier)"
            yield (
                self.view(suffix),
                f"CREATE VIEW {self.view(suffix)}{barrier} AS SELECT {columns} FROM {self.table} WHERE {where}",
            )

    def index_statements(self, suffix: str = "") -> Iterator[tuple[str, str]]:
        """Name and CREATE INDEX for each view of places told as cells, on the table or on its copy `…{suffix}`."""
        for resolution in _resolutions(self.collection) if self.placed else ():
            name, table = self.index(resolution, suffix), f'"{self.collection.layer}"."{self.name}{suffix}"'
            yield name, f'CREATE INDEX "{name}" ON {table} USING gist (access.blurred(cell, {resolution}))'

    def index(self, resolution: int, suffix: str = "") -> str:
        """The name of the index on places told as cells of a resolution."""
        return f"{self.name}{suffix}_told{resolution}"

    def _gate(self, suffix: str, key: str) -> str:
        opened = f"access.opened('{self.collection.id}{key}') IS NOT NULL"
        resolution = suffix.removeprefix(BLUR)
        if resolution.isdecimal():
            opened += f" AND access.opened('{self.collection.id}.{BLURRED}') = '{resolution}'"
        return f"(SELECT {opened})"

    def _reach(self, key: str) -> str:
        """What holds of every row that a scope opens, in a form that an index on divisions can be asked."""
        if self.division is None:
            return "true"
        opened = f"access.opened('{self.collection.id}{key}')::int8multirange"
        ends = f"(SELECT coalesce(lower({opened}), 0)) AND (SELECT coalesce(upper({opened}), 9223372036854775807))"
        return f"({self.division} BETWEEN {ends} OR {self.division} IS NULL)"

    def _condition(self, *by: str) -> str:
        """Whether a row's division is opened by the first of some ways that the scope names."""
        calls = [f"access.opened('{self.collection.id}{way}')" for way in by]
        opened = calls[0] if len(calls) == 1 else f"coalesce({', '.join(calls)})"
        if self.division is None:
            return f"(SELECT {opened} = '{EVERYWHERE}')"
        return f"CASE WHEN coalesce({self.division}, 0) <@ (SELECT {opened}::int8multirange) THEN 0 END IS NOT NULL"


def walled(collection: Collection) -> tuple[Walled, ...]:
    """The tables of a collection that plans name: open rows and past ones first, then sums and generalised shapes."""
    noun, told = collection.noun, _told(collection)
    columns = tuple(f'"{name}"' for name, _ in Register.of(collection).columns)
    placed = _placed(collection) if is_blurred(collection) else {}
    found = [
        Walled(collection, noun, (*columns, "xmin"), told=told, placed=placed),
        Walled(collection, f"{noun}_past", (*columns, "rec_to", "closed_on"), told=told, placed=placed),
    ]
    bands = (band_table(collection, band).rpartition(".")[2].strip('"') for band in collection.bands)
    band_columns = ("_fid", "_scenario", "_valid_from", "_from_zoom", "_division", "_geom")
    return (*found, *_sums(collection, told), *(Walled(collection, n, band_columns, "_division") for n in bands))


def _sums(collection: Collection, told: dict[str, str]) -> Iterator[Walled]:
    """The tables of the rollup. What is hidden is left out of the sums, what is masked is not summed up by at all."""
    if collection.rollup is None:
        return
    rollup = RollupTables(collection)
    by = {c: f"CASE {_word(collection, c)} WHEN 'exact' THEN {c} END" for c in rollup.dimensions if c in told}
    figures = tuple(column for column, *_ in rollup.figures)
    hidden = {
        f'"_{kind}_{name}"': f"CASE {_word(collection, name)} WHEN 'exact' THEN \"_{kind}_{name}\" END"
        for name in collection.rollup.measures
        if f'"{name}"' in told
        for kind in ("count", "sum", "min", "max")
    }
    keys = ("cell", "division", *rollup.dimensions)
    key = {KEY: "''::text"} if by else {}
    yield Walled(collection, rollup.bare(), (*keys, KEY, *figures), told={**by, **hidden, **key})
    yield Walled(collection, rollup.bare("_delta"), (*keys, *figures, "_stale"), told={**by, **hidden})
    yield Walled(collection, rollup.bare("_cell"), ("cell", *figures, "_shape"), None, told=hidden)


def _told(collection: Collection) -> dict[str, str]:
    """How restricted columns are told: as the scope says, else not at all; what a rule does not fit is not told."""
    found = {}
    for name, rules in restricted_fields(collection).items():
        kind, column = collection.field(name).type, f'"{name}"'
        fitting = [r for r in rules if kind is FieldType.TEXT or (kind is FieldType.DATE and r == "birth_date")]
        masks = "".join(f" WHEN '{rule}' THEN access.mask_{rule}({column})" for rule in fitting)
        found[column] = f"CASE {_word(collection, name)} WHEN 'exact' THEN {column}{masks} END"
    return found


def _word(collection: Collection, name: str) -> str:
    """What the scope says of a field."""
    return f"(SELECT access.opened('{collection.id}.{name.strip(chr(34))}'))"


def _placed(collection: Collection) -> dict[str, dict[str, str]]:
    """By view of blurred places, what is told of them: a cell of its resolution, the middle of it, and a division about
    as large; where no cells are told, the division.
    """
    found = {}
    for precision in sorted({grant.precision for grant in policy_of(collection).grants} - {"exact"}, key=str):
        if not isinstance(precision, int):
            found[BLUR] = _as(collection, "NULL::bigint", "NULL::geometry", "division")
            continue
        span = SPANS[level_told(precision) - 1]
        cell = f"CASE WHEN ((cell >> 52) & 15) > {precision} THEN {parent_sql('cell', precision)} ELSE cell END"
        point = f"access.blurred(cell, {precision})"
        found[f"{BLUR}{precision}"] = _as(collection, cell, point, f"(division / {span} * {span})")
    return found


def _as(collection: Collection, cell: str, point: str, division: str) -> dict[str, str]:
    flat = {'"geom_3857"': f"ST_Transform({point}, 3857)"} if collection.tiled else {}
    return {'"cell"': cell, '"division"': division, '"geom"': point, **flat}


def _resolutions(collection: Collection) -> list[int]:
    """The resolutions of the cells that somebody is told in the place of places."""
    return sorted({g.precision for g in policy_of(collection).grants if isinstance(g.precision, int)})


def _is_confined(collection: Collection) -> bool:
    """Whether somebody is told some rows alone."""
    return any(grant.rows is not Rows.ALL and grant.anonymous is None for grant in policy_of(collection).grants)
