"""A queue as unreliable as SQS allows: it knows no task, delivers some twice, and honours receipts that are old."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from option_a.ingest.ports import Cause, Clock
from option_a.ingest.task import Delivery, Task, encode_task
from tests.support.queues.memory import MemoryQueue

LATE = 45.0
"""Seconds after which a task's second message comes: in the midst of the load, or when it is over."""


class SqsLike(MemoryQueue):
    """Satisfies the `Queue` port."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._given: dict[str, int] = {}
        """Every receipt that was ever given, and the message that it was given for."""

    def send(self, tasks: Iterable[Task], *, delay: float = 0.0) -> int:
        sent = list(tasks)
        for task in sent:
            self.send_raw(task.source, encode_task(task), delay=delay)
            if not task.requeues:
                self.send_raw(task.source, encode_task(task), delay=delay + LATE)
        return len(sent)

    def receive(self, queues: Sequence[str], *, lease: float) -> Delivery | None:
        delivery = super().receive(queues, lease=lease)
        self._given |= {message.receipt: message.order for message in self.messages if message.receipt is not None}
        return delivery

    def ack(self, delivery: Delivery) -> None:
        super().ack(self._renewed(delivery))

    def extend_visibility(self, delivery: Delivery, seconds: float) -> bool:
        return super().extend_visibility(self._renewed(delivery), seconds)

    def dead_letter(self, delivery: Delivery, cause: Cause) -> None:
        super().dead_letter(self._renewed(delivery), cause)

    def _renewed(self, delivery: Delivery) -> Delivery:
        """The delivery with the receipt that its message has by now."""
        order = self._given[delivery.receipt]
        receipts = [message.receipt for message in self.messages if message.order == order]
        return msgspec.structs.replace(delivery, receipt=receipts[0] or "") if receipts else delivery
