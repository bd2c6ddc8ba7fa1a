"""What rows of a delivery want: to say something or to end an entity; and which tasks they answer."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.exchange.column_names import normal
from gis.exchange.converted import mask_of
from gis.exchange.readers.source import Batch, Findings
from gis.text import Text

#: Titles of the column of operations, and of that of tasks which rows answer.
OPERATION = ("操作", "操作类型", "变更类型", "数据操作", "op", "operation")
TASK = ("退回编号", "task")
_SAYS = ("新增", "增加", "变更", "修改", "更新", "insert", "add", "update", "upsert", "i", "a", "u", "m")
_ENDS = ("删除", "注销", "撤销", "delete", "remove", "d")
_NO_OPERATION = Text("操作应为 新增、变更 或 删除", "the operation is insert, update or delete")


def named(names: list[str], known: tuple[str, ...]) -> str | None:
    """The first column that is one of the known names."""
    wanted = {normal(k) for k in known}
    return next((name for name in names if normal(name) in wanted), None)


def operations(batch: Batch, column: str | None, findings: Findings) -> NDArray[np.int8]:
    """What each row wants: 0 to say something, 1 to end the entity, -1 nobody knows; those are refused."""
    if column is None:
        return np.zeros(len(batch), np.int8)
    texts = pc.utf8_lower(pc.utf8_trim_whitespace(batch.table.column(column).combine_chunks().cast(pa.string())))
    texts = pc.fill_null(texts, "")
    ends = mask_of(pc.is_in(texts, value_set=pa.array(_ENDS)))
    says = mask_of(pc.is_in(texts, value_set=pa.array((*_SAYS, ""))))
    for i in np.flatnonzero(~ends & ~says):
        findings.reject(batch.rows[i], "form", _NO_OPERATION, texts[int(i)].as_py())
    return np.where(ends, 1, np.where(says, 0, -1)).astype(np.int8)


def answered(batch: Batch, column: str | None) -> dict[int, int]:
    """The task that each row says it answers, by row."""
    if column is None:
        return {}
    texts = [str(v).strip() if v is not None else "" for v in batch.table.column(column).to_pylist()]
    tasks = [int(float(t)) if t.replace(".0", "").isdigit() and len(t) < 18 else 0 for t in texts]
    return {int(row): task for row, task in zip(batch.rows, tasks, strict=True) if task}
