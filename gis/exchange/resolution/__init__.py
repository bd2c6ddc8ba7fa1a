"""Who is meant where codes are missing or wrong: rows against persons and legal entities, with the reasons shown."""

from gis.exchange.resolution.decision import Thresholds, Verdict
from gis.exchange.resolution.model import Model
from gis.exchange.resolution.resolution import Resolution
from gis.exchange.resolution.resolving import ResolveOptions, resolve

__all__ = ["Model", "Resolution", "ResolveOptions", "Thresholds", "Verdict", "resolve"]
