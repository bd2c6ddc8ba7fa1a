"""What the embedded server must find again: its port and its password, in a file that only the caller can read."""

import json
import os
from pathlib import Path


class Record:
    """The facts of one server, kept in a small JSON file that is always whole."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def port(self) -> int | None:
        """The port of the last start; None before the first."""
        port = self._read().get("port")
        return int(port) if port else None

    @property
    def password(self) -> str:
        """The password for connections over the port."""
        return str(self._read().get("password", ""))

    def keep(self, **facts: str | int) -> None:
        """Remember facts beside those that are there."""
        beside = self.path.with_suffix(".new")
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({**self._read(), **facts}, file)
        beside.replace(self.path)

    def forget(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)

    def _read(self) -> dict[str, str | int]:
        try:
            facts: dict[str, str | int] = json.loads(self.path.read_text())
        except FileNotFoundError:
            return {}
        return facts
