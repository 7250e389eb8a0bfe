"""What a process holds, read from Linux's /proc: memory, files, threads, for soak tests and limits on memory."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import msgspec

ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}
"""glibc gives threads up to 16 arenas, each of which keeps what a page once needed; which ones fill up is chance.
A process with a single arena is warm after a few rounds, and then shows a leak of a few bytes a round."""
PROC = Path("/proc")
_PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024


class ProcessUsage(msgspec.Struct, frozen=True):
    """Resident memory in kB, open files, and threads."""

    memory: int
    files: int
    threads: int

    @classmethod
    def of(cls, process: int | str = "self") -> ProcessUsage:
        """The current usage of a process."""
        proc = PROC / str(process)
        resident = int((proc / "statm").read_text().split()[1])
        return cls(resident * _PAGE_KB, len(os.listdir(proc / "fd")), len(os.listdir(proc / "task")))


def unavailable_reason() -> str | None:
    """Why usage cannot be read on this system, or None."""
    return None if (PROC / "self" / "statm").exists() else "process usage is read from /proc, which only Linux has"


def peak_memory() -> int:
    """The peak memory of this process, in bytes.

    On Linux from /proc: `ru_maxrss` of a child starts with what its parent held when it forked.
    """
    status = PROC / "self" / "status"
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024
