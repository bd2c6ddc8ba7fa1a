"""The seven registers of the spatial base."""

from alembic import op

from gis.store.tables import Register

revision = "base_0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT, WHOLE, NUMBER = "text", "bigint", "double precision"

REGISTERS = (
    Register(
        schema="base",
        noun="divisions",
        fields=(("code", TEXT), ("name", TEXT), ("level", WHOLE), ("parent", TEXT), ("area_km2", NUMBER)),
        sortable=("code",),
    ),
    Register(
        schema="base", noun="land", fields=(("code", TEXT), ("name", TEXT), ("use", TEXT), ("area_m2", NUMBER))
    ),
    Register(schema="base", noun="water", fields=(("code", TEXT), ("name", TEXT), ("kind", TEXT))),
    Register(
        schema="base",
        noun="roads",
        fields=(
            ("code", TEXT), ("name", TEXT), ("class", TEXT), ("lanes", WHOLE), ("width_m", NUMBER),
            ("speed_limit_kmh", WHOLE), ("oneway", TEXT),
        ),
    ),
    Register(
        schema="base",
        noun="buildings",
        fields=(
            ("code", TEXT), ("name", TEXT), ("use", TEXT), ("storeys", WHOLE), ("height_m", NUMBER),
            ("built_year", WHOLE), ("address", TEXT),
        ),
    ),
    Register(
        schema="base",
        noun="addresses",
        fields=(
            ("code", TEXT), ("text", TEXT), ("street", TEXT), ("plate", TEXT), ("compound", TEXT), ("building", TEXT),
        ),
    ),
    Register(
        schema="base",
        noun="pois",
        fields=(("code", TEXT), ("name", TEXT), ("kind", TEXT), ("address", TEXT), ("telephone", TEXT)),
        sortable=("name",),
    ),
)  # fmt: skip


def upgrade() -> None:
    """Make the registers' tables."""
    for register in REGISTERS:
        for statement in register.create():
            op.execute(statement)
