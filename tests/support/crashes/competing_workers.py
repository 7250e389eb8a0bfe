"""Workers competing for one partition, and a checker of the lease at each of their calls, for lease tests."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from option_a.ingest.lake.base import Entry, Lake
from option_a.ingest.manifest.model import Manifest
from option_a.ingest.manifest.store import ManifestStore
from option_a.ingest.partition import Partition
from option_a.ingest.ports import Cause
from option_a.ingest.task import Delivery, Task, decode_task
from tests.support.crashes.interleaved_threads import ThreadInterleaver
from tests.support.pipeline import DATE, Pipeline

LEASE = 30.0


class LeaseChecker:
    """Notes writes without a lease, and acks of tasks that are neither done nor still queued."""

    def __init__(self, pipeline: Pipeline, threads: ThreadInterleaver, rng: random.Random) -> None:
        self.lake, self.queue, self.threads, self._rng = pipeline.lake, pipeline.queue, threads, rng
        self.partition = Partition("s", DATE)
        self.violations: list[str] = []
        self.writes = self.acks = 0
        self.locks: set[str] = set()
        """Folders locked by a worker, in a lake that can lock."""

    def manifest(self) -> Manifest | None:
        """The current manifest."""
        return ManifestStore(self.lake, self.partition).read()

    def pass_time(self) -> None:
        """Let a call take time, perhaps more than the lease lasts."""
        self.threads.sleep(self._rng.choice([0.0] * 60 + [1.0, LEASE / 2, LEASE, 2 * LEASE]))

    def write(self, who: str, call: str, key: str) -> None:
        """An object is about to be written or deleted: only the lease's holder may do that."""
        self.writes += 1
        manifest, room = self.manifest(), key.partition("/")[0]
        lease = manifest.lease if manifest is not None else None
        tidies = call == "delete" and room != "raw" and manifest is not None and manifest.state == "complete"
        if not tidies and (lease is None or lease.holder != who or self.threads.now() >= lease.expires):
            self.violations.append(f"{who} would {call} {key}; the lease is {lease}")

    def swapped(self, who: str, before: Manifest | None) -> None:
        """A manifest was replaced: not under another worker's lease."""
        self.writes += 1
        if before is not None and before.is_leased(self.threads.now()) and before.lease and before.lease.holder != who:
            self.violations.append(f"{who} wrote the manifest while {before.lease} was alive")

    def acked(self, task: Task) -> None:
        """A message was acked: its task is done, or another message still asks for it."""
        self.acks += 1
        manifest = self.manifest()
        alive = any(t.partition == task.partition and t.run >= task.run for t in self.queue.tasks())
        done = manifest is not None and manifest.state == "complete"
        done = done and manifest is not None and (manifest.load.run >= task.run or not task.fresh)
        if not (alive or done):
            self.violations.append(f"{task} was acked, and is neither done nor alive")


class CompetingLake(Lake):
    """The lake as one worker uses it, each call checked."""

    def __init__(self, checker: LeaseChecker, *, locks: bool) -> None:
        self.name = checker.lake.name
        self.who = ""
        self._checker, self._lake, self._locks = checker, checker.lake, locks

    def read(self, key: str) -> tuple[bytes, str] | None:
        self._checker.threads.switch()
        return self._lake.read(key)

    def entries(self, prefix: str) -> Iterator[Entry]:
        self._checker.threads.switch()
        found = [*self._lake.entries(prefix)]
        self._checker.pass_time()
        return iter(found)

    def put(self, key: str, data: bytes) -> None:
        self._checker.threads.switch()
        self._checker.write(self.who, "put", key)
        self._lake.put(key, data)

    def copy(self, source: str, target: str) -> None:
        self._checker.threads.switch()
        self._checker.write(self.who, "copy", target)
        self._lake.copy(source, target)
        self._checker.pass_time()

    def compare_and_swap(self, key: str, data: bytes, tag: str | None) -> str | None:
        with self._locked(key):
            self._checker.threads.switch()
            before = self._checker.manifest()
            new = self._lake.compare_and_swap(key, data, tag)
            if new is not None and key.startswith("manifest/"):
                self._checker.swapped(self.who, before)
            return new

    @contextmanager
    def unchanged(self, key: str, tag: str | None) -> Iterator[bool]:
        with self._locked(key):
            self._checker.threads.switch()
            with self._lake.unchanged(key, tag) as still:
                pass  # the real lock is released: holding it would block the switch to another thread
            yield still

    def _delete(self, keys: list[str]) -> None:
        self._checker.threads.switch()
        for key in keys:
            self._checker.write(self.who, "delete", key)
        self._lake.delete(keys)
        self._checker.pass_time()

    @contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        """Like the folder's lock: the second to come waits."""
        folder, locks = key.rpartition("/")[0], self._checker.locks
        if not self._locks:
            yield
            return
        self._checker.threads.wait_until(lambda: folder not in locks)
        locks.add(folder)
        try:
            yield
        finally:
            locks.discard(folder)


class CompetingQueue:
    """The queue as one worker uses it, each call checked."""

    def __init__(self, checker: LeaseChecker) -> None:
        self._checker, self._queue = checker, checker.queue

    def send(self, tasks: Iterable[Task], *, delay: float = 0.0) -> int:
        self._checker.threads.switch()
        return self._queue.send(tasks, delay=delay)

    def receive(self, queues: Sequence[str], *, lease: float) -> Delivery | None:
        self._checker.threads.switch()
        return self._queue.receive(queues, lease=lease)

    def ack(self, delivery: Delivery) -> None:
        self._checker.threads.switch()
        before = len(self._queue.messages)
        self._queue.ack(delivery)
        if len(self._queue.messages) < before:
            self._checker.acked(decode_task(delivery.body))

    def extend_visibility(self, delivery: Delivery, seconds: float) -> bool:
        self._checker.threads.switch()
        return self._queue.extend_visibility(delivery, seconds)

    def dead_letter(self, delivery: Delivery, cause: Cause) -> None:
        self._checker.threads.switch()
        self._queue.dead_letter(delivery, cause)
