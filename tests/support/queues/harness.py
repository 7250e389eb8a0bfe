"""Each queue (memory, SQLite, SQS) with a worker behind it, for tests/prove/test_poison.py.

Counts how often each message is received, and lets chosen messages crash the worker.
"""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics

from option_a.aws.functions.telemetry import Telemetry
from option_a.aws.functions.worker import SqsBatchHandler
from option_a.aws.stack.queue_admin import SqsQueueAdmin
from option_a.ingest.config.source import Source
from option_a.ingest.load.worker import Worker
from option_a.ingest.ports import DeadLetter
from option_a.ingest.task import Task
from tests.support.aws.event_source_mapping import EventSourceMapping, FakeLambdaContext
from tests.support.aws.moto import MotoServer, pass_sqs_time
from tests.support.crashes.port_crash import Crash
from tests.support.pipeline import ApiFunction, Pipeline
from tests.support.queues.memory import MemoryQueue
from tests.support.queues.sqlite import InspectableSqliteQueue

_INSERT = (
    "INSERT INTO tasks (source, date, run, hop, body, sent_at, visible_at) VALUES (?, '2023-11-01', ?, 0, ?, 0, 0)"
)
_numbers = count(1)


class QueueHarness(ABC):
    """A queue, and a worker that handles its messages until none is left."""

    queue: MemoryQueue | InspectableSqliteQueue | SqsQueueAdmin

    def __init__(self, root: Path, api: ApiFunction, *sources: Source) -> None:
        self.pipeline = Pipeline(root / "lake", api, *sources)
        self.receive_counts: Counter[bytes] = Counter()
        """How often each message was received."""
        self.crash_on: set[bytes] = set()
        """The messages that crash the worker as soon as it receives them."""

    @abstractmethod
    def put_raw(self, source: str, body: bytes) -> None:
        """Put any bytes on a queue."""

    @abstractmethod
    def dead_letters(self) -> list[DeadLetter]:
        """Every dead letter."""

    @abstractmethod
    def delete_dead_letters(self, letters: list[DeadLetter]) -> None:
        """Delete dead letters."""

    @abstractmethod
    def drain(self) -> None:
        """Work until nothing is left; a new worker follows one that crashes."""

    def send(self, tasks: Iterable[Task]) -> None:
        self.queue.send(tasks)

    def redrive(self, run: str) -> None:
        """Send every readable dead letter again as a new run, and work it off."""
        letters = [letter for letter in self.dead_letters() if letter.task is not None]
        self.send([Task(letter.task.source, letter.task.date, run) for letter in letters if letter.task])
        self.delete_dead_letters(letters)
        self.drain()

    def note_received(self, body: bytes) -> None:
        """Count a message, and crash if it is meant to crash the worker."""
        self.receive_counts[body] += 1
        if body in self.crash_on:
            raise Crash


class _FakeClockHarness(QueueHarness):
    """A queue on the fake clock."""

    queue: MemoryQueue | InspectableSqliteQueue

    def drain(self) -> None:
        services = msgspec.structs.replace(self.pipeline.services, queue=self.queue)
        while (visible := self.next_visible()) is not None:
            self.pipeline.clock.time = max(self.pipeline.clock.time, visible)
            delivery = self.queue.receive(list(self.pipeline.sources), lease=services.limits.lease)
            if delivery is not None:
                try:
                    self.note_received(delivery.body)
                    Worker(services, self.pipeline.sources).handle(delivery)
                except Crash:
                    continue

    @abstractmethod
    def next_visible(self) -> float | None:
        """When the first message is or becomes visible; None if there is none."""


class MemoryQueueHarness(_FakeClockHarness):
    def __init__(self, root: Path, api: ApiFunction, *sources: Source) -> None:
        super().__init__(root, api, *sources)
        self.queue: MemoryQueue = self.pipeline.queue

    def put_raw(self, source: str, body: bytes) -> None:
        self.queue.send_raw(source, body)

    def dead_letters(self) -> list[DeadLetter]:
        return self.queue.dead

    def delete_dead_letters(self, letters: list[DeadLetter]) -> None:
        self.queue.dead = [letter for letter in self.queue.dead if letter not in letters]

    def next_visible(self) -> float | None:
        return min((message.visible_at for message in self.queue.messages), default=None)


class SqliteQueueHarness(_FakeClockHarness):
    def __init__(self, root: Path, api: ApiFunction, *sources: Source) -> None:
        super().__init__(root, api, *sources)
        self.queue: InspectableSqliteQueue = InspectableSqliteQueue(root / "queue.sqlite", self.pipeline.clock)

    def put_raw(self, source: str, body: bytes) -> None:
        with self.queue._transaction() as db:
            db.execute(_INSERT, (source, f"run-{next(_numbers)}", body))

    def dead_letters(self) -> list[DeadLetter]:
        return self.queue.dead_letters()

    def delete_dead_letters(self, letters: list[DeadLetter]) -> None:
        self.queue.delete_dead_letters(letters)

    def next_visible(self) -> float | None:
        return self.queue.next_visible()


class SqsHarness(QueueHarness):
    """The deployed batch handler against moto's SQS."""

    def __init__(self, root: Path, aws: MotoServer, api: ApiFunction, *sources: Source) -> None:
        super().__init__(root, api, *sources)
        names, self.stack = list(self.pipeline.sources), f"Poison{next(_numbers)}"
        aws.make_queues(self.stack, names)
        self.queue: SqsQueueAdmin = SqsQueueAdmin(aws.client("sqs"), aws.queue_base, self.stack, names)
        self.mappings = [EventSourceMapping(aws, self.stack, name) for name in names]
        self._logged = io.StringIO()

    def put_raw(self, source: str, body: bytes) -> None:
        self.queue.client.send_message(QueueUrl=self.queue.url(source), MessageBody=body.decode())

    def dead_letters(self) -> list[DeadLetter]:
        return self.queue.dead_letters()

    def delete_dead_letters(self, letters: list[DeadLetter]) -> None:
        self.queue.delete_dead_letters(letters)

    def drain(self) -> None:
        while any(depth.live for depth in self.queue.depth()):
            polled = [self._poll(mapping) for mapping in self.mappings]
            if not any(polled):
                self.pipeline.clock.sleep(2_000.0)
                pass_sqs_time(self.stack, 2_000.0)

    def _poll(self, mapping: EventSourceMapping) -> bool:
        """Handle one visible message; False if there was none."""
        try:
            return mapping.poll(self._invoke) is not None
        except Crash:
            return True

    def _invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        for record in event["Records"]:
            self.note_received(record["body"].encode())
        telemetry = Telemetry(Logger(service=self.stack, stream=self._logged), Metrics("OptionA", self.stack))
        services = msgspec.structs.replace(self.pipeline.services, queue=self.queue, emit=telemetry)
        return SqsBatchHandler(services, self.queue, self.pipeline.sources, telemetry)(event, FakeLambdaContext())
