"""The SQL that makes a rollup's tables, the triggers that write its deltas, the function that says what is in it."""

from datetime import datetime

from gis.query.rollup_tables import KEY, SHAPE, STALE, RollupTables, parent_sql

CORE = (
    # what is read of a rollup as a whole: from which zoom on points are few enough for every tile, by when rows that
    # are in it had begun
    "CREATE TABLE IF NOT EXISTS core.rollup (register text PRIMARY KEY, clear_zoom smallint NOT NULL)",
    "ALTER TABLE core.rollup ADD COLUMN IF NOT EXISTS horizon timestamptz",
    """
    CREATE OR REPLACE FUNCTION core.bounded(counted numeric, most bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
    BEGIN
        IF counted > most THEN
            RAISE EXCEPTION 'too many rows (%) to be read one by one; zoom in, ask a smaller area, or leave out what is'
                ' not summed up in advance / 需逐行读取的数据过多(% 行),请放大、缩小范围,或去掉未预先汇总的条件',
                counted::bigint, counted::bigint USING ERRCODE = 'program_limit_exceeded';
        END IF;
        RETURN true;
    END $$
    """,
)
TRIGGERS = ("insert", "update", "delete", "truncate")
_FUNCTIONS = ("due", "indexed", "horizon")


def create(tables: RollupTables) -> list[str]:
    """The tables, empty and without indexes."""
    columns = _columns(tables)
    figures = [f"{column} {kind}" for column, kind, *_ in tables.figures]
    groups = [*columns, f"{KEY} text NOT NULL", *figures]
    return [
        f"CREATE TABLE {tables.table()} ({', '.join(groups)}) WITH (fillfactor = 80)",
        f"CREATE TABLE {tables.table('_cell')} (cell bigint NOT NULL, {', '.join(figures)},"
        f" {SHAPE} geometry(Polygon,3857)) WITH (fillfactor = 80)",
        f"CREATE TABLE {tables.table('_delta')} ({', '.join([*columns, *figures, f'{STALE} boolean NOT NULL'])})",
    ]


def index(tables: RollupTables) -> list[str]:
    """The keys, made when the tables are filled."""
    return [
        f'ALTER TABLE {tables.table()} ADD CONSTRAINT "{tables.bare()}_pkey" PRIMARY KEY (cell, division, {KEY})',
        f'ALTER TABLE {tables.table("_cell")} ADD CONSTRAINT "{tables.bare("_cell")}_pkey" PRIMARY KEY (cell)',
    ]


def unrolled_index(tables: RollupTables) -> str:
    """The index of the rows that were not in the rollup when it was made; those in it by now are a range of theirs."""
    return f'CREATE INDEX "{unrolled(tables)}" ON {tables.register} ({tables.due}, valid_to) WHERE {tables.is_indexed}'


def unrolled(tables: RollupTables) -> str:
    """The name of that index, without its schema."""
    return f"{tables.collection.noun}{tables.suffix}_unrolled"


def row_functions(tables: RollupTables, horizon: datetime) -> list[str]:
    """What says of a row by its own columns alone when it is due, and whether that is after the first horizon."""
    kinds = [tables.collection.field(name).type.sql for name in tables.rollup.measures]
    measures = "".join(f', "{name}" {kind}' for name, kind in zip(tables.rollup.measures, kinds, strict=True))
    of_row = f"(scenario integer, valid_from timestamptz, valid_to timestamptz{measures})"
    kind = "LANGUAGE sql IMMUTABLE PARALLEL SAFE"
    due = (
        f"CASE WHEN scenario = 0 AND valid_to = 'infinity'::timestamptz AND {tables.finite} THEN valid_from"
        " ELSE 'infinity'::timestamptz END"
    )
    return [
        f"CREATE FUNCTION {tables.function('due')}{of_row} RETURNS timestamptz {kind} AS $$ SELECT {due} $$",
        f"CREATE FUNCTION {tables.function('indexed')}{of_row} RETURNS boolean {kind}"
        f" AS $$ SELECT {due} > '{horizon.isoformat()}'::timestamptz $$",
    ]


