"""`wrk` asking the paths of a list in turn, and `pgbench` running a statement: requests a second and latencies."""

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LUA = """
local paths, at = {}, 0
for line in io.lines(%s) do paths[#paths + 1] = line end
%s
request = function()
  at = at %% #paths + 1
  return wrk.format("GET", paths[at])
end
done = function(summary, latency, requests)
  local e = summary.errors
  local failed = e.connect + e.read + e.write + e.status + e.timeout
  io.write(string.format('\\n{"requests": %%d, "seconds": %%f, "bytes": %%d, "errors": %%d, ',
    summary.requests, summary.duration / 1e6, summary.bytes, failed))
  io.write(string.format('"p50": %%f, "p95": %%f, "p99": %%f}\\n',
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3))
end
"""


@dataclass(frozen=True)
class Load:
    """What came of a load: requests a second, latencies in milliseconds, bytes an answer, answers that failed."""

    rate: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    bytes: float
    errors: int = 0


def wrk(base: str, paths: Sequence[str], clients: int, seconds: int, headers: Mapping[str, str] | None = None) -> Load:
    """Ask the paths of a server in turn with so many connections."""
    with tempfile.TemporaryDirectory() as folder:
        listed, script = Path(folder) / "paths", Path(folder) / "ask.lua"
        listed.write_text("\n".join(paths) + "\n")
        given = "\n".join(f"wrk.headers[{json.dumps(k)}] = {json.dumps(v)}" for k, v in (headers or {}).items())
        script.write_text(_LUA % (json.dumps(str(listed)), given))
        words = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "60s", "-s", str(script), base]
        ran = subprocess.run(words, check=True, capture_output=True, text=True, timeout=seconds + 120)
    said = json.loads(ran.stdout.strip().splitlines()[-1])
    return Load(
        rate=said["requests"] / said["seconds"], p50_ms=said["p50"], p95_ms=said["p95"], p99_ms=said["p99"],
        bytes=said["bytes"] / max(1, said["requests"]), errors=said["errors"],
    )  # fmt: skip


def pgbench(url: str, script: str, clients: int, seconds: int) -> Load:
    """Run a statement, prepared, with so many connections; each over and over. How many bytes came is not told."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "script.sql"
        file.write_text(script)
        asked = ["-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-T", str(seconds), "-f", str(file)]
        kept = ["--log", f"--log-prefix={folder}/log"]
        ran = subprocess.run(
            ["pgbench", *asked, *kept, url], check=True, capture_output=True, text=True, timeout=seconds + 120
        )
        # a line a transaction: client, number, microseconds …
        lines = [line for log in Path(folder).glob("log.*") for line in log.read_text().splitlines()]
    took_ms = sorted(int(line.split(maxsplit=3)[2]) / 1000 for line in lines)
    rate = float(re.search(r"tps = ([\d.]+)", ran.stdout)[1])  # type: ignore[index]
    p50_ms, p95_ms, p99_ms = (took_ms[int(share * (len(took_ms) - 1))] for share in (0.5, 0.95, 0.99))
    return Load(rate, p50_ms, p95_ms, p99_ms, 0)


def timed(run: Callable[[], int], times: int) -> Load:
    """Something done so many times, one after the other; it returns how many bytes came."""
    took_ms, size = [], 0
    for _ in range(times):
        begun_s = time.perf_counter()
        size = max(size, run())
        took_ms.append((time.perf_counter() - begun_s) * 1000)
    took_ms.sort()
    p50_ms, p95_ms, p99_ms = (took_ms[round(share * (times - 1))] for share in (0.5, 0.95, 0.99))
    return Load(1000 * times / sum(took_ms), p50_ms, p95_ms, p99_ms, size)
