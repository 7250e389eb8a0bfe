"""What is told of a delivery that did not complete its partition: to who watches, in the ledger, in the dead letter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from option_a.ingest.errors import HttpError, TransientError
from option_a.ingest.events import Event
from option_a.ingest.lake.keys import breaker_key, manifest_key
from option_a.ingest.manifest.model import LeaseRecord, Load, Manifest
from option_a.ingest.manifest.store import ManifestStore
from option_a.ingest.partition import Partition
from option_a.ingest.ports import Request
from option_a.ingest.task import Task
from tests.support.pipeline import DATE, RUN, Pipeline, make_pages, numbered_pages, source

DECLARED = {"style": "page", "total_pages": "total_pages"}
PLACE = f"s {DATE}"


class Down:
    """An API of four pages of which those from one on are answered by an error."""

    def __init__(self, page: int, error: Exception) -> None:
        self.page, self.error = page, error

    def __call__(self, request: Request) -> bytes:
        if int(request.params["page"]) >= self.page:
            raise self.error
        return numbered_pages(make_pages(4), total_pages=4)(request)


def begun(root: Path, error: Exception) -> Pipeline:
    pipeline = Pipeline(root, Down(2, error), source(pagination=DECLARED, parallel=1))
    pipeline.send()
    return pipeline


def last(pipeline: Pipeline, kind: str) -> Event:
    return next(event for event in reversed(pipeline.events) if event.kind == kind)


def test_who_waits_says_for_what_and_for_how_long_and_the_ledger_keeps_it(tmp_path: Path) -> None:
    pipeline = begun(tmp_path, TransientError("the API answered 503", retry_after=120.0))
    assert pipeline.step() == "waiting"
    told = last(pipeline, "waiting")
    assert (told.source, told.date, told.run, told.page) == ("s", DATE, RUN, 2)
    assert (told.last, told.pages, told.records, told.message) == (4, 1, 2, "the API answered 503")
    assert told.bytes == pipeline.manifest().load.bytes > 0
    assert told.seconds == pipeline.queue.messages[0].visible_at - pipeline.clock.now()
    (attempt,) = pipeline.manifest().attempts
    assert (attempt.outcome, attempt.message) == ("waiting", f"{PLACE} page 2: the API answered 503")
    assert (attempt.answered_before, attempt.answered, attempt.ended) == (0, 1, pipeline.clock.now())


def test_a_page_that_is_asked_for_again_is_named_with_the_wait(tmp_path: Path) -> None:
    pipeline = begun(tmp_path, TransientError("the API answered 503"))
    pipeline.step()
    told = next(event for event in pipeline.events if event.kind == "retrying")
    assert (told.page, told.message, told.seconds) == (2, "the API answered 503", 0.5)


def test_a_cause_names_the_page_and_the_way_out(tmp_path: Path) -> None:
    down = Down(1, TransientError("the API answered 503", retry_after=120.0))
    over = Pipeline(tmp_path / "over", down, source(pagination=DECLARED, patience="1h"))
    over.queue.send([Task("s", DATE, RUN, waiting_since=over.clock.now() - 3600)])
    assert over.step() == "failed"
    (letter,) = over.queue.dead
    said = f"{PLACE} page 1: the API answered 503, for longer than the patience of 1h"
    assert letter.cause.message == f"{said} (option-a redrive when the API is back)"
    refused = begun(tmp_path / "refused", HttpError("the API answered 401", status=401))
    assert refused.step() == "failed"
    told = last(refused, "failed")
    assert (told.page, told.message) == (2, f"{PLACE} page 2: the API answered 401")
    assert refused.manifest().attempts[-1].message == told.message == refused.queue.dead[0].cause.message


def test_a_worker_that_gets_nowhere_says_where(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(2)))
    pipeline.out_of_time = True
    pipeline.send()
    assert pipeline.drain() == ["out-of-time", "failed"]
    (letter,) = pipeline.queue.dead
    said = f"{PLACE}: ran out of time twice with nothing landed (ask for smaller pages, or raise the worker's"
    assert letter.cause.message.startswith(said)
    assert [attempt.outcome for attempt in pipeline.manifest().attempts] == ["out-of-time", "failed"]


def test_a_ledger_that_cannot_be_read_is_told_with_its_place(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(2)))
    pipeline.lake.put(manifest_key(Partition("s", DATE)), b"{")
    pipeline.send()
    assert pipeline.step() == "failed"
    (letter,) = pipeline.queue.dead
    assert letter.cause.message.startswith(f"{PLACE}: the manifest ")
    told = last(pipeline, "failed")
    assert (told.source, told.date, told.run, told.message) == ("s", DATE, RUN, letter.cause.message)


def test_a_source_that_is_declared_no_longer_is_told_with_the_way_out(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(2)))
    pipeline.send(name="s")
    pipeline.sources.clear()
    delivery = pipeline.queue.receive(["s"], lease=30.0)
    assert delivery is not None
    assert pipeline.worker.handle(delivery) == "failed"
    told = last(pipeline, "failed")
    assert (told.source, told.date, told.run, told.message) == ("s", DATE, RUN, pipeline.queue.dead[0].cause.message)
    assert "declare it in sources.toml" in told.message


def test_who_is_asked_to_stop_says_so_in_the_ledger(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(2)))
    pipeline.stopping = True
    pipeline.send()
    assert pipeline.step() == "stopped"
    assert [attempt.outcome for attempt in pipeline.manifest().attempts] == ["stopped"]
    assert (last(pipeline, "stopped").source, last(pipeline, "stopped").date) == ("s", DATE)


def test_a_message_that_nobody_can_read_is_told_with_what_is_wrong(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(1)))
    pipeline.queue.send_raw("s", b"no task")
    assert pipeline.step() == "unreadable"
    told = last(pipeline, "unreadable")
    assert (told.source, told.date) == ("s", None)
    assert "task" in told.message or "message" in told.message


def test_who_finds_a_live_claim_says_when_it_is_back_and_keeps_its_patience(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(1)))
    now = pipeline.clock.now()
    load = Load(RUN, "real", source().fingerprint, now)
    ManifestStore(pipeline.lake, Partition("s", DATE)).write(
        Manifest("s", DATE, "loading", load, lease=LeaseRecord("x", now + 9, 0))
    )
    pipeline.queue.send([Task("s", DATE, RUN, waiting_since=5.0)])
    assert pipeline.step() == "leased"
    assert last(pipeline, "leased").seconds == pipeline.queue.messages[0].visible_at - now == 10.0
    assert [task.waiting_since for task in pipeline.queue.tasks()] == [5.0]


@pytest.mark.parametrize(("left", "waits"), [(0.0, False), (0.5, True)])
def test_a_task_is_held_until_its_patience_is_over_and_for_a_second_at_least(
    left: float, waits: bool, tmp_path: Path
) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(1)), source(patience="1h"))
    now = pipeline.clock.now()
    pipeline.lake.compare_and_swap(
        breaker_key("s"), json.dumps({"failures": 5, "until": now + 100, "why": "503"}).encode(), None
    )
    pipeline.queue.send([Task("s", DATE, RUN, waiting_since=now - 3600 + left)])
    assert pipeline.step() == ("waiting" if waits else "failed")
    assert pipeline.requests == []
    if waits:
        assert pipeline.queue.messages[0].visible_at == now + 1.0
        assert last(pipeline, "waiting") == Event("waiting", "s", DATE, RUN, seconds=1.0, message="503")
