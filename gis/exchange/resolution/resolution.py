"""What was found for rows whose codes are missing or wrong: who each is, how sure that is, and why, in words."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from gis.errors import NotFound
from gis.exchange.readers.source import Decision
from gis.exchange.resolution.decision import Candidates, Decided, Verdict, Why
from gis.exchange.resolution.model import Model
from gis.text import Text

_WHY = {
    Why.RIVAL: Text("还有别的候选同样或几乎同样相符", "another candidate fits as well or nearly so"),
    Why.UNSURE: Text("把握不够", "it is not sure enough"),
    Why.BARRED: Text("有明显不符之处", "something speaks plainly against it"),
    Why.ALONE: Text("只有一项相符", "only one thing agrees"),
    Why.COMMON: Text("所给信息在登记库中过于常见,无法区分", "very many in the register share all that the row says"),
    Why.TAKEN: Text("另一行也对应同一登记对象", "another row fits the same one"),
}


@dataclass(frozen=True, slots=True)
class Resolution:
    """The answers for a table, row by row (rows from 0)."""

    register: str
    model: Model
    candidates: Candidates
    decided: Decided
    decisions: tuple[Decision, ...] = ()
    """How the table's columns were understood."""

    def __len__(self) -> int:
        """How many rows."""
        return len(self.decided.verdict)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows have each verdict."""
        return {v.word: int((self.decided.verdict == v).sum()) for v in reversed(Verdict)}

    def table(self) -> pa.Table:
        """`row`, `fid` (null unless the verdict is "same"), `verdict`, `probability`, `weight` (bits); `candidate` is
        the best one where a clerk must look, `rivals` how many others have a share of at least one in a hundred.
        """
        found, best, verdict = self.candidates, self.decided.best, self.decided.verdict
        none = best < 0
        at = np.where(none, 0, best)
        if not len(found.fid):
            fid, weight = np.zeros(len(best), dtype=np.int64), np.zeros(len(best))
        else:
            fid, weight = found.fid[at], found.weight[at]
        strong = np.bincount(found.row, found.probability >= 0.01, minlength=len(best)).astype(np.int64)
        own = (self.decided.probability >= 0.01).astype(np.int64)
        return pa.table(
            {
                "row": np.arange(len(best)),
                "fid": pa.array(fid, mask=none | (verdict != Verdict.SAME)),
                "verdict": pa.array([Verdict(v).word for v in verdict.tolist()], pa.string()),
                "probability": np.round(self.decided.probability, 6),
                "weight": pa.array(weight, mask=none),
                "candidate": pa.array(fid, mask=none | (verdict == Verdict.DIFFERENT)),
                "rivals": strong - own,
            }
        )

    def explain(self, row: int) -> Text:
        """One row in words: the verdict, what each comparison found and weighs, and the rivals.

        Names and numbers are not repeated. Raises NotFound.
        """
        if not 0 <= row < len(self):
            raise NotFound(f"there is no row {row}; rows are 0 to {len(self) - 1}",
                           f"没有第 {row} 行;行号为 0 至 {len(self) - 1}", subject=str(row))  # fmt: skip
        begin, end = np.searchsorted(self.candidates.row, (row, row + 1)).tolist()
        verdict, why = Verdict(int(self.decided.verdict[row])), Why(int(self.decided.why[row]))
        head = _both(verdict.text, _WHY.get(why) if verdict is Verdict.CLERK else None)
        if begin == end:
            nobody = Text("没有可比对的候选", "there is no candidate to compare")
            return head if why is Why.COMMON else _both(head, nobody)
        lines = [_both(head, self._odds(begin)), *self._comparisons(begin)]
        lines += [self._rival(k) for k in range(begin + 1, end) if self.candidates.probability[k] >= 0.01]
        return Text("\n".join(t.zh for t in lines), "\n".join(t.en for t in lines))

    def _odds(self, at: int) -> Text:
        found = self.candidates
        weight, share = float(found.weight[at]), float(found.probability[at])
        model = self.model
        return Text(
            f"候选 {found.fid[at]}:概率 {share:.4f},合计 {weight:+.1f} 比特(登记库 {model.population} 个,预计 "
            f"{model.share:.0%} 的行在库)",
            f"candidate {found.fid[at]}: probability {share:.4f}, {weight:+.1f} bits in all ({model.population} in the "
            f"register, {model.share:.0%} of the rows expected there)",
        )

    def _comparisons(self, at: int) -> list[Text]:
        """One line a comparison, the heaviest first."""
        levels = self.candidates.levels[at]
        bits = self.model.each(levels[None, :])[0]
        said: list[tuple[float, Text]] = []
        for comparison, level, weight in zip(self.model.comparisons, levels.tolist(), bits.tolist(), strict=True):
            outcome = comparison.levels[level - 1].text if level else Text("缺", "missing")
            zh, en = f"{comparison.title.zh}:{outcome.zh}", f"{comparison.title.en}: {outcome.en}"
            said.append((weight, Text(f"  {weight:+6.1f}  {zh}", f"  {weight:+6.1f}  {en}")))
        extra = float(self.candidates.extra[at])
        if extra:
            zh, en = ("名称少见", "a rare name") if extra > 0 else ("名称常见", "a common name")
            said.append((extra, Text(f"  {extra:+6.1f}  {zh}", f"  {extra:+6.1f}  {en}")))
        return [t for _, t in sorted(said, key=lambda pair: -abs(pair[0]))]

    def _rival(self, at: int) -> Text:
        found = self.candidates
        zh = f"另有候选 {found.fid[at]}:概率 {found.probability[at]:.4f},合计 {found.weight[at]:+.1f} 比特"
        en = f"also {found.fid[at]}: probability {found.probability[at]:.4f}, {found.weight[at]:+.1f} bits in all"
        return Text(zh, en)


def _both(first: Text, second: Text | None) -> Text:
    return first if second is None else Text(f"{first.zh};{second.zh}", f"{first.en}; {second.en}")
