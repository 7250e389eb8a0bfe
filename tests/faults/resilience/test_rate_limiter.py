"""A rate holds for all who ask: threads and processes of one machine, and workers that know nothing of each other."""

from __future__ import annotations

import datetime as dt
import random
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from option_a.ingest.config.source import Source
from option_a.ingest.errors import QueueError, TransientError
from option_a.ingest.load.worker import Worker
from option_a.ingest.ports import Request, Response
from option_a.ingest.resilience.rate_limiter import LocalRateLimiter, RateLimited
from option_a.local.rate_limiter import SqliteRateLimiter
from option_a.workspace.clock import SystemClock
from tests.support.clock import FakeClock
from tests.support.pipeline import DATE, Pipeline, source

ROOT = Path(__file__).parents[3]
REQUEST = Request("s", "https://api.test/s")


def most_within(moments: Sequence[float], seconds: float) -> int:
    """The most of these moments that fall into any span of so many seconds."""
    ordered, first, most = sorted(moments), 0, 0
    for last, moment in enumerate(ordered):
        while ordered[first] <= moment - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def no_turns(name: str, interval: float) -> float:
    raise AssertionError("a source without a rate takes no turns")


class Api:
    """Notes when it was asked; `headers` are those of its next answers."""

    def __init__(self, clock: FakeClock, headers: list[dict[str, str]] | None = None) -> None:
        self.clock, self.headers, self.asked = clock, headers or [], list[float]()

    def __call__(self, request: Request) -> Response:
        self.asked.append(self.clock.now())
        return Response(200, self.headers.pop(0) if self.headers else {}, b"{}")


def test_requests_of_a_source_with_a_rate_are_spaced_evenly(tmp_path: Path) -> None:
    clock = FakeClock()
    api = Api(clock)
    fetch = RateLimited(api, {"s": source(rate="4/s")}, clock, SqliteRateLimiter(tmp_path / "home" / "turns", clock))
    for _ in range(20):
        fetch(REQUEST)
    gaps = [later - earlier for earlier, later in zip(api.asked, api.asked[1:], strict=False)]
    assert gaps == pytest.approx([0.25] * 19, abs=1e-5)


def test_a_source_without_a_rate_takes_no_turn_and_makes_no_file(tmp_path: Path) -> None:
    clock = FakeClock()
    SqliteRateLimiter(tmp_path / "turns", clock)
    for turns in (no_turns, LocalRateLimiter({"s": source()}, clock)):
        RateLimited(Api(clock), {"s": source()}, clock, turns)(REQUEST)
    assert (clock.slept, list(tmp_path.iterdir())) == ([], [])


def test_a_turn_that_lies_far_ahead_was_taken_by_a_clock_that_went_wrong(tmp_path: Path) -> None:
    clock = FakeClock(9e9)
    turns = SqliteRateLimiter(tmp_path / "turns", clock)
    turns("s", 1.0)
    clock.time = 1.7e9
    assert turns("s", 1.0) == 0.0
    assert turns("s", 1.0) == 1.0


def test_turns_that_cannot_be_taken_are_an_error_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "turns").write_bytes(b"no database" * 100)
    with pytest.raises(QueueError, match="delete the file"):
        SqliteRateLimiter(tmp_path / "turns", FakeClock())("s", 1.0)


def test_who_is_asked_to_stop_while_waiting_does_not_ask(tmp_path: Path) -> None:
    clock = SystemClock()
    turns = SqliteRateLimiter(tmp_path / "turns", clock)
    turns("s", 60.0)
    asked: list[Request] = []

    def api(request: Request) -> Response:
        asked.append(request)
        return Response(200, {}, b"")

    clock.stop()
    with pytest.raises(TransientError, match="stopped"):
        RateLimited(api, {"s": source(rate="1/min")}, clock, turns)(REQUEST)
    assert asked == []


TAKER = """
import sys
from pathlib import Path
from option_a.ingest.load.worker import Worker
from option_a.local.rate_limiter import SqliteRateLimiter
from tests.support.clock import FakeClock
turns = SqliteRateLimiter(Path(sys.argv[1]), FakeClock())
print(*[turns("s", 0.25) for _ in range(200)])
"""


def test_threads_and_processes_of_one_machine_share_the_turns(tmp_path: Path) -> None:
    place = tmp_path / "home" / "turns.sqlite"
    command = [sys.executable, "-c", TAKER, str(place)]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(3)
    ]
    turns = SqliteRateLimiter(place, FakeClock())
    with ThreadPoolExecutor(4) as pool:
        waits = list(pool.map(lambda _: turns("s", 0.25), range(200)))
    for process in processes:
        out, err = process.communicate()
        assert process.returncode == 0, err
        waits += map(float, out.split())
    assert sorted(waits) == [n * 0.25 for n in range(800)]
    with sqlite3.connect(place) as db:
        assert db.execute("SELECT count(*) FROM turns").fetchone() == (1,)
    db.close()


