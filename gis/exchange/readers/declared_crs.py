"""The name of the CRS that a file declares, short where the EPSG register knows it."""

import warnings
from typing import Any

from pyproj import CRS
from pyproj.exceptions import CRSError

_UNDEFINED = ("undefined", "unknown")


def crs_name(declared: Any) -> str | None:
    """ "EPSG:4548" for what a file says in WKT, PROJJSON, a URN or a number; its WKT where EPSG has no such CRS.

    None where the file says nothing, or says "undefined" as GeoPackage does (OGC 12-128r19, requirement 11), or says
    what nobody understands.
    """
    if not declared:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            crs = CRS.from_user_input(declared)
            authority = crs.to_authority(min_confidence=70)
    except (CRSError, ValueError, TypeError):
        return None
    if authority is not None:
        return ":".join(authority)
    if crs.name.lower().startswith(_UNDEFINED) or not (crs.is_geographic or crs.is_projected):
        return None
    return str(crs.to_wkt())
