"""Messages that come up to three times and in any order, to workers that are on one partition at once."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import msgspec
import pytest
from obstore.store import MemoryStore

from option_a.ingest.errors import TransientError
from option_a.ingest.lake.bucket import BucketLake
from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.lake.keys import manifest_key
from option_a.ingest.load.worker import Worker
from option_a.ingest.partition import Partition
from option_a.ingest.ports import Clock, Request
from option_a.ingest.task import Task, encode_task
from option_a.local.queue import SqliteQueue
from tests.conftest import Proof
from tests.support.crashes.competing_workers import LEASE, CompetingLake, CompetingQueue, LeaseChecker
from tests.support.crashes.interleaved_threads import ThreadInterleaver
from tests.support.crashes.scenario_api import DECLARED
from tests.support.crashes.scenarios import NEXT
from tests.support.pipeline import DATE, RUN, Backend, Pipeline, make_pages, numbered_pages, source
from tests.support.queues.memory import MemoryQueue

PARTITION = Partition("s", DATE)
PAGES, OTHERS = make_pages(12), make_pages(15, word="z")
DECLARING = source(pagination=DECLARED, parallel=3)
SECONDS, STALLS = [0.0, 0.1, 1.0, 12.0], [LEASE - 0.1, LEASE, 45.0]
OLD, LATER = "20231114T210000Z-z", "20231114T235900Z-d"
TASKS = [Task("s", DATE, RUN, fresh=True), Task("s", DATE, NEXT, fresh=True)]


class Repeating(MemoryQueue):
    """Delivers each message one to three times, late or at once, in any order."""

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        super().__init__(clock)
        self._rng = rng

    def send_raw(self, queue: str, body: bytes, *, delay: float = 0.0) -> None:
        for _ in range(self._rng.randint(1, 3)):
            super().send_raw(queue, body, delay=delay + self._rng.choice([0.0, 0.0, 1.0, 40.0]))
        self._rng.shuffle(self.messages)


class Rivalry:
    """Two workers on a day that is new, or that stands as a longer one. At each call of a port the other may go on."""

    def __init__(self, ground: Backend, rng: random.Random, *, frozen: float = 0.0) -> None:
        self.rng = rng
        self.pipeline = Pipeline(ground, numbered_pages(OTHERS, total_pages=15), DECLARING, lease=LEASE)
        if rng.random() < 0.5:
            self.pipeline.send(OLD)
            self.pipeline.drain()
        self.pipeline.api = self.answer
        self.threads = ThreadInterleaver(rng, self.pipeline.clock, frozen=frozen)
        self.checker = LeaseChecker(self.pipeline, self.threads, rng)

    def answer(self, request: Request) -> bytes:
        """At times beyond the lease, at times an error."""
        self.threads.sleep(self.rng.choice(STALLS if self.rng.random() < 0.08 else SECONDS))
        if self.rng.random() < 0.1:
            raise TransientError("the API answered 503", retry_after=self.rng.choice([None, 60.0]))
        return numbered_pages(PAGES, total_pages=len(PAGES))(request)

    def run(self) -> None:
        """Until all is done. What five workers in a row have outslept is redriven, as a person would."""
        tasks, queue = TASKS, self.pipeline.queue
        while tasks:
            for task in tasks:
                queue.send_raw("s", encode_task(task))
            self.threads.run(self.work, self.work)
            tasks = [letter.task for letter in queue.dead if letter.task]
            assert {letter.cause.kind for letter in queue.dead} <= {"receives"}
            queue.dead.clear()

    def work(self) -> None:
        lake = CompetingLake(self.checker, locks=isinstance(self.pipeline.lake, FolderLake))
        queue = CompetingQueue(self.checker)
        world = msgspec.structs.replace(self.pipeline.services, lake=lake, queue=queue, clock=self.threads)
        worker = Worker(world, self.pipeline.sources)
        while messages := self.pipeline.queue.messages:
            delivery = queue.receive(["s"], lease=LEASE)
            if delivery is not None:
                lake.who = delivery.receipt
                worker.handle(delivery)
            else:
                self.threads.sleep(max(0.1, min((m.visible_at for m in messages), default=0.0) - self.threads.now()))


def calm(root: Path) -> dict[str, bytes]:
    """What stands under raw/ where nothing is out of order."""
    pipeline = Pipeline(root, numbered_pages(PAGES, total_pages=len(PAGES)), DECLARING)
    pipeline.send()
    assert pipeline.drain() == ["complete"]
    return pipeline.objects("raw")


def assert_as_calm(pipeline: Pipeline, expected: dict[str, bytes], case: object, run: str = NEXT) -> None:
    """Byte for byte the same, with one manifest, and nothing left behind."""
    assert pipeline.objects("raw") == expected, case
    assert list(pipeline.objects("manifest", "staging", "dead")) == [manifest_key(PARTITION)], case
    manifest = pipeline.manifest()
    assert (manifest.state, manifest.load.run, manifest.lease) == ("complete", run, None), case
    assert pipeline.differences() == [], case


@pytest.mark.bar(3)
def test_two_workers_whose_calls_are_interleaved_in_any_way_leave_the_lake_of_one(tmp_path: Path, proof: Proof) -> None:
    expected = calm(tmp_path / "calm")
    lost = switches = writes = acks = 0
    violations: list[str] = []
    for case in range(proof.size(10, 200)):
        rng = proof.rng("two workers", case)
        lake = FolderLake(tmp_path / str(case)) if case % 2 else BucketLake(MemoryStore(), "memory://lake")
        trial = Rivalry(Backend(lake, partial(Repeating, rng=rng)), rng)
        trial.run()
        assert_as_calm(trial.pipeline, expected, (proof.seed, case))
        violations += [f"case {case}: {breach}" for breach in trial.checker.violations]
        lost += trial.pipeline.kinds().count("lease-lost")
        switches, writes, acks = (
            switches + trial.threads.switches, writes + trial.checker.writes, acks + trial.checker.acks
        )  # fmt: skip
    assert not violations, (proof.seed, violations[:5])
    proof.figure("seeds", proof.size(10, 200))
    proof.figure("turns", switches)
    proof.figure("leases lost", lost, least=proof.size(5, 100))
    proof.figure("writes and acks looked at", writes + acks)
    proof.figure("writes without the lease, acks without a successor", len(violations), most=0)


@pytest.mark.bar(3)
def test_so_it_is_where_a_worker_is_frozen_between_its_look_at_the_claim_and_its_write(
    tmp_path: Path, proof: Proof
) -> None:
    """What it had in hand then is written, and is what the other has written: no bucket can refuse it.

    Where the other has tidied up meanwhile, it is left under staging/, until the day is loaded again.
    """
    expected, left = calm(tmp_path / "calm"), 0
    for case in range(proof.size(5, 100)):
        rng = proof.rng("frozen", case)
        ground = Backend(BucketLake(MemoryStore(), "memory://lake"), partial(Repeating, rng=rng))
        trial = Rivalry(ground, rng, frozen=0.004)
        trial.run()
        staged = len(trial.pipeline.objects("staging"))
        if staged:
            assert trial.pipeline.objects("raw") == expected, (proof.seed, case)
            trial.pipeline.api = numbered_pages(PAGES, total_pages=len(PAGES))
            trial.pipeline.send(LATER, fresh=True)
            trial.pipeline.drain()
        left += staged
        assert_as_calm(trial.pipeline, expected, (proof.seed, case), LATER if staged else NEXT)
    proof.figure("seeds with workers frozen at any call", proof.size(5, 100))
    proof.figure("pages that a frozen worker left in staging", left)


class Hasty:
    """A clock of the machine's own that runs ten times as fast: a lease is three seconds."""

    speed = 10.0

    def __init__(self) -> None:
        self._began = time.monotonic()

    def now(self) -> float:
        return 1_700_000_000.0 + (time.monotonic() - self._began) * self.speed

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / self.speed)


