"""Statuses that mean something else than usual, by the word of the source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from option_a.ingest.http.build import build_client
from option_a.ingest.load.worker import Worker
from option_a.ingest.secrets import Reference
from tests.support.apis.page_server import ApiRequest, ApiResponse, FakeApi, data_body, serve_api
from tests.support.pipeline import DATE, Pipeline, source

Begin = Callable[..., tuple[Pipeline, FakeApi]]
NUMBERED = {"style": "page"}
DECLARED = {"style": "page", "total_pages": "pages"}
NEXT = {"style": "next_url", "path": "next"}


def no_secret(wanted: Reference) -> str:
    raise AssertionError(wanted)


def pages(answers: dict[int, ApiResponse]) -> Callable[[ApiRequest], ApiResponse]:
    """Page n of three, where nothing else is said of it."""

    def answer(asked: ApiRequest) -> ApiResponse:
        usual = ApiResponse(data_body([b'{"id":%d}' % asked.page], pages=3))
        return answers.get(asked.page, usual)

    return answer


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    with serve_api(pages({})) as api:

        def begun(answers: dict[int, ApiResponse], **fields: object) -> tuple[Pipeline, FakeApi]:
            api.pages = pages(answers)
            pipeline = Pipeline(tmp_path, lambda request: b"", source(url=api.url + "/s", **fields))
            fetch = build_client(pipeline.sources, pipeline.clock, no_secret)
            pipeline.services = msgspec.structs.replace(pipeline.services, fetch=fetch)
            pipeline.worker = Worker(pipeline.services, pipeline.sources)
            pipeline.send()
            return pipeline, api

        yield begun


@pytest.mark.parametrize(("status", "key"), [(404, "404"), (404, "4xx"), (204, "204"), (503, "503"), (410, "4xx")])
def test_an_empty_status_ends_a_partition_where_it_comes(begin: Begin, status: int, key: str) -> None:
    pipeline, _ = begin(
        {3: ApiResponse(b"<h1>no such page</h1>", status)}, pagination=NUMBERED, statuses={key: "empty"}
    )
    assert pipeline.drain() == ["complete"]
    assert (pipeline.manifest().load.records, pipeline.manifest().load.last) == (2, 3)
    assert pipeline.differences() == []


def test_a_date_that_the_api_does_not_know_is_complete_with_no_records(begin: Begin) -> None:
    pipeline, api = begin({1: ApiResponse(b"", 404)}, pagination=DECLARED, statuses={"404": "empty"})
    assert pipeline.drain() == ["complete"]
    assert (pipeline.manifest().load.records, pipeline.pages(), len(api.asked)) == (0, {}, 1)


def test_without_its_word_a_404_is_an_error_that_tells_of_it(begin: Begin) -> None:
    pipeline, _ = begin({1: ApiResponse(b"", 404)}, pagination=DECLARED)
    assert pipeline.drain() == ["failed"]
    assert 'statuses = { "404" = "empty" }' in pipeline.queue.dead[0].cause.message


@pytest.mark.parametrize("page", [2, 3])
def test_an_empty_status_amid_pages_that_were_declared_is_an_error_and_no_end(begin: Begin, page: int) -> None:
    pipeline, _ = begin({page: ApiResponse(b"", 404)}, pagination=DECLARED, statuses={"404": "empty"}, parallel=1)
    assert pipeline.drain() == ["failed"]
    assert pipeline.manifest(date=DATE).cause is not None
    assert "declares 3 pages" in pipeline.queue.dead[0].cause.message


def test_a_transient_status_is_asked_again(begin: Begin) -> None:
    pipeline, api = begin({}, pagination=DECLARED, statuses={"409": "transient"})
    usual, refusals = api.pages, iter(range(3))

    def busy(asked: ApiRequest) -> bytes | ApiResponse:
        return ApiResponse(b"", 409) if asked.page == 2 and next(refusals, None) is not None else usual(asked)

    api.pages = busy
    assert pipeline.drain() == ["complete"]
    assert [asked.page for asked in api.asked].count(2) == 4


def test_a_permanent_status_is_not(begin: Begin) -> None:
    pipeline, api = begin({1: ApiResponse(b"", 503)}, pagination=DECLARED, statuses={"5xx": "permanent"})
    assert pipeline.drain() == ["failed"]
    assert (pipeline.queue.dead[0].cause.status, len(api.asked)) == (503, 1)


def test_a_cursor_that_has_gone_stale_is_not_taken_for_the_end(begin: Begin) -> None:
    pipeline, api = begin({}, pagination=NEXT, statuses={"404": "empty"})
    stale, late = list[bool](), [True]

    def chained(asked: ApiRequest) -> ApiResponse:
        if stale and asked.page == 3:
            stale.clear()
            return ApiResponse(b"", 404)
        following = b'"/s?page=%d"' % (asked.page + 1) if asked.page < 4 else b"null"
        return ApiResponse(b'{"data":[{"id":%d}],"next":%b}' % (asked.page, following))

    api.pages = chained
    limits = msgspec.structs.replace(pipeline.services.limits, out_of_time=lambda: bool(late) and len(api.asked) == 2)
    pipeline.services = msgspec.structs.replace(pipeline.services, limits=limits)
    pipeline.worker = Worker(pipeline.services, pipeline.sources)
    assert pipeline.step() == "out-of-time"
    stale.append(late.pop())
    api.asked.clear()
    assert pipeline.drain() == ["complete"]
    assert pipeline.manifest().load.records == 4
    assert [asked.page for asked in api.asked][:3] == [3, 1, 2]
    assert pipeline.differences() == []
