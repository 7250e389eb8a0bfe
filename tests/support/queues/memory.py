"""A queue in memory for pipeline tests; tests/contract/queue holds it to the contract of the real queues."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import msgspec

from option_a.ingest.errors import MessageError
from option_a.ingest.ports import Cause, Clock, DeadLetter
from option_a.ingest.task import Delivery, Task, decode_task, encode_task

MAX_RECEIVES = 5


class _Message(msgspec.Struct):
    queue: str
    body: bytes
    visible_at: float
    order: int
    receives: int = 0
    receipt: str | None = None


class MemoryQueue:
    """Satisfies the `Queue` port. One thread at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)
        self.messages: list[_Message] = []
        self.dead: list[DeadLetter] = []

    def send(self, tasks: Iterable[Task], *, delay: float = 0.0) -> int:
        taken = 0
        for task in tasks:
            alive = {(t.run, t.source, t.date, t.requeues) for t in self.tasks()}
            if (task.run, task.source, task.date, task.requeues) in alive or (
                task.requeues == 0 and (task.run, task.source, task.date) in {key[:3] for key in alive}
            ):
                continue
            self.send_raw(task.source, encode_task(task), delay=delay)
            taken += 1
        return taken

    def send_raw(self, queue: str, body: bytes, *, delay: float = 0.0) -> None:
        """Put any bytes on a queue."""
        self.messages.append(_Message(queue, body, self._clock.now() + delay, next(self._numbers)))

    def tasks(self) -> list[Task]:
        """Every readable task on the queue."""
        return [task for message in self.messages if (task := _readable(message.body))]

    def receive(self, queues: Sequence[str], *, lease: float) -> Delivery | None:
        now = self._clock.now()
        for message in sorted(self.messages, key=lambda m: (m.visible_at, m.order)):
            if message.queue not in queues or message.visible_at > now:
                continue
            if message.receives >= MAX_RECEIVES:
                self._kill(message, Cause("receives", "received 5 times and never done"))
                continue
            message.receives += 1
            message.receipt = f"r{next(self._numbers)}"
            message.visible_at = now + lease
            return Delivery(message.queue, message.receipt, message.body, message.receives)
        return None

    def ack(self, delivery: Delivery) -> None:
        self.messages = [m for m in self.messages if m.receipt != delivery.receipt]

    def extend_visibility(self, delivery: Delivery, seconds: float) -> bool:
        found = [m for m in self.messages if m.receipt == delivery.receipt]
        for message in found:
            message.visible_at = self._clock.now() + seconds
        return bool(found)

    def dead_letter(self, delivery: Delivery, cause: Cause) -> None:
        for message in [m for m in self.messages if m.receipt == delivery.receipt]:
            self._kill(message, cause)

    def _kill(self, message: _Message, cause: Cause) -> None:
        self.messages.remove(message)
        task = _readable(message.body)
        self.dead.append(
            DeadLetter(
                message.queue, str(message.order), message.body, self._clock.now(), message.receives, cause, task
            )
        )


def _readable(body: bytes) -> Task | None:
    try:
        return decode_task(body)
    except MessageError:
        return None
