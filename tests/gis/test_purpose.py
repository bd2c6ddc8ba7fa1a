"""Purposes: by which ones policies tell whom more."""

from dataclasses import replace

from gis.access.identity import Identity
from gis.access.purpose import declared_purposes
from gis.catalog import Catalogue, Collection, Grant, Policy
from layers import LAYERS

CATALOGUE = Catalogue(LAYERS)


def _ruled(collection_id: str, *grants: Grant) -> Collection:
    return replace(CATALOGUE[collection_id], policy=Policy(grants))


def test_each_role_is_offered_the_purposes_that_grants_name_for_it_once_in_their_order() -> None:
    collections = (
        _ruled(
            "base.entities",
            Grant(roles=("staff", "duty"), purposes=("inspection", "visit")),
            Grant(roles=("staff",), departments=("police",), purposes=("search",)),
        ),
        _ruled("base.dwellings", Grant(roles=("staff",), purposes=("visit", "repair")), Grant(roles=("public",))),
    )
    assert declared_purposes(Identity("a", "staff"), collections) == ("inspection", "visit", "repair")
    of_police = Identity("b", "staff", None, "police")
    assert declared_purposes(of_police, collections) == ("inspection", "visit", "search", "repair")
    assert declared_purposes(Identity("c", "duty"), collections) == ("inspection", "visit")
    assert declared_purposes(Identity("d", "public"), collections) == ()
    assert declared_purposes(Identity("e", "staff"), CATALOGUE) == ()
