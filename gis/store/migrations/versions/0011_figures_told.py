"""Anonymous figures behind the second wall: the reader's role reads of them what its scope opens, and no table."""

from alembic import op

revision = "core_0011"
down_revision = "core_0010"
branch_labels = None
depends_on = None

_OPENED = "jsonb_to_recordset((SELECT access.opened('figures'))::jsonb)"
_COARSE = "e.k >= o.k AND e.resolution <= o.resolution AND e.diversity >= o.diversity"
STATEMENTS = (
    # releases at least as coarse as those that the scope names (gis.access.scope); no condition of a question is tried
    # on others, so that no error tells of them
    f"""
    CREATE VIEW access.release_told WITH (security_barrier) AS
    SELECT e.collection, e.rank, e.on_date, e.made_at, e.k, e.resolution, e.diversity
    FROM access.release e
    JOIN {_OPENED} AS o (collection text, k integer, resolution integer, diversity integer)
        ON o.collection = e.collection AND {_COARSE}
    """,
    # their figures in the divisions of the duty, told apart by no field that is hidden
    f"""
    CREATE VIEW access.released_told WITH (security_barrier) AS
    SELECT r.collection, r.rank, r.on_date, r.atom, r.cell, r.resolution, r.division, r.level,
           r.label - o.hidden AS label, r.count, r.told_on
    FROM access.released r
    JOIN {_OPENED} AS o (
        collection text, k integer, resolution integer, diversity integer, divisions int8multirange, hidden text[]
    ) ON o.collection = r.collection AND coalesce(r.division, 0) <@ o.divisions
    JOIN access.release e
        ON (e.collection, e.rank, e.on_date) = (r.collection, r.rank, r.on_date) AND {_COARSE}
    """,
    "REVOKE ALL ON access.release_told, access.released_told FROM PUBLIC",
)


def upgrade() -> None:
    """Make the views; who may read them is settled with the roles (gis.store.wall_roles)."""
    for statement in STATEMENTS:
        # a colon begins no parameter here
        op.execute(statement.replace(":", "\\:"))
