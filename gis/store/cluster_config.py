"""How the embedded server is set: for one machine, one city, many small reads and a few large loads."""

import contextlib
import os
import random
import socket
from pathlib import Path

_MIB = 1024 * 1024
_PORTS = range(25400, 26400)
"""Below the ports that Linux lends to outgoing connections (32768 up), so that none of those takes the kept one."""


def server_settings(port: int, sockets: Path, *, durable: bool, lz4: bool) -> str:
    """The text of the server's settings file; `durable=False` is for data that may be lost, as in tests.

    `lz4` says that the server can pack pages by it.
    """
    memory_mb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // _MIB
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": sockets,
        "unix_socket_permissions": "0700",
        # a server process keeps up to thirty: those that only read, its own, the trace, what has changed
        "max_connections": 300,
        "shared_buffers": f"{min(max(memory_mb // 8, 128), 1024)}MB",
        "effective_cache_size": f"{max(memory_mb // 2, 256)}MB",
        "work_mem": "32MB",
        "maintenance_work_mem": f"{min(max(memory_mb // 16, 64), 512)}MB",
        # Nobody replicates from here, so a load into a new table need not be logged row by row.
        "wal_level": "minimal",
        "max_wal_senders": 0,
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": 0.9,
        # PostgreSQL's own packing costs four seconds a million fresh rows, when their pages are first read again
        "wal_compression": "lz4" if lz4 else "off",
        "random_page_cost": 1.1,
        "effective_io_concurrency": 64,
        # A tile takes a millisecond; compiling its plan would take a hundred.
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "datestyle": "iso, ymd",
        "default_text_search_config": "pg_catalog.simple",
        "lc_messages": "C",
        "log_line_prefix": "%m [%p] %d ",
        "log_min_duration_statement": "5s",
        "log_checkpoints": "off",
        "cluster_name": "onemap",
    }
    if not _shared_memory_is_roomy():
        settings["dynamic_shared_memory_type"] = "mmap"
    if not durable:
        settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
    lines = [f"{name} = '{value}'" for name, value in settings.items()]
    return "# Written at each start; put settings of your own into postgresql.auto.conf (ALTER SYSTEM).\n" + "\n".join(
        [*lines, ""]
    )


def _shared_memory_is_roomy() -> bool:
    """Containers often give 64 MB of /dev/shm and bare chroots none; parallel queries then fail half way."""
    try:
        room = os.statvfs("/dev/shm")
    except OSError:
        return False
    return os.access("/dev/shm", os.W_OK) and room.f_frsize * room.f_blocks >= 256 * _MIB


def free_port(preferred: int | None = None) -> int:
    """A port of 127.0.0.1 that nobody listens on: the preferred one where it is free."""
    candidates = random.sample(_PORTS, k=len(_PORTS))
    for port in [preferred, *candidates] if preferred else candidates:
        if _is_free(port):
            return port
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        # As the server does it: a connection that was closed a moment ago does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
