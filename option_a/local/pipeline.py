"""Puts the pipeline together for one machine: sources.toml, a lake, an embedded queue, threads."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

from option_a.ingest.config.read import Sources, read_sources
from option_a.ingest.events import EventSink, ignore_events
from option_a.ingest.http.build import build_client
from option_a.ingest.http.network import Network
from option_a.ingest.lake.base import Lake
from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.lake.open import open_lake
from option_a.ingest.load.job import Limits, Services
from option_a.ingest.load.page_buffers import keep_buffers
from option_a.ingest.load.worker import Worker
from option_a.ingest.partition import Partition
from option_a.ingest.ports import DeadLetter, Depth, Fetch, Secrets
from option_a.ingest.task import Task
from option_a.local.queue import SqliteQueue
from option_a.local.rate_limiter import SqliteRateLimiter
from option_a.local.secrets import LocalSecrets
from option_a.local.worker_pool import WorkerPool
from option_a.workspace.pipeline import Pipeline

LEASE = 15.0
"""Seconds after which a killed worker's task is taken over; a living one renews it every five."""


def limits_over(lake: Lake, stopping: Callable[[], bool]) -> Limits:
    """When a worker on this machine must let go. The slowest renewal of a claim leaves time for the slowest write."""
    return Limits(LEASE + 2 * lake.max_write_seconds, stopping=stopping, checkpoint_interval=LEASE / 3)


class LocalPipeline(Pipeline):
    """The pipeline on one machine."""

    stopping = "stopping: pages in flight land first (Ctrl-C again to kill; nothing is lost either way)"
    stopped = "stopped; the next `option-a run` goes on where it stood"

    @cached_property
    def sources(self) -> Sources:
        """The declared sources. Raises ConfigError."""
        return read_sources(self.sources_text, self.settings.env, str(self.settings.sources_file))

    @cached_property
    def lake(self) -> Lake:
        return open_lake(self.settings.lake, self.settings.env, durable=self.settings.durable)

    @cached_property
    def _queue(self) -> SqliteQueue:
        """The queue; its file is made if there is none. Raises QueueError."""
        return SqliteQueue(self._queue_file, self.clock, durable=self.settings.durable)

    @property
    def _has_queue(self) -> bool:
        """Whether a queue was ever made here: looking must not make one."""
        return self._queue_file.exists()

    @property
    def _queue_file(self) -> Path:
        """One queue a lake: a task says what to load and not where to."""
        digest = hashlib.sha256(self.lake.name.encode()).hexdigest()[:8]
        return self.home / f"queue-{digest}.sqlite"

    def queued(self) -> set[Partition]:
        """The partitions that have a live task."""
        return self._queue.queued() if self._has_queue else set()

    def left(self, sources: Collection[str], asked: Collection[Partition]) -> set[Partition]:
        """What else `work` will see through: whatever is queued of these sources."""
        return {partition for partition in self.queued() if partition.source in sources}

    def send(self, tasks: Iterable[Task]) -> None:
        """Enqueue."""
        self._queue.send(tasks)

    def depths(self) -> list[Depth]:
        """What each queue holds; one that holds nothing is left out."""
        return self._queue.depth() if self._has_queue else []

    def dead_letters(self) -> list[DeadLetter]:
        return self._queue.dead_letters() if self._has_queue else []

    def delete_dead_letters(self, letters: Iterable[DeadLetter]) -> None:
        if self._has_queue:
            self._queue.delete_dead_letters(letters)

    def cancel(self, source: str, first: str, last: str) -> tuple[int, int]:
        """Take back the tasks of a source's dates (inclusive): how many, and how many are in flight and stay."""
        return self._queue.cancel(source, first, last) if self._has_queue else (0, 0)

    def work(
        self, sources: Collection[str], partitions: Collection[Partition], tell: EventSink = ignore_events
    ) -> None:
        """Work the queues of these sources off, whatever partitions they hold."""
        if isinstance(self.lake, FolderLake):
            self.lake.sweep()
        keep_buffers()
        world = self._world(tell)
        worker, lease = Worker(world, self.sources), world.limits.lease
        pool = WorkerPool(worker, self._queue, self.lake, self.clock, tell, threads=self.settings.workers, lease=lease)
        pool.drain(list(sources))

    def _world(self, tell: EventSink) -> Services:
        return Services(
            lake=self.lake,
            queue=self._queue,
            fetch=self.fetch(),
            clock=self.clock,
            limits=limits_over(self.lake, self.clock.stopping),
            executor=ThreadPoolExecutor,
            jitter=random.random,
            emit=tell,
            secrets=self.secrets,
        )

    def fetch(self, sources: Sources | None = None) -> Fetch:
        """Asks real APIs over HTTP and mock ones in this process; of one source `parallel` requests at once."""
        network = Network(env=self.settings.env, folder=str(self.settings.sources_file.parent))
        turns = SqliteRateLimiter(self.home / "turns.sqlite", self.clock)
        return build_client(sources or self.sources, self.clock, self.secrets, network=network, turns=turns)

    @property
    def secrets(self) -> Secrets:
        return LocalSecrets(self.settings.env, self.settings.aws_secrets)
