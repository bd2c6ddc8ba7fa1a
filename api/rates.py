"""How much one caller may ask: a bucket of tokens each, which fills at a steady rate; a dictionary and two sums."""

import math
import time
from collections.abc import Callable

from api.errors import TooMany

#: Callers that are remembered; those whose buckets are full again are forgotten first.
_MOST = 65_536
#: A bucket holds what flows in within so long, s: a map that opens asks for much at once.
BURST_S = 20.0
#: What a vector tile costs of what any other question does: most are at hand.
TILE_COST = 0.05


class Rates:
    """Buckets by caller. `per_s` is what flows into each, tokens a second; 0 is no limit."""

    __slots__ = ("_buckets", "_clock", "per_s", "room")

    def __init__(self, per_s: float, burst_s: float = BURST_S, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_s, self.room, self._clock = per_s, max(per_s * burst_s, 1.0), clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, caller: str, cost: float = 1.0) -> None:
        """Take tokens from a caller's bucket. Raises TooMany where they are not there, and takes none then."""
        if not self.per_s:
            return
        now = self._clock()
        found = self._buckets.get(caller)
        if found is None:
            if len(self._buckets) >= _MOST:
                self._forget(now)
            found = self.room, now
        held = min(self.room, found[0] + (now - found[1]) * self.per_s)
        if held < cost:
            self._buckets[caller] = held, now
            raise _too_many(math.ceil((cost - held) / self.per_s))
        self._buckets[caller] = held - cost, now

    def check(self, caller: str) -> None:
        """Raises TooMany where a caller's bucket is empty; takes nothing."""
        held, stamp = self._buckets.get(caller, (self.room, 0.0))
        left = min(self.room, held + (self._clock() - stamp) * self.per_s)
        if left < 1.0:
            raise _too_many(math.ceil((1.0 - left) / self.per_s))

    def _forget(self, now: float) -> None:
        """Make room: buckets that are full by now are as good as new ones; else the half asked longest ago."""
        full_s = self.room / self.per_s
        kept = {name: held for name, held in self._buckets.items() if now - held[1] < full_s}
        if len(kept) > _MOST // 2:
            latest = sorted(kept.items(), key=lambda item: item[1][1])[-(_MOST // 2) :]
            kept = dict(latest)
        self._buckets = kept


def _too_many(wait_s: int) -> TooMany:
    return TooMany(
        f"too many questions from one caller; ask again in {wait_s} s", f"请求过于频繁,请 {wait_s} 秒后再试",
        wait_s=wait_s,
    )  # fmt: skip
