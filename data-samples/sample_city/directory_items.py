"""The invented directory's data items: those of the registers, those planted, and those that fill a class up."""

from typing import NamedTuple


class Plan(NamedTuple):
    """An item before it has a code: names, type, unit, and what else is said of it."""

    zh: str
    en: str
    type: str
    unit: str = ""
    element: str = ""
    field: str = ""
    owner: str = ""
    identifying: bool = False


def _fields(first_element: int, lines: str) -> dict[str, Plan]:
    """Items of a register's fields from lines `field|zh|en|type[|unit]`; each is a standard element of its own."""
    plans = {}
    for number, line in enumerate(lines.strip().splitlines(), start=first_element):
        field, zh, en, kind, *unit = line.split("|")
        plans[field] = Plan(zh, en, kind, "".join(unit), f"LA{number:05d}", field)
    return plans


PERSON = _fields(
    1,
    """
citizen_id|公民身份号码|Citizen id|text
name|姓名|Name|text
telephone|联系电话|Telephone|text
sex|性别|Sex|code
birth_date|出生日期|Date of birth|date
ethnicity|民族|Ethnicity|code
marital_status|婚姻状况|Marital status|code
household|户号|Household|text
relation|与户主关系|Relation to head|code
registered_division|户籍地区划代码|Registered residence|code
dwelling|居住房屋编码|Dwelling|code
dwelling_address|居住地址|Address|text
guardian|监护人身份号码|Guardian|text
""",
)
ENTITY = _fields(
    21,
    """
credit_code|统一社会信用代码|Credit code|text
name|单位名称|Name|text
kind|单位类型|Kind|code
state|登记状态|State|code
industry|行业代码|Industry (GB/T 4754)|code
industry_name|行业名称|Industry name|text
capital_wan|注册资本|Registered capital|number|10*4.CNY
founded|成立日期|Founded|date
site|登记场所编码|Registered site|code
site_address|住所|Registered address|text
operating_address|经营场所|Operating address|text
representative|法定代表人身份号码|Representative|text
""",
)
DWELLING = _fields(
    41,
    """
code|房屋编码|Dwelling code|code
building|建筑编码|Building code|code
village|社区代码|Division code|code
unit|单元|Staircase|integer
floor|楼层|Floor|integer
room|室号|Room|text
address|房屋坐落|Full address|text
use|房屋用途|Use|code
area_m2|建筑面积|Floor area|number|m2
""",
)
MARK = _fields(
    61,
    """
code|信用标记编号|Mark number|code
entity|标记主体统一社会信用代码|Entity marked|text
person|标记主体身份号码|Person marked|text
grade|红黑名单标识|Red or black|code
marked_on|列入日期|Listed on|date
until|移出日期|Until|date
source|认定部门|Issued by|text
reason|列入事由|Reason|text
""",
)


def of(fields: dict[str, Plan], key: str, names: str, owner: str = "", *, own_elements: bool = False) -> list[Plan]:
    """Some of a register's items, the keys first and identifying; `owner` collects the others.

    With `own_elements` they are said of other things than the register's own elements, and bear no element.
    """
    keys = [fields[name]._replace(identifying=True) for name in key.split()]
    others = [fields[name]._replace(owner=owner) for name in names.split()]
    return keys + [plan._replace(element="") if own_elements else plan for plan in others]


def _rest(fields: dict[str, Plan], key: str) -> str:
    return " ".join(name for name in fields if name not in key.split())


#: The classes whose rows are delivered to a register: the register, and the items that it holds.
REGISTERED: dict[str, tuple[str, list[Plan]]] = {
    "常住人口": ("base.persons", [
        *of(PERSON, "citizen_id name", _rest(PERSON, "citizen_id name")), Plan("血型", "Blood group", "code"),
    ]),
    "婚姻登记": ("base.persons", [
        *of(PERSON, "citizen_id name", "sex birth_date", "police"),
        *of(PERSON, "", "marital_status telephone dwelling_address"),
        Plan("结婚登记日期", "Married on", "date"), Plan("离婚登记日期", "Divorced on", "date"),
    ]),
    "留守儿童": ("base.persons", [*of(PERSON, "citizen_id name", "birth_date", "police"), *of(PERSON, "", "guardian")]),
    "企业": ("base.entities", of(ENTITY, "credit_code name", _rest(ENTITY, "credit_code name"))),
    "个体工商户": ("base.entities", of(ENTITY, "credit_code name", "kind state industry founded operating_address"
                                                                " representative")),
    "社会组织": ("base.entities", of(ENTITY, "credit_code name", "")),
    "房屋": ("base.dwellings", [
        *of(DWELLING, "code building", _rest(DWELLING, "code building")), Plan("房屋朝向", "Orientation", "code"),
    ]),
    "实有房屋": ("base.dwellings", [
        *of(DWELLING, "code building", "use area_m2", "real_estate"), *of(DWELLING, "", "address"),
    ]),
    "红黑名单": ("city.credit_marks", of(MARK, "code entity person", "grade marked_on until source reason")),
}  # fmt: skip

