"""A question with the frame in which it is asked: by whom, for what, how fresh, in which CRS and format."""

from dataclasses import dataclass, replace
from datetime import timedelta

from gis.access import OWNER, Identity, rules_in
from gis.access.purpose import check_purpose
from gis.catalog import Catalogue
from gis.errors import BadQuery
from gis.geo.area import Within
from gis.query.crs import CRS84
from gis.query.plan import Plan, rounded
from gis.query.query import Query
from gis.query.span import now

__all__ = ["CRS84", "Ask"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a Query leaves open, since it does not change which rows are meant.

    `purpose` is the duty for which it is asked, in place of the identity's own; `at_most_old` how far behind the answer
    may be (None: it holds every commit that was visible when it was asked; a replica may serve the others); `crs` the
    CRS of the answer's geometry; `format` the media type wanted.
    """

    query: Query
    identity: Identity = OWNER
    purpose: str = ""
    at_most_old: timedelta | None = None
    crs: str = CRS84
    format: str = "application/geo+json"

    def plan(self, catalogue: Catalogue) -> Plan:
        """The plan, made now. Raises UnknownName, Forbidden, and BadQuery for a record of the future."""
        query = self.query
        identity = replace(self.identity, purpose=self.purpose) if self.purpose else self.identity
        rules_in(catalogue, identity, query.collection)
        for name in (query.collection, *([query.area.collection] if isinstance(query.area, Within) else [])):
            check_purpose(identity, catalogue[name])
        moment = now()
        if query.as_of is not None and query.as_of > moment:
            raise BadQuery("as-of lies in the future", "as-of 在未来", subject="as-of")
        after = query.page.after
        return Plan(query, catalogue, identity, after.now if after and after.now else rounded(moment))
