"""Permanent errors: at once, with their cause and the exact body, and without harm to the partitions beside them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from option_a.ingest.errors import HttpError, PermanentError
from option_a.ingest.ports import Cause, Request
from option_a.ingest.task import Delivery, Task, encode_task
from tests.support.crashes.port_crash import CrashPoint, run_until_crash
from tests.support.pipeline import DATE, RUN, Pipeline, make_pages, numbered_pages, source

NEXT = "20231114T230000Z-b"
HTML = b"<!doctype html><title>Log in</title>\xff"
DECLARED = {"style": "page", "total_pages": "total_pages"}
YESTERDAY = DATE - dt.timedelta(days=1)
Breaks = Callable[[], bytes]


def refused(status: int, body: bytes = b'{"error": "no"}') -> Breaks:
    def answer() -> bytes:
        raise HttpError(f"the API answered {status}", status=status, body=body)

    return answer


class Broken:
    """An API of four pages, one of which breaks on one date until it is mended."""

    def __init__(self, page: int, breaks: Breaks) -> None:
        self.page, self.breaks, self.mended = page, breaks, False

    def __call__(self, request: Request) -> bytes:
        if not self.mended and request.params["date"] == DATE.isoformat() and request.params["page"] == str(self.page):
            return self.breaks()
        return numbered_pages(make_pages(4), total_pages=4)(request)


def run(root: Path, page: int, breaks: Breaks) -> tuple[Pipeline, Broken]:
    api = Broken(page, breaks)
    pipeline = Pipeline(root, api, source(pagination=DECLARED, parallel=1))
    pipeline.send()
    return pipeline, api


def cause(pipeline: Pipeline) -> Cause:
    """The cause in the one dead letter, which is the manifest's too."""
    (letter,) = pipeline.queue.dead
    manifest = pipeline.manifest()
    assert (manifest.state, manifest.cause, manifest.lease) == ("failed", letter.cause, None)
    assert letter.task == Task("s", DATE, RUN)
    return letter.cause


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 501])
def test_a_refusal_fails_the_partition_at_once_with_its_status_and_its_exact_body(status: int, tmp_path: Path) -> None:
    pipeline, _ = run(tmp_path, 1, refused(status, b'{"error": \xff}'))
    assert pipeline.drain() == ["failed"]
    assert len(pipeline.requests) == 1
    assert (pipeline.clock.slept, pipeline.queue.messages) == ([], [])
    found = cause(pipeline)
    assert (found.kind, found.status, found.page) == ("http", status, 1)
    assert found.body is not None
    assert pipeline.objects("dead") == {found.body: b'{"error": \xff}'}
    assert pipeline.objects("raw") == {}


@pytest.mark.parametrize(
    "body",
    [HTML, b"", b"{", b'{"data": [{"a": 1}', b'{"data": [{"a": "\xff"}]}', b'{"data": [1, 2]}', b'"text"', b"NaN"],
)
def test_a_body_that_is_none_is_kept_byte_for_byte_and_the_pages_before_it_stay(body: bytes, tmp_path: Path) -> None:
    pipeline, _ = run(tmp_path, 3, lambda: body)
    assert pipeline.drain() == ["failed"]
    found = cause(pipeline)
    assert (found.kind, found.page) == ("body", 3)
    assert f"s {DATE} page 3: " in found.message
    assert list(pipeline.objects("dead").values()) == [body]
    assert list(pipeline.pages()) == ["page=000001.json.gz", "page=000002.json.gz"]
    assert pipeline.asked() == [1, 2, 3]


def test_partitions_beside_a_poisoned_one_complete(tmp_path: Path) -> None:
    pipeline, _ = run(tmp_path, 2, lambda: HTML)
    pipeline.send(date=YESTERDAY)
    assert sorted(pipeline.drain()) == ["complete", "failed"]
    assert pipeline.manifest(date=YESTERDAY).state == "complete"
    assert pipeline.differences(date=YESTERDAY) == []


def test_after_its_cause_is_mended_the_next_run_goes_on_where_the_load_stood(tmp_path: Path) -> None:
    pipeline, api = run(tmp_path, 3, lambda: HTML)
    pipeline.drain()
    api.mended = True
    pipeline.send(NEXT)
    assert pipeline.drain() == ["complete"]
    assert pipeline.asked() == [1, 2, 3, 3, 4]
    assert pipeline.manifest().cause is None
    assert pipeline.differences() == []


