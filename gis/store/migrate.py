"""Bring a database to the present: the core first, then each layer in its own schema with its own version table.

Last comes what is derived from the registers, which follows from declarations and has no revisions of its own.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import errors
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from gis.catalog import Layer
from gis.errors import SetupError
from gis.store.database import connect, translated
from gis.store.derived import derive
from gis.store.wall_roles import stand

#: One migration at a time, whoever starts it.
_LOCK = 0x6F6E656D6170


def migrate(url: str, layers: Iterable[Layer]) -> list[str]:
    """Upgrade the core and the layers; returns the revisions applied, in order, and what was derived (id:kind).

    Raises SetupError where the database is newer than this code, or may not be changed by this user, Unavailable.
    """
    layers = tuple(layers)
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=NullPool)
    applied: list[str] = []
    try:
        with translated(), _unwrapped(), engine.connect() as lock:
            lock.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            lock.commit()
            with engine.begin() as conn:
                applied += _upgrade(conn, "core", "gis.store.migrations")
                # a copy, or what somebody restored by other means, is a life of its own
                conn.execute(text("SELECT core.renew_incarnation(false)"))
            with connect(url, autocommit=True) as own:
                stand(own)
            for layer in layers:
                if layer.migrations is not None:
                    with engine.begin() as conn:
                        applied += _upgrade(conn, layer.name, layer.migrations)
            applied += derive(url, (collection for layer in layers for collection in layer.collections))
            lock.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
    finally:
        engine.dispose()
    return applied


@contextmanager
def _unwrapped() -> Iterator[None]:
    """The driver's own errors, out of SQLAlchemy's. Raises SetupError for what the user may not do."""
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        own = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(own, errors.InsufficientPrivilege):
            why = own.diag.message_primary or "insufficient privilege"
            raise SetupError(
                f"the database's user may not make or change its tables ({why}): let it own the database",
                f"数据库用户无权创建或修改数据表({why}):请让该用户成为数据库的所有者",
                subject="ONEMAP_DATABASE_URL",
            ) from error
        raise own if isinstance(own, psycopg.Error) else error from None


def _upgrade(conn: Connection, schema: str, package: str) -> list[str]:
    """Apply what is missing of one version location, in the caller's transaction."""
    conn.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
    scripts = ScriptDirectory.from_config(_config(package))
    known = {revision.revision for revision in scripts.walk_revisions()}
    context = MigrationContext.configure(conn, opts={"version_table": "version", "version_table_schema": schema})
    before = set(context.get_current_heads())
    if before - known:
        raise SetupError(
            f"schema {schema} is at revision {', '.join(before - known)}, newer than this program; update OneMap",
            f"模式 {schema} 的版本 {'、'.join(before - known)} 比当前程序新,请升级 OneMap",
            subject=schema,
        )
    todo = [r.revision for r in scripts.iterate_revisions("heads", tuple(before) or "base")]
    config = _config(package)
    config.attributes["connection"] = conn
    config.attributes["schema"] = schema
    command.upgrade(config, "heads")
    return list(reversed(todo))


def _config(package: str) -> Config:
    config = Config()
    folder = Path(str(import_module(package).__file__)).parent
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("version_locations", str(folder / "versions"))
    config.set_main_option("path_separator", "newline")
    return config
