"""Anonymous figures: the releases of each collection, their atoms, and the figures told at each set date."""

from alembic import op

revision = "core_0010"
down_revision = "core_0009"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE SCHEMA IF NOT EXISTS access",
    # one row a set date and rank; the higher the rank, the coarser, each made of the one before it
    """
    CREATE TABLE access.release (
        collection text NOT NULL,
        rank smallint NOT NULL,
        on_date date NOT NULL,
        made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        k integer NOT NULL CHECK (k >= 5),
        resolution smallint NOT NULL,
        diversity smallint NOT NULL,
        fields text[] NOT NULL,
        PRIMARY KEY (collection, rank, on_date)
    )
    """,
    # the partition, which stays: nodes of the tree, and by which of the fields each is told apart
    """
    CREATE TABLE access.release_atom (
        collection text NOT NULL,
        rank smallint NOT NULL,
        atom integer NOT NULL,
        step smallint NOT NULL,
        cell bigint NOT NULL,
        division bigint NOT NULL,
        fields boolean[] NOT NULL,
        PRIMARY KEY (collection, rank, atom)
    )
    """,
    # which place (of the first rank: cell and division; of others: the atom before) is in which atom; nobody's to read
    """
    CREATE TABLE access.release_key (
        collection text NOT NULL,
        rank smallint NOT NULL,
        a bigint NOT NULL,
        b bigint NOT NULL,
        atom integer NOT NULL,
        PRIMARY KEY (collection, rank, a, b)
    )
    """,
    # all that anybody is told without the right to rows; in `label` a field that is not told is absent
    """
    CREATE TABLE access.released (
        collection text NOT NULL,
        rank smallint NOT NULL,
        on_date date NOT NULL,
        atom integer NOT NULL,
        cell bigint,
        resolution smallint NOT NULL,
        division bigint,
        level smallint NOT NULL,
        label jsonb NOT NULL,
        count bigint NOT NULL,
        told_on date NOT NULL
    )
    """,
    "CREATE INDEX released_by_date ON access.released (collection, rank, on_date)",
    "REVOKE ALL ON access.release, access.release_atom, access.release_key, access.released FROM PUBLIC",
)


def upgrade() -> None:
    """Make the tables; releases are made when they are asked for."""
    for statement in STATEMENTS:
        op.execute(statement)