def test_a_failed_runs_task_that_comes_again_is_buried_and_not_loaded_again(tmp_path: Path) -> None:
    pipeline, _ = run(tmp_path, 2, lambda: HTML)
    pipeline.drain()
    asked = len(pipeline.requests)
    pipeline.queue.send_raw("s", encode_task(Task("s", DATE, RUN)))
    assert pipeline.drain() == ["failed"]
    assert len(pipeline.requests) == asked
    one, two = pipeline.queue.dead
    assert one.cause == two.cause


def test_a_worker_that_dies_between_the_manifest_and_the_dead_letter_is_followed_by_one_that_buries(
    tmp_path: Path,
) -> None:
    pipeline, _ = run(tmp_path, 1, lambda: HTML)
    calls = CrashPoint()
    twin, _ = run(tmp_path / "twin", 1, lambda: HTML)
    run_until_crash(twin, calls)
    assert run_until_crash(pipeline, CrashPoint(calls.calls))  # the last call is the burial
    assert (pipeline.manifest().state, pipeline.queue.dead) == ("failed", [])
    asked = len(pipeline.requests)
    assert pipeline.drain() == ["failed"]
    assert cause(pipeline).kind == "body"
    assert len(pipeline.requests) == asked


def test_a_permanent_fault_decides_over_a_transient_one_beside_it(tmp_path: Path) -> None:
    pipeline, _ = run(tmp_path, 2, refused(403))
    pipeline.sources["s"] = source(pagination=DECLARED, parallel=4)
    assert pipeline.drain()[-1] == "failed"
    assert cause(pipeline).status == 403


def test_an_error_without_a_body_keeps_none(tmp_path: Path) -> None:
    def answer() -> bytes:
        raise PermanentError("the server's certificate cannot be verified")

    pipeline, _ = run(tmp_path, 1, answer)
    assert pipeline.drain() == ["failed"]
    assert (cause(pipeline).body, pipeline.objects("dead")) == (None, {})


def test_bodies_of_two_runs_are_kept_apart(tmp_path: Path) -> None:
    bodies = iter([b"<one>", b"<two>"])
    pipeline, _ = run(tmp_path, 1, lambda: next(bodies))
    pipeline.drain()
    pipeline.send(NEXT)
    pipeline.drain()
    assert sorted(pipeline.objects("dead").values()) == [b"<one>", b"<two>"]
    assert len(pipeline.queue.dead) == 2


def test_an_error_that_nobody_foresaw_acknowledges_nothing_and_five_receives_later_it_is_dead(tmp_path: Path) -> None:
    def answer() -> bytes:
        raise ZeroDivisionError

    pipeline, api = run(tmp_path, 1, answer)
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            pipeline.drain(1)
        assert len(pipeline.queue.messages) == 1
    assert pipeline.drain(1) == []
    assert [(letter.cause.kind, letter.receives) for letter in pipeline.queue.dead] == [("receives", 5)]
    api.mended = True
    pipeline.send(NEXT)
    assert pipeline.drain() == ["complete"]


def test_a_receipt_that_ran_out_is_buried_by_nobody(tmp_path: Path) -> None:
    pipeline, _ = run(tmp_path, 1, lambda: HTML)
    stale = Delivery("s", "of yesterday", encode_task(Task("s", DATE, RUN)), 1)
    assert pipeline.worker.handle(stale) == "lease-lost"
    assert pipeline.queue.dead == []
    assert len(pipeline.queue.messages) == 1
    assert (pipeline.requests, pipeline.objects("manifest")) == ([], {})


def test_a_body_error_names_the_place_and_the_way_out(tmp_path: Path) -> None:
    pipeline, _ = run(tmp_path, 1, lambda: b'{"records": {"a": 1}, "data": [], "items": []}')
    pipeline.drain()
    assert cause(pipeline).kind == "body"
    assert f"s {DATE} page 1: " in cause(pipeline).message
    assert 'records = "…"' in cause(pipeline).message
