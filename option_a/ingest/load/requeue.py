"""Hands a task back to its queue as a new message."""

from __future__ import annotations

from option_a.ingest.ports import Queue
from option_a.ingest.task import Delivery, Task


def requeue_task(queue: Queue, delivery: Delivery, task: Task, *, delay: float = 0.0) -> None:
    """Send the task again, then ack the delivery. `delay`: seconds until the new message is visible.

    The order is load-bearing: a crash in between leaves one task too many, never one too few.
    """
    queue.send([task], delay=delay)
    queue.ack(delivery)
