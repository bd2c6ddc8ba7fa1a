"""Natural persons under a pseudonymous number: what is known of them, without what names them."""

from gis.catalog import Collection, Field, Geometry, Rollup, Sensitivity
from gis.catalog.field import day, integer, text
from gis.text import Text

SEXES = {"male": Text("男", "male"), "female": Text("女", "female")}

MARITAL = {
    "single": Text("未婚", "single"),
    "married": Text("已婚", "married"),
    "widowed": Text("丧偶", "widowed"),
    "divorced": Text("离婚", "divorced"),
}

#: Direct identifiers: delivered with a person, kept in one table apart, never in the register. The first is the key.
IDENTIFIERS: tuple[Field, ...] = (
    text("citizen_id", "公民身份号码", "Citizen id", "公民身份号码", "身份证号", "身份证号码", "证件号码", "sfzh",
         required=True),
    text("name", "姓名", "Name", "姓名", "名字", "xm", required=True),
    text("telephone", "联系电话", "Telephone", "联系电话", "手机号", "电话", "lxdh"),
)  # fmt: skip

PERSONS = Collection(
    id="base.persons",
    title=Text("自然人", "Natural persons"),
    description=Text(
        "自然人基本信息、户籍与实际居住(以假名编号,不含姓名和证件号码)",
        "Persons with registered and actual residence, under a pseudonymous number without name or id number",
    ),
    geometry=Geometry.POINT,
    division="placed",
    tiled=False,
    cell_resolution=11,
    min_zoom=17,
    rollup=Rollup(dimensions=("sex", "marital_status"), near_zoom=17),
    sensitivity=Sensitivity.PERSONAL,
    group=Text("三大登记库", "Base registers"),
    fields=(
        text("sex", "性别", "Sex", "性别", "xb", values=SEXES),
        day("birth_date", "出生日期", "Date of birth", "出生日期", "csrq"),
        text("ethnicity", "民族", "Ethnicity", "民族", "mz"),
        text("marital_status", "婚姻状况", "Marital status", "婚姻状况", "hyzk", values=MARITAL),
        text("household", "户号", "Household", "户号", "hh"),
        text("relation", "与户主关系", "Relation to head", "与户主关系", "yhzgx"),
        text("registered_division", "户籍地", "Registered residence", "户籍地区划代码", "户籍所在地", "户籍地区划"),
        text("dwelling", "居住房屋", "Dwelling", "房屋编码", "居住房屋编码", "实际居住房屋编码", "fwbm",
             refers="base.dwellings"),
        integer("guardian", "监护人身份号码", "Guardian", "监护人证件号码", "监护人公民身份号码",
                refers="base.persons"),
    ),
    style=None,
)  # fmt: skip
