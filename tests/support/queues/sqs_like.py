"""SQS in memory, for the simulation: at least once, unordered, delays up to 900 s, dead letters after five receives."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from random import Random

import msgspec

from option_a.ingest.partition import Partition
from option_a.ingest.ports import Cause, Clock, DeadLetter
from option_a.ingest.task import Delivery, Task, decode_task, encode_task
from tests.support.queues.memory import MAX_RECEIVES

LONGEST_DELAY = 900


class Message(msgspec.Struct):
    """A message, and every receipt ever given for it."""

    number: int
    queue: str
    body: bytes
    visible_at: float
    receives: int = 0
    receipts: list[str] = []


class SqsLikeQueue:
    """Satisfies the `Queue` port. `again`: how often a message is delivered once too often."""

    def __init__(self, clock: Clock, rng: Random, *, again: float = 0.0, old_receipts: bool = False) -> None:
        self._clock, self._rng, self._again, self._old = clock, rng, again, old_receipts
        self._numbers = 0
        self.messages: list[Message] = []
        self.dead: list[DeadLetter] = []
        self.repeated = 0
        """The number of duplicate deliveries."""

    def send(self, tasks: Iterable[Task], *, delay: float = 0.0) -> int:
        assert delay <= LONGEST_DELAY, f"SQS refuses a delay of {delay} s"
        every = list(tasks)
        for task in every:
            self._put(task.source, encode_task(task), self._clock.now() + math.ceil(delay))
        return len(every)

    def receive(self, queues: Sequence[str], *, lease: float) -> Delivery | None:
        now = self._clock.now()
        for message in [m for m in self.messages if m.visible_at <= now and m.receives >= MAX_RECEIVES]:
            self.messages.remove(message)
            self._die(message, Cause("receives", f"received {MAX_RECEIVES} times and never done"))
        visible = [m for m in self.messages if m.visible_at <= now and m.queue in queues]
        if not visible:
            return None
        message = self._rng.choice(visible)
        message.receives += 1
        self._numbers += 1
        message.receipts.append(f"r{self._numbers}")
        message.visible_at = now + math.ceil(lease)
        if self._rng.random() < self._again:  # another SQS server has not heard of the receive
            self.repeated += 1
            message.visible_at = now + self._rng.choice((0.0, 1.0))
        return Delivery(message.queue, message.receipts[-1], message.body, message.receives)

    def ack(self, delivery: Delivery) -> None:
        message = self._of(delivery)
        if message is None:
            return
        if self._rng.random() < self._again:
            self.repeated += 1
            message.visible_at = self._clock.now() + self._rng.choice((0.0, 5.0, 60.0))
        else:
            self.messages.remove(message)

    def extend_visibility(self, delivery: Delivery, seconds: float) -> bool:
        message, now = self._of(delivery), self._clock.now()
        if message is None or (message.visible_at <= now and not self._old):
            return False
        message.visible_at = now + math.ceil(seconds)
        return True

    def dead_letter(self, delivery: Delivery, cause: Cause) -> None:
        self.add_dead_letter(delivery, cause)
        self.ack(delivery)

    def add_dead_letter(self, delivery: Delivery, cause: Cause) -> None:
        """The first half of dead-lettering: the letter is there, the message not yet gone."""
        self._numbers += 1
        self._die(Message(self._numbers, delivery.queue, delivery.body, 0.0, delivery.receives), cause)

    def dead_letters(self) -> list[DeadLetter]:
        """Every dead letter, the oldest first."""
        return list(self.dead)

    def delete_dead_letters(self, letters: Iterable[DeadLetter]) -> None:
        """Delete dead letters."""
        gone = {letter.receipt for letter in letters}
        self.dead = [letter for letter in self.dead if letter.receipt not in gone]

    def queued(self) -> set[Partition]:
        """The partitions that have a live task."""
        return {decode_task(message.body).partition for message in self.messages}

    def next_visible(self) -> float | None:
        """The epoch second at which the first live task is or becomes visible; None if there is none."""
        return min((message.visible_at for message in self.messages), default=None)

    def _put(self, queue: str, body: bytes, visible_at: float) -> None:
        self._numbers += 1
        self.messages.append(Message(self._numbers, queue, body, visible_at))

    def _of(self, delivery: Delivery) -> Message | None:
        for message in self.messages:
            known = message.receipts if self._old else message.receipts[-1:]
            if delivery.receipt in known:
                return message
        return None

    def _die(self, message: Message, cause: Cause) -> None:
        number, now = str(message.number), self._clock.now()
        task = decode_task(message.body)
        self.dead.append(DeadLetter(message.queue, number, message.body, now, message.receives, cause, task))
