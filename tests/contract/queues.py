"""What the contract of queues needs of each implementation: the queue, time that passes, and the dead letters."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Protocol

from option_a.ingest.ports import DeadLetter, Queue
from option_a.ingest.task import Task
from option_a.local.queue import SqliteQueue
from tests.support.clock import FakeClock
from tests.support.queue import MemoryQueue

LEASE = 30.0
RUN = "20231114T220000Z-a"


class Bench(Protocol):
    """One implementation under test."""

    @property
    def queue(self) -> Queue: ...

    def pass_time(self, seconds: float) -> None:
        """Let so much time go by."""

    def dead(self) -> list[DeadLetter]:
        """Every dead letter."""

    def close(self) -> None:
        """Let go of everything."""


class MemoryBench:
    """A queue in memory, on a clock that tests own."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.queue = MemoryQueue(self.clock)

    def pass_time(self, seconds: float) -> None:
        self.clock.sleep(seconds)

    def dead(self) -> list[DeadLetter]:
        return self.queue.dead

    def close(self) -> None:
        """Nothing is open."""


class SqliteBench:
    """A queue in a file, on a clock that tests own."""

    def __init__(self, path: Path) -> None:
        self.clock = FakeClock()
        self.queue = SqliteQueue(path, self.clock)

    def pass_time(self, seconds: float) -> None:
        self.clock.sleep(seconds)

    def dead(self) -> list[DeadLetter]:
        return self.queue.dead_letters()

    def close(self) -> None:
        self.queue.close()


def task(day: int = 1, *, source: str = "s", run: str = RUN, hop: int = 0) -> Task:
    """A task of November 2023."""
    return Task(source, dt.date(2023, 11, day), run, hop=hop)
