"""Filters in OGC CQL2 (21-065r2): parsed by the `cql2` library into one canonical value, compiled to SQL.

Offered: basic CQL2, advanced comparison, case-insensitive comparison, spatial functions, temporal functions,
arithmetic, and properties compared with properties. Refused with words: other functions, `accenti`, array functions
(no field holds an array).
"""

from gis.query.filters.cql2_filter import Filter

__all__ = ["Filter"]
