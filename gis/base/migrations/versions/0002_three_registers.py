"""Dwellings, legal entities, natural persons; persons' direct identifiers in a table of their own."""

from alembic import op

from gis.store.tables import Register

revision = "base_0002"
down_revision = "base_0001"
branch_labels = None
depends_on = None

TEXT, WHOLE, NUMBER, DAY = "text", "bigint", "double precision", "date"

REGISTERS = (
    Register(
        schema="base",
        noun="dwellings",
        fields=(
            ("code", TEXT), ("building", TEXT), ("village", TEXT), ("unit", WHOLE), ("floor", WHOLE), ("room", TEXT),
            ("address", TEXT), ("use", TEXT), ("area_m2", NUMBER),
        ),
        sortable=("code",),
    ),
    Register(
        schema="base",
        noun="entities",
        fields=(
            ("credit_code", TEXT), ("name", TEXT), ("kind", TEXT), ("state", TEXT), ("industry", TEXT),
            ("industry_name", TEXT), ("capital_wan", NUMBER), ("founded", DAY), ("site", TEXT),
            ("operating_site", TEXT), ("representative", WHOLE),
        ),
        sortable=("credit_code",),
    ),
    Register(
        schema="base",
        noun="persons",
        fields=(
            ("sex", TEXT), ("birth_date", DAY), ("ethnicity", TEXT), ("marital_status", TEXT), ("household", TEXT),
            ("relation", TEXT), ("registered_division", TEXT), ("dwelling", TEXT), ("guardian", WHOLE),
        ),
        tiled=False,
    ),
)  # fmt: skip

#: One row a person: removed, the person is nameless everywhere. `variants` holds what departments wrote otherwise,
#: {"<digest>": text}; registers, claims and history hold the number and the digests alone.
IDENTIFIERS = """
    CREATE TABLE base.persons_identifier (
        fid bigint PRIMARY KEY,
        citizen_id text NOT NULL,
        name text,
        telephone text,
        variants jsonb
    )
"""


def upgrade() -> None:
    """Make the tables."""
    for register in REGISTERS:
        for statement in register.create():
            op.execute(statement)
    op.execute(IDENTIFIERS)
    # what other registers refer to is found by its code
    for noun in ("buildings", "addresses"):
        op.execute(f'CREATE INDEX {noun}_by_code ON base.{noun} ("code", fid)')
