"""One delivery from receipt to ack: loads, hand-overs between runs, and the ways a delivery ends without a fault."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from option_a.ingest.load.worker import Worker
from option_a.ingest.ports import Request
from tests.support.crashes.port_crash import CrashPoint, run_until_crash
from tests.support.pipeline import DATE, RUN, Pipeline, make_pages, numbered_pages, source

NEXT = "20231114T230000Z-b"
DECLARED = {"style": "page", "total_pages": "total_pages"}


def test_a_first_load_lands_every_record_and_says_so(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(3)))
    pipeline.send()
    assert pipeline.step() == "complete"
    assert list(pipeline.pages()) == [f"page={page:06d}.json.gz" for page in (1, 2, 3)]
    assert pipeline.pages()["page=000002.json.gz"] == [b'{"id":"2.0","word":"a"}', b'{"id":"2.1","word":"a"}']
    manifest = pipeline.manifest()
    assert (manifest.state, manifest.lease, manifest.cause) == ("complete", None, None)
    assert (manifest.load.pages, manifest.load.empty, manifest.load.records) == (3, 1, 6)
    assert manifest.load.bytes == sum(map(len, pipeline.objects("raw").values()))
    assert pipeline.queue.messages == []
    assert pipeline.differences() == []


def test_a_page_is_asked_for_with_its_date_and_number_behind_the_fixed_parameters(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(1)), source(params={"limit": 5, "all": True}))
    pipeline.send()
    pipeline.drain()
    assert [dict(request.params) for request in pipeline.requests] == [
        {"limit": "5", "all": "true", "date": "2023-11-01", "page": "1"},
        {"limit": "5", "all": "true", "date": "2023-11-01", "page": "2"},
    ]


def test_pages_ahead_are_fetched_at_once_and_may_answer_in_any_order(tmp_path: Path) -> None:
    count, together = 13, 4
    answered = [threading.Event() for _ in range(count + 2)]
    order: list[int] = []

    def answer(request: Request) -> bytes:
        page = int(request.params["page"])
        if page % together != 1 and page < count:  # 2 waits for 3, 3 for 4, 4 for 5: only parallel requests get on
            assert answered[page + 1].wait(60)
        order.append(page)
        answered[page].set()
        return numbered_pages(make_pages(count), total_pages=count)(request)

    pipeline = Pipeline(tmp_path, answer, source(pagination=DECLARED, parallel=together))
    pipeline.services = msgspec.structs.replace(pipeline.services, executor=ThreadPoolExecutor)
    pipeline.worker = Worker(pipeline.services, pipeline.sources)
    pipeline.send()
    assert pipeline.step() == "complete"
    assert order != sorted(order)
    assert sorted(order) == list(range(1, count + 1))
    assert len(pipeline.pages()) == count
    assert pipeline.differences() == []


def test_a_day_of_no_records_is_complete_with_none(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages([], total_pages=0), source(pagination=DECLARED))
    pipeline.send()
    assert pipeline.step() == "complete"
    assert (pipeline.manifest().load.records, pipeline.manifest().load.empty) == (0, 1)
    assert pipeline.objects("raw") == {}
    assert pipeline.differences() == []


def test_pages_without_records_before_the_declared_end_are_gaps_and_leave_no_object(tmp_path: Path) -> None:
    pages = [[], *make_pages(2), [], [], *make_pages(7)[5:], []]
    pipeline = Pipeline(tmp_path, numbered_pages(pages, total_pages=len(pages)), source(pagination=DECLARED))
    pipeline.send()
    assert pipeline.step() == "complete"
    assert list(pipeline.pages()) == [f"page={page:06d}.json.gz" for page in (2, 3, 6, 7)]
    assert (pipeline.manifest().load.pages, pipeline.manifest().load.empty) == (4, 4)
    assert pipeline.differences() == []


def test_a_run_that_is_done_asks_for_nothing_a_second_time(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(3)))
    pipeline.send()
    pipeline.drain()
    asked, before = len(pipeline.requests), pipeline.objects("raw", "manifest")
    for run in (RUN, NEXT):
        pipeline.send(run)
        assert pipeline.drain() == ["done"]
    assert len(pipeline.requests) == asked
    assert pipeline.objects("raw", "manifest") == before


def test_a_newer_run_adopts_what_an_older_one_has_begun(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(6), total_pages=6), source(pagination=DECLARED, parallel=1))
    pipeline.budget = 4
    pipeline.send()
    assert pipeline.step() == "out-of-time"
    pipeline.queue.messages.clear()
    pipeline.send(NEXT)
    pipeline.budget = None
    assert pipeline.step() == "complete"
    assert pipeline.asked() == [1, 2, 3, 4, 5, 6]
    assert "adopted" in pipeline.kinds()
    assert pipeline.manifest().load.run == NEXT
    assert pipeline.differences() == []


def test_a_newer_run_that_is_fresh_adopts_nothing(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(4), total_pages=4), source(pagination=DECLARED, parallel=1))
    pipeline.budget = 3
    pipeline.send()
    pipeline.step()
    pipeline.queue.messages.clear()
    pipeline.send(NEXT, fresh=True)
    pipeline.budget = None
    assert pipeline.step() == "complete"
    assert pipeline.manifest().load.run == NEXT
    assert pipeline.asked() == [1, 2, 3, 1, 2, 3, 4]


def test_an_older_runs_task_is_acknowledged_without_a_request(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(2)))
    pipeline.send(NEXT)
    pipeline.drain()
    asked = len(pipeline.requests)
    pipeline.send(RUN)
    assert pipeline.drain() == ["superseded"]
    assert len(pipeline.requests) == asked
    assert pipeline.manifest().load.run == NEXT


def test_an_older_runs_task_is_superseded_while_the_newer_one_has_only_begun(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(6), total_pages=6), source(pagination=DECLARED))
    pipeline.send(NEXT)
    assert run_until_crash(pipeline, CrashPoint(8))
    pipeline.queue.messages.clear()
    asked = len(pipeline.requests)
    pipeline.send(RUN)
    assert pipeline.step() == "superseded"
    assert (len(pipeline.requests), pipeline.queue.messages) == (asked, [])


def test_out_of_time_the_task_is_sent_again_and_goes_on_where_it_stood(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(7), total_pages=7), source(pagination=DECLARED, parallel=1))
    pipeline.budget = 3
    pipeline.send()
    assert pipeline.drain() == ["out-of-time", "out-of-time", "complete"]
    assert pipeline.asked() == [1, 2, 3, 4, 5, 6, 7]
    assert pipeline.manifest().load.stalls == 0
    assert pipeline.differences() == []


def test_out_of_time_leaves_the_ledger_released_and_a_new_message(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(7)))
    pipeline.budget = 3
    pipeline.send()
    pipeline.step()
    manifest = pipeline.manifest()
    assert (manifest.state, manifest.lease, manifest.load.high_water_mark) == ("loading", None, 3)
    assert [(task.requeues, task.waiting_since) for task in pipeline.queue.tasks()] == [(1, None)]
    assert [message.visible_at for message in pipeline.queue.messages] == [pipeline.clock.now()]


def test_out_of_time_twice_with_nothing_landed_is_stalled(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(2)))
    pipeline.out_of_time = True
    pipeline.send()
    assert pipeline.drain() == ["out-of-time", "failed"]
    assert pipeline.manifest().state == "failed"
    assert [letter.cause.kind for letter in pipeline.queue.dead] == ["stalled"]


def test_a_page_that_lands_in_between_is_no_stall(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(3)))
    pipeline.send()
    outcomes = []
    for budget in (0, 1, 0, 1, 0, None):
        pipeline.budget = budget
        outcomes.append(pipeline.step())
    assert outcomes == ["out-of-time"] * 5 + ["complete"]


def test_asked_to_stop_the_task_is_given_back_at_once_with_all_that_landed(tmp_path: Path) -> None:
    def answer(request: Request) -> bytes:
        pipeline.stopping = request.params["page"] == "3"
        return numbered_pages(make_pages(5))(request)

    pipeline = Pipeline(tmp_path, answer)
    pipeline.send()
    assert pipeline.step() == "stopped"
    assert (pipeline.manifest().lease, pipeline.manifest().load.high_water_mark) == (None, 3)
    assert [message.visible_at for message in pipeline.queue.messages] == [pipeline.clock.now()]
    pipeline.stopping = False
    assert pipeline.step() == "complete"
    assert pipeline.asked() == [1, 2, 3, 4, 5, 6]


def test_a_message_that_nobody_can_read_is_dead_after_exactly_five_receives(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(1)))
    pipeline.send()
    pipeline.queue.send_raw("s", b"\xff no task")
    began = pipeline.clock.now()
    outcomes = pipeline.drain()
    assert outcomes.count("unreadable") == 5
    assert pipeline.clock.now() == began
    assert outcomes.count("complete") == 1
    assert [(letter.cause.kind, letter.receives, letter.body) for letter in pipeline.queue.dead] == [
        ("receives", 5, b"\xff no task")
    ]


def test_a_task_of_a_source_that_is_declared_no_longer_is_dead_with_its_cause(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(1)), source(), source(name="gone"))
    del pipeline.sources["gone"]
    pipeline.send(name="gone")
    delivery = pipeline.queue.receive(["gone"], lease=30.0)
    assert delivery is not None
    assert pipeline.worker.handle(delivery) == "failed"
    assert [(letter.cause.kind, letter.task and letter.task.date) for letter in pipeline.queue.dead] == [
        ("config", DATE)
    ]
    assert (pipeline.requests, pipeline.objects("manifest")) == ([], {})
