"""What a crash costs, that nothing swallows it, and that messages may come again and in any order."""

from __future__ import annotations

import datetime as dt
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from option_a.ingest.errors import TransientError
from option_a.ingest.load.worker import Worker
from option_a.ingest.manifest.store import ManifestStore
from option_a.ingest.ports import Clock, Request
from option_a.ingest.task import Delivery, Task, decode_task, encode_task
from tests.conftest import Proof
from tests.support.crashes.port_crash import (
    Crash,
    CrashPoint,
    assert_only_whole_pages,
    crashing_services,
    run_until_crash,
)
from tests.support.pipeline import DATE, RUN, Pipeline, make_pages, numbered_pages, source
from tests.support.queues.memory import MemoryQueue

DECLARED = {"style": "page", "total_pages": "total_pages"}
NEXT = "20231114T230000Z-b"
PAGES = make_pages(12)
HEARTBEAT = 10.0
SECONDS = 2.0


def slow(root: Path, *, parallel: int) -> Pipeline:
    """Twelve pages of two seconds each; a checkpoint is due every ten."""

    def answer(request: Request) -> bytes:
        pipeline.clock.time += SECONDS
        return numbered_pages(PAGES, total_pages=len(PAGES))(request)

    pipeline = Pipeline(root, answer, source(pagination=DECLARED, parallel=parallel), lease=3 * HEARTBEAT)
    pipeline.send()
    return pipeline


def in_ledger(pipeline: Pipeline) -> set[int]:
    if not pipeline.objects("manifest"):
        return set()
    manifest = pipeline.manifest()
    return {row.page for row in ManifestStore(pipeline.lake, manifest.partition).rows(manifest.load)}


@pytest.mark.bar(2)
@pytest.mark.parametrize("parallel", [1, 3])
def test_after_a_crash_only_pages_since_the_last_checkpoint_and_those_in_flight_are_fetched_again(
    parallel: int, tmp_path: Path, proof: Proof
) -> None:
    crash_point = CrashPoint()
    run_until_crash(slow(tmp_path / "undisturbed", parallel=parallel), crash_point)
    most_again = 0
    for at in range(1, crash_point.calls + 1):
        pipeline = slow(tmp_path / str(at), parallel=parallel)
        assert run_until_crash(pipeline, CrashPoint(at))
        asked, landed = pipeline.asked(), in_ledger(pipeline)
        pipeline.drain()
        again = pipeline.asked(len(asked))
        assert not landed & set(again)
        assert len(again) == len(set(again))
        most_again = max(most_again, len(set(asked) & set(again)))
    limit = HEARTBEAT / SECONDS + parallel
    proof.figure(f"most pages fetched again, {parallel} at once", float(most_again), most=limit)


def test_a_crash_in_a_thread_of_a_page_comes_out_of_the_worker_and_nothing_is_acknowledged(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(PAGES, total_pages=len(PAGES)), source(pagination=DECLARED))
    pipeline.services = msgspec.structs.replace(pipeline.services, executor=ThreadPoolExecutor)
    pipeline.send()
    pipeline.worker = Worker(crashing_services(pipeline.services, CrashPoint(9)), pipeline.sources)
    with pytest.raises(Crash):
        pipeline.step()
    assert len(pipeline.queue.messages) == 1
    assert pipeline.manifest().state == "loading"
    pipeline.worker = Worker(pipeline.services, pipeline.sources)
    assert pipeline.drain()[-1] == "complete"
    assert len(pipeline.pages()) == len(PAGES)


def test_a_crash_in_a_thread_of_the_promotion_comes_out_of_the_worker(tmp_path: Path) -> None:
    days = {"pages": make_pages(5)}
    pipeline = Pipeline(tmp_path, lambda request: numbered_pages(days["pages"])(request))
    pipeline.send()
    pipeline.drain()
    days["pages"] = make_pages(4, word="b")
    pipeline.send(NEXT, fresh=True)
    pipeline.services = msgspec.structs.replace(pipeline.services, executor=ThreadPoolExecutor)
    pipeline.worker = Worker(crashing_services(pipeline.services, CrashPoint(16)), pipeline.sources)
    with pytest.raises(Crash):
        pipeline.step()
    assert pipeline.manifest().state == "promoting"
    pipeline.worker = Worker(pipeline.services, pipeline.sources)
    assert pipeline.drain()[-1] == "complete"
    assert len(pipeline.pages()) == 4
    assert pipeline.differences() == []


