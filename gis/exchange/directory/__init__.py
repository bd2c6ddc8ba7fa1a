"""The directory: which department collects what, how often, and for whom (信息资源目录); kept as data, by version."""

from gis.exchange.directory.absent import Absent, absent
from gis.exchange.directory.apply import Applied, apply
from gis.exchange.directory.double import Double, double
from gis.exchange.directory.entries import DataItem, Department, Directory, InformationClass, Request
from gis.exchange.directory.overdue import Overdue, overdue
from gis.exchange.directory.present import counts, departments, directory
from gis.exchange.directory.registers import (
    known_deliverable,
    known_deliverables,
    stored_deliverables,
    with_declared,
)

__all__ = [
    "Absent",
    "Applied",
    "DataItem",
    "Department",
    "Directory",
    "Double",
    "InformationClass",
    "Overdue",
    "Request",
    "absent",
    "apply",
    "counts",
    "departments",
    "directory",
    "double",
    "known_deliverable",
    "known_deliverables",
    "overdue",
    "stored_deliverables",
    "with_declared",
]
