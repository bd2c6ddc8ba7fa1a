"""The invented directory's departments and information classes: what a prefecture's bureaus might well collect."""

from typing import NamedTuple


class Bureau(NamedTuple):
    """A department: its code, the letters of its classes, its names, and its classes as lines.

    A line is the class's Chinese and English name, the stem of its items' names, its subject and its period.
    """

    code: str
    letters: str
    zh: str
    en: str
    classes: str


BUREAUS = (
    Bureau("police", "GA", "公安局", "Public security bureau", """
常住人口登记信息|Resident population|常住人口|person|monthly
实有房屋信息|Dwellings in use|实有房屋|place|monthly
流动人口居住登记信息|Temporary residence|流动人口|person|weekly
居住证信息|Residence permits|居住证|licence|monthly
出入境证件信息|Travel documents|出入境证件|licence|monthly
机动车登记信息|Motor vehicles|机动车|business|weekly
驾驶人信息|Driving licences|驾驶证|licence|weekly
道路交通事故信息|Road accidents|交通事故|business|daily
门楼牌登记信息|Door plates|门楼牌|place|monthly
旅馆业治安登记信息|Hotels under public order rules|旅馆业|entity|quarterly
"""),
    Bureau("civil_affairs", "MZ", "民政局", "Civil affairs bureau", """
婚姻登记信息|Marriages|婚姻登记|person|monthly
社会组织登记信息|Social organisations|社会组织|entity|monthly
最低生活保障信息|Subsistence allowances|低保|person|monthly
特困人员供养信息|Support for the destitute|特困供养|person|quarterly
临时救助信息|Emergency aid|临时救助|person|monthly
留守儿童信息|Children left behind|留守儿童|person|quarterly
养老机构信息|Homes for the aged|养老机构|entity|quarterly
高龄津贴发放信息|Old-age allowances|高龄津贴|person|monthly
殡葬火化信息|Cremations|殡葬火化|person|weekly
行政区划与地名信息|Divisions and place names|地名|place|yearly
"""),
    Bureau("real_estate", "BD", "不动产登记中心", "Real estate registration centre", """
房屋登记信息|Dwellings|房屋|place|monthly
不动产权利信息|Titles|不动产权利|business|weekly
不动产抵押信息|Mortgages|不动产抵押|business|weekly
不动产查封信息|Seizures|不动产查封|business|daily
不动产预告登记信息|Priority notices|预告登记|business|weekly
宗地信息|Land parcels|宗地|place|quarterly
楼盘表信息|Buildings by unit|楼盘表|place|monthly
不动产权证书信息|Title certificates|不动产权证|licence|monthly
不动产转移登记信息|Transfers|转移登记|business|weekly
"""),
    Bureau("market", "SC", "市场监督管理局", "Market supervision bureau", """
企业登记信息|Enterprises|企业|entity|weekly
个体工商户登记信息|Self-employed|个体工商户|entity|weekly
企业年报信息|Annual reports|年报|entity|yearly
经营异常名录信息|Irregular operations|经营异常|entity|weekly
严重违法失信名单信息|Serious breaches|严重违法|entity|monthly
食品经营许可信息|Food licences|食品经营许可|licence|monthly
药品经营许可信息|Pharmacy licences|药品经营许可|licence|monthly
特种设备登记信息|Special equipment|特种设备|business|monthly
产品质量抽检信息|Product inspections|质量抽检|business|quarterly
消费投诉信息|Consumer complaints|消费投诉|business|weekly
"""),
    Bureau("human_resources", "RS", "人力资源和社会保障局", "Human resources and social security bureau", """
社会保险参保信息|Social insurance members|社保参保|person|monthly
养老保险待遇信息|Pensions|养老待遇|person|monthly
失业登记信息|Unemployment|失业登记|person|monthly
就业登记信息|Employment|就业登记|person|monthly
社会保障卡信息|Social security cards|社保卡|licence|monthly
职业技能鉴定信息|Skill certificates|职业技能|licence|quarterly
专业技术职称信息|Professional titles|职称|licence|yearly
用人单位参保信息|Employers in social insurance|单位参保|entity|monthly
劳动仲裁信息|Labour arbitration|劳动仲裁|business|quarterly
事业单位人员信息|Staff of institutions|事业人员|person|half_yearly
"""),
    Bureau("health", "WJ", "卫生健康委员会", "Health commission", """
出生医学证明信息|Birth certificates|出生证明|licence|weekly
死亡医学证明信息|Death certificates|死亡证明|licence|weekly
居民健康档案信息|Health records|健康档案|person|monthly
预防接种信息|Vaccinations|预防接种|person|weekly
医疗机构执业许可信息|Licences of hospitals|医疗机构|licence|quarterly
医师执业信息|Physicians|医师执业|licence|quarterly
孕产妇保健信息|Maternal care|孕产妇保健|person|monthly
家庭医生签约信息|Family doctors|家医签约|person|quarterly
公共场所卫生许可信息|Sanitary licences|卫生许可|licence|quarterly
传染病报告统计信息|Notified diseases, counts|传染病报告|economy|daily
"""),
    Bureau("education", "JY", "教育局", "Education bureau", """
学校基本信息|Schools|学校|entity|yearly
学籍信息|Pupils|学籍|person|half_yearly
教师信息|Teachers|教师|person|half_yearly
学区划分信息|School districts|学区|place|yearly
义务教育招生信息|Admissions|招生|business|yearly
学生资助信息|Aid to pupils|学生资助|person|half_yearly
校车信息|School buses|校车|business|half_yearly
民办学校办学许可信息|Licences of private schools|办学许可|licence|yearly
教师资格证信息|Teaching certificates|教师资格|licence|half_yearly
校舍安全信息|School buildings|校舍|place|yearly
"""),
    Bureau("housing", "ZJ", "住房和城乡建设局", "Housing and construction bureau", """
公租房保障信息|Public rental housing|公租房|person|quarterly
商品房预售许可信息|Presale permits|预售许可|licence|monthly
房屋租赁备案信息|Leases|租赁备案|business|monthly
施工许可信息|Building permits|施工许可|licence|monthly
物业服务企业信息|Property managers|物业企业|entity|half_yearly
住宅小区信息|Residential compounds|小区|place|half_yearly
建筑业企业资质信息|Qualified builders|建筑资质|licence|quarterly
工程竣工验收信息|Completions|竣工验收|business|monthly
危旧房屋信息|Dangerous buildings|危房|place|half_yearly
地下管网信息|Buried pipes|管网|place|yearly
"""),
    Bureau("natural_resources", "ZR", "自然资源和规划局", "Natural resources and planning bureau", """
土地利用现状信息|Land use|土地利用|place|yearly
建设用地规划许可信息|Land planning permits|用地规划许可|licence|monthly
建设工程规划许可信息|Construction planning permits|工程规划许可|licence|monthly
土地供应信息|Land supply|供地|business|monthly
永久基本农田信息|Permanent farmland|基本农田|place|yearly
矿业权信息|Mining rights|矿业权|licence|half_yearly
地质灾害隐患点信息|Geological hazards|地灾隐患|place|half_yearly
国土空间规划信息|Spatial plans|空间规划|place|yearly
测绘资质信息|Surveyors|测绘资质|licence|yearly
"""),
    Bureau("transport", "JT", "交通运输局", "Transport bureau", """
道路运输经营许可信息|Road transport licences|道路运输许可|licence|monthly
营运车辆信息|Commercial vehicles|营运车辆|business|monthly
从业人员资格信息|Qualified drivers|从业资格|licence|quarterly
公交线路站点信息|Bus lines and stops|公交站点|place|quarterly
公交刷卡客流信息|Bus passengers|公交客流|economy|daily
公路养护信息|Road upkeep|公路养护|business|monthly
出租汽车信息|Taxis|出租车|business|monthly
港口码头信息|Ports and quays|码头|place|yearly
超限运输治理信息|Overweight transport|超限治理|business|weekly
桥梁隧道信息|Bridges and tunnels|桥隧|place|yearly
"""),
    Bureau("tax", "SW", "税务局", "Tax bureau", """
税务登记信息|Taxpayers|税务登记|entity|monthly
纳税信用等级信息|Tax credit grades|纳税信用|entity|yearly
企业纳税汇总信息|Taxes paid by enterprises|企业纳税|entity|quarterly
欠税公告信息|Tax arrears|欠税|entity|quarterly
社会保险费征缴信息|Social insurance contributions|社保费征缴|entity|monthly
契税缴纳信息|Deed tax|契税|business|monthly
非正常户信息|Missing taxpayers|非正常户|entity|monthly
重大税收违法信息|Serious tax offences|税收违法|entity|irregular
发票领用信息|Invoices issued|发票|entity|monthly
"""),
    Bureau("statistics", "TJ", "统计局", "Statistics bureau", """
地区生产总值统计信息|Gross regional product|生产总值|economy|quarterly
规模以上工业统计信息|Industry above size|规上工业|economy|monthly
固定资产投资统计信息|Fixed investment|固定投资|economy|monthly
社会消费品零售统计信息|Retail sales|社零|economy|monthly
居民收支调查统计信息|Household income|居民收支|economy|quarterly
价格指数统计信息|Price indices|价格指数|economy|monthly
人口抽样调查统计信息|Population survey|人口抽样|economy|yearly
基本单位名录信息|Business register|基本单位|entity|yearly
能源消费统计信息|Energy use|能耗|economy|quarterly
普查区划信息|Census areas|普查区|place|once
"""),
    Bureau("development", "FG", "发展和改革委员会", "Development and reform commission", """
信用红黑名单信息|Credit marks|红黑名单|business|monthly
行政许可公示信息|Permits published|行政许可|business|weekly
行政处罚公示信息|Penalties published|行政处罚|business|weekly
投资项目审批信息|Investment projects|投资项目|business|weekly
重点项目进展信息|Key projects|重点项目|business|monthly
守信激励信息|Incentives for the trustworthy|守信激励|entity|quarterly
失信惩戒信息|Sanctions|失信惩戒|entity|quarterly
粮食库存信息|Grain stocks|粮食库存|economy|monthly
定价目录信息|Set prices|定价|business|irregular
能源项目信息|Energy projects|能源项目|place|half_yearly
"""),
)  # fmt: skip
