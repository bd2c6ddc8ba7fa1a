"""What a process that reads strangers' files gives up before it reads any: memory, time, files, the network.

Linux's own means, no program beside: resource limits (setrlimit), a network of its own with nothing in it (unshare),
no way to more rights (prctl).
"""

import ctypes
import resource
import signal
from contextlib import suppress
from dataclasses import dataclass

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_NO_NEW_PRIVILEGES, _DEATH_SIGNAL = 38, 1
_OPEN_FILES = 256
#: What a file may unpack to, and a little more (see `archive.TOTAL_BYTES`).
_WRITTEN_BYTES = 9 << 30


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a reading process may take: address space in MB, processor time in seconds."""

    memory_mb: int = 3072
    cpu_s: int = 1800


def confine(limits: Limits) -> bool:
    """Give everything up, for good; returns whether the network is gone too, which needs rights that not all have."""
    memory = limits.memory_mb << 20
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_FSIZE, _WRITTEN_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # lower already
            resource.setrlimit(what, (most, most))
    system = ctypes.CDLL(None, use_errno=True)
    system.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    # whoever is read for is gone: nobody waits for the rest
    system.prctl(_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0)
    return any(system.unshare(flags) == 0 for flags in (_NEW_NETWORK, _NEW_USER | _NEW_NETWORK))
