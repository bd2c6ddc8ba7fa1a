"""Land and water areas: what the ground is used for."""

from gis.catalog import Collection, Geometry, Style, StyleClass
from gis.catalog.field import number, text
from gis.text import Text

USES = {
    "residential": Text("居住用地", "residential"),
    "commercial": Text("商业用地", "commercial"),
    "industrial": Text("工业用地", "industrial"),
    "education": Text("教育用地", "education"),
    "green": Text("公园绿地", "park and green"),
    "forest": Text("林地", "forest"),
    "farmland": Text("耕地", "farmland"),
    "other": Text("其他用地", "other"),
}

_LOOKS = (
    ("residential", "#f0ece4", "#24282e"),
    ("commercial", "#f5e6e0", "#2b272a"),
    ("industrial", "#ebe6ee", "#27262e"),
    ("education", "#f5efd9", "#2b2a26"),
    ("green", "#d3e6c4", "#24342b"),
    ("forest", "#c5dcb8", "#203026"),
    ("farmland", "#eef0dc", "#272b24"),
)

WATER_KINDS = {
    "river": Text("河流", "river"),
    "lake": Text("湖泊", "lake"),
    "reservoir": Text("水库", "reservoir"),
    "pond": Text("坑塘", "pond"),
    "other": Text("其他水域", "other water"),
}

LAND = Collection(
    id="base.land",
    title=Text("土地利用", "Land use"),
    description=Text("土地利用地块", "Land-use areas"),
    geometry=Geometry.POLYGON,
    key=("code",),
    division="locate",
    cell_resolution=10,
    min_zoom=8,
    fields=(
        text("code", "地块编码", "Parcel code", "地块编码", "图斑编号", "编码", "osm_id", required=True),
        text("name", "名称", "Name", "名称", "地块名称"),
        text("use", "用地类型", "Use", "用地类型", "地类", "dlmc", values=USES),
        number("area_m2", "面积", "Area", "面积", "面积m2", unit="m2"),
    ),
    style=Style(color="#eeeae2", dark="#22262c", by="use",
                classes=tuple(StyleClass(v, c, d, USES[v]) for v, c, d in _LOOKS),
                label="name", label_zoom=15, label_size_px=11, order=10, base=True),
)  # fmt: skip

WATER = Collection(
    id="base.water",
    title=Text("水域", "Water"),
    description=Text("河流、湖泊、水库等水域", "Rivers, lakes, reservoirs and other water areas"),
    geometry=Geometry.POLYGON,
    key=("code",),
    division="locate",
    cell_resolution=10,
    fields=(
        text("code", "水域编码", "Water code", "水域编码", "编码", "osm_id", required=True),
        text("name", "名称", "Name", "名称", "水系名称"),
        text("kind", "类型", "Kind", "类型", "水域类型", values=WATER_KINDS),
    ),
    style=Style(color="#b5d3e7", dark="#1d3a4f", outline="#9cc3de", outline_dark="#27495f", label="name", label_zoom=12,
                label_size_px=12, order=20, base=True),
)  # fmt: skip
