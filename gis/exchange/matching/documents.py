"""Answers of the geocoder as plain values for JSON and tables: texts in both languages, no NaN."""

from collections.abc import Iterator
from math import isfinite
from typing import Any

import pyarrow as pa

from gis.codes.address_levels import AddressLevel
from gis.exchange.matching.answers import Match, Matches, Note, Place
from gis.exchange.matching.reverse import Here, Near
from gis.exchange.matching.sources import ADDRESSES, DIVISIONS, DWELLINGS, LANDMARKS

#: Decimals of a degree, of a metre, of a confidence.
_DEGREES, _METRES, _SHARES = 7, 1, 3


def match_document(match: Match) -> dict[str, Any]:
    """What was found for one address; `lon` and `lat` are WGS 84, `error_m` and `radius_m` metres."""
    return {
        "address": match.address.text,
        **_level(match.level),
        "confidence": round(match.confidence, _SHARES),
        "ambiguous": match.ambiguous,
        "lon": _number(match.lon, _DEGREES),
        "lat": _number(match.lat, _DEGREES),
        "error_m": _number(match.error_m, _METRES) if match.place else None,
        "place": place_document(match.place) if match.place else None,
        "form": place_document(match.form) if match.form else None,
        "candidates": [place_document(p) for p in match.candidates],
        "runners_up": [{**place_document(r.place), "confidence": r.confidence} for r in match.runners_up],
        "corrections": [c._asdict() for c in match.corrections],
        "notes": notes_of(match.notes),
        "text": match.explain().as_dict(),
        "parts": {name: part for name, part in match.address.parts._asdict().items() if part},
    }


def place_document(place: Place) -> dict[str, Any]:
    """One place; `collection` and `fid` name its row in a register, where it has one."""
    return {
        **_level(place.level),
        "name": place.name,
        "address": place.address,
        "collection": collection_of(place),
        "fid": place.fid,
        "code": place.code or None,
        "division": place.division or None,
        "lon": _number(place.lon, _DEGREES),
        "lat": _number(place.lat, _DEGREES),
        "radius_m": _number(place.radius_m, _METRES),
    }


def here_document(lon: float, lat: float, here: Here) -> dict[str, Any]:
    """What is at or near a point."""
    return {
        "lon": lon,
        "lat": lat,
        "address": _near(here.address),
        "building": _near(here.building),
        "street": _near(here.street),
        "divisions": [place_document(p) for p in here.divisions],
        "divisions_by_address": here.by_address,
    }


def collection_of(place: Place) -> str | None:
    """The collection whose row a place is; None for one that was drawn together from several."""
    if place.fid is None:
        return None
    if place.level <= AddressLevel.VILLAGE:
        return DIVISIONS
    return {AddressLevel.LANDMARK: LANDMARKS, AddressLevel.ROOM: DWELLINGS}.get(place.level, ADDRESSES)


def notes_of(notes: Note) -> list[str]:
    """The notes by name."""
    return [str(note.name).lower() for note in Note if note in notes]


def answer_columns(matches: Matches, language: str) -> pa.Table:
    """The answers as columns to stand beside the texts: level, place, point, how sure, and a note in words."""
    table = matches.table()
    levels = [AddressLevel(v) for v in table["level"].to_pylist()]
    return pa.table(
        {
            "level": [level.name.lower() for level in levels],
            "level_title": [level.label.zh if language == "zh" else level.label.en for level in levels],
            "code": table["code"],
            "lon": _rounded(table["lon"], _DEGREES),
            "lat": _rounded(table["lat"], _DEGREES),
            "error_m": _rounded(table["error_m"], _METRES),
            "confidence": _rounded(table["confidence"], _SHARES),
            "ambiguous": table["ambiguous"],
            "note": pa.array(_said(matches, language), pa.string()),
        }
    )


def _said(matches: Matches, language: str) -> Iterator[str]:
    """What is to be minded of each row; "" where there is nothing, which is quick."""
    for row, noted in enumerate((matches.notes | (matches.level == AddressLevel.NONE)).tolist()):
        said = matches[row] if noted else None
        text = said.explain() if said else None
        places = [p.address for p in said.candidates] if said else []
        yield "" if text is None else "; ".join([text.zh if language == "zh" else text.en, *places])


def _rounded(column: pa.ChunkedArray, decimals: int) -> pa.Array:
    return pa.array([None if v is None else round(v, decimals) for v in column.to_pylist()], pa.float64())


def _near(near: Near | None) -> dict[str, Any] | None:
    return None if near is None else {**place_document(near.place), "distance_m": near.distance_m}


def _level(level: AddressLevel) -> dict[str, Any]:
    return {"level": level.name.lower(), "level_title": level.label.as_dict()}


def _number(value: float, decimals: int) -> float | None:
    return round(value, decimals) if isfinite(value) else None