def horizon_function(tables: RollupTables, horizon: datetime) -> str:
    """What tells writers the horizon. Not immutable, since a plan that holds it must be made anew when it moves on."""
    return (
        f"CREATE OR REPLACE FUNCTION {tables.function('horizon')}() RETURNS timestamptz LANGUAGE sql STABLE"
        f" PARALLEL SAFE AS $$ SELECT '{horizon.isoformat()}'::timestamptz $$"
    )


def come_due(tables: RollupTables, since: datetime, until: datetime) -> tuple[str, tuple[datetime, datetime]]:
    """Writes as deltas what came due in a time; with its arguments."""
    due = f"{tables.is_indexed} AND {tables.due} > %s AND {tables.due} <= %s"
    rows = f"SELECT {tables.row} FROM {tables.register} WHERE {due}"
    return _delta(tables, [_summed(tables, rows, 1)]), (since, until)


def drop(tables: RollupTables) -> list[str]:
    """Everything gone, where it is there; the register's triggers and their functions too, unless it is a copy."""
    statements = [f"DROP TABLE IF EXISTS {tables.table(part)}" for part in ("", "_cell", "_delta")]
    if not tables.suffix:
        statements += [f"DROP TRIGGER IF EXISTS {trigger_name(event)} ON {tables.register}" for event in TRIGGERS]
        statements += [f"DROP FUNCTION IF EXISTS {trigger_function(tables, event)}()" for event in TRIGGERS]
    schema = tables.collection.layer
    statements.append(f'DROP INDEX IF EXISTS "{schema}"."{unrolled(tables)}"')
    return statements + [f"DROP FUNCTION IF EXISTS {tables.function(name)}" for name in (*_FUNCTIONS, "rolled")]


def rename(copy: RollupTables, final: RollupTables) -> list[str]:
    """The copy's tables, keys, index and functions under their final names."""
    schema = f'"{final.collection.layer}"'
    statements = []
    for part in ("", "_cell", "_delta"):
        statements.append(f'ALTER TABLE {copy.table(part)} RENAME TO "{final.bare(part)}"')
    for part in ("", "_cell"):
        old, new = f"{copy.bare(part)}_pkey", f"{final.bare(part)}_pkey"
        statements.append(f'ALTER TABLE {final.table(part)} RENAME CONSTRAINT "{old}" TO "{new}"')
    return [
        *statements,
        f'ALTER INDEX {schema}."{unrolled(copy)}" RENAME TO "{unrolled(final)}"',
        *(f'ALTER FUNCTION {copy.function(n)} RENAME TO "{final.collection.noun}_{n}"' for n in _FUNCTIONS),
    ]


def trigger_name(event: str) -> str:
    """The name of the register's trigger for an event."""
    return f"roll_{event}"


def trigger_function(tables: RollupTables, event: str) -> str:
    """The quoted name of the function that the trigger calls."""
    return f'"{tables.collection.layer}"."{tables.collection.noun}_roll_{event}"'


