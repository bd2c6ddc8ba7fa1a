"""Open data: generalised copies of collections, published through review, that anyone may see."""

from gis.exchange.published.copies import due, refresh, withdraw
from gis.exchange.published.declared import with_published
from gis.exchange.published.proposal import EVERY_H, Proposal, propose
from gis.exchange.published.records import VERSION, Publication, publication, publications
from gis.exchange.published.review import publish, refuse

__all__ = [
    "EVERY_H",
    "VERSION",
    "Proposal",
    "Publication",
    "due",
    "propose",
    "publication",
    "publications",
    "publish",
    "refresh",
    "refuse",
    "with_published",
    "withdraw",
]
