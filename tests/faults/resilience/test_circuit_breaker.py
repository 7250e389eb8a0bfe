"""An API that is down costs a request a minute, however many tasks and workers there are, and no dead letter."""

from __future__ import annotations

import bisect
import datetime as dt
import json
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from option_a.ingest.errors import TransientError
from option_a.ingest.lake.keys import breaker_key
from option_a.ingest.load.retrying import SPREAD
from option_a.ingest.load.worker import Worker
from option_a.ingest.partition import Partition
from option_a.ingest.ports import Request, Response
from option_a.ingest.resilience.circuit_breaker import THRESHOLD, BreakerState
from tests.acceptance.command import command, wait_for
from tests.support.apis.page_server import ApiRequest, ApiResponse, data_body, serve_api
from tests.support.pipeline import DATE, Pipeline, make_pages, numbered_pages, source

HOUR = 3600.0
TASKS, WORKERS = 300, 8
DECLARED = {"style": "page", "total_pages": "total_pages"}


class Down:
    """An API that is down for a while. While one worker waits for its answer, others begin what they find."""

    def __init__(self, root: Path, hours: float, *, wish: float | None = None, patience: str = "6h") -> None:
        self.pipeline = Pipeline(root, self, source(pagination=DECLARED, patience=patience, parallel=4))
        self.workers = [Worker(self.pipeline.services, self.pipeline.sources) for _ in range(WORKERS)]
        self.begun, self.hours, self.wish = self.pipeline.clock.now(), hours, wish
        self.asked: list[float] = []
        self.busy = 0

    def __call__(self, request: Request) -> bytes | Response:
        now = self.pipeline.clock.now() - self.begun
        self.asked.append(now)
        if now >= self.hours * HOUR:
            return numbered_pages(make_pages(2), total_pages=2)(request)
        self._others()
        self.pipeline.clock.time += 0.2
        raise TransientError("the API answered 503", retry_after=self.wish)

    def _others(self) -> None:
        if self.busy < WORKERS - 1:
            self.work()

    def work(self) -> bool:
        """One delivery of one worker more, if there is one visible."""
        delivery = self.pipeline.queue.receive(["s"], lease=30.0)
        if delivery is None:
            return False
        self.busy += 1
        try:
            self.workers[self.busy - 1].handle(delivery)
        finally:
            self.busy -= 1
        return True

    def drain(self) -> None:
        queue, clock = self.pipeline.queue, self.pipeline.clock
        while queue.messages:
            if not self.work():
                clock.time = max(clock.time, min(message.visible_at for message in queue.messages))


def dates(count: int) -> list[dt.date]:
    return [DATE - dt.timedelta(days=n) for n in range(count)]


def within_a_minute(moments: list[float]) -> int:
    """The most requests in any minute."""
    moments = sorted(moments)
    return max(bisect.bisect_left(moments, moment + 60.0) - n for n, moment in enumerate(moments))


@pytest.mark.parametrize(("hours", "wish"), [(1.0, None), (3.0, 2.0), (1.0, 30.0), (5.0, 3600.0)])
def test_hundreds_of_tasks_and_several_workers_ask_once_a_minute_and_all_land(
    hours: float, wish: float | None, tmp_path: Path
) -> None:
    api = Down(tmp_path, hours, wish=wish)
    for date in dates(TASKS):
        api.pipeline.send(date=date)
    api.drain()
    assert api.pipeline.queue.dead == []
    assert {api.pipeline.manifest(date=date).state for date in dates(TASKS)} == {"complete"}
    outage = [moment for moment in api.asked if moment < hours * HOUR]
    settled = [moment for moment in outage if moment > 60.0]
    assert within_a_minute(settled) == 1
    assert len(outage) - len(settled) <= 3 * WORKERS + THRESHOLD
    first = next(moment for moment in api.asked if moment >= hours * HOUR)
    assert first <= hours * HOUR + max(330.0, min(wish or 0.0, 900.0) + 30.0)
    assert len(api.asked) - len(outage) == 2 * TASKS


def test_when_patience_is_over_every_task_fails_with_the_cause_and_without_asking(tmp_path: Path) -> None:
    api = Down(tmp_path, 100.0, patience="1h")
    for date in dates(50):
        api.pipeline.send(date=date)
    api.drain()
    assert [letter.cause.kind for letter in api.pipeline.queue.dead] == ["patience"] * 50
    assert all("503" in letter.cause.message and "1h" in letter.cause.message for letter in api.pipeline.queue.dead)
    assert within_a_minute([moment for moment in api.asked if moment > 60.0]) == 1


