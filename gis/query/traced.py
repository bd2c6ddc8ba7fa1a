"""A question as the trace keeps it: the canonical text, in which what may name a person is a pseudonym.

Kept as they are: places, times, groups, declared words, numbers of features (pseudonyms of persons by themselves) and
small numbers. Free texts, long numbers, and of persons dates as well, become words that stand for them: who searches
the trace for whoever asked about a name computes the name's word first.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from gis.access.trace import Pseudonyms
from gis.catalog import Collection, Field, FieldType, Sensitivity
from gis.query.filters import Filter
from gis.query.query import ByField, Query
from gis.query.url import render

#: Properties of every feature that name nobody.
_STANDARD = frozenset({"fid", "division", "cell", "valid_from", "valid_to", "time", "geom", "geometry"})
#: Numbers from here on may be telephones, cards or id numbers.
_LONG_NUMBER = 1_000_000
_SHAPES = ("coordinates", "geometries", "bbox")
_TIMES = ("date", "timestamp")
_OPERATION = re.compile(r"[A-Za-z_<>=+*/%^-]{1,30}\Z", re.ASCII)


@lru_cache(maxsize=4096)
def traced(query: Query, collection: Collection, pseudonyms: Pseudonyms) -> str:
    """The question's text: `base.persons?division=340100000000&filter=(dwelling = '~0f3a…')`.

    A later page of an answer says only behind which feature it begins: `after=fid:17`.
    """
    after = query.page.after
    hidden = _Hidden(collection, pseudonyms)
    where = query.where and Filter(_plain(hidden.node(json.loads(query.where.json), None)))
    told = query.but(
        where=where,
        fields=query.fields and tuple(map(hidden.name, query.fields)),
        by=tuple(replace(by, name=hidden.name(by.name)) if isinstance(by, ByField) else by for by in query.by),
        measure=tuple(replace(one, field=one.field and hidden.name(one.field)) for one in query.measure),
        sort=tuple(replace(one, field=hidden.name(one.field)) for one in query.sort),
        page=replace(query.page, after=None),
    )
    try:
        text = render(told)
    except ValueError:
        # a tree that cannot be written as text stands as what it is
        text = f"{render(told.but(where=None))} filter={where.json if where else ''}"
    return text if after is None else f"{text}{'&' if '?' in text else '?'}after=fid:{after.fid}"


def _plain(tree: Any) -> str:
    return json.dumps(tree, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


class _Hidden:
    """Puts pseudonyms in the place of a filter's values, by the field that each is compared with, and of odd names."""

    def __init__(self, collection: Collection, pseudonyms: Pseudonyms) -> None:
        self._fields: Mapping[str, Field] = collection.by_name
        self._of = pseudonyms.of
        self._personal = collection.sensitivity is Sensitivity.PERSONAL

    def name(self, name: str) -> str:
        """A name that is declared, or a pseudonym of it."""
        return name if name in self._fields or name in _STANDARD else self._of(name)

    def node(self, node: Any, name: str | None) -> Any:
        """A part of the tree; `name` is the property that its values are compared with, None: not one alone."""
        match node:
            case {"op": str(op), "args": list(args)}:
                names = _properties(args)
                op = op if _OPERATION.match(op) else self._of(op)
                return {"op": op, "args": self.node(args, names.pop() if len(names) == 1 else None)}
            case {"property": named}:
                return {"property": self.name(str(named))}
            case {} if any(key in node for key in _SHAPES):
                return node
            case {}:
                return {key: self._time(key, value, name) for key, value in node.items()}
            case [*parts]:
                return [self.node(part, name) for part in parts]
        return self._value(node, name)

    def _time(self, key: str, value: Any, name: str | None) -> Any:
        """A time stays, but for the dates of persons' lives."""
        if key in (*_TIMES, "interval") and (not self._personal or name in _STANDARD):
            return value
        return self.node(value, name)

    def _value(self, value: Any, name: str | None) -> Any:
        if value is None or isinstance(value, bool) or name in _STANDARD:
            return value
        field = self._fields.get(name) if name else None
        if isinstance(value, int | float):
            whole = field is not None and field.type is FieldType.INTEGER and bool(field.refers)
            return value if whole or abs(value) < _LONG_NUMBER else self._of(f"{value}")
        text = str(value)
        return text if field is not None and text in field.values else self._of(text)


def _properties(node: Any) -> set[str]:
    """The properties that are named somewhere in a part of the tree."""
    match node:
        case {"property": name}:
            return {str(name)}
        case {"args": args}:
            return _properties(args)
        case [*parts]:
            return {name for part in parts for name in _properties(part)}
    return set()
