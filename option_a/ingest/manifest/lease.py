"""The lease: one worker's exclusive hold on a partition, recorded in its manifest and renewed by compare-and-swap.

A delivery's visibility in the queue is renewed together with it. Whoever loses the lease writes nothing more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from option_a.ingest.errors import LeaseLost
from option_a.ingest.manifest.model import LeaseRecord, Manifest
from option_a.ingest.manifest.store import ManifestStore
from option_a.ingest.ports import Clock, Queue
from option_a.ingest.task import Delivery

T = TypeVar("T")

BATCH_SIZE = 256
"""Objects listed or deleted between two heartbeats."""
_LOST = -math.inf


class Lease:
    """The hold of one delivery on its partition. The loader's threads share it; renewals happen under its lock.

    `seconds`: how long the lease and the delivery's visibility last beyond a checkpoint. `interval`: seconds between
    two checkpoints.
    """

    def __init__(
        self, store: ManifestStore, queue: Queue, delivery: Delivery, clock: Clock, *, seconds: float, interval: float
    ) -> None:
        self._store, self._queue, self._delivery, self._clock = store, queue, delivery, clock
        self._seconds, self._interval = seconds, interval
        self._manifest: Manifest
        self._expires: float | None = None
        self._steps_at_start = 0
        self.due = 0.0
        """When the next checkpoint is due."""

    @property
    def progressed(self) -> bool:
        """Whether this delivery has brought the load on."""
        return self._manifest.load.steps > self._steps_at_start

    def acquire(self, manifest: Manifest) -> None:
        """Write this manifest with a lease of our own. Raises LeaseLost if another worker was faster."""
        self._manifest = manifest
        self._steps_at_start = manifest.load.steps
        self.checkpoint()

    def checkpoint(self) -> None:
        """Write the manifest, and renew lease and visibility together. Raises LeaseLost."""
        now = self._clock.now()
        try:
            self._check_expiry(now)
            # visibility first: if the swap fails, the message merely returns later
            if not self._queue.extend_visibility(self._delivery, self._seconds):
                raise LeaseLost("the delivery's visibility ran out, and the task belongs to another worker")
            self._manifest.lease = LeaseRecord(self._delivery.receipt, now + self._seconds, self._steps_at_start)
            self._store.write(self._manifest)
        except LeaseLost:
            self._expires = _LOST  # pages in flight must not be written any more
            raise
        self._expires = now + self._seconds  # by the clock before the calls, which may have been slow
        self.due = now + self._interval

    def heartbeat(self) -> None:
        """Checkpoint if one is due."""
        if self._clock.now() >= self.due:
            self.checkpoint()

    def with_heartbeat(self, items: Iterable[T]) -> Iterator[T]:
        """The items, with heartbeats in between: a long listing must not outlast the lease."""
        for number, item in enumerate(items):
            if number % BATCH_SIZE == 0:
                self.heartbeat()
            yield item

    def ensure(self) -> None:
        """Raise LeaseLost if the lease has expired, or might before a write begun now is over."""
        if self._expires is not None and self._clock.now() + self._store.lake.max_write_seconds >= self._expires:
            raise LeaseLost("the lease expired before it was renewed")

    @contextmanager
    def fence(self) -> Iterator[None]:
        """For what cannot be undone: the lease is ours, and the manifest is as we wrote it. Raises LeaseLost."""
        with self._store.fenced():
            self.ensure()
            yield

    def release(self, outcome: str, message: str = "") -> None:
        """Write the manifest without a lease, so that another worker may go on. Raises LeaseLost if it is not ours."""
        now = self._clock.now()
        self._check_expiry(now)
        self._manifest.lease = None
        self._manifest.end_attempt(outcome, now, message)
        self._store.write(self._manifest)

    def _check_expiry(self, now: float) -> None:
        """A worker that slept through its lease must not even write segments: they may be another worker's by now."""
        if self._expires is not None and now >= self._expires:
            raise LeaseLost("the lease expired before it was renewed")
