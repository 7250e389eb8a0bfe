"""A call of a bucket that takes as long as one may costs no worker of this machine its claim."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from obstore.store import MemoryStore

from option_a.home.wiring import Settings
from option_a.ingest.bucket import BucketLake
from option_a.ingest.events import silent
from option_a.ingest.folder import FolderLake
from option_a.ingest.work import Worker
from option_a.local.wiring import BUCKET_LEASE, LEASE, Local, limits_over
from tests.support.clock import FakeClock
from tests.support.world import Ground, Pipeline, days_of, numbered, source

AGAIN = "20231114T230000Z-b"
LONGEST = 90.0
PAGES = 3


class SlowBucket(BucketLake):
    """One of its calls takes long."""

    def __init__(self, slow: int) -> None:
        super().__init__(MemoryStore(), "memory://lake")
        self.clock, self.slow, self.calls = FakeClock(), slow, 0

    def _errors(self, verb: str, key: str) -> Any:
        self.calls += 1
        if self.calls == self.slow:
            self.clock.sleep(LONGEST)
        return super()._errors(verb, key)


def landed_twice(slow: int) -> tuple[SlowBucket, Pipeline, list[str]]:
    """A load, and another one beside it that is promoted."""
    lake = SlowBucket(slow)
    pipeline = Pipeline(Ground(lake), numbered(days_of(PAGES)), source(parallel=1))
    lake.clock = pipeline.clock
    world = msgspec.structs.replace(pipeline.world, limits=limits_over(lake, lambda: False))
    pipeline.worker = Worker(world, pipeline.sources)
    pipeline.send()
    outcomes: list[str] = [*pipeline.drain(20)]
    pipeline.api = numbered(days_of(PAGES, word="b"))
    pipeline.send(AGAIN, fresh=True)
    return lake, pipeline, [*outcomes, *pipeline.drain(20)]


def test_whichever_call_takes_as_long_as_one_may_no_claim_is_lost() -> None:
    calls = landed_twice(0)[0].calls
    assert calls > 10 * PAGES
    for slow in range(1, calls + 1):
        lake, pipeline, outcomes = landed_twice(slow)
        assert outcomes == ["complete", "complete"], f"call {slow}"
        assert [event for event in pipeline.events if event.kind == "lost"] == [], f"call {slow}"
        assert (pipeline.manifest().load.restated, pipeline.differences()) == (PAGES, []), f"call {slow}"
        assert lake.calls >= slow


@pytest.mark.parametrize(("lake", "lease"), [("{}/lake", LEASE), ("s3://bucket/lake", BUCKET_LEASE)])
def test_the_worker_of_this_machine_keeps_to_it(lake: str, lease: float, tmp_path: Path) -> None:
    local = Local(Settings(lake=lake.format(tmp_path), home=str(tmp_path), env={}))
    assert local._world(silent).limits.lease == lease


def test_what_a_killed_worker_had_in_hand_is_taken_over_sooner_where_the_lake_is_a_folder(tmp_path: Path) -> None:
    folder, bucket = (limits_over(lake, lambda: False) for lake in (FolderLake(tmp_path), SlowBucket(0)))
    assert folder.lease <= 30 < LONGEST < bucket.lease
    assert bucket.heartbeat == folder.heartbeat
