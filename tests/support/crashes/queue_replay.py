"""Rebuilds an SQLite queue from traced writes to find when each task was acked, for tests/prove/test_write_order.py."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from tests.support.crashes.strace import Syscall

_COMMITS = slice(4, 8)
"""Bytes of a frame header in the write-ahead log that are non-zero in the last frame of a transaction."""
_HEADER = 24


class AckedTask(NamedTuple):
    """An acked task, and the write to `log` after which the ack may survive a crash."""

    source: str
    date: str
    log: str
    call: Syscall


class QueueReplay:
    """The queue's files after each call; `before` is their initial content."""

    def __init__(self, folder: Path, before: Mapping[str, bytes]) -> None:
        self._folder = folder
        self._files = {name: bytearray(data) for name, data in before.items() if _is_queue_file(name)}
        self._commits = False

    def acked_tasks(self, calls: Iterable[Syscall]) -> list[AckedTask]:
        """Every task that left the queue."""
        gone: list[AckedTask] = []
        live: set[tuple[str, str, str, int]] = set()
        for call in calls:
            name = Path(call.paths[-1]).name
            if _is_queue_file(name) and self._apply(name, call):
                now = self._tasks()
                gone += [AckedTask(source, date, call.paths[-1], call) for source, date, *_ in sorted(live - now)]
                live = now
        return gone

    def _apply(self, name: str, call: Syscall) -> bool:
        """Repeat the call on the copy; whether it ended a transaction."""
        file = self._files.setdefault(name, bytearray())
        if call.name == "unlink":
            del self._files[name]
        elif call.name == "ftruncate":
            del file[int(call.words[-1]) :]
        elif call.name == "pwrite64":
            at = int(call.words[-1])
            file.extend(bytes(max(0, at - len(file))))
            file[at : at + len(call.data)] = call.data
            ends, self._commits = self._commits, len(call.data) == _HEADER and any(call.data[_COMMITS])
            return ends
        return False

    def _tasks(self) -> set[tuple[str, str, str, int]]:
        for old in self._folder.iterdir():
            old.unlink()
        for name, data in self._files.items():
            (self._folder / name).write_bytes(data)
        [name] = [name for name in self._files if name.endswith(".sqlite")]
        with closing(sqlite3.connect(self._folder / name)) as db:
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'tasks'").fetchone():
                return set()
            return set(db.execute("SELECT source, date, run, hop FROM tasks"))


def _is_queue_file(name: str) -> bool:
    return name.startswith("queue-") and not name.endswith("-shm")
