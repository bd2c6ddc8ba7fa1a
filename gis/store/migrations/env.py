"""Alembic's door: runs in the connection and the schema that `gis.store.migrate` hands over."""

from alembic import context

config = context.config
context.configure(
    connection=config.attributes["connection"],
    version_table="version",
    version_table_schema=config.attributes["schema"],
)
context.run_migrations()
