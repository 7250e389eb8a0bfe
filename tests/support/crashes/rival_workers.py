"""Workers on one partition, and a judge who looks at each of their calls: who may write, and what may be acked."""

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
from tests.support.crashes.interleaved_threads import Interleaving
from tests.support.pipeline import DATE, Pipeline

LEASE = 30.0


class Judge:
    """Knows the manifest at every moment, and notes what breaks a law."""

    def __init__(self, pipeline: Pipeline, turns: Interleaving, rng: random.Random) -> None:
        self.lake, self.queue, self.turns, self._rng = pipeline.lake, pipeline.queue, turns, rng
        self.partition = Partition("s", DATE)
        self.breaches: list[str] = []
        self.writes = self.acks = 0
        self.locks: set[str] = set()
        """Folders that a worker holds, where the lake can."""

    def manifest(self) -> Manifest | None:
        """As it stands at this moment."""
        return ManifestStore(self.lake, self.partition).read()

    def pass_time(self) -> None:
        """What is not done in no time, and may outlast the claim."""
        self.turns.sleep(self._rng.choice([0.0] * 60 + [1.0, LEASE / 2, LEASE, 2 * LEASE]))

    def write(self, who: str, call: str, key: str) -> None:
        """A page, a segment or a body is about to be written, or an object deleted."""
        self.writes += 1
        manifest, room = self.manifest(), key.partition("/")[0]
        claim = manifest.lease if manifest is not None else None
        tidies = call == "delete" and room != "raw" and manifest is not None and manifest.state == "complete"
        if not tidies and (claim is None or claim.holder != who or self.turns.now() >= claim.expires):
            self.breaches.append(f"{who} would {call} {key}; the claim is {claim}")

    def swapped(self, who: str, before: Manifest | None) -> None:
        """A manifest was written over another."""
        self.writes += 1
        if before is not None and before.is_leased(self.turns.now()) and before.lease and before.lease.holder != who:
            self.breaches.append(f"{who} wrote the manifest while {before.lease} was alive")

    def acked(self, task: Task) -> None:
        """A message is gone: what it asked for is done, or another one asks for it still."""
        self.acks += 1
        manifest = self.manifest()
        alive = any(t.partition == task.partition and t.run >= task.run for t in self.queue.tasks())
        done = manifest is not None and manifest.state == "complete"
        done = done and manifest is not None and (manifest.load.run >= task.run or not task.fresh)
        if not (alive or done):
            self.breaches.append(f"{task} was acked, and is neither done nor alive")


class RivalLake(Lake):
    """One worker's hold on the lake."""

    def __init__(self, judge: Judge, *, locks: bool) -> None:
        self.name = judge.lake.name
        self.who = ""
        self._judge, self._lake, self._locks = judge, judge.lake, locks

    def read(self, key: str) -> tuple[bytes, str] | None:
        self._judge.turns.turn()
        return self._lake.read(key)

    def entries(self, prefix: str) -> Iterator[Entry]:
        self._judge.turns.turn()
        found = [*self._lake.entries(prefix)]
        self._judge.pass_time()
        return iter(found)

    def put(self, key: str, data: bytes) -> None:
        self._judge.turns.turn()
        self._judge.write(self.who, "put", key)
        self._lake.put(key, data)

    def copy(self, source: str, target: str) -> None:
        self._judge.turns.turn()
        self._judge.write(self.who, "copy", target)
        self._lake.copy(source, target)
        self._judge.pass_time()

    def compare_and_swap(self, key: str, data: bytes, tag: str | None) -> str | None:
        with self._locked(key):
            self._judge.turns.turn()
            before = self._judge.manifest()
            new = self._lake.compare_and_swap(key, data, tag)
            if new is not None and key.startswith("manifest/"):
                self._judge.swapped(self.who, before)
            return new

    @contextmanager
    def unchanged(self, key: str, tag: str | None) -> Iterator[bool]:
        with self._locked(key):
            self._judge.turns.turn()
            with self._lake.unchanged(key, tag) as still:
                pass  # the lock proper is not kept: it would keep the thread itself from giving way
            yield still

    def _delete(self, keys: list[str]) -> None:
        self._judge.turns.turn()
        for key in keys:
            self._judge.write(self.who, "delete", key)
        self._lake.delete(keys)
        self._judge.pass_time()

    @contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        """As the folder's own lock has it: who comes second waits."""
        folder, locks = key.rpartition("/")[0], self._judge.locks
        if not self._locks:
            yield
            return
        self._judge.turns.until(lambda: folder not in locks)
        locks.add(folder)
        try:
            yield
        finally:
            locks.discard(folder)


class RivalQueue:
    """One worker's hold on the queue."""

    def __init__(self, judge: Judge) -> None:
        self._judge, self._queue = judge, judge.queue

    def send(self, tasks: Iterable[Task], *, delay: float = 0.0) -> int:
        self._judge.turns.turn()
        return self._queue.send(tasks, delay=delay)

    def receive(self, queues: Sequence[str], *, lease: float) -> Delivery | None:
        self._judge.turns.turn()
        return self._queue.receive(queues, lease=lease)

    def ack(self, delivery: Delivery) -> None:
        self._judge.turns.turn()
        before = len(self._queue.messages)
        self._queue.ack(delivery)
        if len(self._queue.messages) < before:
            self._judge.acked(decode_task(delivery.body))

    def extend_visibility(self, delivery: Delivery, seconds: float) -> bool:
        self._judge.turns.turn()
        return self._queue.extend_visibility(delivery, seconds)

    def dead_letter(self, delivery: Delivery, cause: Cause) -> None:
        self._judge.turns.turn()
        self._queue.dead_letter(delivery, cause)
