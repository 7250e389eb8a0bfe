"""Checks a simulated trial after every step: only complete, genuine pages; a true manifest; no lost task; no secret."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Mapping
from typing import Protocol

import msgspec

from option_a.ingest.config.source import Source
from option_a.ingest.lake.keys import CONTROL, RAW, STAGING, manifest_partition, page_key, page_number, raw_prefix
from option_a.ingest.manifest.model import Manifest, decode
from option_a.ingest.manifest.rows import Row, checksum
from option_a.ingest.partition import Partition
from option_a.ingest.ports import DeadLetter
from option_a.ingest.resilience.circuit_breaker import BreakerState
from option_a.ingest.task import Delivery, Task, decode_task
from tests.support.simulation.apis import SECRET, PageOrigin, SimulatedApis, base_of
from tests.support.simulation.manifests import check_step, checksum_of, is_whole, partition_of, prefix_of


class Clock(Protocol):
    """The current time."""

    @property
    def time(self) -> float: ...


class Writer(Protocol):
    """The process that makes the change."""

    delivery: Delivery | None


class QueueView(Protocol):
    """What an observer sees of a queue."""

    def queued(self) -> set[Partition]: ...

    def dead_letters(self) -> list[DeadLetter]: ...


class InvariantChecker:
    """Sees every change to lake and queues, and fails at the first that breaks an invariant."""

    def __init__(self, clock: Clock, queue: QueueView, apis: SimulatedApis, sources: Mapping[str, Source]) -> None:
        self._clock, self._queue, self._apis, self._sources = clock, queue, apis, sources
        self.manifests: dict[Partition, Manifest] = {}
        self.objects: dict[str, str] = {}
        """The checksum of every page under raw/ and staging/."""
        self.origins: dict[str, PageOrigin] = {}
        """Which page of which version they are, by checksum."""
        self.wanted: dict[Partition, list[Task]] = {}
        """Planned tasks that are not done yet."""
        self.mixed: set[Partition] = set()
        """Partitions whose data changed during a load: totals and cursors may not have held."""
        self.opened: dict[str, float] = {}
        """When a source's circuit breaker first opened."""
        self.fenced = True
        """Whether every write was made under its lease: no process paused between the check and the write."""
        self.slack = 0.0
        """Total seconds by which the clock was set back."""
        self.reached: Counter[str] = Counter()

    def step(self) -> None:
        self.reached["steps"] += 1

    def died(self, delivery: Delivery | None) -> None:
        """A process died; another must take over its delivery."""
        self.reached["deaths"] += 1
        if delivery is not None:
            partition = decode_task(delivery.body).partition
            manifest = self.manifests.get(partition)
            self.reached["deaths amid a promotion"] += manifest is not None and manifest.state == "promoting"

    def plan(self, tasks: list[Task]) -> None:
        """From now on these tasks must be done."""
        for task in tasks:
            self.wanted.setdefault(task.partition, []).append(task)

    def sent(self, tasks: list[Task]) -> None:
        for task in tasks:
            assert SECRET not in msgspec.json.encode(task)

    def received(self, delivery: Delivery) -> None:
        self.reached["deliveries"] += 1
        self.reached["delivered again"] += delivery.receives > 1

    def acked(self, delivery: Delivery) -> None:
        """A message was acked: its task is done, still queued, or a dead letter."""
        task = decode_task(delivery.body)
        partition, manifest = task.partition, self.manifests.get(task.partition)
        if manifest is not None and self.satisfied(manifest, task):
            owed = self.wanted.get(partition, [])
            self.wanted[partition] = [other for other in owed if (other.run, other.fresh) != (task.run, task.fresh)]
            return
        there = partition in self._queue.queued() or self.letters(partition)
        assert there, f"{task} was acked, is lost and not done: {manifest}"

    def letters(self, partition: Partition) -> list[DeadLetter]:
        """The dead letters of a partition."""
        return [x for x in self._queue.dead_letters() if x.task is not None and x.task.partition == partition]

    def satisfied(self, manifest: Manifest, task: Task) -> bool:
        """Whether the manifest shows that a task is done."""
        return manifest.state == "complete" and (manifest.load.run >= task.run or not task.fresh)

    def put(self, key: str, data: bytes, who: Writer) -> None:
        """An object was written."""
        self.reached["puts"] += 1
        if key.startswith((f"{RAW}/", f"{STAGING}/")):
            self._record_page(key, self._check_page(data, key), who)
        assert SECRET not in data, f"a secret in {key}"

    def copied(self, source: str, target: str, who: Writer) -> None:
        """An object was copied, perhaps over another."""
        self.reached["promoted pages"] += 1
        self._record_page(target, self.objects[source], who)

    def deleted(self, key: str, who: Writer) -> None:
        """An object was deleted."""
        if self.objects.pop(key, None) is not None and key.startswith(f"{RAW}/"):
            self.reached["pages deleted"] += 1
            self._check_raw_change(key, None, who)

    def swapped(self, key: str, data: bytes, who: Writer) -> None:
        """A manifest or a circuit breaker was written."""
        assert SECRET not in data, f"a secret in {key}"
        if key.startswith(f"{CONTROL}/"):
            state = msgspec.json.decode(data, type=BreakerState)
            self.reached["breaker opened"] += bool(state.until)
            if state.until:
                self.opened.setdefault(key.split("/")[1].removeprefix("source="), self._clock.time)
            return
        partition = manifest_partition(key)
        assert partition is not None, key
        new, old = decode(data, key), self.manifests.get(partition)
        if old is not None:
            self._check_step(old, new, who)
        self._check_landed(new, old)
        self.manifests[partition] = new
        if new.state == "complete" and (old is None or old.state != "complete"):
            self._check_complete(new)

    def _check_page(self, data: bytes, key: str) -> str:
        """The checksum of a page. Fails unless the API once sent this page under this number."""
        digest = checksum(data)
        if digest not in self.origins:
            partition = partition_of(key)
            lines = gzip.decompress(data)
            origin = self._apis.origins.get(partition, {}).get(lines)
            assert origin is not None, f"{key} holds what no API sent: {lines!r}"
            self.origins[digest] = origin
        assert page_number(key) == self.origins[digest].page, f"{key} holds {self.origins[digest]}"
        return digest

    def _record_page(self, key: str, digest: str, who: Writer) -> None:
        assert page_number(key), f"{key} is no page"
        self.objects[key] = digest
        if key.startswith(f"{RAW}/"):
            self._check_raw_change(key, digest, who)

    def _check_raw_change(self, key: str, digest: str | None, who: Writer) -> None:
        """A page under raw/ changed: a complete day's pages may only change to those of the next complete load."""
        partition, page = partition_of(key), page_number(key)
        manifest = self.manifests.get(partition)
        if manifest is None or page is None or manifest.readable is None or not self.fenced:
            return
        loads = [manifest.readable, *([manifest.load] if manifest.state == "promoting" else [])]
        assert digest in [checksum_of(load, page) for load in loads], (
            f"{key} of a complete day is now {self.origin(digest)}"
        )

    def origin(self, digest: str | None) -> str:
        """A page in words."""
        return "gone" if digest is None else str(self.origins.get(digest))

    def _check_step(self, old: Manifest, new: Manifest, who: Writer) -> None:
        """A manifest only moves forward, and only the lease's holder writes it."""
        holder, receipt = old.lease.holder if old.lease else None, who.delivery.receipt if who.delivery else None
        alive = old.is_leased(self._clock.time + self.slack)
        assert holder == receipt or not alive, f"{receipt} writes, but {holder} holds the lease"
        check_step(old, new)

    def _check_landed(self, new: Manifest, old: Manifest | None) -> None:
        """Every page in the manifest has landed."""
        if not self.fenced:
            return
        known: set[Row] = set()
        if old is not None and old.load.number == new.load.number and old.state == new.state:
            known = set(old.load.rows)
        load, prefix = new.load, prefix_of(new)
        assert load.high_water_mark <= len(load.rows)
        for row in load.rows:
            if row.records and row not in known:
                key = page_key(prefix, row.page)
                assert self.objects.get(key) == row.checksum, (
                    f"the manifest has {row}, {key} is {self.origin(self.objects.get(key))}"
                )
        for page in range(1, load.promoted + 1):
            key, digest = page_key(raw_prefix(new.partition), page), checksum_of(load, page)
            assert self.objects.get(key) == digest, f"{key} is promoted and {self.origin(self.objects.get(key))}"

    def _check_complete(self, manifest: Manifest) -> None:
        """A complete load is exactly what the API held."""
        load, partition = manifest.load, manifest.partition
        prefix = raw_prefix(partition)
        stands = {page_number(key): digest for key, digest in self.objects.items() if key.startswith(f"{prefix}/")}
        expected = {row.page: row.checksum for row in load.rows if row.records}
        assert stands == expected or not self.fenced, f"{partition}: {stands}"
        source = self._sources[partition.source]
        origins = [self.origins[row.checksum] for row in load.rows if row.records]
        if load.shape != source.fingerprint and not origins:
            return  # from an earlier declaration, and no page tells which
        base = base_of(source) if load.shape == source.fingerprint else origins[0].base
        held = self._apis.between(base, partition, load.started - self.slack, self._clock.time + self.slack)
        assert {origin.base for origin in origins} <= {base}, f"{partition} mixes {origins}"
        assert {origin.version for origin in origins} <= {version.number for version in held}, (
            f"{partition}: {origins}, {held}"
        )
        assert is_whole(held, origins), f"{partition} is called complete but is not: {origins}"
        self.reached["completed"] += 1
        self.reached["completed: re-loads"] += load.staged
        self.reached["completed: restated"] += load.restated > 0
        self.reached["completed: adopted"] += load.begun_by != load.run
        self.reached["completed: 0 records"] += not load.records
        self.reached["completed: changed meanwhile"] += len(held) > 1
