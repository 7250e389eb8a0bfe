"""What the contract of queues needs of each implementation: the queue, time that passes, and the dead letters."""

from __future__ import annotations

import datetime as dt
from itertools import count
from pathlib import Path
from typing import Protocol

from option_a.aws.stack.queue_admin import SqsQueueAdmin
from option_a.ingest.ports import DeadLetter, Queue
from option_a.ingest.task import Task, decode_task
from option_a.local.queue import SqliteQueue
from tests.support.aws.moto import MotoServer, pass_sqs_time
from tests.support.clock import FakeClock
from tests.support.queues.memory import MemoryQueue

LEASE = 30.0
RUN = "20231114T220000Z-a"
SOURCES = ("s", "t", "a", "b", "c")


class Bench(Protocol):
    """One implementation under test."""

    @property
    def queue(self) -> Queue: ...

    def pass_time(self, seconds: float) -> None:
        """Let so much time go by."""

    def dead(self) -> list[DeadLetter]:
        """Every dead letter."""

    def cancel(self, source: str, first: str, last: str) -> tuple[int, int]:
        """Take back the tasks of these dates."""

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

    def cancel(self, source: str, first: str, last: str) -> tuple[int, int]:
        kept = [m for m in self.queue.messages if not self._cancels(m.body, source, first, last, m.visible_at)]
        taken = len(self.queue.messages) - len(kept)
        self.queue.messages = kept
        return taken, 0

    def _cancels(self, body: bytes, source: str, first: str, last: str, visible: float) -> bool:
        found = decode_task(body)
        return found.source == source and first <= found.day <= last and visible <= self.clock.now()

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

    def cancel(self, source: str, first: str, last: str) -> tuple[int, int]:
        return self.queue.cancel(source, first, last)

    def close(self) -> None:
        self.queue.close()


class SqsBench:
    """Queues in an SQS that is not ours, over the wire; time passes by moving what hides their messages."""

    _numbers = count(1)

    def __init__(self, aws: MotoServer) -> None:
        self.stack = f"Contract{next(self._numbers)}"
        aws.make_queues(self.stack, SOURCES)
        self.queue = SqsQueueAdmin(aws.client("sqs"), aws.queue_base, self.stack, SOURCES)

    def pass_time(self, seconds: float) -> None:
        pass_sqs_time(self.stack, seconds)

    def dead(self) -> list[DeadLetter]:
        return self.queue.dead_letters()

    def cancel(self, source: str, first: str, last: str) -> tuple[int, int]:
        return self.queue.cancel(source, first, last)

    def close(self) -> None:
        self.queue.client.close()


def task(day: int = 1, *, source: str = "s", run: str = RUN, hop: int = 0) -> Task:
    """A task of November 2023."""
    return Task(source, dt.date(2023, 11, day), run, requeues=hop)
