"""Open data: what was proposed to be published, by whom it was reviewed, with which reason, and what stands."""

from alembic import op

revision = "base_0005"
down_revision = "base_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table. Nothing is ever deleted of it; `version` rises with whatever changes what is published."""
    op.execute("CREATE SEQUENCE base.publication_version")
    op.execute(
        """
        CREATE TABLE base.publication (
            id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name text NOT NULL,
            source text NOT NULL,
            document jsonb NOT NULL,
            state text NOT NULL DEFAULT 'proposed'
                CHECK (state IN ('proposed', 'refused', 'published', 'replaced', 'withdrawn')),
            proposed_by text NOT NULL,
            proposed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            reviewed_by text,
            reviewed_at timestamptz,
            reason text NOT NULL DEFAULT '',
            refreshed_at timestamptz,
            source_epoch bigint,
            rows bigint,
            version bigint NOT NULL DEFAULT nextval('base.publication_version'),
            CHECK (reviewed_by IS NULL OR reviewed_by <> proposed_by)
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX publication_standing ON base.publication (name) WHERE state = 'published'")
    op.execute("CREATE UNIQUE INDEX publication_proposed ON base.publication (name) WHERE state = 'proposed'")
