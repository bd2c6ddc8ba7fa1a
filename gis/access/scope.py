"""What a caller's rights open, as a text that the database checks for itself: the second wall's side of the rules.

The plan writes rights into each statement. Under it the reader's role sees no row but what a signed scope opens; the
scope is made here, from who asks and from what the statement names, not by whoever wrote the statement. It ends with
`;` and reads `<expiry>;<name>=<value>;…`, where a name is

* a collection's id: rows may be read exactly as recorded, those of the divisions of the value (an int8multirange);
* the id with `~`: rows may be read in part, by the view that masks; `id.field` then says how each restricted field is
  told: `exact`, or by a rule of masking. A field without a word is hidden.
* the id with `^`: rows may be read without their place; `id.^` is the resolution of the cell that is told instead.
* `figures`: of which collections released figures may be read, as JSON: the smallest k and the finest cells, in which
  divisions, and which of the fields that they are told apart by are hidden.

Before it stands its HMAC-SHA256 as 64 hexadecimal digits. There is no white space in it, so that it can be an option of
a connection as well. It holds all that is not restricted for anybody, so that most statements of a caller share one
scope and a connection need not be told anew, and of what is restricted only what the statement names.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from functools import lru_cache

from gis.access.identity import Identity
from gis.access.rules import Rules, coarse_fields, policy_of, rules_for
from gis.catalog import Catalogue, Collection, Sensitivity
from gis.errors import Forbidden

#: Every division, and rows that are in none.
EVERYWHERE = "{(,)}"
PARTLY, BLURRED = "~", "^"
#: What a statement names that reads released figures, of whichever collection.
FIGURES = "figures"

_LEAST_DIVISION = 1


def restricted_fields(collection: Collection) -> dict[str, tuple[str, ...]]:
    """The fields that are masked or hidden for anybody, in declared order, with the rules by which they are masked."""
    found: dict[str, dict[str, None]] = {}
    for grant in policy_of(collection).grants:
        for name in grant.hidden:
            found.setdefault(name, {})
        for name, rule in grant.masked.items():
            found.setdefault(name, {})[rule] = None
    return {name: tuple(found[name]) for name in collection.by_name if name in found}


def is_blurred(collection: Collection) -> bool:
    """Whether anybody is told less than the exact place."""
    return any(grant.precision != "exact" for grant in policy_of(collection).grants)


def is_sensitive(collection: Collection) -> bool:
    """Whether somebody is told less of a row than others, or the rows are of persons: opened to who names it alone."""
    personal = collection.sensitivity is Sensitivity.PERSONAL
    return personal or is_blurred(collection) or bool(restricted_fields(collection))


def level(rules: Rules, collection: Collection) -> str | None:
    """By which relation a caller reads: `` the register itself, `~` the masking view, `^` that without places; None:
    by none, where only anonymous figures are told.
    """
    if rules.anonymous is not None:
        return None
    if rules.precision != "exact":
        return BLURRED
    return "" if rules.fields >= collection.by_name.keys() else PARTLY


@lru_cache(maxsize=4096)
def scope(catalogue: Catalogue, identity: Identity, named: frozenset[str]) -> str:
    """What is opened to somebody's statement that names these collections, without expiry and signature."""
    rows = "".join(
        f";{name}={value}"
        for collection in catalogue
        if collection.id in named or not is_sensitive(collection)
        for name, value in _opened(identity, collection)
    )
    return rows + (_figures(catalogue, identity) if FIGURES in named else "")


def signed(key: bytes, opened: str, expiry_s: int) -> str:
    """A scope that holds until a moment (seconds since 1970), signed with the database's own key."""
    text = f"{expiry_s}{opened};"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest() + text


def _opened(identity: Identity, collection: Collection) -> Iterator[tuple[str, str]]:
    try:
        rules = rules_for(identity, collection)
    except Forbidden:
        return
    by = level(rules, collection)
    if by is None:
        return
    yield f"{collection.id}{by}", _multirange(rules.divisions)
    if by:
        for name in restricted_fields(collection):
            if name in rules.fields or name in rules.masked:
                yield f"{collection.id}.{name}", rules.masked.get(name, "exact")
    if by == BLURRED and isinstance(rules.precision, int):
        yield f"{collection.id}.{BLURRED}", str(rules.precision)


def _figures(catalogue: Catalogue, identity: Identity) -> str:
    """Of which collections somebody is told counts, and how coarse these have to be."""
    told = []
    for collection in catalogue:
        try:
            rules = rules_for(identity, collection)
        except Forbidden:
            continue
        if rules.anonymous is not None:
            hidden = [name for name in coarse_fields(collection) if name not in rules.fields]
            divisions = _multirange(rules.divisions)
            told.append(
                {"collection": collection.id, **asdict(rules.anonymous), "divisions": divisions, "hidden": hidden}
            )
    return f";{FIGURES}={json.dumps(told, separators=(',', ':'))}"


def _multirange(divisions: Iterable[tuple[int, int]] | None) -> str:
    """Division ranges as PostgreSQL writes a set of whole numbers; 0 stands for rows in no division."""
    if divisions is None:
        return EVERYWHERE
    ranges = ((max(low, _LEAST_DIVISION), high) for low, high in divisions)
    return "{" + ",".join(f"[{low},{high}]" for low, high in ranges if low <= high) + "}"
