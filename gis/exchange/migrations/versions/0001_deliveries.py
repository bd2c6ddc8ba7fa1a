"""Deliveries, what was returned of them, and what each department said: the claims."""

from alembic import op

revision = "exchange_0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT, WHOLE, NUMBER, DAY = "text", "bigint", "double precision", "date"

#: For each register, the columns of a claim beyond the standard ones; digests stand for direct identifiers.
CLAIMS = {
    "base_persons": (
        ("name", WHOLE), ("telephone", WHOLE),
        ("sex", TEXT), ("birth_date", DAY), ("ethnicity", TEXT), ("marital_status", TEXT), ("household", TEXT),
        ("relation", TEXT), ("registered_division", TEXT), ("dwelling", TEXT), ("guardian", WHOLE),
    ),
    "base_entities": (
        ("credit_code", TEXT), ("name", TEXT), ("kind", TEXT), ("state", TEXT), ("industry", TEXT),
        ("industry_name", TEXT), ("capital_wan", NUMBER), ("founded", DAY), ("site", TEXT), ("operating_site", TEXT),
        ("representative", WHOLE),
    ),
    "base_dwellings": (
        ("code", TEXT), ("building", TEXT), ("village", TEXT), ("unit", WHOLE), ("floor", WHOLE), ("room", TEXT),
        ("address", TEXT), ("use", TEXT), ("area_m2", NUMBER),
    ),
}  # fmt: skip

STATEMENTS = (
    # what pseudonymous numbers are keyed with; it never leaves the database's own copies
    "CREATE TABLE exchange.secret (one boolean PRIMARY KEY DEFAULT true CHECK (one), key bytea NOT NULL)",
    "INSERT INTO exchange.secret (key) VALUES"
    " (decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'))",
    # one row a batch handed over; every row and every fact of it is accepted, unchanged or returned
    """
    CREATE TABLE exchange.delivery (
        id integer PRIMARY KEY,
        register text NOT NULL,
        department text NOT NULL,
        mode text NOT NULL CHECK (mode IN ('full', 'incremental', 'auto')),
        edition timestamptz NOT NULL,
        file text NOT NULL,
        file_sha256 text NOT NULL,
        spool text NOT NULL,
        options jsonb NOT NULL DEFAULT '{}',
        state text NOT NULL DEFAULT 'received'
            CHECK (state IN ('received', 'working', 'done', 'failed', 'withdrawn')),
        rows_delivered bigint, rows_accepted bigint, rows_unchanged bigint, rows_returned bigint,
        facts_delivered bigint, facts_accepted bigint, facts_unchanged bigint, facts_returned bigint,
        ended bigint,
        reasons jsonb NOT NULL DEFAULT '{}',
        epoch bigint,
        done_rows bigint NOT NULL DEFAULT 0,
        all_rows bigint,
        error jsonb,
        findings jsonb NOT NULL DEFAULT '{}',
        received_by text NOT NULL,
        received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        started_at timestamptz,
        finished_at timestamptz,
        withdrawn_at timestamptz,
        withdrawn_by text,
        CONSTRAINT every_row_is_accounted_for CHECK (state NOT IN ('done', 'withdrawn')
            OR rows_delivered IS NOT DISTINCT FROM rows_accepted + rows_unchanged + rows_returned),
        CONSTRAINT every_fact_is_accounted_for CHECK (state NOT IN ('done', 'withdrawn')
            OR facts_delivered IS NOT DISTINCT FROM facts_accepted + facts_unchanged + facts_returned)
    )
    """,
    "CREATE INDEX ON exchange.delivery (register, department, edition)",
    "CREATE INDEX ON exchange.delivery (state) WHERE state IN ('received', 'working')",
    # a task for the department whose row it is; `item` is empty where the row as a whole is at fault
    """
    CREATE TABLE exchange.returned (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        register text NOT NULL,
        department text NOT NULL,
        delivery integer NOT NULL REFERENCES exchange.delivery,
        src_row bigint NOT NULL,
        fid bigint,
        item text NOT NULL DEFAULT '',
        reason text NOT NULL,
        text_zh text NOT NULL,
        text_en text NOT NULL,
        value text,
        rival_department text,
        rival_delivery integer REFERENCES exchange.delivery,
        rival_row bigint,
        rival_value text,
        raised_by integer NOT NULL REFERENCES exchange.delivery,
        raised_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        due_on date NOT NULL,
        state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'answered', 'withdrawn')),
        closed_by integer REFERENCES exchange.delivery,
        closed_at timestamptz
    )
    """,
    "CREATE INDEX ON exchange.returned (delivery, src_row)",
    "CREATE INDEX ON exchange.returned (register, department, fid) WHERE state = 'open'",
    "CREATE INDEX ON exchange.returned (department, due_on) WHERE state = 'open'",
    # the account of a delivery and the rows that it returned are one truth
    """
    CREATE FUNCTION exchange.check_returned() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE found bigint;
    BEGIN
        SELECT count(DISTINCT src_row) INTO found FROM exchange.returned WHERE delivery = NEW.id AND raised_by = NEW.id;
        IF found <> NEW.rows_returned THEN
            RAISE EXCEPTION 'delivery % says that % rows were returned, there are %', NEW.id, NEW.rows_returned, found
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END $$
    """,
    "CREATE CONSTRAINT TRIGGER every_returned_row_is_kept AFTER INSERT OR UPDATE OF state, rows_returned"
    " ON exchange.delivery DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'done')"
    " EXECUTE FUNCTION exchange.check_returned()",
    # rows that said again what their department had said: numbers of 8 bytes, big-endian, ascending
    """
    CREATE TABLE exchange.repeated (
        delivery integer NOT NULL REFERENCES exchange.delivery,
        part integer NOT NULL,
        fids bytea NOT NULL,
        PRIMARY KEY (delivery, part)
    )
    """,
)


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
    for noun, columns in CLAIMS.items():
        fields = ", ".join(f'"{name}" {kind}' for name, kind in columns)
        # `said` is false where the department says that the entity is no more; without `valid_from` a claim holds
        # since always (the department's first) or since its edition (a later one)
        op.execute(
            f"""
            CREATE TABLE exchange.{noun}_claim (
                fid bigint NOT NULL,
                department text NOT NULL,
                delivery integer NOT NULL,
                edition timestamptz NOT NULL,
                src_row bigint,
                said boolean NOT NULL,
                latest boolean NOT NULL,
                withdrawn boolean NOT NULL DEFAULT false,
                valid_from timestamptz,
                valid_to timestamptz,
                digest bigint NOT NULL,
                {fields}
            )
            """
        )
        op.execute(f"ALTER TABLE exchange.{noun}_claim ADD PRIMARY KEY (fid, department, delivery)")
        op.execute(
            f"CREATE INDEX {noun}_claim_latest ON exchange.{noun}_claim (department, fid) INCLUDE (digest) WHERE latest"
        )
