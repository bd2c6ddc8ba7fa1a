"""The one map: `from gis import City, Query`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gis.city import City
    from gis.query.query import Query

__all__ = ["City", "Query"]


def __getattr__(name: str) -> Any:
    """Load the two names when they are wanted, so that small commands start without frames and shapes."""
    if name == "City":
        from gis.city import City  # noqa: PLC0415

        return City
    if name == "Query":
        from gis.query.query import Query  # noqa: PLC0415

        return Query
    raise AttributeError(f"module 'gis' has no attribute {name!r}")
