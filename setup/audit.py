"""Are weaknesses known of the packages that are pinned? For `make check`; python setup/audit.py PIP-AUDIT NODE NPM.

A clean answer counts for what was really looked up: both tools end well where a package index does not answer, or knows
nothing of weaknesses, and would then be green without having looked. What could not be looked up is said at the end,
with the day of the last time that it was; ONEMAP_AUDIT=required makes it an error, ONEMAP_AUDIT=off leaves it out.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ACCEPTED = ROOT / "setup" / "audit-accepted.txt"
RECORD = ROOT / ".onemap" / "audit.json"
_PATIENCE_S = 300
#: Severities of npm that count; lower ones are said alone.
_GRAVE = ("high", "critical")

Run = Callable[[Sequence[str], Path], tuple[int, str]]


@dataclass
class Found:
    """What one look brought: weaknesses {id: where}; `missing` says why it is not whole, empty where it is."""

    weaknesses: dict[str, str] = field(default_factory=dict)
    looked_up: int = 0
    missing: str = ""


def run(words: Sequence[str], where: Path) -> tuple[int, str]:
    """A program's exit code and what it wrote; 127 and nothing where there is no such program."""
    try:
        done = subprocess.run(words, cwd=where, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 127, str(error)
    return done.returncode, done.stdout or done.stderr


def python_packages(pip_audit: str, lock: Path, run: Run = run) -> Found:
    """The weaknesses of a lock file's packages; the first alone, to see whether the index knows of any at all."""
    lines = [line for line in lock.read_text().splitlines() if line and not line.startswith("#")]
    probe = lock.with_name(f".{lock.name}.probe")
    probe.write_text(f"{lines[0]}\n")
    try:
        first = _of_pip_audit(*_pip_audit(pip_audit, probe, run), 1)
    finally:
        probe.unlink()
    return first if first.missing else _of_pip_audit(*_pip_audit(pip_audit, lock, run), len(lines))


def _pip_audit(program: str, lock: Path, run: Run) -> tuple[int, str]:
    words = ["--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "15"]
    return run([program, "-r", str(lock), *words], ROOT)


def _of_pip_audit(code: int, text: str, wanted: int) -> Found:
    try:
        told = json.loads(text)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Found(missing=f"pip-audit ended with {code}: {_last(text)}")
    looked_up = [one for one in told if "vulns" in one]
    found = {
        weakness["id"]: f"{one['name']} {one['version']}, mended in {', '.join(weakness['fix_versions']) or 'none'}"
        for one in looked_up
        for weakness in one["vulns"]
    }
    lacking = wanted - len(looked_up)
    return Found(found, len(looked_up), f"{lacking} of {wanted} packages could not be looked up" if lacking else "")


def _last(text: str) -> str:
    """What a program said of its failure, in a line."""
    try:
        return str(json.loads(text)["message"])[:200]
    except (ValueError, KeyError, TypeError):
        return " ".join(text.split())[-200:]


def web_packages(node: str, npm: str, run: Run = run) -> Found:
    """The grave weaknesses of the web map's packages."""
    code, text = run([node, npm, "audit", "--omit=dev", "--json"], ROOT / "api" / "web")
    try:
        told: dict[str, Any] = json.loads(text)
        reported, packages = told["vulnerabilities"], told["metadata"]["dependencies"]["prod"]
    except (ValueError, KeyError, TypeError):
        return Found(missing=f"npm audit ended with {code}: {_last(text)}")
    found = {
        str(cause.get("url", name)).rpartition("/")[2]: f"{name}: {cause.get('title', '')}"
        for name, one in reported.items()
        for cause in one["via"]
        if isinstance(cause, dict) and cause.get("severity") in _GRAVE
    }
    return Found(found, packages)


def accepted(text: str, today: date) -> set[str]:
    """The ids that are accepted on a day."""
    lines = [line.split(maxsplit=2) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {line[0] for line in lines if len(line) == 3 and date.fromisoformat(line[1]) >= today}


def verdict(found: dict[str, Found], passed: Iterable[str], last: str, *, required: bool) -> tuple[int, list[str]]:
    """The exit code and what is said; `passed` are accepted ids, `last` the day of the last whole look."""
    said, code, known = [], 0, set(passed)
    for what, one in found.items():
        grave = {name: where for name, where in one.weaknesses.items() if name not in known}
        said += [f"{what}: {name} in {where}" for name, where in sorted(grave.items())]
        code = 1 if grave else code
        if not one.missing:
            said.append(f"{what}: {one.looked_up} packages looked up, {len(grave)} with known weaknesses")
    missing = {what: one.missing for what, one in found.items() if one.missing}
    if missing:
        rule = "!" * 100
        said += [rule, "WARNING: the audit of dependencies is NOT DONE  依赖审计未完成"]
        said += [f"  {what}: {why}" for what, why in missing.items()]
        said += [f"  last done: {last or 'never on this machine'}", rule]
        code = code or int(required)
    return code, said


def main() -> int:
    """Look, say, and remember when."""
    asked = os.environ.get("ONEMAP_AUDIT", "")
    pip_audit, node, npm = sys.argv[1:4]
    off = Found(missing="ONEMAP_AUDIT=off")
    found = {
        "Python": off if asked == "off" else python_packages(pip_audit, ROOT / "requirements.lock"),
        "web map": off if asked == "off" else web_packages(node, npm),
    }
    today = datetime.now(UTC).date()
    last = json.loads(RECORD.read_text())["whole"] if RECORD.exists() else ""
    code, said = verdict(found, accepted(ACCEPTED.read_text(), today), last, required=asked == "required")
    print("\n".join(said))
    if not any(one.missing for one in found.values()):
        RECORD.parent.mkdir(exist_ok=True)
        RECORD.write_text(json.dumps({"whole": str(today)}))
    return code


if __name__ == "__main__":
    sys.exit(main())
