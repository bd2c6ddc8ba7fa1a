"""The server process of a data folder: found by what it works on, never by its number alone.

After a kill -9 or a reboot `postmaster.pid` stays behind, and the number in it may by then belong to any process.
"""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

_ORPHAN_PATIENCE_S = 5.0


def postmaster(data: Path) -> int | None:
    """The process number of the server that works on a data folder; None when none does."""
    pid = _written(data)
    return pid if pid is not None and _works_on(pid, data) else None


def forget_stale(data: Path, sockets: Path) -> None:
    """Remove the lock files of a server that is gone, whatever process has its number by now.

    PostgreSQL removes them itself when nobody has the number, but stops when another process has it, or when the dead
    one was never waited for, as in a container without an init. Two servers on one folder stay impossible: PostgreSQL
    also looks at the shared memory of the folder.
    """
    if postmaster(data) is None:
        for stale in (data / "postmaster.pid", *sockets.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)


def end_orphans(data: Path) -> None:
    """Wait for the sessions of a killed server to notice, and end those that do not; a new one cannot start before."""
    deadline_s = time.monotonic() + _ORPHAN_PATIENCE_S
    while orphans := list(_orphans(data)):
        if time.monotonic() > deadline_s:
            for pid in orphans:
                _end(pid)
            deadline_s = time.monotonic() + 1.0
        time.sleep(0.02)


def _end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _written(data: Path) -> int | None:
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _orphans(data: Path) -> Iterator[int]:
    """Processes of PostgreSQL that work on a folder whose server is gone."""
    if postmaster(data) is not None or not Path("/proc/self").exists():
        return
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _is_server(int(entry.name)) and _stands_in(int(entry.name), data):
            yield int(entry.name)


def _works_on(pid: int, data: Path) -> bool:
    """Whether a process is the server of a data folder."""
    if not Path("/proc/self").exists():
        return _alive(pid)
    if not _is_server(pid):
        return False
    if (stands := _stands_in(pid, data)) is not None:
        return stands
    return str(data).encode() in _words(pid)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_server(pid: int) -> bool:
    """Whether a process is a PostgreSQL process that still runs; one that nobody waited for (a zombie) does not."""
    try:
        name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition("(")[2].rpartition(")")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return name == "postgres" and rest.split()[0] not in "ZX"


def _stands_in(pid: int, data: Path) -> bool | None:
    """Whether a process stands in a folder, as every PostgreSQL process does; None where the system hides it."""
    try:
        return os.path.samefile(f"/proc/{pid}/cwd", data)
    except FileNotFoundError:
        return False
    except OSError:
        return None


def _words(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return []