def triggers(tables: RollupTables) -> list[str]:
    """The functions and statement triggers on the register that write deltas."""
    seen = {
        "insert": "REFERENCING NEW TABLE AS come",
        "update": "REFERENCING OLD TABLE AS gone NEW TABLE AS come",
        "delete": "REFERENCING OLD TABLE AS gone",
        "truncate": "",
    }
    bodies = {
        "insert": _delta(tables, [_summed(tables, _rows(tables, "come"), 1)]),
        "update": _delta(tables, [
            _summed(tables, f"{_rows(tables, 'come')} EXCEPT ALL {_rows(tables, 'gone')}", 1),
            _summed(tables, f"{_rows(tables, 'gone')} EXCEPT ALL {_rows(tables, 'come')}", -1),
        ]),
        "delete": _delta(tables, [_summed(tables, _rows(tables, "gone"), -1)]),
        "truncate": f"TRUNCATE {tables.table()}, {tables.table('_cell')}, {tables.table('_delta')}",
    }  # fmt: skip
    statements = []
    for event in TRIGGERS:
        function = trigger_function(tables, event)
        statements += [
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {bodies[event]}; RETURN NULL; END $$",
            f"DROP TRIGGER IF EXISTS {trigger_name(event)} ON {tables.register}",
            f"CREATE TRIGGER {trigger_name(event)} AFTER {event} ON {tables.register} {seen[event]}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()",
        ]
    return statements


def key_sql(tables: RollupTables) -> str:
    """The dimensions' values as one text, in which no value and an empty one are told apart."""
    return f"ROW({', '.join(tables.dimensions)})::text" if tables.dimensions else "''::text"


def cascade(tables: RollupTables, table: str, finer: tuple[int, int], resolution: int) -> str:
    """The sums at a resolution, added to a table of groups from the next finer level of ids that it holds."""
    names = [*tables.dimensions, KEY]
    return (
        f"INSERT INTO {table} (cell, division, {', '.join(names)}, {_figure_names(tables)})"
        f" SELECT {parent_sql('cell', resolution)}, division, {', '.join(names)}, {', '.join(tables.summed())}"
        f" FROM {table} WHERE cell BETWEEN {finer[0]} AND {finer[1]} GROUP BY {_numbers(2 + len(names))}"
    )


def summed_groups(tables: RollupTables, source: str) -> str:
    """The groups of rows that have a rollup's columns: cell, division, dimensions, key, figures."""
    names = ["cell", "division", *tables.dimensions]
    return (
        f"SELECT {', '.join(names)}, {key_sql(tables)} AS {KEY}, {', '.join(tables.summed())} FROM ({source}) f"
        f" GROUP BY {_numbers(len(names))}"
    )


def _columns(tables: RollupTables) -> list[str]:
    kinds = {name: tables.collection.field(name).type.sql for name in tables.rollup.dimensions}
    return ["cell bigint NOT NULL", "division bigint NOT NULL", *(f'"{n}" {kind}' for n, kind in kinds.items())]


def _figure_names(tables: RollupTables) -> str:
    return ", ".join(column for column, *_ in tables.figures)


def _rows(tables: RollupTables, rows: str) -> str:
    """What the rollup knows of the rows that a statement wrote, row by row."""
    return f"SELECT {tables.row} FROM {rows} WHERE {tables.is_rolled}"


def _summed(tables: RollupTables, rows: str, sign: int) -> str:
    """Rows as signed deltas; the least and the largest cannot be taken back, so that what goes makes the cell stale."""
    names = ["cell", "division", *tables.dimensions]
    extremes = {column for column, _ in tables.extremes}
    figures = []
    for column, kind, how, _ in tables.figures:
        if sign > 0:
            figures.append(f"{how}({column})::{kind}")
        else:
            figures.append(f"NULL::{kind}" if column in extremes else f"-{how}({column})::{kind}")
    measured = " OR ".join(f'sum("_count_{name}") > 0' for name in tables.rollup.measures)
    stale = f"({measured})" if sign < 0 and measured else "false"
    return f"SELECT {', '.join([*names, *figures, stale])} FROM ({rows}) f GROUP BY {_numbers(len(names))}"


def _delta(tables: RollupTables, parts: list[str]) -> str:
    names = ["cell", "division", *tables.dimensions]
    return (
        f"INSERT INTO {tables.table('_delta')} ({', '.join(names)}, {_figure_names(tables)}, {STALE})"
        f" {' UNION ALL '.join(parts)}"
    )


def _numbers(count: int) -> str:
    return ", ".join(str(number + 1) for number in range(count))
