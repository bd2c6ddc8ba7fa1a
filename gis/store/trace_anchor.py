"""Anchors of the trace: how far the chain had come, kept beside the database, so that its end cannot be cut off.

Two files a chain in the home folder: the newest head, written anew with each batch, and a journal with a line each
minute or thousand entries, which is only added to. The same lines go to the log, and with it off the machine.
"""

import fcntl
import hmac
import json
import logging
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gis.store.trace_chain import Head
from gis.store.trace_key import TraceKey

_LOG = logging.getLogger("onemap.trace")
_EVERY_S, _EVERY_ENTRIES = 60.0, 1_000


@dataclass(frozen=True, slots=True)
class Anchor:
    """That the chain's entry of a number had this seal, said at a time; `restored`: what was later is given up.

    `database` is the name of the database that held the chain.
    """

    number: int
    seal: bytes
    said_at: str
    restored: bool = False
    database: str = ""

    @classmethod
    def of(cls, head: Head, *, restored: bool = False) -> "Anchor":
        """What is said of a head now."""
        return cls(
            head.number, head.seal, datetime.now(UTC).isoformat(timespec="milliseconds"), restored, head.database
        )

    @property
    def line(self) -> dict[str, Any]:
        """As it is written, without its signature."""
        return {"number": self.number, "seal": self.seal.hex(), "at": self.said_at, "restored": self.restored,
                "database": self.database}  # fmt: skip


class TamperedAnchorError(Exception):
    """A line of anchors that nobody signed who has the key."""


@dataclass(slots=True)
class Anchors:
    """The anchors that one process writes; several may write at once."""

    home: Path
    key: TraceKey
    _journal_s: float = 0.0
    _journal_number: int = field(default=-_EVERY_ENTRIES)

    def advance(self, head: Head) -> None:
        """The chain has come so far, for good."""
        anchor = Anchor.of(head)
        line = self._signed(head.chain, anchor)
        folder = self._folder()
        with (folder / f"{head.chain}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._behind(head):
                part = folder / f"{head.chain}.part"
                part.write_text(line)
                part.replace(folder / f"{head.chain}.head")
        now_s = time.monotonic()
        if now_s - self._journal_s >= _EVERY_S or head.number - self._journal_number >= _EVERY_ENTRIES:
            self._journal_s, self._journal_number = now_s, head.number
            self.say(head.chain, anchor)

    def say(self, chain: uuid.UUID, anchor: Anchor) -> None:
        """Add to the journal and to the log."""
        descriptor = os.open(self._folder() / f"{chain}.journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, f"{self._signed(chain, anchor)}\n".encode())
        finally:
            os.close(descriptor)
        _LOG.info("trace %s: entry %d is %s", chain, anchor.number, anchor.seal.hex())

    def restored(self, head: Head) -> None:
        """A backup was brought back: of what was added after it was taken, nothing is there any more."""
        self.say(head.chain, Anchor.of(head, restored=True))
        (self._folder() / f"{head.chain}.head").unlink(missing_ok=True)

    def others(self, chain: uuid.UUID | None, database: str) -> list[uuid.UUID]:
        """The other chains that a database of this name held, and that nobody has given up."""
        found = []
        for path in self._folder().glob("*.head"):
            other = uuid.UUID(path.stem)
            if other != chain and self._read(other, path.read_text()).database == database:
                found.append(other)
        return found

    def give_up(self, chain: uuid.UUID) -> None:
        """A chain is known to be gone, with the database that held it."""
        path = self._folder() / f"{chain}.head"
        path.replace(path.with_suffix(".gone"))

    def known(self, chain: uuid.UUID) -> Iterator[Anchor]:
        """All anchors of a chain that hold, in no order. Raises TamperedAnchorError."""
        found: list[Anchor] = []
        journal = self._folder() / f"{chain}.journal"
        for line in journal.read_text().splitlines() if journal.exists() else ():
            anchor = self._read(chain, line)
            if anchor.restored:
                found = [earlier for earlier in found if earlier.number <= anchor.number]
            found.append(anchor)
        newest = self._folder() / f"{chain}.head"
        if newest.exists():
            found.append(self._read(chain, newest.read_text()))
        return iter(found)

    def _behind(self, head: Head) -> bool:
        """Whether the kept head is an older one; one that cannot be read is none."""
        try:
            return int(json.loads((self._folder() / f"{head.chain}.head").read_text())["number"]) < head.number
        except (OSError, ValueError, KeyError, TypeError):
            return True

    def _signed(self, chain: uuid.UUID, anchor: Anchor) -> str:
        return json.dumps({**anchor.line, "key": self.key.id, "signature": self._signature(chain, anchor).hex()})

    def _signature(self, chain: uuid.UUID, anchor: Anchor) -> bytes:
        said = json.dumps([chain.hex, *anchor.line.values()]).encode()
        return hmac.digest(self.key.secret, b"anchor of the trace" + said, "sha256")

    def _read(self, chain: uuid.UUID, line: str) -> Anchor:
        try:
            said = json.loads(line)
            anchor = Anchor(
                int(said["number"]), bytes.fromhex(said["seal"]), str(said["at"]), bool(said["restored"]),
                str(said["database"]),
            )  # fmt: skip
            signature = bytes.fromhex(said["signature"])
        except (ValueError, KeyError, TypeError):
            raise TamperedAnchorError(line[:80]) from None
        if not hmac.compare_digest(signature, self._signature(chain, anchor)):
            raise TamperedAnchorError(line[:80])
        return anchor

    def _folder(self) -> Path:
        folder = self.home / "trace"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder
