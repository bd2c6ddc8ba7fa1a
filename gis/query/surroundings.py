"""The answer to what is here: by layer and collection, counts that say how sure they are, and the nearest features."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, Self
from urllib.parse import urlencode

from gis.access import rules_in
from gis.catalog import Catalogue, Collection, Sensitivity
from gis.query.here import COUNTED, Here
from gis.query.matching_rows import is_estimable
from gis.query.plan import Plan
from gis.query.related import RELATED, may_see
from gis.query.span import instant_text, now
from gis.query.url import render_parameters
from gis.text import Language, Text

CountIs = Literal["exact", "at least", "estimate"]


@dataclass(frozen=True, slots=True)
class Held:
    """What one collection holds there; `count` is what `count_is` says: exact, a bound, or the planner's estimate.

    `kinds` and `nearest` are as `gis.query.here.statement` tells them; of kinds the counts are bounds where the
    collection's is.
    """

    plan: Plan
    count: int
    kinds: tuple[dict[str, Any], ...] = ()
    nearest: tuple[dict[str, Any], ...] = ()
    count_is: CountIs = "exact"

    @property
    def collection(self) -> Collection:
        """What was asked."""
        return self.plan.collection

    @property
    def is_bound(self) -> bool:
        """Whether there may be more than were counted."""
        return self.count_is == "at least"

    def expecting(self, rows: int) -> Self:
        """With the planner's estimate in the place of a bound, where it is larger."""
        if not self.is_bound or rows <= self.count:
            return self
        return replace(self, count=rows, count_is="estimate")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the one map holds at a place; `lon` and `lat` are the point from which distances are told."""

    here: Here
    held: tuple[Held, ...]
    now: datetime
    lon: float | None = None
    lat: float | None = None

    @classmethod
    def read(cls, here: Here, plans: Sequence[Plan], rows: Iterable[tuple[Any, ...]]) -> Self:
        """From the rows that `gis.query.here.statement` brought."""
        found = list(rows)
        held = tuple(
            Held(plans[n], count, tuple(kinds or ()), tuple(nearest or ()), "at least" if count >= COUNTED else "exact")
            for n, _, _, count, kinds, nearest in found
            if n is not None
        )
        lon, lat = (found[0][1], found[0][2]) if found else (None, None)
        return cls(here, held, plans[0].now if plans else now(), lon, lat)

    @property
    def bounds(self) -> tuple[Held, ...]:
        """What was not counted to its end, and of which an estimate may tell how many there are."""
        return tuple(h for h in self.held if h.is_bound and is_estimable(h.plan))

    def expecting(self, rows: dict[str, int]) -> Self:
        """With the planner's estimates, by collection."""
        return replace(self, held=tuple(h.expecting(rows.get(h.collection.id, 0)) for h in self.held))

    def document(self, catalogue: Catalogue, language: Language, base: str = "") -> dict[str, Any]:
        """As JSON carries it; links begin with `base`. Layers and collections in declared order, empty ones too."""
        tell = _Telling(catalogue, language, base)
        layers = [
            {
                "id": layer.name,
                "title": layer.title.in_(language),
                "collections": [tell.collection(h) for h in self.held if h.collection.layer == layer.name],
            }
            for layer in catalogue.layers
        ]
        time, as_of = self.here.time, self.here.as_of
        return {
            "lon": self.lon,
            "lat": self.lat,
            "area": self.here.area.text,
            "datetime": time.text if time else instant_text(self.now),
            "asOf": instant_text(as_of) if as_of else None,
            "timeStamp": instant_text(self.now),
            "layers": [layer for layer in layers if layer["collections"]],
        }

    def features(self, language: Language, base: str = "") -> list[dict[str, Any]]:
        """The nearest as GeoJSON features, whose ids name their collection."""
        return [
            {
                "type": "Feature",
                "id": f"{h.collection.id}/{one['fid']}",
                "geometry": one["geometry"],
                "properties": {
                    "collection": h.collection.id,
                    "collection_title": h.collection.title.in_(language),
                    "name": _name(h.collection, one["properties"]),
                    **{n: one[n] for n in ("distance_m", "bearing_deg", "related", "measured")},
                    **one["properties"],
                },
                "links": [_item(base, h, one)],
            }
            for h in self.held
            for one in h.nearest
        ]


