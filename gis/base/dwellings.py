"""Dwellings: the homes of a building by staircase, floor and room."""

from gis.base.buildings import USES
from gis.catalog import Collection, Geometry, Sensitivity, Style
from gis.catalog.field import integer, number, text
from gis.text import Text

DWELLINGS = Collection(
    id="base.dwellings",
    title=Text("房屋", "Dwellings"),
    description=Text("房屋(户室)及其楼栋、单元、楼层", "Dwellings with their building, staircase and floor"),
    geometry=Geometry.POINT,
    key=("code",),
    division="placed",
    cell_resolution=11,
    min_zoom=17,
    sensitivity=Sensitivity.INTERNAL,
    group=Text("三大登记库", "Base registers"),
    fields=(
        text("code", "房屋编码", "Dwelling code", "房屋编码", "户室编码", "fwbm", required=True, sortable=True),
        text("building", "建筑编码", "Building code", "建筑编码", "楼栋编码", "幢编码", required=True,
             refers="base.buildings"),
        text("village", "区划代码", "Division code", "区划代码", "社区代码", "村居代码"),
        integer("unit", "单元", "Staircase", "单元", "单元号"),
        integer("floor", "楼层", "Floor", "楼层", "所在层"),
        text("room", "室号", "Room", "室号", "房号"),
        text("address", "标准地址", "Full address", "标准地址", "坐落", "房屋坐落"),
        text("use", "房屋用途", "Use", "房屋用途", "用途", "规划用途", values=USES),
        number("area_m2", "建筑面积", "Floor area", "建筑面积", unit="m2"),
    ),
    style=Style(color="#8c6d46", dark="#c9a877", outline="#ffffff", outline_dark="#1b1f26", radius_px=2.5, label="room",
                label_zoom=19, label_size_px=9, order=65),
)  # fmt: skip
