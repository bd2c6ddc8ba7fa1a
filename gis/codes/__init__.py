"""Chinese codes as types: parse, check and explain, one at a time or a column at once."""

from gis.codes.address import Address
from gis.codes.address_levels import AddressLevel
from gis.codes.citizen_id import CitizenId, Sex
from gis.codes.credit_code import CreditCode
from gis.codes.division import Division, UrbanRural
from gis.codes.finding import ColumnFindings, Finding, Verdict
from gis.codes.grid_code import GridCode

__all__ = [
    "Address",
    "AddressLevel",
    "CitizenId",
    "ColumnFindings",
    "CreditCode",
    "Division",
    "Finding",
    "GridCode",
    "Sex",
    "UrbanRural",
    "Verdict",
]
