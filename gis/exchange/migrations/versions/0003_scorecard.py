"""Who asked for how much, by day; and the scorecard by division."""

from alembic import op

from gis.store.tables import Register

revision = "exchange_0003"
down_revision = "exchange_0002"
branch_labels = None
depends_on = None

TEXT, WHOLE, NUMBER, DAY = "text", "bigint", "double precision", "date"

SCORECARD = Register(
    schema="exchange",
    noun="scorecard",
    fields=(
        ("code", TEXT), ("name", TEXT), ("rows", WHOLE), ("returned", WHOLE), ("quality", NUMBER), ("grade", TEXT),
        ("measured_on", DAY), ("inputs", TEXT),
    ),
    sortable=("code",),
)  # fmt: skip


def upgrade() -> None:
    """Make the tables."""
    op.execute(
        """
        CREATE TABLE exchange.use (
            day date NOT NULL,
            consumer text NOT NULL,
            collection text NOT NULL,
            questions bigint NOT NULL,
            rows bigint NOT NULL,
            PRIMARY KEY (day, consumer, collection)
        )
        """
    )
    for statement in SCORECARD.create():
        op.execute(statement)
