"""A filter as one value: equal questions have equal filters, whatever language they were written in."""

from __future__ import annotations

import json
from dataclasses import dataclass

import cql2

from gis.catalog import Collection
from gis.errors import BadQuery
from gis.query.crs import CRS84
from gis.query.filters.conditions import Conditions
from gis.query.filters.fault import Fault
from gis.query.filters.parsing import reason, tree_of
from gis.query.statement import Statement


@dataclass(frozen=True, slots=True)
class Filter:
    """A CQL2 filter as canonical JSON text, its shapes in longitude and latitude."""

    json: str

    @classmethod
    def parse(cls, text: str, language: str = "cql2-text", written_in: str = CRS84) -> Filter:
        """A filter from CQL2 text or JSON whose shapes are in a CRS that `gis.query.crs.read` gave.

        Raises BadQuery with the place at which the parser stopped.
        """
        try:
            tree = tree_of(text, language, written_in)
            canonical = json.dumps(tree, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
            cql2.parse_json(canonical)  # refuses what is nested too deeply to be read again
        except Fault as fault:
            raise fault.refusal from None
        except (cql2.ParseError, ValueError, TypeError, RecursionError) as error:
            why = reason(error, text)
            raise BadQuery(f"the filter {text[:200]!r} is not {language}: {why}",
                           f"过滤条件 {text[:200]!r} 不符合 {language}:{why}", subject="filter") from None  # fmt: skip
        return cls(canonical)

    @property
    def text(self) -> str:
        """The filter as CQL2 text."""
        return str(cql2.parse_json(self.json).to_text())

    def sql(self, collection: Collection, columns: frozenset[str]) -> Statement:
        """The condition as SQL over the collection's columns; of its fields only `columns` may be named.

        Raises BadQuery naming the place in the filter.
        """
        try:
            return Conditions(collection, columns).condition(json.loads(self.json))
        except Fault as fault:
            raise fault.refusal from None
        except (IndexError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise Fault(f"wrong arguments ({error})", f"参数有误({error})").refusal from None