@dataclass(frozen=True, slots=True)
class _Telling:
    """What is told in one language, with links that begin with `base`."""

    catalogue: Catalogue
    language: Language
    base: str

    def collection(self, held: Held) -> dict[str, Any]:
        collection = held.collection
        place = f"{self.base}/collections/{collection.id}"
        links = [_link(place, "collection")]
        if collection.sensitivity is not Sensitivity.PERSONAL:
            links.insert(0, _link(f"{place}/items?{render_parameters(held.plan.query)}", "items"))
        by = collection.style.by if collection.style and held.kinds else None
        words = collection.field(by).values if by else {}
        return {
            "id": collection.id,
            "title": collection.title.in_(self.language),
            "count": held.count,
            "countIs": held.count_is,
            "by": by,
            "kinds": [{**kind, "title": self._word(words, kind["value"])} for kind in held.kinds],
            "nearest": [self._feature(one, held) for one in held.nearest],
            "links": links,
        }

    def _word(self, words: Mapping[str, Text], value: str | None) -> str | None:
        return words[value].in_(self.language) if value is not None and value in words else value

    def _feature(self, one: dict[str, Any], held: Held) -> dict[str, Any]:
        told = {n: v for n, v in one.items() if n not in ("geometry", "related")}
        item = _item(self.base, held, one)
        return {
            **told,
            "name": _name(held.collection, one["properties"]),
            "related": [self._referring(n, c, one, held) for n, c in (one["related"] or {}).items()],
            "links": [item, *self._refers(one, held)],
        }

    def _referring(self, name: str, count: int, one: dict[str, Any], held: Held) -> dict[str, Any]:
        """Rows of another register that belong to the feature; a link where they name it themselves, and are listed."""
        source, _, field = name.rpartition(".")
        collection = self.catalogue[source]
        found: dict[str, Any] = {
            "collection": source,
            "title": collection.title.in_(self.language),
            "field": field,
            "count": count,
            "countIs": "at least" if count >= RELATED else "exact",
        }
        key = held.collection.key
        direct = collection.field(field).refers == held.collection.id and len(key) == 1
        if direct and collection.sensitivity is not Sensitivity.PERSONAL and key[0] in one["properties"]:
            equal = urlencode({field: one["properties"].get(key[0]), **_when(held, collection)})
            found["links"] = [_link(f"{self.base}/collections/{source}/items?{equal}", "items")]
        return found

    def _refers(self, one: dict[str, Any], held: Held) -> list[dict[str, str]]:
        """What the feature itself names in other registers that the caller may list."""
        links, identity = [], held.plan.identity
        for field in held.collection.fields:
            value = one["properties"].get(field.name)
            if not field.refers or value is None:
                continue
            target = self.catalogue[field.refers]
            if target.sensitivity is Sensitivity.PERSONAL or not may_see(identity, target):
                continue
            if not rules_in(self.catalogue, identity, target.id).fields.issuperset(target.key):
                continue
            place = f"{self.base}/collections/{target.id}/items"
            when = _when(held, target)
            way = f"{place}/{value}{_asked(when)}"
            if target.key:
                way = f"{place}{_asked({target.key[0]: value, **when})}"
            links.append({**_link(way, "related"), "field": field.name})
        return links


def _name(collection: Collection, properties: dict[str, Any]) -> str | None:
    """What is written on the map, else the key."""
    label = collection.style.label if collection.style else None
    found = properties.get(label) if label else None
    if found in (None, ""):
        found = properties.get(collection.key[0]) if collection.key else None
    return None if found is None else str(found)


def _item(base: str, held: Held, one: dict[str, Any]) -> dict[str, str]:
    """The link to a feature as it was when it was asked for."""
    place = f"{base}/collections/{held.collection.id}/items/{one['fid']}"
    return _link(f"{place}{_asked(_when(held, held.collection))}", "item")


def _when(held: Held, collection: Collection) -> dict[str, str]:
    """The parameters that ask a collection at the same time."""
    time, as_of = held.plan.query.time, held.plan.query.as_of
    said = {"datetime": time.text} if time is not None and collection.timed else {}
    return {**said, "as-of": instant_text(as_of)} if as_of is not None else said


def _asked(parameters: Mapping[str, Any]) -> str:
    return f"?{urlencode(parameters)}" if parameters else ""


def _link(href: str, rel: str) -> dict[str, str]:
    return {"href": href, "rel": rel, "type": "application/geo+json" if "/items" in href else "application/json"}
