"""Whether a database's tables are those of this program: what `migrate` would have to apply, without applying it."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from gis.catalog import Layer
from gis.query.statement import Statement

_CORE = ("core", "gis.store.migrations")


@dataclass(frozen=True, slots=True)
class Expected:
    """The revision at which each schema is to be."""

    revisions: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, layers: Iterable[Layer]) -> "Expected":
        """What this program's migrations lead to; reads files."""
        places = [_CORE, *((layer.name, layer.migrations) for layer in layers if layer.migrations)]
        return cls(frozenset((schema, head) for schema, package in places for head in _heads(package)))

    @property
    def statement(self) -> Statement:
        """The revisions that the database holds, as rows of schema and revision."""
        schemas = sorted({schema for schema, _ in self.revisions})
        return Statement(" UNION ALL ".join(f"SELECT '{s}', version_num::text FROM \"{s}\".version" for s in schemas))

    def missing(self, rows: Iterable[tuple[str, str]]) -> list[str]:
        """The schemas that are at other revisions, older or newer."""
        return sorted({schema for schema, _ in self.revisions ^ set(rows)})


def _heads(package: str) -> tuple[str, ...]:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("version_locations", str(Path(str(import_module(package).__file__)).parent / "versions"))
    config.set_main_option("path_separator", "newline")
    return tuple(ScriptDirectory.from_config(config).get_heads())
