"""Grids; what became of each division; the main address of an auxiliary one."""

from alembic import op
from sqlalchemy import text as sql

from gis.store.tables import Register

revision = "base_0003"
down_revision = "base_0002"
branch_labels = None
depends_on = None

TEXT, NUMBER = "text", "double precision"

GRIDS = Register(
    schema="base",
    noun="grids",
    fields=(("code", TEXT), ("kind", TEXT), ("name", TEXT), ("parent", TEXT), ("area_m2", NUMBER)),
    sortable=("code",),
)
ADDRESSES = Register(
    schema="base",
    noun="addresses",
    fields=(
        ("code", TEXT), ("text", TEXT), ("street", TEXT), ("plate", TEXT), ("compound", TEXT), ("building", TEXT),
        ("main", TEXT),
    ),
)  # fmt: skip

#: A division may change its name and its superior too, more than once; `stated` links were told, others were found.
LINKS = (
    "ALTER TABLE base.divisions_link DROP CONSTRAINT divisions_link_pkey",
    "ALTER TABLE base.divisions_link DROP CONSTRAINT divisions_link_kind_check",
    "ALTER TABLE base.divisions_link ADD CHECK (kind IN ('split', 'merge', 'recode', 'reparent', 'rename'))",
    "ALTER TABLE base.divisions_link ADD COLUMN stated boolean NOT NULL DEFAULT false",
    "ALTER TABLE base.divisions_link ADD PRIMARY KEY (fid, successor, kind, at)",
    "CREATE INDEX ON base.divisions_link (successor)",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in (*GRIDS.create(), *LINKS):
        op.execute(statement)
    _add_main()


def _add_main() -> None:
    """A column more: behind the others in the open rows, before the end of record in the past ones."""
    past = ADDRESSES.table("_past")
    parts = op.get_bind().execute(sql("SELECT inhrelid::regclass::text, relname FROM pg_inherits"
                                      " JOIN pg_class ON oid = inhrelid WHERE inhparent = to_regclass(:past)"),
                                  {"past": past}).all()  # fmt: skip
    columns = f"{ADDRESSES.column_list}, rec_to, closed_on".replace('"main", ', "")
    op.execute(f"DROP VIEW {ADDRESSES.table('_all')}")
    op.execute(f"ALTER TABLE {ADDRESSES.table()} ADD COLUMN main text")
    op.execute(f"CREATE TEMP TABLE past ON COMMIT DROP AS SELECT {columns} FROM {past}")  # noqa: S608
    op.execute(f"DROP TABLE {past}")
    for statement in ADDRESSES.create_past():
        op.execute(statement)
    for _, name in parts:
        year, month = int(name[-6:-2]), int(name[-2:])
        after = f"{year + month // 12}-{month % 12 + 1:02d}-01"
        op.execute(
            f"CREATE TABLE base.{name} PARTITION OF {past} FOR VALUES FROM ('{year}-{month:02d}-01') TO ('{after}')"
        )
    op.execute(f"INSERT INTO {past} ({columns}) SELECT {columns} FROM past")  # noqa: S608  names are our own
    op.execute(ADDRESSES.create_view())
