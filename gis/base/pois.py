"""Points of interest: what is where, by kind."""

from gis.catalog import Collection, Geometry, Rollup, Style, StyleClass
from gis.catalog.field import text
from gis.text import Text

KINDS = {
    "school": Text("学校", "school"),
    "hospital": Text("医疗", "health care"),
    "government": Text("政府机构", "government"),
    "shop": Text("商店", "shop"),
    "food": Text("餐饮", "food and drink"),
    "transport": Text("交通设施", "transport"),
    "culture": Text("文化体育", "culture and sport"),
    "other": Text("其他", "other"),
}

# Okabe–Ito: distinguishable with every common colour vision
_LOOKS = (
    ("school", "#0072b2", "#56b4e9"),
    ("hospital", "#d55e00", "#ff8a3d"),
    ("government", "#cc79a7", "#e39bc4"),
    ("shop", "#e69f00", "#f2bb4a"),
    ("food", "#b8a000", "#f0e442"),
    ("transport", "#56b4e9", "#8fd0f7"),
    ("culture", "#009e73", "#3fcfa5"),
    ("other", "#7a7a7a", "#a8adb5"),
)

POIS = Collection(
    id="base.pois",
    title=Text("兴趣点", "Points of interest"),
    description=Text("学校、医院、商店等兴趣点", "Schools, hospitals, shops and other points of interest"),
    geometry=Geometry.POINT,
    key=("code",),
    division="locate",
    editable=True,
    rollup=Rollup(resolutions=tuple(range(11)), dimensions=("kind",), near_zoom=10),
    group=Text("地名地址", "Places"),
    fields=(
        text("code", "编码", "Code", "编码", "POI编码", "poiid", "osm_id", required=True),
        text("name", "名称", "Name", "名称", "POI名称", "mc", required=True, sortable=True),
        text("kind", "类别", "Kind", "类别", "类型", "lb", values=KINDS),
        text("address", "地址", "Address", "地址", "dz"),
        text("telephone", "电话", "Telephone", "电话", "联系电话", "tel"),
    ),
    style=Style(color="#7a7a7a", dark="#a8adb5", outline="#ffffff", outline_dark="#1b1f26", radius_px=4.5, by="kind",
                classes=tuple(StyleClass(v, c, d, KINDS[v], glyph=v if v != "other" else None) for v, c, d in _LOOKS),
                label="name", label_zoom=15, label_size_px=11, order=80),
)  # fmt: skip
