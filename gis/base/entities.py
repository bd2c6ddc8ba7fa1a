"""Legal entities: enterprises, institutions, social organisations and the self-employed, with their sites."""

from gis.catalog import Collection, Geometry, Grant, Policy, Rollup, Rows, Sensitivity, Style, StyleClass
from gis.catalog.field import day, integer, number, text
from gis.text import Text

KINDS = {
    "enterprise": Text("企业", "enterprise"),
    "self_employed": Text("个体工商户", "self-employed"),
    "institution": Text("事业单位", "institution"),
    "social": Text("社会组织", "social organisation"),
    "authority": Text("机关", "authority"),
}

STATES = {
    "active": Text("存续", "active"),
    "suspended": Text("停业", "suspended"),
    "revoked": Text("吊销", "revoked"),
    "cancelled": Text("注销", "cancelled"),
    "moved": Text("迁出", "moved away"),
}

_LOOKS = (
    ("enterprise", "#0072b2", "#56b4e9"),
    ("self_employed", "#e69f00", "#f2bb4a"),
    ("institution", "#009e73", "#3fcfa5"),
    ("social", "#cc79a7", "#e39bc4"),
    ("authority", "#7a7a7a", "#a8adb5"),
)

ENTITIES = Collection(
    id="base.entities",
    title=Text("法人单位", "Legal entities"),
    description=Text(
        "企业、个体工商户、事业单位和社会组织,登记与经营场所、法定代表人",
        "Enterprises, self-employed, institutions and social organisations with sites and representatives",
    ),
    geometry=Geometry.POINT,
    key=("credit_code",),
    division="placed",
    rollup=Rollup(measures=("capital_wan",), dimensions=("kind", "state"), near_zoom=12),
    sensitivity=Sensitivity.INTERNAL,
    # who represents an entity is a person: that is told by duty alone
    policy=Policy((
        Grant(roles=("duty", "command"), rows=Rows.DUTY),
        Grant(roles=("staff", "analyst"), rows=Rows.DUTY, hidden=("representative",)),
    )),
    group=Text("三大登记库", "Base registers"),
    fields=(
        text("credit_code", "统一社会信用代码", "Credit code", "统一社会信用代码", "信用代码", "社会信用代码",
             "统一代码", required=True, sortable=True),
        text("name", "单位名称", "Name", "单位名称", "企业名称", "机构名称", "名称", required=True),
        text("kind", "单位类型", "Kind", "单位类型", "类型", "机构类型", "主体类型", values=KINDS),
        text("state", "登记状态", "State", "登记状态", "经营状态", "状态", values=STATES),
        text("industry", "行业代码", "Industry (GB/T 4754)", "行业代码", "国民经济行业代码"),
        text("industry_name", "行业名称", "Industry name", "行业名称", "行业"),
        number("capital_wan", "注册资本", "Registered capital", "注册资本", "注册资本万元", "注册资本(万元)",
               description=Text("万元人民币", "in ten thousand CNY")),
        day("founded", "成立日期", "Founded", "成立日期", "注册日期", "登记日期"),
        text("site", "登记场所", "Registered site", "登记场所编码", "住所地址编码", "地址编码",
             refers="base.addresses"),
        text("operating_site", "经营场所编码", "Operating site", "经营地址编码", refers="base.addresses"),
        integer("representative", "法定代表人证件号码", "Representative", "法定代表人身份号码", "法人证件号码",
                "负责人证件号码", "经营者证件号码", refers="base.persons"),
    ),
    style=Style(color="#7a7a7a", dark="#a8adb5", outline="#ffffff", outline_dark="#1b1f26", radius_px=4, by="kind",
                classes=tuple(StyleClass(v, c, d, KINDS[v]) for v, c, d in _LOOKS),
                label="name", label_zoom=17, label_size_px=10, order=85),
)  # fmt: skip