def test_a_probe_of_a_half_loaded_partition_asks_one_page_alone_until_it_is_answered(tmp_path: Path) -> None:
    """Where four pages may be in flight, four would be asked for at once."""
    asked: list[str] = []

    def answer(request: Request) -> bytes | Response:
        asked.append(request.params["page"])
        if down:
            raise TransientError("the API answered 503", retry_after=60.0)
        return numbered_pages(make_pages(9), total_pages=9)(request)

    pipeline = Pipeline(tmp_path, answer, source(pagination=DECLARED, parallel=4))
    pipeline.budget = 2
    down = False
    pipeline.send()
    assert pipeline.step() == "out-of-time"
    pipeline.budget, down = None, True
    assert pipeline.step() == "waiting"
    for _ in range(3):
        asked.clear()
        pipeline.clock.time += 900.0
        assert pipeline.step() == "waiting"
        assert len(asked) == 1
    down = False
    assert pipeline.drain() == ["complete"]
    assert pipeline.differences() == []


def test_a_delivery_that_is_held_leaves_what_stands_in_the_lake_as_it_is(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(2)), source())
    now = pipeline.clock.now()
    pipeline.lake.compare_and_swap(
        breaker_key("s"), json.dumps({"failures": 5, "until": now + 100, "why": "503"}).encode(), None
    )
    pipeline.send()
    assert pipeline.step() == "waiting"
    assert (pipeline.requests, pipeline.objects("manifest", "raw")) == ([], {})
    (task,) = pipeline.queue.tasks()
    assert (task.requeues, task.waiting_since) == (1, now)
    assert [message.visible_at for message in pipeline.queue.messages] == [now + 100.0 + SPREAD / 2]
    assert [(event.kind, event.message) for event in pipeline.events] == [("waiting", "503")]
    assert pipeline.drain() == ["complete"]


def test_one_sources_breaker_is_no_others(tmp_path: Path) -> None:
    sources = (source(), source(name="t", url="https://api.test/t"))
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(2)), *sources)
    state = json.dumps({"failures": 5, "until": pipeline.clock.now() + 100}).encode()
    pipeline.lake.compare_and_swap(breaker_key("s"), state, None)
    pipeline.send()
    pipeline.send(name="t")
    assert [pipeline.step(), pipeline.step()] == ["waiting", "complete"]


def test_a_page_that_always_fails_keeps_its_neighbours_from_nothing(tmp_path: Path) -> None:
    bad = DATE

    def answer(request: Request) -> bytes | Response:
        if request.params["date"] == bad.isoformat() and request.params["page"] == "2":
            raise TransientError("the API answered 500")
        return numbered_pages(make_pages(3), total_pages=3)(request)

    pipeline = Pipeline(tmp_path, answer, source(pagination=DECLARED, patience="1h"))
    for date in dates(40):
        pipeline.send(date=date)
    pipeline.drain(5_000)
    assert [letter.task.partition for letter in pipeline.queue.dead if letter.task] == [Partition("s", bad)]
    assert {pipeline.manifest(date=date).state for date in dates(40)[1:]} == {"complete"}


@pytest.fixture
def flaky() -> Iterator[tuple[list[float], threading.Event, str]]:
    """A server that is down until it is told that it is not, and notes when it was asked."""
    up, clock = threading.Event(), threading.Lock()
    asked: list[float] = []

    def pages(request: ApiRequest) -> ApiResponse:
        with clock:
            asked.append(dt.datetime.now(dt.UTC).timestamp())
        if not up.is_set():
            return ApiResponse(b"", 503)
        return ApiResponse(data_body([b'{"id":1}'] if request.page == 1 else []))

    with serve_api(pages) as api:
        yield asked, up, api.url


def sent_away(home: Path) -> bool:
    """Whether every task of a home's queue was sent again; who plans later finds one of them begun."""
    for path in home.glob("queue-*.sqlite"):
        with closing(sqlite3.connect(path)) as db, suppress(sqlite3.OperationalError):
            count, least = db.execute("SELECT count(*), min(hop) FROM tasks").fetchone()
            return bool(count >= 19 and least > 0)
    return False


def test_two_processes_share_one_breaker(tmp_path: Path, flaky: tuple[list[float], threading.Event, str]) -> None:
    """Each is told of the outage by the lake alone. The breaker is expired: of the two one asks."""
    asked, _, url = flaky
    (tmp_path / "sources.toml").write_text(f'[sources.s]\nurl = "{url}/s"\ndate_param = "date"\n')
    place = tmp_path / "lake" / breaker_key("s")
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps({"failures": 9, "since": 1.0, "last": 1.0, "until": 1.0, "why": "down"}))
    processes = [
        subprocess.Popen(
            command("backfill", "--from", "2024-05-01", "--to", "2024-05-20", "--home", f"home-{n}"),
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={"PYTHONPATH": str(Path(__file__).parents[3]), "PATH": "/usr/bin:/bin"},
        )
        for n in range(2)
    ]  # fmt: skip
    for n, process in enumerate(processes):
        wait_for(process, lambda n=n: sent_away(tmp_path / f"home-{n}"))  # type: ignore[misc]
    for process in processes:
        process.kill()
        process.communicate()
    assert len(asked) == 1
    state = BreakerState(**json.loads(place.read_text()))
    assert state.until > asked[0] + 50.0
