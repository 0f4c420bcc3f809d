"""What a process and its children use, read from /proc."""

import os
import socket
from contextlib import suppress
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_ESTABLISHED = "01"


def tree(pid: int) -> list[int]:
    """The process and all its descendants."""
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in children.read_text().split():
                found += tree(int(child))
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of the tree so far.

    Taken from the scheduler's own account, which counts nanoseconds where /proc/PID/stat counts
    ticks of 10 ms. A thread that has ended is no longer in it; the servers here keep theirs.
    """
    nanoseconds = 0
    for one in tree(pid):
        for account in Path(f"/proc/{one}/task").glob("*/schedstat"):
            with suppress(OSError):
                nanoseconds += int(account.read_text().split()[0])
    return nanoseconds / 1e9


def memory(pid: int) -> float:
    """Resident MiB of the tree. Pages that its processes share count once for each."""
    pages = 0
    for one in tree(pid):
        with suppress(OSError):
            pages += int(Path(f"/proc/{one}/statm").read_text().split()[1])
    return pages * _PAGE / 2**20


def open_files(pid: int) -> int:
    """File descriptors of the tree."""
    return sum(len(os.listdir(f"/proc/{one}/fd")) for one in tree(pid))


def connections_to(port: int) -> int:
    """Established connections on this machine whose far end is the loopback `port`."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    far_ends = [line.split()[2:4] for line in lines]
    return sum(1 for far, state in far_ends if state == _ESTABLISHED and int(far.rpartition(":")[2], 16) == port)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
