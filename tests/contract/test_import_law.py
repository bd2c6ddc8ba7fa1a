"""The import contracts hold, and each kind of them fails when it is broken on purpose."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gis.settings import CHECKOUT

HOUSE = ("gis", "layers", "tiles", "api")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / "lint-imports"
    return subprocess.run([program, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the packages and their contracts, with two toy layers that do not know each other."""
    for room in HOUSE:
        skipped = shutil.ignore_patterns("__pycache__", "node_modules", "dist", "web")
        shutil.copytree(CHECKOUT / room, tmp_path / room, ignore=skipped)
    shutil.copy(CHECKOUT / "setup.cfg", tmp_path)
    for toy in ("toy_roses", "toy_trams"):
        (tmp_path / "layers" / toy).mkdir()
        (tmp_path / "layers" / toy / "__init__.py").write_text("import gis.errors\n")
    return tmp_path


def test_the_house_keeps_its_law() -> None:
    done = lint(CHECKOUT)
    assert done.returncode == 0, done.stdout


def test_a_copy_with_toy_layers_keeps_it_too(house: Path) -> None:
    """Otherwise a break below could fail for another reason than the one that is meant."""
    done = lint(house)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "forbidden", "contract"),
    [
        ("gis/errors.py", "import api", "The house has three floors"),
        ("gis/text.py", "import layers", "The house has three floors"),
        ("tiles/__init__.py", "import layers", "The house has three floors"),
        ("gis/store/database.py", "import gis.exchange", "Inside gis, imports run down"),
        ("gis/geo/__init__.py", "import gis.codes", "Inside gis, imports run down"),
        ("layers/toy_roses/__init__.py", "import layers.toy_trams", "No layer imports another"),
        ("tiles/__init__.py", "import fastapi", "No web framework below api"),
        ("gis/store/database.py", "import starlette.requests", "No web framework below api"),
    ],
)
def test_a_broken_contract_is_found(house: Path, module: str, forbidden: str, contract: str) -> None:
    with (house / module).open("a") as file:
        file.write(f"\n{forbidden}\n")
    done = lint(house)
    assert done.returncode == 1, done.stdout
    broken = [line for line in done.stdout.splitlines() if line.endswith("BROKEN")]
    assert [line for line in broken if line.startswith(contract)], done.stdout
