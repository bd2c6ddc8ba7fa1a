"""The tables of a register: identity, open rows, past rows, and a view over both for what was known when."""

from dataclasses import dataclass

from gis.catalog import Collection

#: Fid, scenario and valid time are the distribution and identity of a row: partitions of them can live elsewhere.
_STANDARD = (
    ("fid", "bigint NOT NULL"),
    ("scenario", "integer NOT NULL DEFAULT 0"),
    ("valid_from", "timestamptz NOT NULL DEFAULT '-infinity'"),
    ("valid_to", "timestamptz NOT NULL DEFAULT 'infinity'"),
    ("rec_from", "bigint NOT NULL"),
    ("digest", "bigint NOT NULL"),
    ("load", "integer NOT NULL"),
    ("src_row", "bigint"),
    ("cell", "bigint"),
    ("division", "bigint"),
    ("geom", "geometry(Geometry,4326)"),
)
#: What the views end with that the second wall puts in the place of tables (`gis.store.wall_tables`).
_WALL_VIEWS = ("_exact", "_seen", "_blurred", *(f"_blurred{resolution}" for resolution in range(16)))
_MERCATOR = ("geom_3857", "geometry(Geometry,3857)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """The tables behind one collection. `fields` are (name, SQL type); `sortable` names those with an index.

    `suffix` sets a copy of the tables beside the real ones, to be loaded and then swapped in.
    """

    schema: str
    noun: str
    fields: tuple[tuple[str, str], ...]
    sortable: tuple[str, ...] = ()
    tiled: bool = True
    divided: bool = True
    suffix: str = ""

    @classmethod
    def of(cls, collection: Collection, suffix: str = "") -> "Register":
        """The register that a declaration asks for."""
        return cls(
            schema=collection.layer,
            noun=collection.noun,
            fields=tuple((f.name, f.type.sql) for f in collection.fields),
            sortable=tuple(f.name for f in collection.fields if f.sortable),
            tiled=collection.tiled,
            divided=collection.division is not None,
            suffix=suffix,
        )

    def table(self, part: str = "") -> str:
        """The quoted name of a part: `""` open rows, `_id` identities, `_past` closed rows, `_all` the view."""
        return f'"{self.schema}"."{self.noun}{part}{self.suffix}"'

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """(name, SQL type) of the open table, in order."""
        return (*_STANDARD, *([_MERCATOR] if self.tiled else []), *self.fields)

    @property
    def column_list(self) -> str:
        """The open table's column names, quoted, for an INSERT or a SELECT."""
        return ", ".join(f'"{name}"' for name, _ in self.columns)

    def create(self) -> list[str]:
        """Everything, empty and indexed."""
        return [
            f'CREATE SCHEMA IF NOT EXISTS "{self.schema}"',
            *self.create_open(),
            *self.index_open(),
            *self.constrain_open(),
            *self.index_identity(),
            f"CREATE TABLE {self.table('_link')} (fid bigint NOT NULL, successor bigint NOT NULL,"
            " kind text NOT NULL CHECK (kind IN ('merge', 'split')), at timestamptz NOT NULL,"
            " PRIMARY KEY (fid, successor))",
            *self.create_past(),
            self.create_view(),
        ]

    def create_past(self) -> list[str]:
        """The table of closed rows, without any month yet."""
        past = self.table("_past")
        return [
            f"CREATE TABLE {past} (LIKE {self.table()}, rec_to bigint NOT NULL, closed_on date NOT NULL,"
            " PRIMARY KEY (fid, scenario, valid_from, rec_from, closed_on)) PARTITION BY RANGE (closed_on)",
            f"CREATE INDEX ON {past} USING gist (geom)",
            f"CREATE INDEX ON {past} (load)",
            # what was known at an epoch was closed after it, and recorded not later
            f"CREATE INDEX ON {past} (rec_to, rec_from)",
        ]

    def create_open(self) -> list[str]:
        """The open table and the identity table, bare: ready for a bulk COPY."""
        body = ", ".join(f'"{name}" {kind}' for name, kind in self.columns)
        return [
            f"CREATE TABLE {self.table()} ({body})",
            f"CREATE TABLE {self.table('_id')} (fid bigint NOT NULL, key text NOT NULL, since bigint NOT NULL)",
        ]

    def index_open(self) -> list[str]:
        """The open table's key and indexes; the spatial one first, since it takes longest.

        None of them needs the table for itself: they can be built at the same time.
        """
        table, name = self.table(), f"{self.noun}{self.suffix}"
        statements = [
            f'CREATE INDEX "{name}_geom" ON {table} USING gist (geom)',
            f'CREATE UNIQUE INDEX "{name}_pkey" ON {table} (fid, scenario, valid_from)',
            f'CREATE INDEX "{name}_cell" ON {table} (cell)',
        ]
        if self.divided:
            statements.append(f'CREATE INDEX "{name}_division" ON {table} (division)')
        return statements + [f'CREATE INDEX "{name}_by_{f}" ON {table} ("{f}", fid)' for f in self.sortable]

    def constrain_open(self) -> list[str]:
        """What makes the open table's key its primary key, once all its indexes are built."""
        name = f'"{self.noun}{self.suffix}_pkey"'
        return [f"ALTER TABLE {self.table()} ADD CONSTRAINT {name} PRIMARY KEY USING INDEX {name}"]

    def index_identity(self) -> list[str]:
        """The identity table's key."""
        name = f"{self.noun}_id{self.suffix}"
        return [f'ALTER TABLE {self.table("_id")} ADD CONSTRAINT "{name}_pkey" PRIMARY KEY (fid)']

    def create_view(self) -> str:
        """Open and past rows together; an open row's end of record is the highest epoch there can be."""
        return (
            f"CREATE VIEW {self.table('_all')} WITH (security_invoker = true) AS SELECT {self.column_list},"
            f" 9223372036854775807 AS rec_to, 'infinity'::date AS closed_on FROM {self.table()} UNION ALL"
            f" SELECT {self.column_list}, rec_to, closed_on FROM {self.table('_past')}"
        )

    def replace_by(self, other: "Register", parts: tuple[str, ...] = ("", "_id")) -> list[str]:
        """Put the copy `other` of these parts in their place."""
        views = ", ".join(self.table(f"{part}{view}") for part in ("_all", "", "_past") for view in _WALL_VIEWS)
        statements = [f"DROP VIEW {self.table('_all')}", f"DROP VIEW IF EXISTS {views}"]
        statements += [f"DROP TABLE {self.table(part)}" for part in parts]
        for part in parts:
            statements.append(f'ALTER TABLE {other.table(part)} RENAME TO "{self.noun}{part}"')
        old, new = f"{self.noun}{other.suffix}", self.noun
        constraints = [
            (new, "", f"{old}_pkey", f"{new}_pkey"),
            (new, "_id", f"{new}_id{other.suffix}_pkey", f"{new}_id_pkey"),
        ]
        statements += [
            f'ALTER TABLE {self.table(part)} RENAME CONSTRAINT "{a}" TO "{b}"'
            for _, part, a, b in constraints
            if part in parts
        ]
        indexes = ["geom", "cell", *(["division"] if self.divided else []), *(f"by_{f}" for f in self.sortable)]
        statements += [f'ALTER INDEX "{self.schema}"."{old}_{i}" RENAME TO "{new}_{i}"' for i in indexes]
        return [*statements, self.create_view()]

    def drop(self) -> list[str]:
        """The open and identity tables gone, where they exist; for a copy that was not finished."""
        return [f"DROP TABLE IF EXISTS {self.table()}", f"DROP TABLE IF EXISTS {self.table('_id')}"]
