"""A question together with who asks it and when: what turns it into a plan."""

from gis.access import Identity, rules_for
from gis.catalog import Catalogue
from gis.errors import BadQuery
from gis.query.plan import Plan, rounded
from gis.query.query import Query
from gis.query.span import now


def planned(query: Query, catalogue: Catalogue, identity: Identity) -> Plan:
    """The plan of a question asked now. Raises UnknownName, Forbidden, and BadQuery for a record of the future."""
    collection = catalogue[query.collection]
    rules_for(identity, collection)
    moment = now()
    if query.as_of is not None and query.as_of > moment:
        raise BadQuery("as-of lies in the future", "as-of 在未来", subject="as-of")
    return Plan(query, catalogue, identity, rounded(moment))
