"""One delivery's work on one partition: what it needs, and the claim that it holds."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor

import msgspec

from option_a.ingest.errors import ClaimLost, Where
from option_a.ingest.events import Event, Kind, Tell
from option_a.ingest.lake import Lake
from option_a.ingest.layout import Partition, raw_prefix, staging_prefix
from option_a.ingest.ledger import Ledger
from option_a.ingest.manifest import Claim, Load, Manifest
from option_a.ingest.ports import Clock, Fetch, Queue
from option_a.ingest.source import Source
from option_a.ingest.task import Delivery, Task


class Limits(msgspec.Struct, frozen=True):
    """When a worker must let go. `lease`: seconds that a claim and a delivery's visibility last beyond a checkpoint."""

    lease: float
    out_of_time: Callable[[], bool] = lambda: False
    stopping: Callable[[], bool] = lambda: False

    @property
    def heartbeat(self) -> float:
        """Seconds between checkpoints: two may fail before the claim runs out."""
        return self.lease / 3


class World(msgspec.Struct, frozen=True):
    """The ports and settings that all jobs of a worker share."""

    lake: Lake
    queue: Queue
    fetch: Fetch
    clock: Clock
    limits: Limits
    executor: Callable[[int], Executor]
    """Gives a pool of so many threads for the pages of one load."""
    jitter: Callable[[], float]
    tell: Tell


class Job:
    """The work of one delivery. All its writes go through `checkpoint` and `guard`, which hold the claim."""

    def __init__(self, world: World, source: Source, task: Task, delivery: Delivery, ledger: Ledger) -> None:
        self.world, self.source, self.task, self.delivery, self.ledger = world, source, task, delivery, ledger
        self.partition = Partition(task.source, task.date)
        self.manifest: Manifest
        self.due = 0.0
        self._expires = -math.inf
        self._answered_at_claim = 0

    @property
    def load(self) -> Load:
        return self.manifest.load

    @property
    def prefix(self) -> str:
        """Where this load's pages go."""
        return staging_prefix(self.partition, self.load.begun_by) if self.load.staged else raw_prefix(self.partition)

    def take(self, manifest: Manifest) -> None:
        """Claim the partition with this manifest. Raises ClaimLost if another was faster."""
        self.manifest = manifest
        self._answered_at_claim = manifest.load.answered
        self.checkpoint()

    def checkpoint(self) -> None:
        """Write the manifest and renew claim and visibility together. Raises ClaimLost."""
        lease = self.world.limits.lease
        now = self.world.clock.now()
        if not self.world.queue.extend(self.delivery, lease):
            raise ClaimLost("the delivery has run out and belongs to another")
        self.manifest.claim = Claim(self.delivery.receipt, now + lease, self._answered_at_claim)
        self.ledger.write(self.manifest)
        self._expires = now + lease
        self.due = now + self.world.limits.heartbeat

    def beat(self) -> None:
        """Checkpoint if it is time to."""
        if self.world.clock.now() >= self.due:
            self.checkpoint()

    def guard(self) -> None:
        """Raises ClaimLost if the claim has run out: who does not hold it writes nothing."""
        if self.world.clock.now() >= self._expires:
            raise ClaimLost("the claim ran out before it was renewed")

    def release(self, outcome: str, message: str = "") -> None:
        """Write the manifest with no claim: whoever comes next may go on."""
        self.manifest.claim = None
        self.manifest.end_attempt(outcome, self.world.clock.now(), message)
        self.ledger.write(self.manifest)

    def where(self, page: int | None = None) -> Where:
        """The place, for an error."""
        return Where(source=self.task.source, date=self.task.day, page=page)

    def say(self, kind: Kind, *, page: int | None = None, message: str = "", seconds: float | None = None) -> None:
        """Tell what happened."""
        load = self.manifest.load
        self.world.tell(
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