class Faltering:
    """An API that at times takes longer than a lease, and at times fails."""

    def __init__(self, rng: random.Random, clock: Clock) -> None:
        self._rng, self._clock, self._lock = rng, clock, threading.Lock()

    def __call__(self, request: Request) -> bytes:
        with self._lock:
            seconds, fails = self._rng.choice([0.0, 0.1, 0.5, 1.0] * 8 + [35.0]), self._rng.random() < 0.05
        self._clock.sleep(seconds)
        if fails:
            raise TransientError("the API answered 503")
        return numbered_pages(PAGES, total_pages=len(PAGES))(request)


def hasty(pipeline: Pipeline, clock: Clock, queue: SqliteQueue) -> None:
    """Work off a queue in a file, as one of several threads."""
    world = msgspec.structs.replace(pipeline.services, clock=clock, queue=queue, executor=ThreadPoolExecutor)
    worker = Worker(world, pipeline.sources)
    while any(depth.live for depth in queue.depth()):
        delivery = queue.receive(["s"], lease=LEASE)
        if delivery is None:
            clock.sleep(0.3)
        else:
            worker.handle(delivery)


def at_once(*works: Callable[[], None]) -> None:
    """Run them in threads of their own; the first error of any is raised."""
    with ThreadPoolExecutor(len(works)) as threads:
        for ended in [threads.submit(work) for work in works]:
            ended.result()


@pytest.mark.bar(3)
def test_so_it_is_with_threads_of_the_machine_on_a_queue_in_a_file(tmp_path: Path, proof: Proof) -> None:
    expected = calm(tmp_path / "calm")
    for case in range(proof.size(1, 40)):
        rng, clock = proof.rng("threads", case), Hasty()
        pipeline = Pipeline(tmp_path / str(case), Faltering(rng, clock), DECLARING, lease=LEASE)
        queue = SqliteQueue(tmp_path / f"{case}.sqlite", clock)
        messages = [msgspec.structs.replace(task, requeues=hop) for task in TASKS for hop in range(rng.randint(1, 3))]
        rng.shuffle(messages)
        while messages:
            for message in messages:
                queue.send([message], delay=rng.choice([0.0, 0.0, 5.0]))
            at_once(*[partial(hasty, pipeline, clock, queue)] * 2)
            letters = queue.dead_letters()
            assert {letter.cause.kind for letter in letters} <= {"receives"}, (proof.seed, case)
            queue.delete_dead_letters(letters)
            messages = [letter.task for letter in letters if letter.task]
        queue.close()
        assert_as_calm(pipeline, expected, (proof.seed, case))
    proof.figure("seeds with threads of the machine and SQLite's queue", proof.size(1, 40))
