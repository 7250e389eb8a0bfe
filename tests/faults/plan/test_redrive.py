"""What is sent again does what was asked for, however little there is to go on with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from option_a.ingest.errors import HttpError, OptionAError, TransientError
from option_a.ingest.lake.base import Entry
from option_a.ingest.lake.folder import FolderLake
from option_a.ingest.lake.keys import STAGING
from option_a.ingest.load.worker import Worker
from option_a.ingest.partition import Partition
from option_a.ingest.plan.planner import redrive_tasks
from option_a.ingest.plan.summary_reader import read_summaries
from option_a.ingest.ports import Cause, Request, Response
from tests.support.inline_executor import InlineExecutor
from tests.support.pipeline import DATE, Pipeline, make_pages, numbered_pages, source

NEXT, LAST, LATER = "20231114T230000Z-b", "20231115T010000Z-c", "20231115T020000Z-d"
PARTITION = Partition("s", DATE)
DIED = Cause("receives", "received 5 times and never done")


def redriven(pipeline: Pipeline, run: str = LAST) -> list[bool]:
    """Send again what is dead or failed; whether as re-loads."""
    known = read_summaries(pipeline.lake, [PARTITION], InlineExecutor(1))
    planned = redrive_tasks([PARTITION], known, pipeline.queue.dead, run)
    pipeline.queue.send(item.task for item in planned)
    pipeline.queue.dead.clear()
    return [item.task.fresh for item in planned]


def killed(pipeline: Pipeline) -> None:
    """The next delivery becomes a dead letter, with nothing done."""
    delivery = pipeline.queue.receive(["s"], lease=30.0)
    assert delivery is not None
    pipeline.queue.dead_letter(delivery, DIED)


def test_a_re_load_that_died_before_it_began_is_one_again_and_not_done_by_the_old_day(tmp_path: Path) -> None:
    now = make_pages(2)
    pipeline = Pipeline(tmp_path, lambda request: numbered_pages(now)(request))
    pipeline.send()
    assert pipeline.drain() == ["complete"]
    now = make_pages(3, word="b")
    pipeline.send(NEXT, fresh=True)
    killed(pipeline)
    assert redriven(pipeline) == [True]
    assert pipeline.drain() == ["complete"]
    assert (len(pipeline.pages()), pipeline.manifest().load.run) == (3, LAST)


def test_a_re_load_that_died_on_its_way_goes_on_where_it_stood(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(4)))
    pipeline.send()
    assert pipeline.drain() == ["complete"]
    pipeline.send(NEXT, fresh=True)
    pipeline.budget = 2
    assert pipeline.step() == "out-of-time"
    pipeline.budget = None
    killed(pipeline)
    assert redriven(pipeline) == [False]
    before = len(pipeline.requests)
    assert pipeline.drain() == ["complete"]
    assert pipeline.asked(before)[0] == 3


def test_a_first_load_that_died_is_no_re_load(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(2)))
    pipeline.send(fresh=True)
    killed(pipeline)
    assert redriven(pipeline) == [False]
    assert pipeline.drain() == ["complete"]


@pytest.mark.parametrize("status", [400, 404, 410, 416, 422])
def test_an_api_that_has_fewer_pages_by_now_begins_the_partition_anew(status: int, tmp_path: Path) -> None:
    """It refuses the page at which the load would go on: at every delivery, and after every redrive."""
    pages = make_pages(4)

    def answer(request: Request) -> bytes:
        if int(request.params["page"]) > len(pages):
            raise HttpError(f"the API answered {status}", status=status)
        return numbered_pages(pages, total_pages=len(pages))(request)

    pipeline = Pipeline(tmp_path, answer, source(pagination={"style": "page", "total_pages": "total_pages"}))
    pipeline.budget = 3
    pipeline.send()
    assert pipeline.step() == "out-of-time"
    pipeline.budget = None
    pages = make_pages(2, word="b")
    assert pipeline.drain() == ["complete"]
    assert [len(lines) for lines in pipeline.pages().values()] == [2, 2]
    assert pipeline.differences() == []
    (told,) = (event for event in pipeline.events if event.kind == "restarted")
    assert f"answered {status} to the page at which the load stood" in told.message


DECLARED: dict[str, object] = {"style": "page", "total_pages": "total_pages"}
SHORT: dict[str, object] = {"style": "page", "size": 2, "stop": "short"}


def refusing(tmp_path: Path, refused: set[int], pages: list[list[dict[str, object]]], **fields: object) -> Pipeline:
    """An API that answers some of its pages 404, for good."""

    def answer(request: Request) -> bytes:
        if int(request.params["page"]) in refused:
            raise HttpError("the API answered 404", status=404)
        return numbered_pages(pages, total_pages=len(pages))(request)

    pipeline = Pipeline(tmp_path, answer, source(parallel=1, **fields))
    pipeline.send()
    return pipeline


@pytest.mark.parametrize("pagination", [DECLARED, SHORT, {"style": "page"}])
def test_a_page_that_is_refused_for_good_costs_a_redrive_two_requests_and_what_landed_stays(
    pagination: dict[str, object], tmp_path: Path
) -> None:
    pipeline = refusing(tmp_path, {3}, make_pages(4), pagination=pagination)
    assert pipeline.drain() == ["failed"]
    landed = pipeline.pages()
    assert (pipeline.asked(), len(landed)) == ([1, 2, 3], 2)
    for run in (LAST, LATER):
        before = len(pipeline.requests)
        redriven(pipeline, run)
        assert pipeline.drain() == ["failed"]
        assert pipeline.asked(before) == [3, 2]
    assert (pipeline.pages(), "restarted" in pipeline.kinds()) == (landed, False)
    assert "the API answered 404" in pipeline.queue.dead[0].cause.message


@pytest.mark.parametrize("pagination", [DECLARED, SHORT, {"style": "page"}])
def test_an_api_that_refuses_every_page_by_now_has_moved_and_what_landed_stays(
    pagination: dict[str, object], tmp_path: Path
) -> None:
    refused = {3}
    pipeline = refusing(tmp_path, refused, make_pages(4), pagination=pagination)
    pipeline.drain()
    landed, before = pipeline.pages(), len(pipeline.requests)
    refused |= {1, 2, 4}
    redriven(pipeline)
    assert pipeline.drain() == ["failed"]
    assert (pipeline.asked(before), pipeline.pages()) == ([3, 2, 1], landed)


@pytest.mark.parametrize("pages", [make_pages(1, size=1, word="b"), [*make_pages(1, word="b"), [{"id": "2.0"}]]])
def test_an_api_that_declares_no_end_has_fewer_pages_where_the_last_one_is_short_or_gone(
    pages: list[list[dict[str, object]]], tmp_path: Path
) -> None:
    refused, now = {3}, make_pages(4)
    pipeline = refusing(tmp_path, refused, now, pagination=SHORT)
    pipeline.drain()
    now[:] = pages
    refused |= set(range(len(pages) + 1, 5))
    before = len(pipeline.requests)
    redriven(pipeline)
    assert pipeline.drain() == ["complete"]
    assert [len(lines) for lines in pipeline.pages().values()] == [len(page) for page in pages]
    assert pipeline.asked(before)[:2] == [3, 2]
    assert pipeline.differences() == []


@pytest.mark.parametrize(("gone", "begun_anew"), [({2, 3}, True), ({3}, False)])
def test_where_a_whole_page_is_left_of_two_it_is_the_landed_one_that_is_gone_that_says_so(
    gone: set[int], begun_anew: bool, tmp_path: Path
) -> None:
    refused = {3}
    pipeline = refusing(tmp_path, refused, make_pages(4), pagination=SHORT)
    pipeline.drain()
    refused |= gone
    redriven(pipeline)
    assert pipeline.drain() == ["failed"]
    assert ("restarted" in pipeline.kinds()) is begun_anew


def second_page_raises(pipeline: Pipeline, error: OptionAError, as_long_as: list[bool]) -> None:
    """The API as it is, but for one of its pages."""
    usual = pipeline.api

    def answer(request: Request) -> bytes | Response:
        if request.params["page"] == "2" and as_long_as[0]:
            raise error
        return usual(request)

    pipeline.api = answer


def test_a_second_look_that_is_refused_for_another_reason_begins_nothing_anew(tmp_path: Path) -> None:
    pipeline = refusing(tmp_path, {3}, make_pages(4), pagination=SHORT)
    pipeline.drain()
    second_page_raises(pipeline, HttpError("the API answered 401", status=401), [True])
    redriven(pipeline)
    assert pipeline.drain() == ["failed"]
    assert (len(pipeline.pages()), "restarted" in pipeline.kinds()) == (2, False)


def test_the_second_look_may_have_to_wait(tmp_path: Path) -> None:
    refused, down = {3}, [True]
    pipeline = refusing(tmp_path, refused, make_pages(4), pagination=DECLARED)
    pipeline.drain()
    second_page_raises(pipeline, TransientError("the API answered 503", retry_after=3_600.0), down)
    redriven(pipeline)
    assert pipeline.step() == "waiting"
    down[0] = False
    assert pipeline.drain() == ["failed"]
    assert (len(pipeline.pages()), "restarted" in pipeline.kinds()) == (2, False)


class SlowLake(FolderLake):
    """Listing staging/ takes longer than a claim lasts, when the load is complete."""

    def __init__(self, root: Path, pipeline: Pipeline) -> None:
        super().__init__(root)
        self._pipeline = pipeline

    def entries(self, prefix: str) -> Iterator[Entry]:
        if prefix.startswith(STAGING) and self._pipeline.manifest().state == "complete":
            self._pipeline.clock.sleep(60.0)
        return super().entries(prefix)


def test_what_was_staged_is_tidied_away_however_long_that_takes(tmp_path: Path) -> None:
    """The claim was given back with the last word, so there is none to run out."""
    pipeline = Pipeline(tmp_path, numbered_pages(make_pages(2)))
    pipeline.send()
    assert pipeline.drain() == ["complete"]
    world = msgspec.structs.replace(pipeline.services, lake=SlowLake(tmp_path, pipeline))
    pipeline.worker = Worker(world, pipeline.sources)
    pipeline.send(NEXT, fresh=True)
    assert pipeline.drain() == ["complete"]
    assert pipeline.clock.slept
    assert pipeline.objects("staging") == {}
