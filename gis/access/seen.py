"""A collection as one caller sees it: what a declaration says, less what the rules hide.

Whatever is told *about* a collection (its document, schema, queryables, style, OpenAPI) is told of this one; plans are
made of it too, so that what a caller cannot see takes no part in how an answer is made.
"""

from dataclasses import replace
from functools import lru_cache

from gis.access.identity import Identity
from gis.access.rules import Rules, rules_for
from gis.catalog import Catalogue, Collection, Detail, Field, Geometry, Grant, Policy, Rollup, Style

_KEPT = 4_096


@lru_cache(maxsize=_KEPT)
def rules_in(catalogue: Catalogue, identity: Identity, collection_id: str) -> Rules:
    """The rules under which somebody may ask a collection of a catalogue, found once. Raises UnknownName, Forbidden."""
    return rules_for(identity, catalogue[collection_id])


@lru_cache(maxsize=_KEPT)
def seen_in(catalogue: Catalogue, identity: Identity, collection_id: str) -> Collection:
    """A collection of a catalogue as somebody sees it, made once. Raises UnknownName, Forbidden."""
    return seen(catalogue[collection_id], rules_in(catalogue, identity, collection_id))


def is_whole(collection: Collection, rules: Rules) -> bool:
    """Whether rows are told as they are recorded: every field exactly, and the place."""
    return not rules.is_partial and len(rules.fields) == len(collection.fields)


def seen(collection: Collection, rules: Rules) -> Collection:
    """The collection under some rules.

    Fields that are hidden are not there; masked ones are text that nothing can be asked about, and are named in
    `Collection.masked`. Where places are told by their cell, features are points and there are no finer cells; where by
    their division, they have no shape. Whatever would tell of the rest, such as sums, ranks and classes, is left out.
    """
    if is_whole(collection, rules):
        return collection
    exact, has_place = rules.fields, rules.precision == "exact" and rules.anonymous is None
    key = collection.key if exact.issuperset(collection.key) else ()
    measured = collection.measured
    if measured is not None:
        parameters = tuple(name for name in measured.parameters if name in exact)
        measured = replace(measured, parameters=parameters) if parameters and key else None
    return replace(
        collection,
        fields=tuple(_field(f, rules) for f in collection.fields if f.name in rules.told),
        masked=tuple(n for n in collection.by_name if n in rules.masked),
        key=key,
        division=collection.division if collection.division in (None, "locate", "placed", *exact) else None,
        geometry=_geometry(collection, rules),
        tiled=collection.tiled and rules.precision != "division" and rules.anonymous is None,
        cell_resolution=_resolution(collection, rules),
        style=_style(collection, rules),
        measured=measured,
        rollup=_rollup(collection, rules) if has_place else None,
        detail=collection.detail if has_place and collection.detail.rank in (None, *exact) else Detail(last_zooms=()),
        editable=False,
        policy=collection.policy and _policy(collection.policy, rules),
    )


def _field(field: Field, rules: Rules) -> Field:
    """A masked field is no code any more, refers to nothing, and is in no order."""
    return replace(field, values={}, refers="", sortable=False) if field.name in rules.masked else field


def _geometry(collection: Collection, rules: Rules) -> Geometry | None:
    if collection.geometry is None or rules.precision == "division":
        return None
    return collection.geometry if rules.precision == "exact" else Geometry.POINT


def _resolution(collection: Collection, rules: Rules) -> int:
    if rules.anonymous is not None:
        return min(collection.cell_resolution, rules.anonymous.resolution)
    return min(collection.cell_resolution, rules.precision) if isinstance(rules.precision, int) else (
        collection.cell_resolution
    )  # fmt: skip


def _style(collection: Collection, rules: Rules) -> Style | None:
    style = collection.style
    if style is None or rules.precision == "division":
        return None
    if style.by is not None and style.by not in rules.fields:
        style = replace(style, by=None, classes=())
    label = style.label if style.label in rules.told else None
    return replace(style, label=label, height=style.height if style.height in rules.fields else None)


def _rollup(collection: Collection, rules: Rules) -> Rollup | None:
    """What is summed up, as far as it may be told; sums by what is hidden add up to those without it."""
    rollup = collection.rollup
    if rollup is None:
        return None
    measures, dimensions = (
        tuple(n for n in names if n in rules.fields) for names in (rollup.measures, rollup.dimensions)
    )
    return replace(rollup, measures=measures, dimensions=dimensions)


def _policy(policy: Policy, rules: Rules) -> Policy:
    """The same policy without the names of what is not there."""

    def grant(one: Grant) -> Grant:
        masked = {name: rule for name, rule in one.masked.items() if name in rules.told}
        return replace(one, masked=masked, hidden=tuple(name for name in one.hidden if name in rules.told))

    return Policy(tuple(map(grant, policy.grants)))