#: What is really collected twice: (how it is known, the item, the stems of the classes that hold it, with its name).
DOUBLES: tuple[tuple[str, Plan, dict[str, str]], ...] = (
    ("element", PERSON["telephone"]._replace(field=""),
     {"流动人口": "联系电话", "低保": "本人电话", "社保参保": "手机号码", "健康档案": "联系电话"}),
    ("element", Plan("家庭年收入", "Household income a year", "number", "CNY", "LA00102"),
     {"低保": "家庭年收入", "公租房": "家庭收入", "学生资助": "家庭全年收入"}),
    ("element", Plan("开户银行", "Bank", "text", "", "LA00103"),
     {"单位参保": "开户银行", "税务登记": "基本户开户行"}),
    ("element", Plan("建筑结构", "Structure", "code", "", "LA00104"),
     {"楼盘表": "建筑结构", "危房": "房屋结构类型"}),
    ("name", Plan("文化程度", "Education", "code"),
     {"流动人口": "文化程度", "就业登记": "文化程度", "教师": "文化程度"}),
    ("name", Plan("工作单位", "Employer", "text"),
     {"社保参保": "工作单位", "家医签约": "工作单位", "公租房": "工作 单位"}),
    ("name", Plan("健康状况", "Health", "code"), {"低保": "健康状况", "健康档案": "健康状况"}),
    ("name", Plan("从业人数", "Persons employed", "integer"),
     {"年报": "从业人数", "单位参保": "从业人数(人)", "基本单位": "从业人数"}),
    ("name", Plan("营业收入", "Revenue", "number", "CNY"),
     {"年报": "营业收入", "企业纳税": "营业收入", "基本单位": "营业收入"}),
    ("name", Plan("经营地址", "Business address", "text"),
     {"旅馆业": "经营地址", "税务登记": "经营地址", "养老机构": "经营地址"}),
    ("name", Plan("建成年份", "Year built", "integer"),
     {"校舍": "建成年份", "危房": "建成年份", "楼盘表": "建成年份"}),
    ("name", Plan("车辆类型", "Kind of vehicle", "code"),
     {"机动车": "车辆类型", "营运车辆": "车辆类型", "校车": "车辆类型"}),
)  # fmt: skip

#: The doubles that the registers' own items are, as field of a register, with the departments that collect it.
REGISTER_DOUBLES = (
    (PERSON["marital_status"], "civil_affairs police"),
    (PERSON["dwelling_address"], "civil_affairs police"),
    (PERSON["guardian"], "civil_affairs police"),
    (DWELLING["address"], "police real_estate"),
)

#: What looks collected twice and is not: another department's item, other elements, other types, other subjects.
TRAPS: tuple[tuple[str, Plan], ...] = (
    ("税务登记", ENTITY["capital_wan"]._replace(owner="market", field="")),
    ("单位参保", ENTITY["state"]._replace(owner="market", field="")),
    ("纳税信用", Plan("等级", "Grade", "code", "", "LA00201")),
    ("旅馆业", Plan("等级", "Grade", "code", "", "LA00202")),
    ("基本单位", Plan("规模", "Size", "code")),
    ("养老机构", Plan("规模", "Size", "integer")),
    ("消费投诉", Plan("诉求", "Wish", "text")),
    ("学生资助", Plan("诉求", "Wish", "text")),
)

