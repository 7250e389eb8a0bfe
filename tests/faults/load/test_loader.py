"""The crew of one load: what breaks in a thread, what a page that only confirms may say, how many fly at once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from option_a.ingest.errors import HttpError
from option_a.ingest.events import Event
from option_a.ingest.load.worker import Worker
from option_a.ingest.ports import Request
from tests.support.pipeline import Pipeline, make_pages, numbered_pages, source

SHORT = {"style": "page", "stop": "short", "size": 5}
DECLARED = {"style": "page", "total_pages": "total_pages"}


def one_page(request: Request, beyond: int) -> bytes:
    """An API of one page that is short, and of a status beyond it."""
    if request.params["page"] == "1":
        return numbered_pages(make_pages(1))(request)
    raise HttpError(f"the API answered {beyond}", status=beyond)


def test_what_breaks_in_a_thread_breaks_the_delivery_and_acks_nothing(tmp_path: Path) -> None:
    def tell(event: Event) -> None:
        if event.kind == "landed":
            raise ZeroDivisionError("a bug")

    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(3)))
    pipeline.worker = Worker(msgspec.structs.replace(pipeline.services, emit=tell), pipeline.sources)
    pipeline.send()
    with pytest.raises(ZeroDivisionError):
        pipeline.step()
    assert len(pipeline.queue.messages) == 1
    assert pipeline.asked() == [1]


@pytest.mark.parametrize("status", [401, 403, 451])
def test_a_second_page_that_is_refused_for_another_reason_confirms_no_end(status: int, tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, lambda request: one_page(request, status), source(pagination=SHORT))
    pipeline.send()
    assert pipeline.drain() == ["failed"]
    (letter,) = pipeline.queue.dead
    assert (letter.cause.kind, letter.cause.page, letter.cause.status) == ("http", 2, status)


@pytest.mark.parametrize("status", [400, 404, 410, 416, 422])
def test_a_second_page_that_is_not_there_confirms_that_the_short_first_one_was_the_last(
    status: int, tmp_path: Path
) -> None:
    pipeline = Pipeline(tmp_path, lambda request: one_page(request, status), source(pagination=SHORT))
    pipeline.send()
    assert pipeline.drain() == ["complete"]
    load = pipeline.manifest().load
    assert (load.last, load.pages, load.may_be_last, load.cursor) == (1, 1, False, None)


@pytest.mark.parametrize("parallel", [1, 4])
def test_never_more_than_parallel_requests_are_in_flight(parallel: int, tmp_path: Path) -> None:
    lock, flying, most = threading.Lock(), 0, 0

    def answer(request: Request) -> bytes:
        nonlocal flying, most
        with lock:
            flying += 1
            most = max(most, flying)
        time.sleep(0.005)  # long enough for one more to be asked for
        with lock:
            flying -= 1
        return numbered_pages(make_pages(20), total_pages=20)(request)

    pipeline = Pipeline(tmp_path, answer, source(pagination=DECLARED, parallel=parallel))
    pipeline.services = msgspec.structs.replace(pipeline.services, executor=lambda _: ThreadPoolExecutor(16))
    pipeline.worker = Worker(pipeline.services, pipeline.sources)
    pipeline.send()
    assert pipeline.step() == "complete"
    assert most == parallel
