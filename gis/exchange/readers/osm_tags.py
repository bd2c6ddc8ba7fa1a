"""What OpenStreetMap tags mean in the words of the base register (wiki.openstreetmap.org, "Map features").

One function a layer turns an object's tags into plain columns. A value that no rule knows is "other"; a value that is
not tagged is None, never a guess.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from gis.catalog import Geometry

Tags = Mapping[str, str]
Values = dict[str, str | int | float | None]

_KMH_PER_MPH = 1.609344
_NUMBER = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(m|km/h|kmh|kph|mph)?\s*\Z", re.IGNORECASE)
_YEAR = re.compile(r"\d{4}")
_HANZI = re.compile(r"[\u4e00-\u9fff]")
_NO = frozenset({"no", "false", "0"})


@dataclass(frozen=True, slots=True)
class OsmLayer:
    """One layer of an OSM file: its shape, the keys that an object must have one of, and how tags become columns.

    `wanted` decides on the tags; `columns` are Arrow types by name, after `osm_id`.
    """

    geometry: Geometry
    keys: tuple[str, ...]
    wanted: Callable[[Tags], bool]
    values: Callable[[Tags], Values]
    columns: Mapping[str, pa.DataType]
    rule: str


def _words(**classes: str) -> dict[str, str]:
    return {word: name for name, words in classes.items() for word in words.split()}


_ROAD_CLASSES = _words(
    motorway="motorway motorway_link",
    trunk="trunk trunk_link",
    primary="primary primary_link",
    secondary="secondary secondary_link",
    tertiary="tertiary tertiary_link",
    residential="residential living_street unclassified road",
    service="service busway",
    path="path footway pedestrian steps cycleway bridleway corridor trail crossing",
)
_BUILDING_USES = _words(
    residential="residential apartments house detached semidetached_house terrace dormitory bungalow villa cabin farm "
    "houseboat static_caravan ger",
    commercial="commercial retail supermarket kiosk hotel shop mall restaurant",
    office="office",
    industrial="industrial warehouse factory manufacture works",
    school="school university college kindergarten",
    hospital="hospital clinic",
    public="public government civic townhall library museum fire_station police train_station transportation church "
    "chapel temple mosque cathedral shrine synagogue monastery stadium sports_hall sports_centre",
)
_LAND_USES = _words(
    residential="residential",
    commercial="commercial retail",
    industrial="industrial quarry port depot railway",
    education="education school university college kindergarten",
    green="park garden grass village_green recreation_ground nature_reserve golf_course pitch playground common "
    "flowerbed scrub grassland heath cemetery allotments",
    forest="forest wood",
    farmland="farmland farmyard orchard vineyard meadow paddy greenhouse_horticulture aquaculture plant_nursery",
)
_LAND_LEISURE = frozenset({"park", "garden", "nature_reserve", "golf_course", "pitch", "playground", "common"})
_LAND_NATURAL = frozenset({"wood", "scrub", "grassland", "heath"})
_LAND_AMENITY = frozenset({"school", "university", "college", "kindergarten"})
_WATER_LANDUSE = frozenset({"reservoir", "basin"})
_WATER_KINDS = _words(
    river="river stream canal oxbow riverbank ditch drain rapids",
    lake="lake lagoon",
    reservoir="reservoir basin",
    pond="pond fishpond",
)
_POI_KINDS = _words(
    school="school university college kindergarten library language_school music_school driving_school",
    hospital="hospital clinic doctors dentist pharmacy nursing_home veterinary",
    government="townhall police fire_station courthouse embassy post_office government community_centre prison "
    "social_facility diplomatic",
    food="restaurant cafe fast_food bar pub food_court ice_cream biergarten",
    shop="marketplace bank atm fuel bureau_de_change car_wash car_rental",
    transport="bus_station bus_stop parking taxi ferry_terminal station halt tram_stop subway_entrance "
    "parking_entrance bicycle_parking bicycle_rental charging_station platform stop_position aerodrome",
    culture="theatre cinema museum arts_centre gallery place_of_worship stadium sports_centre park attraction "
    "artwork nightclub fitness_centre swimming_pool playground pitch zoo theme_park monument memorial viewpoint",
)
_POI_KEYS = ("amenity", "shop", "tourism", "leisure", "healthcare", "office", "historic", "public_transport", "railway")


def number_of(value: str | None) -> float | None:
    """A plain measure in metres or km/h ("3.5", "12 m", "30 mph"); None for anything else.

    >>> number_of("12 m"), number_of("CN:urban")
    (12.0, None)
    """
    found = _NUMBER.match(value or "")
    if found is None:
        return None
    return float(found[1]) * (_KMH_PER_MPH if (found[2] or "").lower() == "mph" else 1.0)


def _whole(value: str | None) -> int | None:
    found = number_of(value)
    return None if found is None else round(found)


def _oneway(tags: Tags) -> str | None:
    said = tags.get("oneway")
    if said in ("yes", "1", "true"):
        return "yes"
    if said in ("-1", "reverse"):
        return "reverse"
    if said in _NO:
        return "no"
    implied = tags.get("junction") == "roundabout" or tags.get("highway") in ("motorway", "motorway_link")
    return "yes" if implied and said is None else None


def _address(tags: Tags) -> str | None:
    if "addr:full" in tags:
        return tags["addr:full"]
    parts = [tags[k] for k in ("addr:city", "addr:district", "addr:street", "addr:housenumber") if k in tags]
    if not parts:
        return None
    return ("" if any(_HANZI.search(p) for p in parts) else " ").join(parts)


def _road(tags: Tags) -> Values:
    return {
        "name": tags.get("name"),
        "class": _ROAD_CLASSES.get(tags["highway"], "other"),
        "highway": tags["highway"],
        "lanes": _whole(tags.get("lanes")),
        "width_m": number_of(tags.get("width")),
        "speed_limit_kmh": _whole(tags.get("maxspeed")),
        "oneway": _oneway(tags),
    }


def _building(tags: Tags) -> Values:
    said = tags["building"]
    if said == "yes":
        told = (tags.get(k, "") for k in ("building:use", "amenity", "office", "shop", "tourism"))
        use = next((_BUILDING_USES[t] for t in told if t in _BUILDING_USES), None)
    else:
        use = _BUILDING_USES.get(said, "other")
    year = _YEAR.match(tags.get("start_date", ""))
    return {
        "name": tags.get("name"),
        "use": use,
        "building": said,
        "storeys": _whole(tags.get("building:levels")),
        "height_m": number_of(tags.get("height") or tags.get("building:height")),
        "built_year": int(year[0]) if year else None,
        "address": _address(tags),
    }


def _land_word(tags: Tags) -> str | None:
    if tags.get("landuse") and tags["landuse"] not in _WATER_LANDUSE:
        return tags["landuse"]
    for key, words in (("leisure", _LAND_LEISURE), ("natural", _LAND_NATURAL), ("amenity", _LAND_AMENITY)):
        if tags.get(key) in words:
            return tags[key]
    return None


def _land(tags: Tags) -> Values:
    word = _land_word(tags) or ""
    return {"name": tags.get("name"), "use": _LAND_USES.get(word, "other"), "landuse": word}


def _is_water(tags: Tags) -> bool:
    return (
        tags.get("natural") == "water"
        or tags.get("waterway") in ("riverbank", "dock")
        or tags.get("landuse") in _WATER_LANDUSE
    )


def _water(tags: Tags) -> Values:
    told = (tags.get("water"), tags.get("waterway"), tags.get("landuse"))
    kind = next((_WATER_KINDS[t] for t in told if t in _WATER_KINDS), "other")
    return {"name": tags.get("name"), "kind": kind, "water": tags.get("water")}


def _poi_kind(tags: Tags, told: list[str]) -> str:
    known = next((_POI_KINDS[t] for t in told if t in _POI_KINDS), None)
    if known is not None:
        return known
    if "shop" in tags:
        return "shop"
    if "healthcare" in tags:
        return "hospital"
    return "government" if tags.get("office") == "government" else "other"


def _poi(tags: Tags) -> Values:
    told = [tags[k] for k in _POI_KEYS if k in tags]
    return {
        "name": tags.get("name"),
        "kind": _poi_kind(tags, told),
        "category": told[0],
        "address": _address(tags),
        "telephone": tags.get("phone") or tags.get("contact:phone"),
    }


_T, _I, _N = pa.string(), pa.int64(), pa.float64()

LAYERS: Mapping[str, OsmLayer] = {
    "roads": OsmLayer(
        Geometry.LINE, ("highway",), lambda tags: "highway" in tags, _road,
        {"name": _T, "class": _T, "highway": _T, "lanes": _I, "width_m": _N, "speed_limit_kmh": _I, "oneway": _T},
        "ways with highway=*",
    ),
    "buildings": OsmLayer(
        Geometry.POLYGON, ("building",), lambda tags: tags.get("building", "no") not in _NO, _building,
        {"name": _T, "use": _T, "building": _T, "storeys": _I, "height_m": _N, "built_year": _I, "address": _T},
        "closed ways and multipolygon relations with building=* (not no)",
    ),
    "pois": OsmLayer(
        Geometry.POINT, _POI_KEYS, lambda tags: any(k in tags for k in _POI_KEYS), _poi,
        {"name": _T, "kind": _T, "category": _T, "address": _T, "telephone": _T},
        f"nodes with {', '.join(_POI_KEYS)}",
    ),
    "land": OsmLayer(
        Geometry.POLYGON, ("landuse", "leisure", "natural", "amenity"), lambda tags: _land_word(tags) is not None,
        _land, {"name": _T, "use": _T, "landuse": _T},
        "areas with landuse=* and green leisure, natural and education areas",
    ),
    "water": OsmLayer(
        Geometry.POLYGON, ("natural", "waterway", "landuse"), _is_water, _water, {"name": _T, "kind": _T, "water": _T},
        "areas with natural=water, waterway=riverbank|dock, landuse=reservoir|basin",
    ),
}  # fmt: skip
