"""`wrk` asking the paths of a list in turn, and `pgbench` running a statement: requests a second and latencies."""

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
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
    """Run a statement, prepared, with so many connections; each over and over."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        asked = ["-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-T", str(seconds), "-f", file.name]
        ran = subprocess.run(
            ["pgbench", *asked, url], check=True, capture_output=True, text=True, timeout=seconds + 120
        )
    rate = float(re.search(r"tps = ([\d.]+)", ran.stdout)[1])  # type: ignore[index]
    mean = float(re.search(r"latency average = ([\d.]+)", ran.stdout)[1])  # type: ignore[index]
    return Load(rate, mean, mean, mean, 0)
