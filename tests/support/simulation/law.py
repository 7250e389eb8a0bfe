"""What must hold after every step: nothing but whole pages as they were sent, a ledger that is true, no task lost."""

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
from option_a.ingest.resilience.circuit_breaker import State
from option_a.ingest.task import Delivery, Task, decode_task
from tests.support.simulation.api import SECRET, Apis, Spot, base_of
from tests.support.simulation.ledgers import check_step, checksum_of, partition_of, prefix_of, whole


class Clock(Protocol):
    """When it is."""

    @property
    def time(self) -> float: ...


class Who(Protocol):
    """Who does it."""

    delivery: Delivery | None


class Tasks(Protocol):
    """What can be seen of a queue from outside."""

    def queued(self) -> set[Partition]: ...

    def dead_letters(self) -> list[DeadLetter]: ...


class Law:
    """Sees each change of the lake and of the queues as it happens, and fails at the first that may not be."""

    def __init__(self, clock: Clock, queue: Tasks, apis: Apis, sources: Mapping[str, Source]) -> None:
        self._clock, self._queue, self._apis, self._sources = clock, queue, apis, sources
        self.manifests: dict[Partition, Manifest] = {}
        self.objects: dict[str, str] = {}
        """The checksum of every page under raw/ and staging/."""
        self.spots: dict[str, Spot] = {}
        """Which page of which version they are, by checksum."""
        self.wanted: dict[Partition, list[Task]] = {}
        """What was sent and was not done yet when its message went."""
        self.mixed: set[Partition] = set()
        """Partitions that the API changed amid a load: its totals and cursors may not have been kept."""
        self.opened: dict[str, float] = {}
        """When the breaker of a source was open for the first time."""
        self.fenced = True
        """Whether every write was made while its claim held: nobody slept between the look at it and the write."""
        self.slack = 0.0
        """By how many seconds the clock was set back, all in all."""
        self.saw: Counter[str] = Counter()

    def step(self) -> None:
        self.saw["steps"] += 1

    def died(self, delivery: Delivery | None) -> None:
        """A process died; what it had in hand is to be taken over."""
        self.saw["deaths"] += 1
        if delivery is not None:
            partition = decode_task(delivery.body).partition
            manifest = self.manifests.get(partition)
            self.saw["deaths amid a promotion"] += manifest is not None and manifest.state == "promoting"

    def plan(self, tasks: list[Task]) -> None:
        """From now on these are owed."""
        for task in tasks:
            self.wanted.setdefault(task.partition, []).append(task)

    def sent(self, tasks: list[Task]) -> None:
        for task in tasks:
            assert SECRET not in msgspec.json.encode(task)

    def received(self, delivery: Delivery) -> None:
        self.saw["deliveries"] += 1
        self.saw["delivered again"] += delivery.receives > 1

    def acked(self, delivery: Delivery) -> None:
        """A message is gone: its task is done, or somebody else has it in hand, or it is a dead letter."""
        task = decode_task(delivery.body)
        partition, manifest = task.partition, self.manifests.get(task.partition)
        if manifest is not None and self.satisfied(manifest, task):
            owed = self.wanted.get(partition, [])
            self.wanted[partition] = [other for other in owed if (other.run, other.fresh) != (task.run, task.fresh)]
            return
        there = partition in self._queue.queued() or self.letters(partition)
        assert there, f"{task} is acked, lost and not done: {manifest}"

    def letters(self, partition: Partition) -> list[DeadLetter]:
        """The dead letters of a partition."""
        return [x for x in self._queue.dead_letters() if x.task is not None and x.task.partition == partition]

    def satisfied(self, manifest: Manifest, task: Task) -> bool:
        """Whether a partition is as a task wants it."""
        return manifest.state == "complete" and (manifest.load.run >= task.run or not task.fresh)

    def put(self, key: str, data: bytes, who: Who) -> None:
        """An object was written."""
        self.saw["puts"] += 1
        if key.startswith((f"{RAW}/", f"{STAGING}/")):
            self._land(key, self._known(data, key), who)
        assert SECRET not in data, f"a secret in {key}"

    def copied(self, source: str, target: str, who: Who) -> None:
        """An object was written over another."""
        self.saw["promoted pages"] += 1
        self._land(target, self.objects[source], who)

    def deleted(self, key: str, who: Who) -> None:
        """An object is gone."""
        if self.objects.pop(key, None) is not None and key.startswith(f"{RAW}/"):
            self.saw["pages deleted"] += 1
            self._change(key, None, who)

    def swapped(self, key: str, data: bytes, who: Who) -> None:
        """A manifest or a breaker was written."""
        assert SECRET not in data, f"a secret in {key}"
        if key.startswith(f"{CONTROL}/"):
            state = msgspec.json.decode(data, type=State)
            self.saw["breaker opened"] += bool(state.until)
            if state.until:
                self.opened.setdefault(key.split("/")[1].removeprefix("source="), self._clock.time)
            return
        partition = manifest_partition(key)
        assert partition is not None, key
        new, old = decode(data, key), self.manifests.get(partition)
        if old is not None:
            self._follows(old, new, who)
        self._lands(new, old)
        self.manifests[partition] = new
        if new.state == "complete" and (old is None or old.state != "complete"):
            self._complete(new)

    def _known(self, data: bytes, key: str) -> str:
        """The checksum of a page's object. Fails unless it is a page as the API once sent it, in its place."""
        digest = checksum(data)
        if digest not in self.spots:
            partition = partition_of(key)
            lines = gzip.decompress(data)
            spot = self._apis.spots.get(partition, {}).get(lines)
            assert spot is not None, f"{key} holds what no API has sent: {lines!r}"
            self.spots[digest] = spot
        assert page_number(key) == self.spots[digest].page, f"{key} holds {self.spots[digest]}"
        return digest

    def _land(self, key: str, digest: str, who: Who) -> None:
        assert page_number(key), f"{key} is no page"
        self.objects[key] = digest
        if key.startswith(f"{RAW}/"):
            self._change(key, digest, who)

    def _change(self, key: str, digest: str | None, who: Who) -> None:
        """A page under raw/ has changed. Of a complete day it may not have, but from one complete load to the next."""
        partition, page = partition_of(key), page_number(key)
        manifest = self.manifests.get(partition)
        if manifest is None or page is None or manifest.readable is None or not self.fenced:
            return
        loads = [manifest.readable, *([manifest.load] if manifest.state == "promoting" else [])]
        assert digest in [checksum_of(load, page) for load in loads], (
            f"{key} of a complete day is now {self.spot(digest)}"
        )

    def spot(self, digest: str | None) -> str:
        """A page in words."""
        return "gone" if digest is None else str(self.spots.get(digest))

    def _follows(self, old: Manifest, new: Manifest, who: Who) -> None:
        """A ledger goes forward only, and only by the hand that holds it."""
        holder, receipt = old.lease.holder if old.lease else None, who.delivery.receipt if who.delivery else None
        alive = old.is_leased(self._clock.time + self.slack)
        assert holder == receipt or not alive, f"{receipt} writes, and {holder} holds the claim"
        check_step(old, new)

    def _lands(self, new: Manifest, old: Manifest | None) -> None:
        """What the ledger says has landed has landed."""
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
                    f"the ledger has {row}, {key} is {self.spot(self.objects.get(key))}"
                )
        for page in range(1, load.promoted + 1):
            key, digest = page_key(raw_prefix(new.partition), page), checksum_of(load, page)
            assert self.objects.get(key) == digest, f"{key} is promoted and {self.spot(self.objects.get(key))}"

    def _complete(self, manifest: Manifest) -> None:
        """A complete load is what the API held: all of it, and nothing else."""
        load, partition = manifest.load, manifest.partition
        prefix = raw_prefix(partition)
        stands = {page_number(key): digest for key, digest in self.objects.items() if key.startswith(f"{prefix}/")}
        expected = {row.page: row.checksum for row in load.rows if row.records}
        assert stands == expected or not self.fenced, f"{partition}: {stands}"
        source = self._sources[partition.source]
        spots = [self.spots[row.checksum] for row in load.rows if row.records]
        if load.shape != source.fingerprint and not spots:
            return  # of a declaration that is no longer, and nothing to tell which
        base = base_of(source) if load.shape == source.fingerprint else spots[0].base
        held = self._apis.between(base, partition, load.started - self.slack, self._clock.time + self.slack)
        assert {spot.base for spot in spots} <= {base}, f"{partition} mixes {spots}"
        assert {spot.version for spot in spots} <= {version.number for version in held}, f"{partition}: {spots}, {held}"
        assert whole(held, spots), f"{partition} is called complete, and is not: {spots}"
        self.saw["completed"] += 1
        self.saw["completed: re-loads"] += load.staged
        self.saw["completed: restated"] += load.restated > 0
        self.saw["completed: adopted"] += load.begun_by != load.run
        self.saw["completed: 0 records"] += not load.records
        self.saw["completed: changed meanwhile"] += len(held) > 1
