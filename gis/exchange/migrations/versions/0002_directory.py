"""The directory: departments, information classes, data items, requests and declared registers, by version."""

from alembic import op

revision = "exchange_0002"
down_revision = "exchange_0001"
branch_labels = None
depends_on = None

#: For each kind of entry, its key and its other columns. An entry's row is open while `to_version` is null.
ENTRIES = {
    "department": (("code",), ("title_zh", "title_en")),
    "information_class": (
        ("code",),
        ("department", "title_zh", "title_en", "subject", "period", "begins", "register"),
    ),
    "data_item": (
        ("code",),
        ("information_class", "title_zh", "title_en", "type", "meaning_zh", "meaning_en", "unit", "sensitivity",
         "share", "terms", "period", "owner", "identifying", "element", "field"),
    ),
    "request": (("department", "item"), ("purpose", "asked_on")),
    "declared_register": (("id",), ("declaration",)),
}  # fmt: skip
TYPES = {"begins": "date", "asked_on": "date", "identifying": "boolean", "declaration": "jsonb"}
#: An item without a period of its own is collected with its class.
OPTIONAL = {("data_item", "period")}

#: The departments that the platform's own registers name; they are there before any directory is.
BUILT_IN = (
    ("police", "公安局", "Public security bureau"),
    ("civil_affairs", "民政局", "Civil affairs bureau"),
    ("real_estate", "不动产登记中心", "Real estate registration centre"),
    ("market", "市场监督管理局", "Market supervision bureau"),
)


def upgrade() -> None:
    """Make the tables and version 0."""
    op.execute(
        """
        CREATE TABLE exchange.directory_version (
            version integer PRIMARY KEY,
            file text NOT NULL,
            file_sha256 text NOT NULL,
            changes jsonb NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
        )
        """
    )
    op.execute("INSERT INTO exchange.directory_version (version, file, file_sha256, changes) VALUES (0, '', '', '{}')")
    for table, (key, others) in ENTRIES.items():
        columns = ", ".join(
            f'"{name}" {TYPES.get(name, "text")}{"" if (table, name) in OPTIONAL else " NOT NULL"}'
            for name in (*key, *others)
        )
        keys = ", ".join(f'"{name}"' for name in key)
        op.execute(
            f"""
            CREATE TABLE exchange.{table} (
                {columns},
                from_version integer NOT NULL REFERENCES exchange.directory_version,
                to_version integer REFERENCES exchange.directory_version CHECK (to_version > from_version),
                PRIMARY KEY ({keys}, from_version)
            )
            """
        )
        op.execute(f"CREATE UNIQUE INDEX ON exchange.{table} ({keys}) WHERE to_version IS NULL")
    op.execute("CREATE INDEX ON exchange.data_item (information_class) WHERE to_version IS NULL")
    for code, zh, en in BUILT_IN:
        op.execute(
            f"INSERT INTO exchange.department (code, title_zh, title_en, from_version)"  # noqa: S608
            f" VALUES ('{code}', '{zh}', '{en}', 0)"
        )
