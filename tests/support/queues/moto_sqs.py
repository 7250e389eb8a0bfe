"""The real SQS client against moto's SQS, on the simulated clock, for tests/prove/test_outage.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from moto.core.utils import unix_time_millis
from moto.sqs.models import sqs_backends

from option_a.aws.stack.queue_admin import SqsQueueAdmin
from option_a.ingest.partition import Partition
from option_a.ingest.ports import Cause, Clock, DeadLetter
from option_a.ingest.task import Delivery, Task, decode_task
from tests.support.aws.moto import ACCOUNT, REGION, MotoServer, pass_sqs_time

POLL_DELAY = 1.0
"""Seconds after a message becomes visible until it is polled for."""


class MotoSqsQueue:
    """Satisfies `InspectableQueue`. Before each call, moto's time is moved on with the simulated clock."""

    def __init__(self, aws: MotoServer, stack: str, sources: Iterable[str], clock: Clock) -> None:
        self._sqs = SqsQueueAdmin(aws.client("sqs"), aws.queue_base, stack, list(sources))
        self._stack, self._clock, self._seen = stack, clock, clock.now()

    def send(self, tasks: Iterable[Task], *, delay: float = 0.0) -> int:
        return self._now().send(tasks, delay=delay)

    def receive(self, queues: Sequence[str], *, lease: float) -> Delivery | None:
        return self._now().receive(queues, lease=lease)

    def ack(self, delivery: Delivery) -> None:
        self._now().ack(delivery)

    def extend_visibility(self, delivery: Delivery, seconds: float) -> bool:
        return self._now().extend_visibility(delivery, seconds)

    def dead_letter(self, delivery: Delivery, cause: Cause) -> None:
        self._now().dead_letter(delivery, cause)

    def dead_letters(self) -> list[DeadLetter]:
        """Every dead letter."""
        return self._now().dead_letters()

    def delete_dead_letters(self, letters: Iterable[DeadLetter]) -> None:
        """Delete dead letters."""
        self._now().delete_dead_letters(letters)

    def queued(self) -> set[Partition]:
        """The partitions that have a live task, by the server's own state."""
        return {decode_task(message.body.encode()).partition for message in self._messages()}

    def next_visible(self) -> float | None:
        """The epoch second at which the first message is visible, by the server's own state; None if there is none."""
        self._now()
        there = unix_time_millis()
        hidden = [max(message.visible_at, message.delayed_until) - there for message in self._messages()]
        return self._clock.now() + max(0.0, min(hidden)) / 1000 + POLL_DELAY if hidden else None

    def _messages(self) -> list[Any]:
        queues = sqs_backends[ACCOUNT][REGION].queues.values()
        live = [queue for queue in queues if queue.name.startswith(self._stack) and queue.redrive_policy]
        return [message for queue in live for message in queue._messages]

    def _now(self) -> SqsQueueAdmin:
        now = self._clock.now()
        pass_sqs_time(self._stack, now - self._seen)
        self._seen = now
        return self._sqs
