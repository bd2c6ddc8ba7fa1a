"""The scorecard on the map: by township and street, how many rows are held there and how many of them are returned."""

from gis.catalog import Collection, Geometry, Style, StyleClass
from gis.catalog.field import day, integer, number, text
from gis.text import Text

GRADES = {
    "good": Text("良好(98 分以上)", "good (98 and above)"),
    "fair": Text("一般(90 至 98 分)", "fair (90 to 98)"),
    "poor": Text("较差(90 分以下)", "poor (below 90)"),
}
_LOWEST = (("good", 98.0), ("fair", 90.0), ("poor", 0.0))
_LOOKS = (("good", "#92c5de", "#4393c3"), ("fair", "#fddbc7", "#d6a48a"), ("poor", "#d6604d", "#e0836f"))

SCORECARD = Collection(
    id="exchange.scorecard",
    title=Text("数据质量评分", "Scorecard by division"),
    description=Text(
        "各街道乡镇的登记数据量,以及其中有待部门核查的行",
        "By township and street: rows held in the registers, and how many of them departments are to look into",
    ),
    geometry=Geometry.POLYGON,
    key=("code",),
    division="code",
    timed=False,
    cell_resolution=9,
    min_zoom=8,
    group=Text("数据归集", "Exchange"),
    source=Text("由各登记库和退回任务计算", "Computed from the registers and the returned rows"),
    fields=(
        text("code", "区划代码", "Division code", required=True, sortable=True),
        text("name", "名称", "Name", required=True),
        integer("rows", "登记行数", "Rows held"),
        integer("returned", "待核查行数", "Rows to look into"),
        number("quality", "质量得分", "Quality", description=Text("0 至 100", "0 to 100")),
        text("grade", "等级", "Grade", values=GRADES),
        day("measured_on", "计算日期", "Measured on"),
        text("inputs", "输入摘要", "Digest of inputs"),
    ),
    style=Style(color="#bdbdbd", dark="#5a5f66", outline="#ffffff", outline_dark="#1b1f26", opacity=0.6, by="grade",
                classes=tuple(StyleClass(v, c, d, GRADES[v]) for v, c, d in _LOOKS), label="name", label_zoom=11,
                order=35),
)  # fmt: skip


def grade_of(quality: float) -> str:
    """The grade of a quality score.

    >>> grade_of(98.0), grade_of(97.9), grade_of(0)
    ('good', 'fair', 'poor')
    """
    return next(grade for grade, lowest in _LOWEST if quality >= lowest)
