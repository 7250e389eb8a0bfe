"""One delivery's work on one partition: what it needs, and the claim that it holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from typing import TypeVar

import msgspec

from option_a.ingest.config.source import Source
from option_a.ingest.errors import LeaseLost, SecretError, TransientError, Where
from option_a.ingest.events import Event, EventSink, Kind
from option_a.ingest.lake.base import Lake
from option_a.ingest.lake.keys import raw_prefix, staging_prefix
from option_a.ingest.manifest.model import Lease, Load, Manifest
from option_a.ingest.manifest.store import ManifestStore
from option_a.ingest.partition import Partition
from option_a.ingest.ports import Clock, Fetch, Queue, Secrets
from option_a.ingest.resilience.circuit_breaker import CircuitBreaker
from option_a.ingest.secrets import Reference, reference
from option_a.ingest.task import Delivery, Task

T = TypeVar("T")

LOST = -math.inf
NOT_LEASED = math.nan
BATCH_SIZE = 256
"""Objects between two looks at the claim; as many as are listed in order to be deleted."""


def unreadable(wanted: Reference) -> str:
    """The secrets of a world that has none."""
    raise SecretError(f"{wanted.scheme}:{wanted.name} cannot be read here", hint="this world has no secrets")


class Limits(msgspec.Struct, frozen=True):
    """When a worker must let go. `lease`: seconds that a claim and a delivery's visibility last beyond a checkpoint."""

    lease: float
    out_of_time: Callable[[], bool] = lambda: False
    stopping: Callable[[], bool] = lambda: False
    checkpoint_interval: float | None = None
    """Seconds between checkpoints, where they are not a third of the lease."""

    @property
    def heartbeat(self) -> float:
        """Seconds between checkpoints: two may fail before the claim runs out."""
        return self.checkpoint_interval or self.lease / 3


class Services(msgspec.Struct, frozen=True):
    """The ports and settings that all jobs of a worker share."""

    lake: Lake
    queue: Queue
    fetch: Fetch
    clock: Clock
    limits: Limits
    executor: Callable[[int], Executor]
    """Gives a pool of so many threads for the pages of one load."""
    jitter: Callable[[], float]
    emit: EventSink
    secrets: Secrets = unreadable
    """Reads the salt of hashed fields; credentials are the fetch's own business."""


class Job:
    """The work of one delivery. All its writes go through `checkpoint` and `guard`, which hold the claim."""

    def __init__(self, world: Services, source: Source, task: Task, delivery: Delivery, ledger: ManifestStore) -> None:
        self.world, self.source, self.task, self.delivery, self.ledger = world, source, task, delivery, ledger
        self.partition = Partition(task.source, task.date)
        self.manifest: Manifest
        self.outage_error: TransientError | None = None
        """Why nothing is asked for any more: the source is down, and patience is over."""
        self.due = 0.0
        self._expires: float = NOT_LEASED
        self._steps_at_lease = 0

    @property
    def load(self) -> Load:
        return self.manifest.load

    @cached_property
    def salt(self) -> str | None:
        """The salt of hashed fields, read once for the delivery. Raises SecretError, TransientError."""
        fields = self.source.fields
        return None if fields is None or fields.salt is None else self.world.secrets(reference(fields.salt))

    @cached_property
    def breaker(self) -> CircuitBreaker:
        """Whether the source may be asked at all."""
        return CircuitBreaker(self.world.lake, self.task.source, self.world.clock)

    @property
    def prefix(self) -> str:
        """Where this load's pages go."""
        return staging_prefix(self.partition, self.load.begun_by) if self.load.staged else raw_prefix(self.partition)

    def acquire_lease(self, manifest: Manifest) -> None:
        """Claim the partition with this manifest. Raises LeaseLost if another was faster."""
        self.manifest = manifest
        self._steps_at_lease = manifest.load.steps
        self.checkpoint()

    def checkpoint(self) -> None:
        """Write the manifest and renew claim and visibility together. Raises LeaseLost."""
        lease, now = self.world.limits.lease, self.world.clock.now()
        try:
            self._still_alive(now)
            if not self.world.queue.extend_visibility(self.delivery, lease):
                raise LeaseLost("the delivery has run out and belongs to another")
            self.manifest.lease = Lease(self.delivery.receipt, now + lease, self._steps_at_lease)
            self.ledger.write(self.manifest)
        except LeaseLost:
            self._expires = LOST  # pages that are in flight are not written any more
            raise
        self._expires = now + lease
        self.due = now + self.world.limits.heartbeat

    def heartbeat(self) -> None:
        """Checkpoint if it is time to."""
        if self.world.clock.now() >= self.due:
            self.checkpoint()

    def with_heartbeat(self, items: Iterable[T]) -> Iterator[T]:
        """The items, with a look at the clock every now and then: a long listing outlasts no claim."""
        for number, item in enumerate(items):
            if number % BATCH_SIZE == 0:
                self.heartbeat()
            yield item

    @property
    def progressed(self) -> bool:
        """Whether this delivery has brought the load on."""
        return self.load.steps > self._steps_at_lease

    def ensure_lease(self) -> None:
        """Raises LeaseLost if the claim has run out, or may before a write is over: who lost it writes nothing."""
        if self.world.clock.now() + self.world.lake.max_write_seconds >= self._expires:
            raise LeaseLost("the claim ran out before it was renewed")

    @contextmanager
    def lease_fence(self) -> Iterator[None]:
        """For what cannot be undone: the claim is ours, and the manifest is as we wrote it. Raises LeaseLost."""
        with self.ledger.fenced():
            self.ensure_lease()
            yield

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects of the partition, a lot at a time, each behind the fence."""
        rest = iter(list(keys))
        while lot := list(islice(rest, BATCH_SIZE)):
            with self.lease_fence():
                self.world.lake.delete(lot)
            self.heartbeat()

    def release(self, outcome: str, message: str = "") -> None:
        """Write the manifest with no claim: whoever comes next may go on. Raises LeaseLost if it is not ours."""
        now = self.world.clock.now()
        self._still_alive(now)
        self.manifest.lease = None
        self.manifest.end_attempt(outcome, now, message)
        self.ledger.write(self.manifest)

    def _still_alive(self, now: float) -> None:
        """A worker that slept over its claim must not even write segments: they may be another's by now."""
        if self._expires is not NOT_LEASED and now >= self._expires:
            raise LeaseLost("the claim ran out before it was renewed")

    def where(self, page: int | None = None) -> Where:
        """The place, for an error."""
        return Where(source=self.task.source, date=self.task.day, page=page)

    def emit(self, kind: Kind, *, page: int | None = None, message: str = "", seconds: float | None = None) -> None:
        """Tell what happened."""
        load = self.manifest.load
        self.world.emit(
            Event(
                kind=kind,
                source=self.task.source,
                date=self.task.date,
                run=self.task.run,
                page=page,
                last=load.last,
                pages=load.pages,
                records=load.records,
                bytes=load.bytes,
                message=message,
                seconds=seconds,
            )
        )
