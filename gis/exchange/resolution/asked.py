"""The rows asked about: a file's columns recognised as those of a register, codes left as they were written."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from gis.catalog import Collection, Field
from gis.catalog.field import text
from gis.errors import BadInput
from gis.exchange.columns import Matching, match
from gis.exchange.readers.source import Batch, Decision, Findings
from gis.exchange.registers import DELIVERABLES
from gis.exchange.values import convert

_USED = {
    "base.persons": ("citizen_id", "name", "telephone", "sex", "birth_date", "dwelling", "dwelling_address"),
    "base.entities": ("credit_code", "name", "site", "site_address", "representative"),
}
#: Titles that files use which are no deliveries: visitors' lists, applications, contracts.
_MORE_ALIASES = {
    "citizen_id": ("证件号", "身份证", "身份号码", "患者身份证号", "就诊人证件号", "证件编号", "zjhm", "id_number"),
    "name": ("患者姓名", "就诊人姓名", "就诊人", "访客姓名", "申请人", "联系人", "机构名", "公司名称", "企业名"),
    "telephone": ("手机", "手机号码", "电话号码", "联系方式", "联系人电话"),
    "birth_date": ("出生年月日", "生日", "出生年月"),
    "dwelling_address": ("地址", "现居住地址", "联系地址", "家庭地址", "居住地", "详细地址", "address"),
    "site_address": ("经营地址", "注册地址", "单位地址", "详细地址", "address"),
    "representative": ("法人身份证号", "法人证件号码", "法定代表人身份证号"),
}
REPRESENTATIVE_NAME = text(
    "representative_name", "法定代表人姓名", "Representative's name", "法定代表人", "法人代表", "法人", "法人姓名",
    "负责人", "经营者", "负责人姓名", "经营者姓名",
)  # fmt: skip
#: Columns whose text is taken as it stands: what a spreadsheet did to a code still tells something.
_AS_WRITTEN = ("citizen_id", "credit_code", "representative", "telephone", "birth_date")


@dataclass(frozen=True, slots=True)
class Asked:
    """Rows asked about, by field; a field that the file does not have is absent. `decisions` say what was settled."""

    columns: Mapping[str, pa.Array]
    rows: int
    decisions: tuple[Decision, ...]

    def get(self, name: str) -> pa.Array:
        """One field; nulls where the file does not have it."""
        found = self.columns.get(name)
        return pa.nulls(self.rows, pa.string()) if found is None else found


def asked(register: str, table: pa.Table, columns: Mapping[str, str]) -> Asked:
    """Recognise the columns of a table. Raises BadInput for another register, and when none says whom it is about."""
    declared = _declared(register)
    found = match(table.column_names, declared, table.slice(0, 1000), overrides=columns)
    _require_some(found, table)
    batch = Batch(np.arange(len(table), dtype=np.int64), table)
    typed = convert(batch, found, Findings())
    taken = {}
    for name, matched in found.matches.items():
        own = table[matched.column] if name in _AS_WRITTEN else typed.table[name]
        array = own.combine_chunks()
        taken[name] = array.chunk(0) if isinstance(array, pa.ChunkedArray) and array.num_chunks else array
    return Asked(taken, len(table), found.decisions)


def _declared(register: str) -> Collection:
    used = _USED.get(register)
    if used is None:
        raise BadInput(
            f"rows can be resolved against {', '.join(_USED)}, not {register}",
            f"可归集比对的登记库为 {'、'.join(_USED)},不含 {register}",
            subject=register,
        )
    intake = DELIVERABLES[register].intake
    fields: list[Field] = [_open(intake.field(name)) for name in used]
    if register == "base.entities":
        fields.append(REPRESENTATIVE_NAME)
    return replace(intake, fields=tuple(fields), key=(), division=None, derive=None, rollup=None)


def _open(field: Field) -> Field:
    """A field that may be missing, under more names."""
    more = _MORE_ALIASES.get(field.name, ())
    return replace(field, required=False, aliases=tuple(dict.fromkeys((*field.aliases, *more))))


def _require_some(found: Matching, table: pa.Table) -> None:
    if {"citizen_id", "name", "telephone", "credit_code"} & set(found.matches):
        return
    raise BadInput(
        f"no column holds a name, a number or a telephone; the file has {', '.join(table.column_names[:50])}; "
        "name one with --map name=COLUMN",
        f"没有姓名(名称)、号码或电话列;文件的列:{'、'.join(table.column_names[:50])};可用 --map name=列名 指定",
        subject="name",
    )
