"""The key that seals the trace: a file of this installation, so that whoever writes in the database has not got it.

Each server of a city has a copy of it; entries name the key that sealed them.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from gis.access.trace import Pseudonyms
from gis.errors import SetupError

_BYTES = 32


@dataclass(frozen=True, slots=True)
class TraceKey:
    """The secret and what follows from it."""

    secret: bytes

    @property
    def id(self) -> str:
        """Its name, which tells nothing of it."""
        return hashlib.sha256(b"key of the trace" + self.secret).hexdigest()[:12]

    @property
    def pseudonyms(self) -> Pseudonyms:
        """The words by which the trace names values."""
        return Pseudonyms(self.secret)


def trace_key(home: Path) -> TraceKey:
    """The key of an installation, drawn when it is first wanted. Raises SetupError where it cannot be kept or read."""
    path = home / "trace" / "key"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _draw(path)
        secret = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as error:
        raise SetupError(
            f"the key of the trace cannot be read from {path} ({error}); it is 64 hexadecimal digits, the same on each"
            " server of the city",
            f"无法从 {path} 读取审计密钥({error});该文件为 64 位十六进制数,同一城市的各服务器须相同",
            subject=str(path),
        ) from None
    if len(secret) != _BYTES:
        raise SetupError(f"{path} does not hold 64 hexadecimal digits", f"{path} 的内容不是 64 位十六进制数",
                         subject=str(path))  # fmt: skip
    return TraceKey(secret)


def _draw(path: Path) -> None:
    """Make the file whole or not at all; of two who make it at once, one does."""
    part = path.with_name(f".key.{os.getpid()}.{secrets.token_hex(4)}")
    part.touch(0o600)
    part.write_text(secrets.token_hex(_BYTES))
    try:
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink()
