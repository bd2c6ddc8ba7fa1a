"""Rights as data: policies that replace the declared ones, emergencies, and what is shown of a text or a place."""

from alembic import op

from gis.geo.cell_boundary_sql import boundary_function_sql
from gis.store.masking_sql import functions

revision = "core_0006"
down_revision = "core_0005"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE SCHEMA IF NOT EXISTS access",
    # every change is a row: who changed it when and why stays; no document means the declared policy again
    """
    CREATE TABLE access.policy (
        version bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        collection text NOT NULL,
        document jsonb,
        changed_by text NOT NULL,
        why text NOT NULL CHECK (btrim(why) <> ''),
        changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX policy_by_collection ON access.policy (collection, version)",
    """
    CREATE TABLE access.emergency (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text NOT NULL CHECK (btrim(name) <> ''),
        divisions bigint[] NOT NULL CHECK (cardinality(divisions) > 0),
        begins timestamptz NOT NULL DEFAULT clock_timestamp(),
        ends timestamptz NOT NULL,
        declared_by text NOT NULL,
        why text NOT NULL CHECK (btrim(why) <> ''),
        declared_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        ended_at timestamptz,
        ended_by text,
        CHECK (ends > begins),
        CHECK ((ended_at IS NULL) = (ended_by IS NULL))
    )
    """,
    "CREATE INDEX emergency_by_end ON access.emergency (ends) WHERE ended_at IS NULL",
    # neither table forgets
    """
    CREATE FUNCTION access.keep() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'emergency' THEN
            IF OLD.ended_at IS NULL
                AND to_jsonb(NEW) - 'ended_at' - 'ended_by' = to_jsonb(OLD) - 'ended_at' - 'ended_by'
            THEN RETURN NEW; END IF;
        END IF;
        RAISE EXCEPTION 'rows of %.% are kept as they were written', TG_TABLE_SCHEMA, TG_TABLE_NAME;
    END $$
    """,
    "CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON access.policy FOR EACH ROW EXECUTE FUNCTION access.keep()",
    "CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON access.emergency FOR EACH ROW EXECUTE FUNCTION access.keep()",
    "CREATE TRIGGER keep_all BEFORE TRUNCATE ON access.policy EXECUTE FUNCTION access.keep()",
    "CREATE TRIGGER keep_all BEFORE TRUNCATE ON access.emergency EXECUTE FUNCTION access.keep()",
    boundary_function_sql(),
    # the middle of a cell, in degrees: where what is told by its cell is drawn
    """
    CREATE FUNCTION access.cell_point(cell bigint) RETURNS geometry
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2000 AS $$
        SELECT CASE WHEN ST_X(c) > 180 THEN ST_Translate(c, -360, 0) WHEN ST_X(c) < -180 THEN ST_Translate(c, 360, 0)
               ELSE c END
        FROM (SELECT ST_Centroid(core.cell_boundary(cell, false)) AS c OFFSET 0) middle
    $$
    """,
    *functions(),
)


def upgrade() -> None:
    """Make the schema of rights, its tables and functions."""
    for statement in STATEMENTS:
        # a colon begins no parameter here
        op.execute(statement.replace(":", "\\:"))
