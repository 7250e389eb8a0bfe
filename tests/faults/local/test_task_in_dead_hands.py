"""Nothing is left but a task in the hands of a worker that was killed: whoever waits for it is told so, once."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from option_a.cli.progress import describe
from option_a.ingest.events import Event
from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.load.worker import Outcome, Worker
from option_a.ingest.task import Delivery, Task
from option_a.local.queue import SqliteQueue
from option_a.local.worker_pool import WorkerPool
from option_a.workspace.clock import SystemClock

DAY = dt.date(2024, 5, 1)
HELD = 1.2
"""Seconds: longer than the pool looks away, so that it looks twice in vain."""


class Acking(Worker):
    """Does whatever it is given at once."""

    def __init__(self, queue: SqliteQueue) -> None:
        self._queue = queue

    def handle(self, delivery: Delivery) -> Outcome:
        self._queue.ack(delivery)
        return "complete"


def drained(tmp_path: Path, *, killed: bool, delay: float = 0.0) -> tuple[list[Event], float]:
    """What is told while the one task of the queue is waited for, and until when it was held."""
    clock, told = SystemClock(), list[Event]()
    queue = SqliteQueue(tmp_path / "queue.sqlite", clock)
    queue.send([Task("orders", DAY, "20240501T000000Z-a")], delay=delay)
    if killed:
        assert queue.receive(["orders"], lease=HELD) is not None
    _, until = queue.in_other_hands(["orders"]) or ("", 0.0)
    WorkerPool(Acking(queue), queue, FolderLake(tmp_path / "lake"), clock, told.append, threads=2, lease=15.0).drain(
        ["orders"]
    )
    assert not queue.has_tasks(["orders"])
    queue.close()
    return told, until


def test_who_waits_for_a_killed_workers_task_is_told_once_until_when(tmp_path: Path) -> None:
    (event,), until = drained(tmp_path, killed=True)
    moment = f"{dt.datetime.fromtimestamp(until, dt.UTC):%H:%M:%S}Z"
    assert describe(event) == f"orders: waiting for another worker's lease until {moment}"


def test_who_waits_for_nobody_is_told_nothing(tmp_path: Path) -> None:
    assert drained(tmp_path / "at-once", killed=False)[0] == []
    assert drained(tmp_path / "put-off", killed=False, delay=HELD)[0] == []
