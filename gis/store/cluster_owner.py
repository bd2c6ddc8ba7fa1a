"""Who owns the embedded server: PostgreSQL refuses to run as root, so root hands it to another user."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gis.errors import SetupError

_SERVICE_USER = "postgres"


@dataclass(frozen=True)
class Owner:
    """The user that the server runs under; `other` says that it is not the caller."""

    uid: int
    gid: int
    other: bool

    @classmethod
    def here(cls) -> "Owner":
        """The caller, or user `postgres` when the caller is root. Raises SetupError where root has no such user."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), other=False)
        try:
            entry = pwd.getpwnam(_SERVICE_USER)
        except KeyError:
            raise SetupError(
                f"PostgreSQL does not run as root and there is no user “{_SERVICE_USER}” to run it: "
                f"create one (useradd --system {_SERVICE_USER}) or start as an ordinary user",
                f"PostgreSQL 不能以 root 身份运行，而本机没有用户“{_SERVICE_USER}”："
                f"请先创建（useradd --system {_SERVICE_USER}），或改用普通用户启动",
                subject=_SERVICE_USER,
            ) from None
        return cls(entry.pw_uid, entry.pw_gid, other=True)

    def run(self, command: Sequence[object], *, timeout_s: float = 600) -> subprocess.CompletedProcess[str]:
        """Run one program as this user and wait; both outputs come back together in `stdout`.

        The caller's PG* variables are left out, because they would redirect the server's programs elsewhere.
        """
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
        identity = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.other else {}
        return subprocess.run(  # type: ignore[call-overload,no-any-return]
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
            cwd="/",
            env={**kept, "LC_ALL": "C"},
            **identity,
        )

    def reaches(self, folder: Path) -> bool:
        """Whether this user may pass through a folder; asked of the system, since access lists cannot be computed."""
        return not self.other or self.run(["test", "-x", folder]).returncode == 0

    def give(self, folder: Path, mode: int = 0o700) -> Path:
        """Make a folder, if it is not there, that belongs to this user."""
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
        if self.other and folder.stat().st_uid != self.uid:
            os.chown(folder, self.uid, self.gid)
            folder.chmod(mode)
        return folder
