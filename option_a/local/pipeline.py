"""Wires the pipeline of one machine: sources.toml, a lake, an embedded queue, worker threads."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

from option_a.ingest.config import Sources, read_sources
from option_a.ingest.events import EventSink
from option_a.ingest.http import Network, build_client
from option_a.ingest.lake import FolderLake, Lake, open_lake
from option_a.ingest.load import Limits, Services, Worker, keep_buffers
from option_a.ingest.partition import Partition
from option_a.ingest.ports import DeadLetter, Depth, Fetch, Secrets
from option_a.ingest.task import Task
from option_a.local.queue import SqliteQueue
from option_a.local.rate_limiter import SqliteRateLimiter
from option_a.local.secrets import LocalSecrets
from option_a.local.worker_pool import WorkerPool
from option_a.workspace.pipeline import Pipeline

LEASE = 15.0
"""Seconds after which a killed worker's task is taken over; a live worker renews its lease every five."""


def limits_over(lake: Lake, stopping: Callable[[], bool]) -> Limits:
    """The limits of a worker on this machine. Even a late lease renewal leaves time for the slowest write."""
    return Limits(LEASE + 2 * lake.max_write_seconds, stopping=stopping, checkpoint_interval=LEASE / 3)


class LocalPipeline(Pipeline):
    """The pipeline on one machine, whose own threads do the work."""

    stopping_message = "stopping: pages in flight land first (Ctrl-C again to kill; nothing is lost either way)"
    stopped_message = "stopped; the next `option-a run` resumes from there"

    @cached_property
    def sources(self) -> Sources:
        return read_sources(self.sources_text, self.settings.env, str(self.settings.sources_file))

    @cached_property
    def lake(self) -> Lake:
        return open_lake(self.settings.lake, self.settings.env, durable=self.settings.durable)

    @cached_property
    def _queue(self) -> SqliteQueue:
        """The queue, which creates its file on first use. Raises QueueError."""
        return SqliteQueue(self._queue_file, self.clock, durable=self.settings.durable)

    @property
    def _has_queue(self) -> bool:
        """Whether the queue file exists: commands that only read must not create it."""
        return self._queue_file.exists()

    @property
    def _queue_file(self) -> Path:
        """One queue per lake, because a task does not name the lake that it loads into."""
        digest = hashlib.sha256(self.lake.name.encode()).hexdigest()[:8]
        return self.home / f"queue-{digest}.sqlite"

    def queued(self) -> set[Partition]:
        return self._queue.queued() if self._has_queue else set()

    def pending(self, sources: Collection[str], requested: Collection[Partition]) -> set[Partition]:
        return {partition for partition in self.queued() if partition.source in sources}

    def send(self, tasks: Iterable[Task]) -> None:
        self._queue.send(tasks)

    def depths(self) -> list[Depth]:
        return self._queue.depth() if self._has_queue else []

    def dead_letters(self) -> list[DeadLetter]:
        return self._queue.dead_letters() if self._has_queue else []

    def delete_dead_letters(self, letters: Iterable[DeadLetter]) -> None:
        if self._has_queue:
            self._queue.delete_dead_letters(letters)

    def cancel(self, source: str, first: str, last: str) -> tuple[int, int]:
        return self._queue.cancel(source, first, last) if self._has_queue else (0, 0)

    def work(self, sources: Collection[str], partitions: Collection[Partition], emit: EventSink) -> None:
        """Drain the queues of these sources, whatever partitions they hold."""
        if isinstance(self.lake, FolderLake):
            self.lake.sweep()
        keep_buffers()
        services = self._services(emit)
        worker, lease = Worker(services, self.sources), services.limits.lease
        pool = WorkerPool(worker, self._queue, self.lake, self.clock, emit, threads=self.settings.workers, lease=lease)
        pool.drain(list(sources))

    def _services(self, emit: EventSink) -> Services:
        return Services(
            lake=self.lake,
            queue=self._queue,
            fetch=self.fetch(),
            clock=self.clock,
            limits=limits_over(self.lake, self.clock.stopping),
            executor=ThreadPoolExecutor,
            jitter=random.random,
            emit=emit,
            secrets=self.secrets,
        )

    def fetch(self, sources: Sources | None = None) -> Fetch:
        """Real APIs over HTTP and mock ones in this process, with up to `parallel` requests per source."""
        network = Network(env=self.settings.env, folder=str(self.settings.sources_file.parent))
        rate_limiter = SqliteRateLimiter(self.home / "turns.sqlite", self.clock)
        return build_client(
            sources or self.sources, self.clock, self.secrets, network=network, rate_limiter=rate_limiter
        )

    @property
    def secrets(self) -> Secrets:
        return LocalSecrets(self.settings.env, self.settings.aws_secrets)
