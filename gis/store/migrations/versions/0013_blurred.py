"""Blurred places as a function that an index can hold: the middle of the cell that somebody is told."""

from alembic import op

revision = "core_0013"
down_revision = "core_0012"
branch_labels = None
depends_on = None

STATEMENTS = (
    # in PL/pgSQL, so that it stands in statements and indexes as it is written; its path of schemas goes with it, since
    # whoever restores or analyses an index has another. It fails for no number, so that it can be marked leakproof
    # (gis.store.wall_roles): an index may then be asked before the policy is.
    """
    CREATE FUNCTION access.blurred(cell bigint, resolution integer) RETURNS geometry
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 4000 SET search_path FROM CURRENT AS $$
    BEGIN
        RETURN access.cell_point(
            CASE WHEN ((cell >> 52) & 15) > resolution
                 THEN (cell & ~(15::bigint << 52)) | (resolution::bigint << 52)
                      | ((1::bigint << (3 * (15 - resolution))) - 1)
                 ELSE cell END
        );
    END $$
    """,
    "REVOKE ALL ON FUNCTION access.blurred(bigint, integer) FROM PUBLIC",
)


def upgrade() -> None:
    """Make the function."""
    for statement in STATEMENTS:
        # a colon begins no parameter here
        op.execute(statement.replace(":", "\\:"))
