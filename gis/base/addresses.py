"""Standard addresses: where a door plate is and how it is written in full."""

from gis.catalog import Collection, Geometry, Rollup, Style
from gis.catalog.field import text
from gis.text import Text

ADDRESSES = Collection(
    id="base.addresses",
    title=Text("标准地址", "Addresses"),
    description=Text(
        "标准地址(门牌)点及其各级组成;辅地址指向其主地址",
        "Standard addresses (door plates) and their parts; an auxiliary one names the main one",
    ),
    geometry=Geometry.POINT,
    key=("code",),
    division="locate",
    rollup=Rollup(resolutions=tuple(range(11)), near_zoom=14),
    group=Text("地名地址", "Places"),
    fields=(
        text("code", "地址编码", "Address code", "地址编码", "编码", "dzbm", required=True,
             sortable=True),
        text("text", "标准地址", "Full address", "标准地址", "地址全称", "地址", "dzqc", required=True),
        text("street", "街路巷", "Street", "街路巷", "街路巷名", "路名"),
        text("plate", "门牌号", "Door plate", "门牌号", "门牌", "mph"),
        text("compound", "小区", "Compound", "小区", "小区名称", "院落"),
        text("building", "楼栋", "Building", "楼栋", "楼栋号", "栋"),
        text("main", "主地址编码", "Main address", "主地址编码", "主地址", "所属主地址", "zdzbm",
             refers="base.addresses", description=Text("同一处地点的主地址(GB/T 39609-2020);空为主地址本身",
                              "code of the main address of the same place (GB/T 39609-2020); none for main ones")),
    ),
    style=Style(color="#5b7fb5", dark="#8fb0e0", outline="#ffffff", outline_dark="#1b1f26", radius_px=3, label="plate",
                label_zoom=18, label_size_px=10, order=70),
)  # fmt: skip