@pytest.mark.parametrize("calls", [15, 19, 26])
def test_a_worker_that_dies_again_and_again_with_progress_in_between_never_loses_its_task(
    calls: int, tmp_path: Path
) -> None:
    pipeline = slow(tmp_path, parallel=1)
    while run_until_crash(pipeline, CrashPoint(calls)):
        pass
    assert pipeline.queue.dead == []
    assert pipeline.manifest().state == "complete"
    assert "requeued" in pipeline.kinds()


def test_a_worker_that_dies_without_progress_is_dead_after_five_receives(tmp_path: Path) -> None:
    pipeline = slow(tmp_path, parallel=1)
    deaths = 0
    while run_until_crash(pipeline, CrashPoint(3)):
        deaths += 1
    assert deaths == 5
    assert [letter.cause.kind for letter in pipeline.queue.dead] == ["receives"]


class Unruly(MemoryQueue):
    """Hands out each message one to three times, in any order and late; and sees that no ack leaves work undone."""

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        super().__init__(clock)
        self._rng = rng
        self.pipeline: Pipeline

    def send_raw(self, queue: str, body: bytes, *, delay: float = 0.0) -> None:
        for _ in range(self._rng.randint(1, 3)):
            super().send_raw(queue, body, delay=delay + self._rng.choice([0.0, 0.0, 1.0, 40.0]))
        self._rng.shuffle(self.messages)

    def ack(self, delivery: Delivery) -> None:
        super().ack(delivery)
        date = decode_task(delivery.body).date
        alive = any(task.date == date for task in self.tasks())
        assert alive or self.pipeline.manifest(date=date).state == "complete"


def interleaved(root: Path, rng: random.Random) -> Pipeline:
    """Workers that stall, give way to one another in the midst of a page, and ask an API that fails now and then."""
    depth = 0

    def answer(request: Request) -> bytes:
        nonlocal depth
        pipeline.clock.time += rng.choice([0.1, 1.0, 12.0])
        if rng.random() < 0.2 and depth < 3:
            depth += 1
            pipeline.step()
            depth -= 1
        if rng.random() < 0.05:
            pipeline.clock.time += 45.0
        if rng.random() < 0.1:
            raise TransientError("the API answered 503", retry_after=rng.choice([None, 60.0]))
        return numbered_pages(PAGES, total_pages=len(PAGES))(request)

    declared = source(pagination=DECLARED, parallel=3)
    pipeline = Pipeline(root, answer, declared, queue=lambda clock: Unruly(clock, rng))
    assert isinstance(pipeline.queue, Unruly)
    pipeline.queue.pipeline = pipeline
    return pipeline


@pytest.mark.parametrize("seed", range(30))
def test_messages_that_come_up_to_three_times_and_in_any_order_leave_the_same_lake(seed: int, tmp_path: Path) -> None:
    calm = Pipeline(tmp_path / "calm", numbered_pages(PAGES, total_pages=len(PAGES)), source(pagination=DECLARED))
    dates = [DATE, DATE - dt.timedelta(days=1)]
    for date in dates:
        calm.send(date=date)
    calm.drain()
    pipeline = interleaved(tmp_path / "unruly", random.Random(seed))
    tasks = [Task("s", date, run, fresh) for date in dates for run, fresh in ((RUN, False), (NEXT, True))]
    for task in tasks:
        pipeline.queue.send_raw("s", encode_task(task))
    pipeline.drain(2_000)
    assert pipeline.queue.messages == []
    assert pipeline.queue.dead == []
    assert pipeline.objects("raw") == calm.objects("raw")
    assert pipeline.objects("staging") == {}
    assert_only_whole_pages(pipeline)
    for date in dates:
        manifest = pipeline.manifest(date=date)
        assert (manifest.state, manifest.load.run, manifest.lease) == ("complete", NEXT, None)
        assert pipeline.differences(date=date) == []
