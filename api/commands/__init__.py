"""The commands of `onemap`, a module each, and how all of them speak: one answer, for people or as JSON.

A module offers `register(cli)`, or `app`, which becomes a group under the module's name.
"""

import functools
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gis.text import Language, Text

MODULES = (
    "up", "db", "load", "deliver", "returned", "directory", "scorecard", "divisions", "keys", "users", "policy",
    "emergency", "anonymous", "explain_access", "audit", "ask", "tiles", "geocode", "resolve", "erasure", "publish",
    "demo",
)  # fmt: skip
"""The modules of this package that bring commands, in the order of `onemap --help`."""


@functools.cache
def language() -> Language:
    """The language of this terminal: ONEMAP_LANG, else what the system's LC_ALL, LC_MESSAGES or LANG say."""
    names = ("ONEMAP_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    chosen = next((os.environ[name] for name in names if os.environ.get(name)), "")
    return "zh" if chosen.lower().startswith("zh") else "en"


def told(en: str, zh: str) -> str:
    """A sentence in the language of this terminal."""
    return Text(zh=zh, en=en).in_(language())


Json = Annotated[bool, typer.Option("--json", help=told("Answer as JSON, for programs.", "以 JSON 输出，供程序读取。"))]
"""The option that every command has."""


def answer(facts: Mapping[str, Any], sentence: str, *, as_json: bool) -> None:
    """Print what a command found: the facts as one JSON object, or the sentence."""
    if as_json:
        sys.stdout.write(json.dumps(facts, ensure_ascii=False, default=str) + "\n")
    else:
        Console(highlight=False, soft_wrap=True).print(sentence, markup=False)


@contextmanager
def progress(title: str, *, as_json: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show long work on the error stream: the function takes what is being done, steps done, and steps in all."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=as_json or not console.is_terminal, transient=True) as shown:
        task = shown.add_task(title, total=None)

        def step(what: str, done: int, total: int) -> None:
            shown.update(task, description=f"{title}: {what[:40]}", completed=done, total=total)

        yield step
