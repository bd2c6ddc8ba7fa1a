"""Addresses to places and back: which place of the city a text means, and what is at a point."""

from gis.exchange.matching.answers import Match, Matches, Note, Place, RunnerUp
from gis.exchange.matching.documents import answer_columns, here_document, match_document, place_document
from gis.exchange.matching.geocoder import Gazetteer, Geocoder, looked_through
from gis.exchange.matching.index import AddressIndex, Register
from gis.exchange.matching.reverse import Here, Near, ReverseGeocoder
from gis.exchange.matching.sources import SOURCES, register_of
from gis.exchange.matching.written import REASONS, Codes, Written

__all__ = [
    "REASONS",
    "SOURCES",
    "AddressIndex",
    "Codes",
    "Gazetteer",
    "Geocoder",
    "Here",
    "Match",
    "Matches",
    "Near",
    "Note",
    "Place",
    "Register",
    "ReverseGeocoder",
    "RunnerUp",
    "Written",
    "answer_columns",
    "here_document",
    "looked_through",
    "match_document",
    "place_document",
    "register_of",
]
