"""Building footprints with use, storeys and height."""

from gis.catalog import Collection, Geometry, Rollup, Style, StyleClass
from gis.catalog.field import integer, number, text
from gis.text import Text

USES = {
    "residential": Text("住宅", "residential"),
    "commercial": Text("商业", "commercial"),
    "office": Text("办公", "office"),
    "industrial": Text("工业", "industrial"),
    "school": Text("学校", "school"),
    "hospital": Text("医院", "hospital"),
    "public": Text("公共设施", "public facility"),
    "other": Text("其他", "other"),
}

_LOOKS = (
    ("residential", "#d9c9b8", "#6b5d4b"),
    ("commercial", "#d6a99a", "#84564b"),
    ("office", "#b9bfd0", "#56648a"),
    ("industrial", "#c3bcc9", "#6a5878"),
    ("school", "#e0cf9a", "#857338"),
    ("hospital", "#e3b3b8", "#8a5560"),
    ("public", "#a9c4c0", "#4b7a74"),
    ("other", "#d8d5cf", "#565b64"),
)

BUILDINGS = Collection(
    id="base.buildings",
    title=Text("建筑物", "Buildings"),
    description=Text("建筑物轮廓、用途、层数与高度", "Building footprints with use, storeys and height"),
    geometry=Geometry.POLYGON,
    key=("code",),
    division="locate",
    min_zoom=12,
    rollup=Rollup(measures=("storeys", "height_m"), dimensions=("use",), near_zoom=12),
    fields=(
        text("code", "建筑编码", "Building code", "建筑编码", "楼栋编码", "编码", "osm_id", "jzwbm", required=True,
             sortable=True),
        text("name", "建筑名称", "Name", "建筑名称", "楼栋名称", "名称", "jzwmc"),
        text("use", "用途", "Use", "用途", "建筑用途", "jzwyt", values=USES),
        integer("storeys", "层数", "Storeys", "层数", "地上层数", "楼层数", "cs"),
        number("height_m", "高度", "Height", "高度", "建筑高度", "高度m", unit="m"),
        integer("built_year", "建成年份", "Year built", "建成年份", "建成年代"),
        text("address", "地址", "Address", "地址", "标准地址", "dz"),
    ),
    style=Style(
        color="#d8d5cf", dark="#42464d", outline="#bdb7ab", outline_dark="#565b64", by="use",
        classes=tuple(StyleClass(v, c, d, USES[v]) for v, c, d in _LOOKS),
        label="name", label_zoom=16, label_size_px=11, height="height_m", order=35,
    ),
)  # fmt: skip
