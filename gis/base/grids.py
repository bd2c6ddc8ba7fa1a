"""Grids that the city is watched over by: three kinds, each drawn on its own; none is assumed to nest in another.

Unit grids of city management and of governance have 15 digits (GB/T 30428.1: division 6, street 3, community 3,
serial 3) and nest in their community; police beats (警务区) have the codes of their station.
"""

from gis.catalog import Collection, Geometry, Style, StyleClass
from gis.catalog.field import number, text
from gis.text import Text

KINDS = {
    "city_management": Text("城管单元网格", "city management"),
    "governance": Text("综治网格", "governance"),
    "police": Text("警务区", "police beat"),
}

_LOOKS = (
    ("city_management", "#0072b2", "#56b4e9"),
    ("governance", "#d55e00", "#ff8a3d"),
    ("police", "#009e73", "#3fcfa5"),
)

GRIDS = Collection(
    id="base.grids",
    title=Text("单元网格", "Grids"),
    description=Text(
        "城管单元网格、综治网格与警务区;三者边界各自划定,互不嵌套",
        "Unit grids of city management, governance grids and police beats; each kind has borders of its own",
    ),
    geometry=Geometry.POLYGON,
    key=("kind", "code"),
    division="locate",
    min_zoom=12,
    group=Text("地名地址", "Places"),
    fields=(
        text("code", "网格编码", "Grid code", "网格编码", "单元网格编码", "网格代码", "编码", required=True,
             sortable=True),
        text("kind", "网格类型", "Kind", "网格类型", "类型", "类别", values=KINDS, required=True),
        text("name", "网格名称", "Name", "网格名称", "名称"),
        text("parent", "所属单位", "Belongs to", "所属单位", "所属社区", "所属派出所",
             description=Text("社区代码或派出所代码", "code of the community or police station")),
        number("area_m2", "面积", "Area", "面积", "面积m2", unit="m2"),
    ),
    style=Style(color="#7a7a7a", dark="#a8adb5", outline="#5b6068", outline_dark="#8a9098", opacity=0.25, by="kind",
                classes=tuple(StyleClass(v, c, d, KINDS[v]) for v, c, d in _LOOKS),
                label="name", label_zoom=15, label_size_px=10, order=42),
)  # fmt: skip
