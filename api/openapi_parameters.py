"""The parameters of questions in OpenAPI 3.0.3: their words and their schemas."""

from typing import Any

from api.geocoding import MAX_CHARACTERS
from gis.query.crs import CRS84_URI
from gis.text import Text

_TEXT: dict[str, Any] = {"type": "string"}
#: A collection's document lists what it is offered in.
CRS: dict[str, Any] = {"type": "string", "format": "uri", "default": CRS84_URI}

#: Every parameter of a question: its words and its schema.
PARAMETERS: dict[str, tuple[Text, dict[str, Any]]] = {
    "bbox": (
        Text(
            "范围:西,南,东,北(度);西大于东表示跨越 180° 经线",
            "West,south,east,north in degrees; west above east crosses the antimeridian",
        ),
        {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}},
    ),
    "bbox-crs": (Text("bbox 的坐标系,坐标轴按该坐标系的次序", "CRS of bbox, axes in its own order"), CRS),
    "crs": (Text("返回几何的坐标系", "CRS of the answer's geometry, axes in its own order"), CRS),
    "datetime": (
        Text(
            "有效时间:时刻、日期(上海)或闭区间 a/b,.. 表示不限,一端可为时长(P2D)",
            "Valid time: instant, date (Shanghai) or closed interval a/b, .. for open; one end may be a duration (P2D)",
        ),
        _TEXT,
    ),
    "as-of": (Text("按当时的记录回答", "Answer as it was recorded then"), _TEXT),
    "scenario": (Text("规划方案", "A planned variant of the city"), _TEXT),
    "filter": (Text("CQL2 过滤条件", "A CQL2 filter"), _TEXT),
    "filter-lang": (
        Text("过滤语言", "Language of the filter"),
        {"type": "string", "enum": ["cql2-text", "cql2-json"], "default": "cql2-text"},
    ),
    "filter-crs": (Text("过滤条件中几何的坐标系", "CRS of geometries in the filter"), CRS),
    "ids": (Text("要素编号,逗号分隔", "Numbers of features, separated by commas"), _TEXT),
    "near": (Text("经度,纬度,半径(米)", "Longitude,latitude,radius in metres"), _TEXT),
    "cells": (Text("H3 网格,逗号分隔", "H3 cells, separated by commas"), _TEXT),
    "area": (Text("WKT 图形,或 数据集/要素编号", "A shape as WKT, or collection/fid of a feature"), _TEXT),
    "division": (Text("区划代码(2、4、6、9 或 12 位)", "Division code of 2, 4, 6, 9 or 12 digits"), _TEXT),
    "properties": (Text("返回的字段,逗号分隔", "Fields in the answer, separated by commas"), _TEXT),
    "sortby": (
        Text("排序字段,-为降序;空值总在最后", "Fields to sort by, - for descending; missing values come last"),
        _TEXT,
    ),
    "limit": (
        Text("每页要素数", "Features a page"),
        {"type": "integer", "minimum": 1, "maximum": 10000, "default": 10},
    ),
    "offset": (Text("跳过的要素数", "Features to skip"), {"type": "integer", "minimum": 0, "default": 0}),
    "after": (Text("翻页标记,见 next 链接", "Where the page before ended; from a next link"), _TEXT),
    "measure": (Text("统计量:count,sum:字段…", "Figures: count, sum:field …"), _TEXT),
    "by": (Text("分组", "Groups"), _TEXT),
    "res": (Text("H3 分辨率", "H3 resolution"), {"type": "integer", "minimum": 0, "maximum": 15}),
    "address": (Text("地址文本", "An address"), {**_TEXT, "maxLength": MAX_CHARACTERS}),
    "lon": (Text("经度(WGS 84)", "Longitude (WGS 84)"), {"type": "number", "minimum": -180, "maximum": 180}),
    "lat": (Text("纬度(WGS 84)", "Latitude (WGS 84)"), {"type": "number", "minimum": -90, "maximum": 90}),
    "theme": (Text("主题", "Theme"), {"type": "string", "enum": ["light", "dark"]}),
    "since": (Text("上次得到的位置", "The position of an earlier answer"), _TEXT),
    "collection": (Text("数据集,逗号分隔", "Collections, separated by commas"), _TEXT),
    "lang": (Text("语言", "Language"), {"type": "string", "enum": ["zh", "en"]}),
    "f": (Text("格式", "Form of the answer"), _TEXT),
}
#: Said where the standard says it (17-069r4, 7.15.2 to 7.15.4), though it is so anyway for what is not a list.
EXPLODED = {name: {"style": "form", "explode": False} for name in ("bbox", "limit", "datetime", "crs", "bbox-crs")}
