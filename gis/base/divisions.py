"""Administrative divisions in five levels, with valid time: codes change owner, split, merge and vanish."""

from gis.catalog import Collection, Geometry, Style
from gis.catalog.field import integer, number, text
from gis.text import Text

LEVELS = {
    "1": Text("省级", "province"),
    "2": Text("地级", "prefecture"),
    "3": Text("县级", "county"),
    "4": Text("乡级", "township"),
    "5": Text("村级", "village"),
}

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
    cell_resolution=9,
    fields=(
        text("code", "区划代码", "Division code", "区划代码", "行政区划代码", "adcode", "xzqdm", "gb", required=True,
             sortable=True, description=Text("12 位统计用区划代码", "12-digit statistical division code")),
        text("name", "名称", "Name", "名称", "区划名称", "行政区名称", "xzqmc", required=True),
        integer("level", "级别", "Level", "级别", values=LEVELS, required=True),
        text("parent", "上级代码", "Parent code", "上级代码", "上级区划"),
        number("area_km2", "面积", "Area", "面积", "面积km2", unit="km2"),
    ),
    style=Style(color="#8a8f98", dark="#6f7682", width_px=1.4, label="name", label_zoom=7, label_size_px=13, order=40,
                base=True),
)  # fmt: skip
