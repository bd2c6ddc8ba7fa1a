"""What somebody may see of a collection, and by which rule, in sentences."""

from collections.abc import Iterable
from dataclasses import replace

from gis.access.identity import Identity
from gis.access.purpose import is_stated
from gis.access.roles import OWNER_ROLE, ROLES
from gis.access.rules import Rules, policy_of, rules_for
from gis.catalog import Collection, Grant, Policy, Precision, Rows, Sensitivity
from gis.errors import Forbidden
from gis.text import Text

_SENSITIVITIES = {
    Sensitivity.OPEN: Text("公开", "open"),
    Sensitivity.INTERNAL: Text("内部", "internal"),
    Sensitivity.PERSONAL: Text("个人信息", "personal"),
}
#: The rules by which fields are told in part, in words.
MASKS = {
    "citizen_id": Text("证件号码规则", "by the rule for id numbers"),
    "telephone": Text("电话号码规则", "by the rule for telephone numbers"),
    "bank_card": Text("银行卡号规则", "by the rule for bank cards"),
    "plate": Text("车牌规则", "by the rule for number plates"),
    "name": Text("姓名规则", "by the rule for names"),
    "email": Text("电子邮箱规则", "by the rule for e-mail addresses"),
    "address": Text("地址规则", "by the rule for addresses"),
    "birth_date": Text("出生日期规则(只保留年份)", "to the year"),
    "closed": Text("仅显示首尾字符", "but for the first and last character"),
}
_ROWS = {
    Rows.ALL: Text("全市所有记录", "all of the city"),
    Rows.DUTY: Text("本人职责区划内的记录", "those in the divisions of the duty"),
    Rows.EMERGENCY: Text("紧急状态期间,所涉区划内的记录", "during an emergency, those in its divisions"),
}


def explained(identity: Identity, collection: Collection) -> tuple[Text, ...]:
    """Sentences on what an identity may see: whether at all and why, rows, fields, places, counts, purpose.

    They are made of the very rules that plans carry.
    """
    try:
        rules = rules_for(identity, collection)
    except Forbidden:
        return _refused(identity, collection)
    said = [_granted(identity, collection, rules), _rows(identity, collection, rules)]
    if rules.anonymous is None:
        said += [*_fields(collection, rules), *_place(collection, rules.precision)]
    else:
        said.append(_counts(rules))
    if not is_stated(identity, collection):
        said.append(
            Text(
                "查询时须说明用途(请求头 OneMap-Purpose)。",
                "A question must state its purpose (header OneMap-Purpose).",
            )
        )
    return tuple(said)


def explained_role(role: str, collection: Collection) -> tuple[Text, ...]:
    """Sentences on what a collection's policy opens to a role, grant by grant, and on which conditions.

    Of several grants the first that fits somebody holds, so that those behind one without conditions are left out.
    """
    said: list[Text] = []
    for number, grant in enumerate(policy_of(collection).grants, 1):
        if role in grant.roles:
            said += _opened(role, number, grant, collection)
            if not (grant.departments or grant.purposes or grant.rows is Rows.EMERGENCY):
                break
    return tuple(said) or (Text("策略中没有对该角色的授权。", "No grant of the policy names that role."),)


def _opened(role: str, number: int, grant: Grant, collection: Collection) -> list[Text]:
    fitting = Identity(role, role, None, next(iter(grant.departments), None), ((0, 0),), next(iter(grant.purposes), ""))
    rules = rules_for(fitting, replace(collection, policy=Policy((grant,))))
    on = [Text(f"须{zh} {', '.join(words)}", f"{en} {', '.join(words)}") for zh, en, words in (
        ("属于部门", "for the department", grant.departments), ("说明用途为", "with the purpose", grant.purposes),
    ) if words]  # fmt: skip
    zh, en = ("".join(f",{t.zh}" for t in on), "".join(f", {t.en}" for t in on))
    said = [Text(f"第 {number} 项授权{zh}:{_ROWS[grant.rows].zh}。", f"Grant {number}{en}: {_ROWS[grant.rows].en}.")]
    if rules.anonymous is None:
        return [*said, *_fields(collection, rules), *_place(collection, rules.precision)]
    return [*said, _counts(rules)]


def _refused(identity: Identity, collection: Collection) -> tuple[Text, ...]:
    """That nothing is told, and what each grant that names the role lacks."""
    kind, role = _SENSITIVITIES[collection.sensitivity], _role(identity)
    said = [
        Text(
            f"{identity.name}(角色:{role.zh})不能查看“{collection.title.zh}”({collection.id},{kind.zh})。",
            f"{identity.name} (role: {role.en}) may see nothing of {collection.title.en} ({collection.id}, {kind.en}).",
        )
    ]
    grants = [(n, g) for n, g in enumerate(policy_of(collection).grants, 1) if identity.role in g.roles]
    if not grants:
        said.append(Text("策略中没有对该角色的授权。", "No grant of its policy names that role."))
    said += [_lacking(number, grant, identity) for number, grant in grants]
    return tuple(said)


