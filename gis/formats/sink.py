"""A file to which a writer writes, and from which what was written is taken away at once."""

import io
from typing import Any


class Sink(io.RawIOBase):
    """Keeps what was written until it is taken; knows how much it was in all."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """How many bytes were written, taken or not."""
        return self._written

    def write(self, data: Any) -> int:
        """Keep the bytes."""
        part = bytes(data)
        self._parts.append(part)
        self._written += len(part)
        return len(part)

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken
