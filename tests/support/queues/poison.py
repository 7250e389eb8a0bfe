"""The three queues with a worker behind each, as far as poison goes: what is delivered how often, and what is dead."""

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
from tests.support.aws.event_source_mapping import FakeContext, Mapping
from tests.support.aws.moto import Aws, pass_sqs_time
from tests.support.crashes.port_crash import Crash
from tests.support.pipeline import Api, Pipeline
from tests.support.queues.memory import MemoryQueue
from tests.support.queues.sqlite import SeenQueue

_INSERT = (
    "INSERT INTO tasks (source, date, run, hop, body, sent_at, visible_at) VALUES (?, '2023-11-01', ?, 0, ?, 0, 0)"
)
_numbers = count(1)


class Post(ABC):
    """A queue, and a worker that handles what comes from it until nothing is left."""

    queue: MemoryQueue | SeenQueue | SqsQueueAdmin

    def __init__(self, root: Path, api: Api, *sources: Source) -> None:
        self.pipeline = Pipeline(root / "lake", api, *sources)
        self.seen: Counter[bytes] = Counter()
        """How often each message was received."""
        self.deadly: set[bytes] = set()
        """What the worker dies of, as soon as it has it in hand."""

    @abstractmethod
    def post(self, source: str, body: bytes) -> None:
        """Put any bytes on a queue."""

    @abstractmethod
    def dead(self) -> list[DeadLetter]:
        """Every dead letter."""

    @abstractmethod
    def delete_dead_letters(self, letters: list[DeadLetter]) -> None:
        """Delete dead letters."""

    @abstractmethod
    def work(self) -> None:
        """Until nothing is left. A worker that dies is followed by another."""

    def send(self, tasks: Iterable[Task]) -> None:
        self.queue.send(tasks)

    def redrive(self, run: str) -> None:
        """Send again what is dead and can be read, as a new run, and work it off."""
        letters = [letter for letter in self.dead() if letter.task is not None]
        self.send([Task(letter.task.source, letter.task.date, run) for letter in letters if letter.task])
        self.delete_dead_letters(letters)
        self.work()

    def received(self, body: bytes) -> None:
        """Count it, and die of it."""
        self.seen[body] += 1
        if body in self.deadly:
            raise Crash


class _Here(Post):
    """A queue whose clock the tests own."""

    queue: MemoryQueue | SeenQueue

    def work(self) -> None:
        world = msgspec.structs.replace(self.pipeline.world, queue=self.queue)
        while (visible := self.next_visible()) is not None:
            self.pipeline.clock.time = max(self.pipeline.clock.time, visible)
            delivery = self.queue.receive(list(self.pipeline.sources), lease=world.limits.lease)
            if delivery is not None:
                try:
                    self.received(delivery.body)
                    Worker(world, self.pipeline.sources).handle(delivery)
                except Crash:
                    continue

    @abstractmethod
    def next_visible(self) -> float | None:
        """When the first message is or becomes visible; None if there is none."""


class InMemory(_Here):
    def __init__(self, root: Path, api: Api, *sources: Source) -> None:
        super().__init__(root, api, *sources)
        self.queue: MemoryQueue = self.pipeline.queue

    def post(self, source: str, body: bytes) -> None:
        self.queue.send_raw(source, body)

    def dead(self) -> list[DeadLetter]:
        return self.queue.dead

    def delete_dead_letters(self, letters: list[DeadLetter]) -> None:
        self.queue.dead = [letter for letter in self.queue.dead if letter not in letters]

    def next_visible(self) -> float | None:
        return min((message.visible_at for message in self.queue.messages), default=None)


class InSqlite(_Here):
    def __init__(self, root: Path, api: Api, *sources: Source) -> None:
        super().__init__(root, api, *sources)
        self.queue: SeenQueue = SeenQueue(root / "queue.sqlite", self.pipeline.clock)

    def post(self, source: str, body: bytes) -> None:
        with self.queue._transaction() as db:
            db.execute(_INSERT, (source, f"run-{next(_numbers)}", body))

    def dead(self) -> list[DeadLetter]:
        return self.queue.dead_letters()

    def delete_dead_letters(self, letters: list[DeadLetter]) -> None:
        self.queue.delete_dead_letters(letters)

    def next_visible(self) -> float | None:
        return self.queue.next_visible()


class InSqs(Post):
    """Over the wire to an SQS that is not ours, by the handler that is deployed."""

    def __init__(self, root: Path, aws: Aws, api: Api, *sources: Source) -> None:
        super().__init__(root, api, *sources)
        names, self.stack = list(self.pipeline.sources), f"Poison{next(_numbers)}"
        aws.make_queues(self.stack, names)
        self.queue: SqsQueueAdmin = SqsQueueAdmin(aws.client("sqs"), aws.queue_base, self.stack, names)
        self.mappings = [Mapping(aws, self.stack, name) for name in names]
        self._logged = io.StringIO()

    def post(self, source: str, body: bytes) -> None:
        self.queue.client.send_message(QueueUrl=self.queue.url(source), MessageBody=body.decode())

    def dead(self) -> list[DeadLetter]:
        return self.queue.dead_letters()

    def delete_dead_letters(self, letters: list[DeadLetter]) -> None:
        self.queue.delete_dead_letters(letters)

    def work(self) -> None:
        while any(depth.live for depth in self.queue.depth()):
            polled = [self._poll(mapping) for mapping in self.mappings]
            if not any(polled):
                self.pipeline.clock.sleep(2_000.0)
                pass_sqs_time(self.stack, 2_000.0)

    def _poll(self, mapping: Mapping) -> bool:
        """Handle what is visible, one message at a time; whether there was any."""
        try:
            return mapping.poll(self._invoke) is not None
        except Crash:
            return True

    def _invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        for record in event["Records"]:
            self.received(record["body"].encode())
        telemetry = Telemetry(Logger(service=self.stack, stream=self._logged), Metrics("OptionA", self.stack))
        world = msgspec.structs.replace(self.pipeline.world, queue=self.queue, emit=telemetry)
        return SqsBatchHandler(world, self.queue, self.pipeline.sources, telemetry)(event, FakeContext())
