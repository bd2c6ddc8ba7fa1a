"""The tables that the second wall stands around, with the conditions and the views of each as SQL."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from gis.access.scope import BLURRED, EVERYWHERE, PARTLY, is_blurred, is_sensitive, restricted_fields
from gis.catalog import Collection, FieldType
from gis.codes.division import SPANS
from gis.query.rollup_tables import KEY, RollupTables
from gis.query.told_rows import level_told
from gis.store.generalised import band_table
from gis.store.tables import Register

#: What the names of the views end with: for who is told rows as they are, fields in part, no places.
EXACT, SEEN, BLUR = "_exact", "_seen", "_blurred"
VIEWS = (EXACT, SEEN, BLUR)
#: Open rows and past ones.
PARTS = ("", "_past")

_KEYS = {EXACT: "", SEEN: PARTLY, BLUR: BLURRED}


@dataclass(frozen=True, slots=True)
class Walled:
    """One table of a register that plans name.

    `columns` are its columns, quoted, `division` that of the division (None: the table tells of all of them together).
    `told` is the SQL for the columns that not everybody is told, `placed` for those that tell places.
    """

    collection: Collection
    name: str
    columns: tuple[str, ...]
    division: str | None = "division"
    told: dict[str, str] = field(default_factory=dict)
    placed: dict[str, str] = field(default_factory=dict)

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
        return (EXACT, *partly, *((BLUR,) if self.placed else ()))

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

        A view is open as a whole or not at all: where it is not, nothing is read.
        """
        instead = {EXACT: {}, SEEN: self.told, BLUR: {**self.told, **self.placed}}
        for suffix in self.views or ((EXACT,) if conditioned else ()):
            told, key = instead[suffix], _KEYS[suffix]
            columns = ", ".join(f"{told[c]} AS {c}" if c in told else c for c in self.columns)
            gate = f"(SELECT access.opened('{self.collection.id}{key}') IS NOT NULL)"
            where = f"{gate} AND {self._condition(key)}" if conditioned else gate
            yield (
                self.view(suffix),
                f"CREATE VIEW {self.view(suffix)} AS SELECT {columns} FROM {self.table} WHERE {where}",
            )

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


def _placed(collection: Collection) -> dict[str, str]:
    """A cell in the place of the place, of the resolution that the scope says, and a division about as large.

    Without a resolution there is no place but the division.
    """
    resolution = f"(SELECT access.opened('{collection.id}.{BLURRED}')::integer)"
    cell = (
        f"CASE WHEN ((cell >> 52) & 15) > {resolution} THEN (cell & ~(15::bigint << 52))"
        f" | ({resolution}::bigint << 52) | ((1::bigint << (3 * (15 - {resolution}))) - 1)"
        f" WHEN {resolution} IS NOT NULL THEN cell END"
    )
    spans = ", ".join(str(SPANS[level_told(finest) - 1]) for finest in range(16))
    span = f"coalesce((ARRAY[{spans}]::bigint[])[{resolution} + 1], 1)"
    point = f"access.cell_point({cell})"
    flat = {'"geom_3857"': f"ST_Transform({point}, 3857)"} if collection.tiled else {}
    return {'"cell"': cell, '"division"': f"(division / {span} * {span})", '"geom"': point, **flat}
