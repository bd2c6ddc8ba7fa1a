"""The audit of dependencies is green for what was looked up, and for nothing else."""

import importlib.util
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest

from gis.settings import CHECKOUT


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", CHECKOUT / "setup" / "audit.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["audit"] = module
    spec.loader.exec_module(module)
    return module


CLEAN = {"name": "idna", "version": "3.20", "vulns": []}
WEAK = {"name": "jinja2", "version": "2.10", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.11"]}]}
#: What pip-audit says, ending well, where the index knows nothing of weaknesses.
SKIPPED = {"name": "jinja2", "skip_reason": "Dependency not found on PyPI and could not be audited"}


@pytest.mark.parametrize(
    ("answers", "looked_up", "weak", "missing"),
    [
        ([[CLEAN], [CLEAN, CLEAN]], 2, [], ""),
        ([[CLEAN], [CLEAN, WEAK]], 2, ["PYSEC-1"], ""),
        ([[SKIPPED]], 0, [], "1 of 1"),
        ([[CLEAN], [CLEAN, SKIPPED]], 1, [], "1 of 2"),
        ([None], 0, [], "ended with 1"),
    ],
)
def test_packages_that_were_not_looked_up_are_not_clean(
    audit: ModuleType, tmp_path: Path, answers: list[list[object] | None], looked_up: int, weak: list[str], missing: str
) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("# pinned\nidna==3.20\njinja2==2.10\n")
    asked = iter(answers)

    def run(words: Sequence[str], where: Path) -> tuple[int, str]:
        told = next(asked)
        return (1, "ConnectionError") if told is None else (0, json.dumps({"dependencies": told}))

    found = audit.python_packages("pip-audit", lock, run)
    assert (found.looked_up, sorted(found.weaknesses)) == (looked_up, weak)
    assert missing in found.missing and bool(missing) == bool(found.missing)
    assert next(asked, "none") == "none", "an index that does not answer is asked of one package alone"


def test_npm_that_does_not_answer_is_not_clean(audit: ModuleType) -> None:
    refused = json.dumps({"message": "405 Method Not Allowed", "statusCode": 405, "error": {}})
    assert "ended with 1" in audit.web_packages("node", "npm", lambda words, where: (1, refused)).missing
    cause = {"title": "bad", "url": "https://github.com/advisories/GHSA-1", "severity": "high"}
    told = {"vulnerabilities": {"vite": {"via": [cause, "esbuild"]}}, "metadata": {"dependencies": {"prod": 40}}}
    found = audit.web_packages("node", "npm", lambda words, where: (1, json.dumps(told)))
    assert (found.missing, found.looked_up, list(found.weaknesses)) == ("", 40, ["GHSA-1"])


def test_the_verdict(audit: ModuleType) -> None:
    weak = {"Python": audit.Found({"PYSEC-1": "jinja2 2.10"}, 3)}
    assert audit.verdict(weak, [], "", required=False)[0] == 1
    assert audit.verdict(weak, ["PYSEC-1"], "", required=False)[0] == 0
    lacking = {"Python": audit.Found(missing="3 of 3 packages could not be looked up")}
    code, said = audit.verdict(lacking, [], "2026-11-01", required=False)
    assert code == 0 and "NOT DONE" in "\n".join(said) and "2026-11-01" in "\n".join(said)
    assert not [line for line in said if "0 with known weaknesses" in line]
    assert audit.verdict(lacking, [], "", required=True)[0] == 1


def test_what_is_accepted_ends(audit: ModuleType) -> None:
    text = "# why\nGHSA-1 2026-12-31 not ours\nGHSA-2 2026-01-01 was not ours\nGHSA-3 2027-01-01\n"
    assert audit.accepted(text, date(2026, 11, 22)) == {"GHSA-1"}
