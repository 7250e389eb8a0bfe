"""One delivery's work on one partition: its source, task, manifest and lease."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from itertools import islice

from option_a.ingest.config import Source
from option_a.ingest.errors import TransientError, Where
from option_a.ingest.events import Event, Kind
from option_a.ingest.lake import raw_prefix, staging_prefix
from option_a.ingest.load.services import Services
from option_a.ingest.manifest import BATCH_SIZE, Lease, Load, Manifest, ManifestStore
from option_a.ingest.resilience import CircuitBreaker
from option_a.ingest.secrets import reference
from option_a.ingest.task import Delivery, Task


class Job:
    """The work of one delivery. Whatever it writes is guarded by its lease."""

    def __init__(
        self, services: Services, source: Source, task: Task, delivery: Delivery, store: ManifestStore
    ) -> None:
        self.services, self.source, self.task, self.delivery, self.store = services, source, task, delivery, store
        self.partition = task.partition
        self.manifest: Manifest
        limits = services.limits
        self.lease = Lease(
            store, services.queue, delivery, services.clock, seconds=limits.lease, interval=limits.heartbeat
        )
        self.outage_error: TransientError | None = None
        """Why nothing is requested any more: the source is down, and patience has run out."""

    @property
    def load(self) -> Load:
        return self.manifest.load

    @cached_property
    def salt(self) -> str | None:
        """The salt of hashed fields, read once for the delivery. Raises SecretError, TransientError."""
        fields = self.source.fields
        return None if fields is None or fields.salt is None else self.services.secrets(reference(fields.salt))

    @cached_property
    def breaker(self) -> CircuitBreaker:
        """Whether the source may be asked at all."""
        return CircuitBreaker(self.services.lake, self.task.source, self.services.clock)

    @property
    def prefix(self) -> str:
        """Where this load's pages go."""
        return staging_prefix(self.partition, self.load.begun_by) if self.load.staged else raw_prefix(self.partition)

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects of the partition in batches, each behind the lease's fence."""
        rest = iter(list(keys))
        while batch := list(islice(rest, BATCH_SIZE)):
            with self.lease.fence():
                self.services.lake.delete(batch)
            self.lease.heartbeat()

    def where(self, page: int | None = None) -> Where:
        """The place, for an error."""
        return Where(source=self.task.source, date=self.task.day, page=page)

    def emit(self, kind: Kind, *, page: int | None = None, message: str = "", seconds: float | None = None) -> None:
        """Say what happened, with the figures of the load so far."""
        task, load = self.task, self.load
        self.services.emit(
            Event(
                kind, task.source, task.date, task.run, page=page, last=load.last, pages=load.pages,
                records=load.records, bytes=load.bytes, message=message, seconds=seconds,
            )
        )  # fmt: skip
