"""The benchmark's collection: points with five attributes."""

from gis.catalog import Catalogue, Collection, Geometry, Layer
from gis.catalog.field import integer, number, text
from gis.text import Text

POINTS = Collection(
    id="bench.points",
    title=Text("测试点", "Points"),
    description=Text("随机点", "Random points"),
    geometry=Geometry.POINT,
    key=("code",),
    style=None,
    fields=(
        text("code", "编码", "Code", required=True),
        text("name", "名称", "Name"),
        text("kind", "类别", "Kind"),
        integer("floor", "楼层", "Floor"),
        number("value", "数值", "Value"),
    ),
)
CATALOGUE = Catalogue([Layer(name="bench", title=Text("测试", "Bench"), collections=(POINTS,))])
