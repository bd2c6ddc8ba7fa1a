"""How well departments deliver: four scores a class, each a published number, and the same by division on the map."""

from gis.exchange.scorecard.card import SCORES, Line, Scorecard, scorecard
from gis.exchange.scorecard.figure import Figure
from gis.exchange.scorecard.page import page
from gis.exchange.scorecard.publish import Published, publish
from gis.exchange.scorecard.use import Tally, record_use, record_uses

__all__ = [
    "SCORES",
    "Figure",
    "Line",
    "Published",
    "Scorecard",
    "Tally",
    "page",
    "publish",
    "record_use",
    "record_uses",
    "scorecard",
]
