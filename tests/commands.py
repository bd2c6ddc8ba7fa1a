"""`onemap` as a person runs it, in a process of its own, without the seconds that its packages take to be imported.

A server process imports them once; each command is a fork of it, with its own arguments, variables, streams and exit
code. How a command starts from nothing is tested where that matters (`test_cli`, `test_serving`).
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from gis.settings import CHECKOUT

#: What the commands use, but nothing that asks for the terminal's language when it is imported.
_IMPORTED = [
    "typer", "rich.console", "rich.progress", "rich.table", "geopandas", "openpyxl", "gis.city",
    "gis.exchange.delivery", "gis.exchange.directory", "gis.exchange.scorecard", "gis.exchange.resolution",
    "gis.exchange.matching", "gis.store.migrate", "gis.store.cluster",
]  # fmt: skip
_OF_ITS_OWN = ("ONEMAP_", "LANG", "LC_", "PG")
_PATIENCE_S = 120

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(_IMPORTED)


def onemap(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command with these variables and none of the caller's own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OF_ITS_OWN)}
    environment = {**kept, "TERM": "dumb", "COLUMNS": "200", **variables}
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        process = _processes.Process(target=_run, args=(list(words), environment, str(out), str(err)))
        process.start()
        process.join(_PATIENCE_S)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(words, _PATIENCE_S, out.read_bytes(), err.read_bytes())
        return subprocess.CompletedProcess(words, process.exitcode, out.read_text("utf-8"), err.read_text("utf-8"))


def _run(words: list[str], environment: dict[str, str], out: str, err: str) -> None:
    os.chdir(CHECKOUT)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(file, number)
        os.close(file)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  the process's own, until it ends
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.argv = ["onemap", *words]
    from api.cli import main

    main()
