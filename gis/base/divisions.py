"""Administrative divisions in five levels, with valid time: codes change owner, split, merge and vanish."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.catalog import Collection, Geometry, Style
from gis.catalog.field import integer, number, text
from gis.codes import division_column
from gis.text import Text

LEVELS = {
    "1": Text("省级", "province"),
    "2": Text("地级", "prefecture"),
    "3": Text("县级", "county"),
    "4": Text("乡级", "township"),
    "5": Text("村级", "village"),
}


def from_code(table: pa.Table) -> pa.Table:
    """The code in its full 12 digits; the level and the parent's code, where a file does not say them, from it."""
    codes = division_column.check_column(table.column("code")).code
    known = codes > 0
    levels = pa.array(division_column.levels(codes).astype(np.int64), mask=~known)
    said = {name: table.column(name).combine_chunks() for name in ("code", "level", "parent")}
    full = {
        "code": pc.coalesce(_texts(codes), said["code"]),
        "level": pc.coalesce(said["level"], levels),
        "parent": pc.coalesce(said["parent"], _texts(division_column.parents(codes))),
    }
    for name, column in full.items():
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table


def _texts(codes: NDArray[np.int64]) -> pa.Array:
    """Codes of 12 digits; null for 0."""
    return pa.array(np.char.zfill(codes.astype(str), 12), pa.string(), mask=codes <= 0)


DIVISIONS = Collection(
    id="base.divisions",
    title=Text("行政区划", "Divisions"),
    description=Text(
        "省、市、区县、街道乡镇、社区村五级行政区划及其有效期",
        "Administrative divisions in five levels and when each was valid",
    ),
    geometry=Geometry.POLYGON,
    key=("code",),
    division="code",
    derive=from_code,
    cell_resolution=9,
    fields=(
        text("code", "区划代码", "Division code", "区划代码", "行政区划代码", "adcode", "xzqdm", "gb", required=True,
             sortable=True, description=Text("12 位统计用区划代码", "12-digit statistical division code")),
        text("name", "名称", "Name", "名称", "区划名称", "行政区名称", "xzqmc", required=True),
        integer("level", "级别", "Level", "级别", values=LEVELS,
                description=Text("由代码推得", "follows from the code")),
        text("parent", "上级代码", "Parent code", "上级代码", "上级区划"),
        number("area_km2", "面积", "Area", "面积", "面积km2", unit="km2"),
    ),
    style=Style(color="#8a8f98", dark="#6f7682", width_px=1.4, label="name", label_zoom=7, label_size_px=13, order=40,
                base=True),
)  # fmt: skip
