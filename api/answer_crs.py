"""In which CRS an answer is given, and its header: one of those that the collection's document lists."""

from api.served import Asked, Served
from gis.query import crs

#: Parameters that name a CRS.
_NAMING = frozenset({"crs", "bbox-crs", "filter-crs"})


async def declared(city: Served) -> tuple[str, ...]:
    """The CRS that the collections of the city are offered in: those of everywhere, and the city's own zones."""
    return (*crs.EVERYWHERE, *await city.facts.zones(city.collections()))


async def answer_crs(city: Served, ask: Asked) -> str:
    """The CRS that a request asks for, else CRS84; `crs` is to be left out of the question's own parameters.

    Looks at `bbox-crs` and `filter-crs` as well, since what is read may be more than what is declared. Raises BadQuery.
    """
    given = {name: value for name, value in ask.parameters if name in _NAMING}
    if not given:
        return crs.CRS84
    read = {name: crs.read(value, name) for name, value in given.items()}
    if any(crs.is_zone(name) for name in read.values()):
        allowed = await declared(city)
        read = {name: crs.read(value, name, allowed) for name, value in given.items()}
    return read.get("crs", crs.CRS84)


def content_crs(name: str) -> dict[str, str]:
    """The header of an answer in a CRS (18-058r1, requirement 17)."""
    return {"content-crs": f"<{crs.uri(name)}>"}
