"""A promotion that outlasts its time, its worker or its claim goes on where it stood."""

from __future__ import annotations

from pathlib import Path

import msgspec

from option_a.ingest.load.worker import Worker
from tests.faults.load.test_promote import NEXT, Remembering, landed, promoting
from tests.support.pipeline import make_pages


def test_a_promotion_that_is_out_of_time_goes_on_where_it_stood_and_copies_nothing_twice(tmp_path: Path) -> None:
    pipeline, day = landed(tmp_path, make_pages(200))
    day.pages = make_pages(200, word="b")
    lake = Remembering(pipeline.lake)
    left = iter([False, False, True] * 100)
    limits = msgspec.structs.replace(pipeline.services.limits, out_of_time=lambda: promoting(pipeline) and next(left))
    pipeline.worker = Worker(msgspec.structs.replace(pipeline.services, lake=lake, limits=limits), pipeline.sources)
    pipeline.send(NEXT, fresh=True)
    outcomes = pipeline.drain()
    assert outcomes == ["out-of-time"] * (len(outcomes) - 1) + ["complete"]
    assert len(outcomes) > 1
    assert sorted(lake.done) == [("copy", page) for page in range(1, 201)]
    assert (pipeline.manifest().load.restated, pipeline.differences()) == (200, [])


def test_a_promotion_whose_worker_dies_again_and_again_is_no_dead_letter_as_long_as_it_gets_on(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    class Dying(Remembering):
        def copy(self, source: str, target: str) -> None:
            super().copy(source, target)
            pipeline.clock.sleep(0.2)  # so that a batch is worth a checkpoint
            if len(self.done) % 150 == 0:
                raise Killed

    pipeline, day = landed(tmp_path, make_pages(1_200))
    day.pages = make_pages(1_200, word="b")
    lake = Dying(pipeline.lake)
    pipeline.worker = Worker(msgspec.structs.replace(pipeline.services, lake=lake), pipeline.sources)
    pipeline.send(NEXT, fresh=True)
    deaths = 0
    while pipeline.queue.messages:
        try:
            pipeline.drain()
        except Killed:
            deaths += 1
    assert deaths > 5
    assert pipeline.queue.dead == []
    assert (pipeline.manifest().state, pipeline.manifest().load.restated) == ("complete", 1_200)
    assert pipeline.differences() == []


def test_a_promotion_whose_pages_take_long_renews_its_claim_and_comes_to_its_end(tmp_path: Path) -> None:
    class Slow(Remembering):
        def copy(self, source: str, target: str) -> None:
            super().copy(source, target)
            pipeline.clock.sleep(1.0)  # so that a batch outlasts the claim

    pipeline, day = landed(tmp_path, make_pages(100))
    day.pages = make_pages(100, word="b")
    lake = Slow(pipeline.lake)
    pipeline.worker = Worker(msgspec.structs.replace(pipeline.services, lake=lake), pipeline.sources)
    pipeline.send(NEXT, fresh=True)
    assert pipeline.drain() == ["complete"]
    assert sorted(lake.done) == [("copy", page) for page in range(1, 101)]
    assert pipeline.differences() == []