IDENTIFYING = {
    "person": (Plan("姓名", "Name", "text"), Plan("公民身份号码", "Citizen id", "text")),
    "entity": (Plan("单位名称", "Name", "text"), Plan("统一社会信用代码", "Credit code", "text")),
    "place": (Plan("地址编码", "Address code", "code"), Plan("区划代码", "Division code", "code")),
    "economy": (Plan("指标代码", "Indicator", "code"), Plan("统计期", "Period", "text")),
    "licence": (Plan("证照编号", "Licence number", "text"), Plan("持证者代码", "Holder", "text")),
    "business": (Plan("业务编号", "Case number", "text"), Plan("当事人代码", "Party", "text")),
}

_RECORD = (
    Plan("类别", "category", "code"), Plan("状态", "state", "code"), Plan("办理日期", "handled on", "date"),
    Plan("生效日期", "in force from", "date"), Plan("失效日期", "in force until", "date"),
    Plan("经办机构", "office", "text"), Plan("审核结果", "outcome", "code"), Plan("审核日期", "decided on", "date"),
    Plan("受理编号", "receipt", "text"), Plan("依据文件", "ground", "text"),
    Plan("变更原因", "reason of change", "code"),
    Plan("变更日期", "changed on", "date"), Plan("附件", "attachment", "file"), Plan("备注", "remarks", "text"),
    Plan("更新时间", "updated at", "instant"),
)  # fmt: skip
#: What fills a class up, by subject; the class's stem stands before each name, so that no two are alike.
FILLING = {
    "person": _RECORD,
    "entity": _RECORD,
    "licence": _RECORD,
    "business": (Plan("金额", "amount", "number", "CNY"), *_RECORD),
    "place": (
        Plan("名称", "name", "text"), Plan("位置", "place", "place"), Plan("面积", "area", "number", "m2"), *_RECORD,
    ),
    "economy": (
        Plan("本期值", "value", "number"), Plan("上年同期值", "value a year before", "number"),
        Plan("同比增速", "growth in a year", "number", "%"), Plan("累计值", "value in the year", "number"),
        Plan("累计增速", "growth in the year", "number", "%"), Plan("统计口径", "scope", "text"),
        Plan("数据来源", "source", "text"), Plan("样本量", "sample size", "integer"),
        Plan("修订标志", "revised", "boolean"),
        Plan("发布日期", "published on", "date"), *_RECORD[-3:],
    ),
}  # fmt: skip

#: (who asks, stem of the class, item, what for, when): what a delivery of the registers answers.
ASKED = (
    ("civil_affairs", "常住人口", "出生日期", "高龄津贴资格核对", "2024-02-01"),
    ("health", "常住人口", "户籍地区划代码", "免疫规划应种人数测算", "2024-03-11"),
    ("real_estate", "常住人口", "姓名", "权利人身份核验", "2024-01-20"),
    ("human_resources", "企业", "登记状态", "参保单位核查", "2024-04-02"),
    ("tax", "企业", "注册资本", "税源分析", "2024-05-06"),
    ("statistics", "企业", "行业代码", "基本单位名录维护", "2024-05-20"),
    ("housing", "房屋", "建筑面积", "住房困难家庭认定", "2024-06-03"),
    ("education", "房屋", "房屋坐落", "学区入学资格审核", "2024-06-17"),
)
#: The same, of what never comes: classes that nobody delivers, and items that no register holds.
ASKED_IN_VAIN = (
    ("civil_affairs", "死亡证明", "死亡证明办理日期", "停发津贴", "2023-03-01"),
    ("human_resources", "死亡证明", "死亡证明办理日期", "停发养老金", "2023-05-15"),
    ("police", "出生证明", "出生证明办理日期", "出生登记", "2023-04-10"),
    ("education", "流动人口", "流动人口状态", "随迁子女入学", "2023-06-01"),
    ("housing", "社保参保", "社保参保状态", "公租房资格审核", "2023-07-12"),
    ("development", "税收违法", "税收违法类别", "失信惩戒", "2023-08-21"),
    ("market", "纳税信用", "纳税信用状态", "信用分级监管", "2023-09-05"),
    ("transport", "机动车", "机动车状态", "营运车辆年审", "2023-10-09"),
    ("tax", "转移登记", "转移登记金额", "契税征收", "2023-11-13"),
    ("statistics", "就业登记", "就业登记类别", "劳动力调查比对", "2023-12-04"),
    ("natural_resources", "危房", "危房位置", "地质灾害避险", "2024-01-08"),
    ("health", "常住人口", "血型", "应急用血预案", "2024-02-26"),
    ("housing", "房屋", "房屋朝向", "租金参考价", "2024-03-18"),
)
