"""Two workers on one partition are harmless: one holds the claim, and who loses it writes nothing more."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.load.worker import Outcome, Worker
from option_a.ingest.manifest.model import LeaseRecord
from option_a.ingest.manifest.store import ManifestStore
from option_a.ingest.partition import Partition
from option_a.ingest.ports import Request
from option_a.ingest.task import Task, encode_task
from tests.support.crashes.port_crash import CrashPoint, run_until_crash
from tests.support.pipeline import DATE, RUN, Pipeline, make_pages, numbered_pages, source

LEASE = 30.0
NEXT = "20231114T230000Z-b"
DECLARED = {"style": "page", "total_pages": "total_pages"}
TASK = encode_task(Task("s", DATE, RUN))


def usurp(pipeline: Pipeline, holder: str = "another") -> None:
    """Another worker takes the partition over, as one with a clock ahead of ours would."""
    ledger = ManifestStore(pipeline.lake, Partition("s", DATE))
    manifest = ledger.read()
    assert manifest is not None
    manifest.lease = LeaseRecord(holder, pipeline.clock.now() + LEASE, manifest.load.steps)
    ledger.write(manifest)


class Interrupted:
    """An API of six pages that lets something happen while it answers one of them."""

    def __init__(self, page: int, seconds: float = 0.0) -> None:
        self.page, self.seconds = page, seconds
        self.pipeline: Pipeline
        self.outcome: Outcome | None = None
        self.left: dict[str, bytes] = {}

    def __call__(self, request: Request) -> bytes:
        if int(request.params["page"]) == self.page and not self.left:
            self.left = {"": b""}
            self.pipeline.clock.time += self.seconds
            self.happens()
            self.left |= self.pipeline.objects("raw", "manifest")
        return numbered_pages(make_pages(6), total_pages=6)(request)

    def happens(self) -> None:
        self.outcome = self.pipeline.step()

    def run(self, root: Path) -> Outcome | None:
        self.pipeline = Pipeline(root, self, source(pagination=DECLARED, parallel=1), lease=LEASE)
        self.pipeline.send()
        return self.pipeline.step()

    def written(self) -> set[str]:
        """The objects that changed after what happened."""
        now = self.pipeline.objects("raw", "manifest")
        return {key for key in now if now[key] != self.left.get(key)}


def test_while_a_claim_lives_a_second_delivery_asks_nothing_and_is_sent_again_for_after_its_expiry(
    tmp_path: Path,
) -> None:
    class Twice(Interrupted):
        def happens(self) -> None:
            self.pipeline.queue.send_raw("s", TASK)
            super().happens()
            expires = self.pipeline.manifest().lease
            assert expires is not None
            (again,) = [m for m in self.pipeline.queue.messages if m.receipt is None]
            assert again.visible_at > expires.expires
            assert msgspec.json.decode(again.body, type=Task).requeues == 1

    api = Twice(3)
    assert api.run(tmp_path) == "complete"
    assert api.outcome == "leased"
    assert api.pipeline.drain() == ["done"]
    assert api.pipeline.asked() == [1, 2, 3, 4, 5, 6]


def test_a_newer_runs_task_waits_for_a_living_claim_too(tmp_path: Path) -> None:
    class Newer(Interrupted):
        def happens(self) -> None:
            self.pipeline.send(NEXT)
            super().happens()

    api = Newer(3)
    assert api.run(tmp_path) == "complete"
    assert api.outcome == "leased"
    assert [task.run for task in api.pipeline.queue.tasks()] == [NEXT]
    assert api.pipeline.drain() == ["done"]


def test_a_claim_is_renewed_together_with_the_deliverys_visibility_however_long_the_load(tmp_path: Path) -> None:
    def answer(request: Request) -> bytes:
        pipeline.clock.time += LEASE / 3
        claim = pipeline.manifest().lease
        assert claim is not None
        seen.append((claim.expires - pipeline.clock.now(), pipeline.queue.messages[0].visible_at - claim.expires))
        assert pipeline.step() is None
        return numbered_pages(make_pages(20))(request)

    seen: list[tuple[float, float]] = []
    pipeline = Pipeline(tmp_path, answer, lease=LEASE)
    pipeline.send()
    assert pipeline.step() == "complete"
    assert min(left for left, _ in seen) > 0.0
    assert {apart for _, apart in seen} == {0.0}


def test_who_loses_its_claim_writes_nothing_more_and_leaves_a_task_for_after_the_winners_expiry(
    tmp_path: Path,
) -> None:
    class Usurped(Interrupted):
        def happens(self) -> None:
            usurp(self.pipeline)

    api = Usurped(3, seconds=LEASE / 2)
    assert api.run(tmp_path) == "leased"
    assert api.written() == {"raw/source=s/ingestion_date=2023-11-01/page=000003.json.gz"}  # it was in flight
    assert api.pipeline.asked() == [1, 2, 3]
    claim = api.pipeline.manifest().lease
    assert claim is not None
    assert claim.holder == "another"
    assert [message.visible_at > claim.expires for message in api.pipeline.queue.messages] == [True]
    assert api.pipeline.drain()[-1] == "complete"
    assert api.pipeline.differences() == []


def test_pages_in_flight_when_the_claim_is_lost_are_not_written(tmp_path: Path) -> None:
    lost, asked = threading.Event(), threading.Event()

    class Watched(FolderLake):
        def compare_and_swap(self, key: str, data: bytes, tag: str | None) -> str | None:
            new = super().compare_and_swap(key, data, tag)
            if new is None:
                threading.Timer(0.1, lost.set).start()
            return new

    def answer(request: Request) -> bytes:
        if request.params["page"] == "2":
            assert asked.wait(60)
            usurp(pipeline)
            pipeline.clock.time += LEASE / 2  # now a checkpoint is due
        if request.params["page"] == "3":
            asked.set()
            assert lost.wait(60)
        return numbered_pages(make_pages(6), total_pages=6)(request)

    pipeline = Pipeline(tmp_path, answer, source(pagination=DECLARED, parallel=2), lease=LEASE)
    pipeline.services = msgspec.structs.replace(pipeline.services, lake=Watched(tmp_path), executor=ThreadPoolExecutor)
    pipeline.worker = Worker(pipeline.services, pipeline.sources)
    pipeline.send()
    assert pipeline.step() == "leased"
    assert "page=000003.json.gz" not in pipeline.pages()


def test_a_promotion_whose_claim_is_lost_touches_no_page_of_the_old_day(tmp_path: Path) -> None:
    class Usurped(FolderLake):
        def compare_and_swap(self, key: str, data: bytes, tag: str | None) -> str | None:
            new = super().compare_and_swap(key, data, tag)
            if msgspec.json.decode(data)["state"] == "promoting" and "promoting" not in usurped:
                usurped.append("promoting")
                usurp(pipeline)
            return new

    usurped: list[str] = []
    word = "a"
    pipeline = Pipeline(tmp_path, lambda request: numbered_pages(make_pages(3, word=word), total_pages=3)(request))
    pipeline.send()
    assert pipeline.drain() == ["complete"]
    before, word = pipeline.objects("raw"), "b"
    pipeline.worker = Worker(msgspec.structs.replace(pipeline.services, lake=Usurped(tmp_path)), pipeline.sources)
    pipeline.send(NEXT, fresh=True)
    assert pipeline.step() == "leased"
    assert usurped
    assert pipeline.objects("raw") == before
    assert pipeline.drain()[-1] == "complete"
    assert not set(pipeline.objects("raw").values()) & set(before.values())
    assert pipeline.differences() == []


@pytest.mark.parametrize("other", ["the same message", "another message"])
@pytest.mark.parametrize("page", [1, 4, 6])
def test_a_worker_that_outsleeps_its_lease_finds_the_day_done_by_another_and_writes_nothing(
    other: str, page: int, tmp_path: Path
) -> None:
    class Asleep(Interrupted):
        def happens(self) -> None:
            if other == "another message":
                self.pipeline.queue.messages[0].visible_at += 60.0
                self.pipeline.queue.send_raw("s", TASK)
            while self.outcome != "complete":
                super().happens()

    api = Asleep(page, seconds=LEASE)
    assert api.run(tmp_path) == ("lease-lost" if other == "the same message" else "done")
    assert api.written() == set()
    api.pipeline.drain()
    assert api.pipeline.queue.messages == []
    assert api.pipeline.differences() == []


def test_a_worker_that_outsleeps_its_lease_unnoticed_takes_its_claim_anew_and_goes_on(tmp_path: Path) -> None:
    class Asleep(Interrupted):
        def happens(self) -> None:
            pass

    api = Asleep(4, seconds=LEASE * 2)
    assert api.run(tmp_path) == "complete"
    assert "lease-lost" in api.pipeline.kinds()
    assert api.pipeline.queue.messages == []
    assert api.pipeline.differences() == []


def test_a_dead_workers_task_is_taken_over_as_soon_as_its_lease_expires_and_not_before(tmp_path: Path) -> None:
    pipeline = Pipeline(
        tmp_path, numbered_pages(make_pages(6), total_pages=6), source(pagination=DECLARED), lease=LEASE
    )
    pipeline.send()
    assert run_until_crash(pipeline, CrashPoint(6))
    pipeline.clock.time += LEASE - 0.001
    assert pipeline.step() is None
    pipeline.clock.time += 0.001
    assert pipeline.step() == "complete"
    assert [attempt.receives for attempt in pipeline.manifest().attempts] == [1, 2]


@pytest.mark.parametrize("at", [1, 2])
def test_of_two_workers_that_begin_at_once_one_alone_wins_the_claim(at: int, tmp_path: Path) -> None:
    """The second reads the manifest before the first has written it, `at` writes later it is too late."""
    taken: list[Outcome | None] = []

    class Racing(FolderLake):
        def compare_and_swap(self, key: str, data: bytes, tag: str | None) -> str | None:
            if not taken:
                taken.append(None)
                pipeline.queue.send_raw("s", TASK)
                pipeline.budget = at
                taken.append(pipeline.step())
                pipeline.budget = None
            return super().compare_and_swap(key, data, tag)

    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(3), total_pages=3), source(pagination=DECLARED, parallel=1))
    pipeline.services = msgspec.structs.replace(pipeline.services, lake=Racing(tmp_path))
    pipeline.worker = Worker(pipeline.services, pipeline.sources)
    pipeline.send()
    outcomes = [pipeline.step(), *pipeline.drain()]
    assert "lease-lost" in pipeline.kinds()
    assert "complete" in outcomes
    assert sorted(pipeline.asked()) == [1, 2, 3]
    assert pipeline.queue.messages == []
    assert pipeline.differences() == []
