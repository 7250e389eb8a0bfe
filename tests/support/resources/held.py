"""What a process holds, as Linux counts it."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}
"""glibc gives threads arenas of their own, each of which keeps what a page once needed: up to 16 of them, filled by
chance. A process with one is warm after a few rounds, and shows a leak of a few bytes a round."""
PROC = Path("/proc")
_PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024


class Held(msgspec.Struct, frozen=True):
    """Resident memory in kB, open files, and threads."""

    memory: int
    files: int
    threads: int

    @classmethod
    def of(cls, process: int | str = "self") -> Held:
        """What a process holds now."""
        proc = PROC / str(process)
        resident = int((proc / "statm").read_text().split()[1])
        return cls(resident * _PAGE_KB, len(os.listdir(proc / "fd")), len(os.listdir(proc / "task")))


def why_not() -> str | None:
    """Why it cannot be told here."""
    return None if (PROC / "self" / "statm").exists() else "what a process holds is read from /proc: Linux has it"
