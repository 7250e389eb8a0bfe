"""A memory queue that is as unreliable as SQS may be, for idempotence tests: duplicates, and old receipts that work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from option_a.ingest.ports import Cause, Clock
from option_a.ingest.task import Delivery, Task, encode_task
from tests.support.queues.memory import MemoryQueue

DUPLICATE_DELAY = 45.0
"""Seconds until a task's second message: during its load, or after it."""


class DuplicatingQueue(MemoryQueue):
    """Satisfies the `Queue` port. Unlike MemoryQueue it does not drop a task that it already has."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._given: dict[str, int] = {}
        """Every receipt ever given, and its message."""

    def send(self, tasks: Iterable[Task], *, delay: float = 0.0) -> int:
        sent = list(tasks)
        for task in sent:
            self.send_raw(task.source, encode_task(task), delay=delay)
            if not task.requeues:
                self.send_raw(task.source, encode_task(task), delay=delay + DUPLICATE_DELAY)
        return len(sent)

    def receive(self, queues: Sequence[str], *, lease: float) -> Delivery | None:
        delivery = super().receive(queues, lease=lease)
        self._given |= {message.receipt: message.order for message in self.messages if message.receipt is not None}
        return delivery

    def ack(self, delivery: Delivery) -> None:
        super().ack(self._with_current_receipt(delivery))

    def extend_visibility(self, delivery: Delivery, seconds: float) -> bool:
        return super().extend_visibility(self._with_current_receipt(delivery), seconds)

    def dead_letter(self, delivery: Delivery, cause: Cause) -> None:
        super().dead_letter(self._with_current_receipt(delivery), cause)

    def _with_current_receipt(self, delivery: Delivery) -> Delivery:
        """The delivery with its message's current receipt."""
        order = self._given[delivery.receipt]
        receipts = [message.receipt for message in self.messages if message.order == order]
        return msgspec.structs.replace(delivery, receipt=receipts[0] or "") if receipts else delivery
