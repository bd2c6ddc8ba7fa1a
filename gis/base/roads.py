"""Road centre lines with their class."""

from gis.catalog import Collection, Detail, Geometry, Style, StyleClass
from gis.catalog.field import integer, number, text
from gis.text import Text

CLASSES = {
    "motorway": Text("高速公路", "motorway"),
    "trunk": Text("快速路", "expressway"),
    "primary": Text("主干路", "primary road"),
    "secondary": Text("次干路", "secondary road"),
    "tertiary": Text("支路", "tertiary road"),
    "residential": Text("街巷", "residential street"),
    "service": Text("内部道路", "service road"),
    "path": Text("步行道", "path"),
    "other": Text("其他道路", "other road"),
}

_LOOKS = (
    ("motorway", "#e8b27a", "#7a5a35", 9.0),
    ("trunk", "#efc48f", "#6d5537", 8.0),
    ("primary", "#f6dca6", "#5f5440", 7.0),
    ("secondary", "#fbecc9", "#4f4a40", 6.0),
    ("tertiary", "#ffffff", "#454a52", 5.0),
    ("residential", "#ffffff", "#3d424a", 3.5),
    ("service", "#ffffff", "#383d45", 2.5),
    ("path", "#e4e1da", "#343941", 1.2),
)

ROADS = Collection(
    id="base.roads",
    title=Text("道路", "Roads"),
    description=Text("道路中心线及等级", "Road centre lines and their classes"),
    geometry=Geometry.LINE,
    key=("code",),
    division="locate",
    editable=True,
    fields=(
        text("code", "道路编码", "Road code", "道路编码", "编码", "osm_id", required=True),
        text("name", "道路名称", "Name", "道路名称", "名称", "路名", "rd_name"),
        text("class", "道路等级", "Class", "道路等级", "等级", "dldj", values=CLASSES),
        integer("lanes", "车道数", "Lanes", "车道数"),
        number("width_m", "路宽", "Width", "路宽", "路宽m", unit="m"),
        integer("speed_limit_kmh", "限速", "Speed limit", "限速", unit="km/h"),
        text("oneway", "单行", "One-way", "单行", values={
            "yes": Text("单行", "one-way"), "no": Text("双向", "two-way"), "reverse": Text("逆向单行", "reverse")}),
    ),
    # a class is drawn no farther off than the style shows it
    detail=Detail(rank="class", first_zooms=(
        ("motorway", 0), ("trunk", 0), ("primary", 8), ("secondary", 10), ("tertiary", 11), ("residential", 12))),
    style=Style(
        color="#ffffff", dark="#3d424a", outline="#d9d4c9", outline_dark="#23272e", by="class",
        classes=tuple(StyleClass(v, c, d, CLASSES[v], w) for v, c, d, w in _LOOKS),
        label="name", label_zoom=14, label_size_px=12, order=30, base=True,
    ),
)  # fmt: skip
