"""Calls of a bucket that take as long as they may, alone and one after another: nobody writes over who came next."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import combinations, count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from obstore.store import MemoryStore

from option_a.ingest.events import ignore_events
from option_a.ingest.lake.bucket import BucketLake
from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.load.worker import Worker
from option_a.ingest.manifest.verify import Difference
from option_a.ingest.ports import Request
from option_a.local.pipeline import LEASE, LocalPipeline, limits_over
from option_a.workspace.settings import Settings
from tests.conftest import Proof
from tests.support.clock import FakeClock
from tests.support.pipeline import RUN, Backend, Pipeline, make_pages, numbered_pages, source

AGAIN = "20231114T230000Z-b"
LONGEST = 90.0
PAGES = 3
FETCH = 60.0
"""What a page of a slow API takes; a thread alone renews no claim meanwhile."""


class NeverTheSame:
    """An API whose pages are others whenever they are asked for: what is written over one shows. It takes its time."""

    def __init__(self, clock: FakeClock, seconds: float) -> None:
        self._clock, self._seconds, self._asked = clock, seconds, count()

    def __call__(self, request: Request) -> bytes:
        self._clock.sleep(self._seconds)
        return numbered_pages(make_pages(PAGES, word=f"{next(self._asked):06}"))(request)


class SlowBucket(BucketLake):
    """Some of its calls take long, and have their effect at the end; `meanwhile` is told when that is."""

    def __init__(self, slow: Collection[int] = ()) -> None:
        super().__init__(MemoryStore(), "memory://lake", slowest=LONGEST)
        self.clock, self.slow, self.calls = FakeClock(), slow, 0
        self.meanwhile: Callable[[float], None] = lambda end: None

    def _errors(self, verb: str, key: str) -> Any:
        self.calls += 1
        if self.calls in self.slow:
            end = self.clock.now() + LONGEST
            self.meanwhile(end)
            self.clock.time = max(self.clock.time, end)
        return super()._errors(verb, key)


class Twice:
    """A load, and another one beside it that is promoted; a second worker, quick, takes whatever it can get."""

    def __init__(self, *slow: int, fetch: float = 0.0) -> None:
        self.lake = SlowBucket(slow)
        self.pipeline = Pipeline(Backend(self.lake), numbered_pages([]), source(parallel=1))
        self.pipeline.api = NeverTheSame(self.pipeline.clock, fetch)
        self.lake.clock, self.lake.meanwhile = self.pipeline.clock, self._second
        limits = limits_over(self.lake, lambda: False)
        world = msgspec.structs.replace(self.pipeline.services, limits=limits)
        other = BucketLake(self.lake._store, self.lake.name, slowest=LONGEST)
        self.pipeline.services, self.pipeline.worker = world, Worker(world, self.pipeline.sources)
        self._other = Worker(msgspec.structs.replace(world, lake=other), self.pipeline.sources)
        self.taken, self.wrong = 0, list[Difference]()

    def _second(self, end: float) -> None:
        visible = [message.visible_at for message in self.pipeline.queue.messages]
        if visible and min(visible) <= end:
            self.pipeline.clock.time = max(self.pipeline.clock.time, min(visible))
            delivery = self.pipeline.inbox.receive(["s"], lease=self.pipeline.services.limits.lease)
            if delivery is not None:
                self._other.handle(delivery)
                self.taken += 1

    def land(self) -> list[str]:
        """The outcomes of the first worker; `wrong` is what the lake has then that the manifest has not."""
        outcomes: list[str] = []
        for run, fresh in ((RUN, False), (AGAIN, True)):
            self.pipeline.send(run, fresh=fresh)
            outcomes += self.pipeline.drain(20)
            self.wrong += self.pipeline.differences()
        return outcomes

    @property
    def lost(self) -> int:
        """Claims that the first worker has lost."""
        return sum(event.kind == "lease-lost" for event in self.pipeline.events)


def calls() -> int:
    """How many there are where none is slow."""
    quick = Twice()
    assert quick.land() == ["complete", "complete"]
    assert quick.lake.calls > 10 * PAGES
    return quick.lake.calls


def test_whichever_call_takes_as_long_as_one_may_no_claim_is_lost() -> None:
    for slow in range(1, calls() + 1):
        twice = Twice(slow)
        assert twice.land() == ["complete", "complete"], f"call {slow}"
        assert (twice.lost, twice.taken) == (0, 0), f"call {slow}"
        assert twice.pipeline.manifest().load.restated == PAGES, f"call {slow}"
        assert twice.wrong == [], f"call {slow}"
        assert twice.lake.calls >= slow


@pytest.mark.bar(3)
def test_where_calls_are_slow_one_after_another_who_lost_the_claim_wrote_nothing_over_the_next(proof: Proof) -> None:
    every, longest, lost, taken, wrong = range(1, calls() + 1), proof.size(8, 24), 0, 0, []
    rows = [tuple(range(slow, slow + row)) for slow in every for row in range(2, longest + 1)]
    trials = [*rows, *(pair for pair in combinations(every, 2) if pair[1] - pair[0] < proof.size(8, len(every)))]
    for slow in trials:
        twice = Twice(*slow, fetch=FETCH)
        twice.land()
        lost, taken = lost + twice.lost, taken + twice.taken
        manifest = twice.pipeline.manifest()
        if (manifest.state, manifest.load.run, twice.wrong) != ("complete", AGAIN, []):
            wrong.append(slow)
    proof.figure("rows and pairs of slow calls of a bucket", len(trials))
    proof.figure("of them taken over by a second worker", taken, least=1)
    proof.figure("leases lost to slow calls", lost, least=1)
    proof.figure("pages written over the second worker's", len(wrong), most=0)


@pytest.mark.parametrize(("lake", "slowest"), [("{}/lake", 0.0), ("s3://bucket/lake", LONGEST)])
def test_the_worker_of_this_machine_keeps_to_it(lake: str, slowest: float, tmp_path: Path) -> None:
    local = LocalPipeline(Settings(lake=lake.format(tmp_path), home=str(tmp_path), env={}))
    assert local._services(ignore_events).limits.lease == LEASE + 2 * slowest


def test_what_a_killed_worker_had_in_hand_is_taken_over_sooner_where_the_lake_is_a_folder(tmp_path: Path) -> None:
    folder, bucket = (limits_over(lake, lambda: False) for lake in (FolderLake(tmp_path), SlowBucket()))
    assert folder.lease <= 30 < 2 * LONGEST < bucket.lease
    assert bucket.heartbeat == folder.heartbeat