def _lacking(number: int, grant: Grant, identity: Identity) -> Text:
    lacks: list[Text] = []
    if grant.departments and identity.department not in grant.departments:
        listed = ", ".join(grant.departments)
        lacks.append(Text(f"须属于部门 {listed}", f"being of the department {listed}"))
    if grant.purposes and identity.purpose not in grant.purposes:
        listed = ", ".join(grant.purposes)
        lacks.append(Text(f"用途须为 {listed}", f"stating the purpose {listed}"))
    if grant.rows is Rows.EMERGENCY and not identity.emergency:
        lacks.append(Text("须处于紧急状态期间", "an emergency in force"))
    return Text(
        f"第 {number} 项授权不适用:{';'.join(t.zh for t in lacks)}。",
        f"Grant {number} would take {' and '.join(t.en for t in lacks)}.",
    )


def _granted(identity: Identity, collection: Collection, rules: Rules) -> Text:
    kind, role = _SENSITIVITIES[collection.sensitivity], _role(identity)
    if identity.role == OWNER_ROLE:
        by = Text("本机所有者不受策略限制", "the owner of the machine is under no policy")
    else:
        number = (rules.grant or 0) + 1
        declared = collection.policy is not None
        by = Text(
            f"依据{'该数据集策略' if declared else '该敏感级别的默认策略'}的第 {number} 项授权",
            f"by grant {number} of {'its policy' if declared else 'what is usual for what is ' + kind.en}",
        )
    return Text(
        f"{identity.name}(角色:{role.zh})可以查看“{collection.title.zh}”({collection.id},{kind.zh}):{by.zh}。",
        f"{identity.name} (role: {role.en}) may see {collection.title.en} ({collection.id}, {kind.en}): {by.en}.",
    )


def _rows(identity: Identity, collection: Collection, rules: Rules) -> Text:
    grants = policy_of(collection).grants
    is_emergency = rules.grant is not None and grants[rules.grant].rows is Rows.EMERGENCY
    why = Text("紧急状态涉及的", "of the emergencies in force") if is_emergency else Text("职责范围内的", "of the duty")
    if rules.divisions is None:
        return Text("范围:全市所有记录。", "Rows: all of the city.")
    if not rules.divisions:
        return Text("范围:没有任何区划,因此没有记录。", "Rows: of no division, so none.")
    listed = _ranges(rules.divisions)
    return Text(f"范围:{why.zh}区划 {listed}。", f"Rows: in the divisions {why.en}: {listed}.")


def _ranges(ranges: Iterable[tuple[int, int]]) -> str:
    return ", ".join(f"{low:012d}" if low == high else f"{low:012d}–{high:012d}" for low, high in ranges)


def _fields(collection: Collection, rules: Rules) -> list[Text]:
    hidden = [f for f in collection.fields if f.name not in rules.told]
    masked = [(f, MASKS[rules.masked[f.name]]) for f in collection.fields if f.name in rules.masked]
    said = []
    if not hidden and not masked:
        said.append(Text("字段:全部如实显示。", "Fields: all of them, exactly."))
    if masked:
        said.append(Text(
            f"脱敏显示且不能用于过滤、排序和统计:{'、'.join(f'{f.title.zh}({how.zh})' for f, how in masked)}。",
            "Told in part, and not to be filtered, sorted or counted by: "
            + ", ".join(f"{f.name} ({how.en})" for f, how in masked) + ".",
        ))  # fmt: skip
    if hidden:
        said.append(Text(
            f"不显示:{'、'.join(f.title.zh for f in hidden)}。",
            f"Not told at all: {', '.join(f.name for f in hidden)}.",
        ))  # fmt: skip
    return said


def _place(collection: Collection, precision: Precision) -> list[Text]:
    if collection.geometry is None:
        return []
    if precision == "exact":
        return [Text("位置:精确。", "Places: exact.")]
    if precision == "division":
        return [Text("位置:只到区划,没有图形。", "Places: the division alone, no shape.")]
    return [
        Text(f"位置:只到分辨率 {precision} 的网格中心。", f"Places: the middle of the cell of resolution {precision}.")
    ]


def _counts(rules: Rules) -> Text:
    assert rules.anonymous is not None
    own = rules.anonymous
    return Text(
        f"只提供统计数:按区划或分辨率不细于 {own.resolution} 的网格,每个数不少于 {own.k}。",
        f"Counts alone: by division or by cells of resolution {own.resolution} or coarser, none below {own.k}.",
    )


def _role(identity: Identity) -> Text:
    return ROLES.get(identity.role, Text(identity.role, identity.role))
