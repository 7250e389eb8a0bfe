"""Transient faults: backed off in the worker while that is short, sent again when it is long, bounded by patience."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from option_a.ingest.errors import TransientError
from option_a.ingest.ports import Request, Response
from option_a.ingest.resilience.circuit_breaker import LONGEST
from tests.support.pipeline import Pipeline, make_pages, numbered_pages, source

HOUR = 3600.0
NEXT = "20231115T120000Z-b"
DECLARED = {"style": "page", "total_pages": "total_pages"}


class Shaky:
    """An API of four pages that is down in some spans of time; each answer, good or bad, takes a second."""

    def __init__(self, *down: tuple[float, float], wish: float | None = None) -> None:
        self.down, self.wish = down, wish
        self.pipeline: Pipeline
        self.begun = 0.0
        self.asked: list[float] = []

    def __call__(self, request: Request) -> bytes | Response:
        now = self.pipeline.clock.now() - self.begun
        self.asked.append(now)
        self.pipeline.clock.time += 1.0
        if any(first <= now < last for first, last in self.down):
            raise TransientError("the API answered 503", retry_after=self.wish)
        return numbered_pages(make_pages(4), total_pages=4)(request)

    def at(self, root: Path, **fields: object) -> Pipeline:
        self.pipeline = Pipeline(root, self, source(pagination=DECLARED, **fields))
        self.begun = self.pipeline.clock.now()
        self.pipeline.send()
        return self.pipeline


def test_a_short_fault_is_slept_out_in_the_worker_and_costs_no_delivery(tmp_path: Path) -> None:
    api = Shaky((1.0, 4.0))
    pipeline = api.at(tmp_path)
    assert pipeline.drain() == ["complete"]
    assert pipeline.clock.slept == [0.5, 1.0]  # half of 1 s, of 2 s: the jitter is a half
    assert pipeline.kinds().count("retrying") == 2
    assert pipeline.manifest().load.records == 8


def test_a_longer_fault_is_given_back_to_the_queue_and_the_delivery_acknowledged(tmp_path: Path) -> None:
    api = Shaky((0.0, HOUR))
    pipeline = api.at(tmp_path)
    assert pipeline.step() == "waiting"
    assert len(pipeline.requests) == 5
    assert sum(pipeline.clock.slept) < 20.0
    (message,) = pipeline.queue.messages
    assert message.receives == 0
    assert 15.0 <= message.visible_at - pipeline.clock.now() <= 30.0
    (task,) = pipeline.queue.tasks()
    assert (task.requeues, task.waiting_since) == (1, pipeline.clock.now())
    assert pipeline.manifest().lease is None


def test_how_long_a_task_waits_already_is_kept_from_hop_to_hop_and_forgotten_when_a_page_lands(tmp_path: Path) -> None:
    first_asked: dict[int, float] = {}

    def answer(request: Request) -> bytes | Response:
        page, now = int(request.params["page"]), pipeline.clock.now()
        if page in (2, 3) and now - first_asked.setdefault(page, now) < HOUR:
            raise TransientError("the API answered 503")
        return numbered_pages(make_pages(4), total_pages=4)(request)

    pipeline = Pipeline(tmp_path, answer, source(pagination=DECLARED, parallel=1))
    pipeline.send()
    since = []
    while pipeline.drain(1) == ["waiting"]:
        (task,) = pipeline.queue.tasks()
        since.append(task.waiting_since)
    assert pipeline.manifest().state == "complete"
    waited = [since.count(moment) for moment in dict.fromkeys(since)]
    assert len(waited) == 2
    assert min(waited) >= 3


@pytest.mark.parametrize("hours", [1, 5])
def test_an_outage_of_hours_costs_no_dead_letter_and_few_requests_and_lands_unaided(hours: int, tmp_path: Path) -> None:
    api = Shaky((2.0, hours * HOUR))
    pipeline = api.at(tmp_path, parallel=1)
    outcomes = pipeline.drain(1_000)
    assert outcomes[-1] == "complete"
    assert set(outcomes[:-1]) == {"waiting"}
    assert pipeline.queue.dead == []
    in_outage = [moment for moment in api.asked if 2.0 <= moment < hours * HOUR]
    assert len(in_outage) <= 5 * (10 + 8 * hours)
    assert api.asked[-1] < hours * HOUR + 930.0
    assert len(pipeline.pages()) == 4
    assert pipeline.differences() == []


def test_a_task_sent_away_again_and_again_is_never_away_for_longer_than_the_queue_can_delay(tmp_path: Path) -> None:
    api = Shaky((0.0, 5 * HOUR))
    pipeline = api.at(tmp_path)
    pipeline.drain(1_000)
    waits = [event.seconds for event in pipeline.events if event.kind == "waiting" and event.seconds is not None]
    assert max(waits) <= 900.0
    assert waits[-1] > 3 * waits[0]


def test_when_patience_is_over_the_partition_fails_with_its_cause_and_a_dead_letter(tmp_path: Path) -> None:
    api = Shaky((0.0, 100 * HOUR))
    pipeline = api.at(tmp_path, patience="2h")
    assert pipeline.drain(1_000)[-1] == "failed"
    assert [letter.cause.kind for letter in pipeline.queue.dead] == ["patience"]
    assert pipeline.manifest().state == "failed"
    assert pipeline.manifest().cause == pipeline.queue.dead[0].cause
    assert "503" in pipeline.queue.dead[0].cause.message
    assert "2h" in pipeline.queue.dead[0].cause.message
    assert 2 * HOUR - LONGEST <= api.asked[-1] <= 2 * HOUR + 120.0  # the breaker may be open when it ends
    assert pipeline.queue.messages == []


def test_after_patience_was_over_the_next_run_goes_on_where_the_load_stood(tmp_path: Path) -> None:
    api = Shaky((2.0, 3 * HOUR))
    pipeline = api.at(tmp_path, patience="1h", parallel=1)
    assert pipeline.drain(1_000)[-1] == "failed"
    asked = len(pipeline.requests)
    pipeline.clock.time = api.begun + 3 * HOUR
    pipeline.send(NEXT)
    assert pipeline.drain() == ["complete"]
    assert pipeline.asked(asked) == [3, 4]
    assert pipeline.differences() == []


def test_a_short_wish_for_patience_is_slept_out_in_full(tmp_path: Path) -> None:
    api = Shaky((1.0, 9.0), wish=8.0)
    pipeline = api.at(tmp_path)
    assert pipeline.drain() == ["complete"]
    assert pipeline.clock.slept == [8.0]


@pytest.mark.parametrize("wish", [21.0, 120.0, 900.0])
def test_a_long_wish_for_patience_is_honoured_by_the_queue_and_never_slept_out(wish: float, tmp_path: Path) -> None:
    api = Shaky((2.0, 3.0), wish=wish)
    pipeline = api.at(tmp_path, parallel=1)
    assert pipeline.drain() == ["waiting", "complete"]
    assert pipeline.clock.slept == []
    assert wish <= api.asked[3] - api.asked[2] - 1.0 <= 900.0
    assert pipeline.asked() == [1, 2, 3, 3, 4]


def test_a_fault_of_one_page_keeps_what_the_pages_beside_it_have_landed(tmp_path: Path) -> None:
    def answer(request: Request) -> bytes | Response:
        if request.params["page"] == "3" and len(pipeline.requests) < 9:
            raise TransientError("the API answered 429", retry_after=60.0)
        return numbered_pages(make_pages(6), total_pages=6)(request)

    pipeline = Pipeline(tmp_path, answer, source(pagination=DECLARED))
    pipeline.send()
    landed: set[int] = set()
    while pipeline.step() == "waiting":
        landed = {row.page for row in pipeline.manifest().load.rows}
        pipeline.clock.time += 900.0
    assert {1, 2} <= landed
    assert pipeline.manifest().state == "complete"
    assert all(pipeline.asked().count(page) == 1 for page in landed)


def test_one_sources_outage_does_not_hold_up_another(tmp_path: Path) -> None:
    def answer(request: Request) -> bytes | Response:
        if request.source == "down":
            raise TransientError("the connection was refused")
        return numbered_pages(make_pages(2))(request)

    pipeline = Pipeline(tmp_path, answer, source(), source(name="down", url="https://down.test/x"))
    pipeline.send(name="down")
    pipeline.send()
    assert [pipeline.step(), pipeline.step()] == ["waiting", "complete"]


span = st.tuples(st.floats(0, 3 * HOUR), st.floats(0, 2 * HOUR)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(down=st.lists(span, max_size=5), wish=st.none() | st.floats(0, 2_000))
def test_whatever_outages_within_patience_there_are_the_load_completes_unaided(
    down: list[tuple[float, float]], wish: float | None, tmp_path: Path
) -> None:
    root = tmp_path / str(len(list(tmp_path.iterdir())))
    pipeline = Shaky(*down, wish=wish).at(root, patience="12h", parallel=1)
    assert pipeline.drain(2_000)[-1] == "complete"
    assert pipeline.queue.dead == []
    assert pipeline.asked().count(1) >= 1
    assert len(pipeline.pages()) == 4
    assert pipeline.differences() == []
