"""What set-up promises: pinned packages, one command each, and a clear word where apt is missing."""

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gis.settings import CHECKOUT

GOALS = ("demo", "test", "check", "bench", "torture", "qgis", "stop", "clean")


def normal(name: str) -> str:
    """A package's name as PyPI compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> dict[str, str]:
    lines = [line for line in (CHECKOUT / "requirements.lock").read_text().splitlines() if not line.startswith("#")]
    assert lines == [line for line in lines if re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line)]
    return {normal(name): version for name, _, version in (line.partition("==") for line in lines)}


def test_every_declared_package_is_pinned() -> None:
    cfg = configparser.ConfigParser()
    cfg.read(CHECKOUT / "setup.cfg")
    declared = cfg["options"]["install_requires"] + cfg["options.extras_require"]["dev"]
    names = {normal(re.split(r"[\[<>=!~;]", line)[0].strip()) for line in declared.split("\n") if line.strip()}
    assert names <= locked().keys()


def test_what_builds_the_package_is_pinned() -> None:
    assert int(locked()["setuptools"].split(".")[0]) >= 77


@pytest.mark.parametrize("goal", GOALS)
def test_each_goal_can_be_planned(goal: str) -> None:
    done = subprocess.run(["make", "--dry-run", goal], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_ci_runs_the_three_goals() -> None:
    script = (CHECKOUT / ".ci" / "run").read_text()
    assert os.access(CHECKOUT / ".ci" / "run", os.X_OK)
    for goal in ("make check", "make test", "make torture SCALE=0.1"):
        assert goal in script


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a system that has a shell and little more: no apt, no sudo, no PostgreSQL, no Python."""
    for name in ("bash", "dirname", "basename", "id", "sed", "cat", "head", "tail", "sort", "sha256sum", "cut", "rm"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    return {"PATH": str(tmp_path), "HOME": str(tmp_path)}


def bootstrap(environment: dict[str, str], *steps: str) -> subprocess.CompletedProcess[str]:
    script = CHECKOUT / "setup" / "bootstrap.sh"
    return subprocess.run(
        [str(shutil.which("bash")), script, *steps], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("step", "package"), [("system", "python3"), ("peers", "gdal-bin"), ("browser", "chromium")])
def test_without_apt_it_says_what_to_install(bare: dict[str, str], step: str, package: str) -> None:
    done = bootstrap(bare, step)
    assert done.returncode == 1
    for word in (package, "apt is not the package manager here", "本机没有 apt", "ONEMAP_DATABASE_URL"):
        assert word in done.stderr


def test_a_step_that_is_not_there(bare: dict[str, str]) -> None:
    done = bootstrap(bare, "nonsense")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nonsense" in done.stderr


def test_an_outside_server_needs_no_postgresql(bare: dict[str, str]) -> None:
    done = bootstrap({**bare, "ONEMAP_DATABASE_URL": "postgresql://h/db"}, "system")
    assert "postgresql" not in done.stderr.partition("For PostgreSQL")[0]
