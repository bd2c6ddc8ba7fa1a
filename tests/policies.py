"""Catalogues whose collections have other policies than those declared."""

from collections.abc import Mapping
from dataclasses import replace

from gis.access.roles import INSIDE
from gis.catalog import Catalogue, Collection, Grant, Policy, Rows, Sensitivity

#: Open to the public, to staff in the divisions of their duty alone.
DUTY = Policy((Grant(roles=("public",)), Grant(roles=INSIDE, rows=Rows.DUTY)))


def by_duty(catalogue: Catalogue) -> Catalogue:
    """The same with open collections whose rows staff see in the divisions of their duty alone."""
    return with_policies(catalogue, {c.id: DUTY for c in catalogue if c.sensitivity is Sensitivity.OPEN})


def with_policies(catalogue: Catalogue, policies: Mapping[str, Policy]) -> Catalogue:
    """The same with other policies for some collections."""

    def own(collection: Collection) -> Collection:
        return replace(collection, policy=policies.get(collection.id, collection.policy))

    return Catalogue(replace(layer, collections=tuple(map(own, layer.collections))) for layer in catalogue.layers)
