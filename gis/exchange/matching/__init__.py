"""Addresses to places and back: which place of the city a text means, and what is at a point."""

from gis.exchange.matching.answers import Match, Matches, Note, Place, RunnerUp
from gis.exchange.matching.index import AddressIndex, Register
from gis.exchange.matching.reverse import Here, Near, ReverseGeocoder
from gis.exchange.matching.sources import register_of

__all__ = [
    "AddressIndex",
    "Here",
    "Match",
    "Matches",
    "Near",
    "Note",
    "Place",
    "Register",
    "ReverseGeocoder",
    "RunnerUp",
    "register_of",
]
