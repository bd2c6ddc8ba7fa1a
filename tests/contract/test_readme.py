"""What the two READMEs say of commands and settings is what there is, all of it."""

import re
from pathlib import Path

import pytest
import typer.main

from api.cli import build
from gis.settings import CHECKOUT, Settings

READMES = [CHECKOUT / "README.md", CHECKOUT / "README.zh-CN.md"]
#: Read by the commands before any setting is, and by tests and the set-up.
_BESIDE = {"ONEMAP_LANG", "ONEMAP_AUDIT"}


def commands() -> dict[str, set[str]]:
    """The commands of `onemap`, of groups with theirs."""
    found = typer.main.get_command(build())
    return {name: set(getattr(one, "commands", ())) for name, one in found.commands.items()}  # type: ignore[attr-defined]


def table(readme: Path, begins: str) -> str:
    """The rows of the table whose first row begins so."""
    return readme.read_text().partition(f"\n| {begins} |")[2].partition("\n\n")[0]


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_every_setting_is_told_and_no_other(readme: Path) -> None:
    told = set(re.findall(r"ONEMAP_[A-Z_]+", readme.read_text()))
    assert told == {f"ONEMAP_{name.upper()}" for name in Settings.model_fields} | _BESIDE


@pytest.mark.parametrize(("readme", "title"), list(zip(READMES, ("command", "命令"), strict=True)), ids=["en", "zh"])
def test_every_command_is_told_and_no_other(readme: Path, title: str) -> None:
    told: dict[str, set[str]] = {}
    for line in table(readme, title).splitlines():
        # in the second cell too stand names of options, not of commands
        for said in re.findall(r"`(?:onemap )?([a-z|\\ -]+)`", line.split(" | ")[0]):
            name, _, parts = said.partition(" ")
            told[name] = set(parts.replace("\\", "").split("|")) - {""}
    there = commands()
    assert set(told) == set(there)
    for name, parts in told.items():
        assert parts <= there[name] and (parts or not there[name])