class Lambda:
    """A container: it lives on from invocation to invocation, and knows nothing of the others."""

    def __init__(self, sources: dict[str, Source], now: float) -> None:
        self.clock = FakeClock(now)
        self.turns = LocalRateLimiter(sources, self.clock)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 12), st.integers(1, 60), st.integers(0, 10**6))
def test_workers_that_know_nothing_of_each_other_keep_to_the_rate_together(
    concurrency: int, rate: int, seed: int
) -> None:
    """At most `concurrency` invocations at once, each in a container that is cold or was another's before."""
    chance = random.Random(seed)
    sources = {"s": source(rate=f"{rate}/s", concurrency=concurrency)}
    idle: list[Lambda] = []
    moments: list[float] = []
    free = [0.0] * concurrency
    for _ in range(6 * concurrency):
        place = free.index(min(free))
        begun = free[place] + chance.choice([0.0, chance.random()])
        warm = [one for one in idle if one.clock.time <= begun]
        worker = chance.choice(warm) if warm and chance.random() < 0.7 else Lambda(sources, begun)
        if worker in idle:
            idle.remove(worker)
        worker.clock.time = begun
        worker.turns.begin()
        for _ in range(chance.randrange(1, 30)):
            worker.clock.time += worker.turns("s", sources["s"].interval)
            moments.append(worker.clock.time)
            worker.clock.time += chance.choice([0.0, chance.random() * 3 / rate])
        idle.append(worker)
        free[place] = worker.clock.time
    for seconds in (1.0, 5.0):
        assert most_within(moments, seconds) <= rate * seconds + concurrency + 1e-6


def test_the_rate_is_reached_where_there_is_always_something_to_ask() -> None:
    clock = FakeClock()
    sources = {"s": source(rate="10/s", concurrency=5)}
    worker = Lambda(sources, clock.time)
    asked = 0
    while worker.clock.time < clock.time + 100.0:
        worker.clock.time += worker.turns("s", 0.1)
        asked += 1
    assert asked == pytest.approx(200, abs=1)


def test_a_limit_that_is_used_up_is_slept_out_while_that_is_short() -> None:
    clock = FakeClock()
    api = Api(clock, [{"ratelimit-remaining": "0", "ratelimit-reset": "7"}])
    fetch = RateLimited(api, {"s": source()}, clock, no_turns)
    begun = clock.now()
    for _ in range(3):
        fetch(REQUEST)
    assert [moment - begun for moment in api.asked] == [0.0, 7.0, 7.0]


def test_a_limit_that_is_used_up_for_longer_is_the_queues_to_wait_for_and_no_others() -> None:
    clock = FakeClock()
    api = Api(clock, [{"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{clock.now() + 600:.0f}"}])
    fetch = RateLimited(api, {"s": source(), "t": source(name="t")}, clock, no_turns)
    fetch(REQUEST)
    with pytest.raises(TransientError, match="limit is used up") as caught:
        fetch(REQUEST)
    assert caught.value.retry_after == pytest.approx(600.0)
    fetch(Request("t", "https://api.test/t"))
    clock.time += 600.0
    fetch(REQUEST)
    assert (len(api.asked), clock.slept) == (3, [])


def test_a_limit_that_one_task_meets_keeps_the_others_from_asking_until_its_reset(tmp_path: Path) -> None:
    def answer(request: Request) -> Response:
        now = pipeline.clock.now()
        asked.append(now - begun)
        left = 0 if len(asked) == 3 else 9
        headers = {"x-ratelimit-remaining": str(left), "x-ratelimit-reset": f"{begun + 600:.0f}"}
        body = b'{"data":[{"id":%d}]}' % len(asked) if request.params["page"] < "3" else b'{"data":[]}'
        return Response(200, headers, body)

    asked: list[float] = []
    pipeline = Pipeline(tmp_path, answer, source())
    begun = pipeline.clock.now()
    fetch = RateLimited(pipeline.services.fetch, pipeline.sources, pipeline.clock, no_turns)
    pipeline.services = msgspec.structs.replace(pipeline.services, fetch=fetch)
    pipeline.worker = Worker(pipeline.services, pipeline.sources)
    dates = [DATE - dt.timedelta(days=n) for n in range(5)]
    for date in dates:
        pipeline.send(date=date)
    outcomes = pipeline.drain()
    assert outcomes.count("complete") == 5
    assert outcomes.count("waiting") == 4
    assert [moment for moment in asked if 0.0 < moment < 600.0] == []
    assert (len(asked), pipeline.queue.dead) == (15, [])
    assert all(pipeline.differences(date=date) == [] for date in dates)
