"""Of every style of pagination: the records landed are the records served, once each, in order, whatever happens."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from option_a.ingest.ports import Request, Response
from tests.conftest import Proof
from tests.support.apis.paginated_apis import Pages, PaginatedApi, Record, split_into_pages
from tests.support.apis.pagination_styles import STYLES
from tests.support.crashes.port_crash import CrashPoint, assert_only_whole_pages, run_until_crash
from tests.support.pipeline import Pipeline


def records_of(count: int) -> list[Record]:
    """So many records, no two alike."""
    return [{"id": f"r{n}", "n": n} for n in range(count)]


@st.composite
def pages_for(draw: st.DrawFn, style: PaginatedApi) -> Pages:
    """Pages that the style may legally meet: even ones, uneven ones, and gaps."""
    records = records_of(draw(st.integers(0, 14)))
    if style.page_size is not None:
        return split_into_pages(records, [style.page_size])
    sizes = draw(st.lists(st.integers(0 if style.allows_empty_pages else 1, 4), min_size=1, max_size=5))
    pages = split_into_pages(records, sizes)
    return pages if style.allows_empty_pages else [page for page in pages if page]


def begun(root: Path, style: PaginatedApi, pages: Pages) -> Pipeline:
    pipeline = Pipeline(root, style.api_for(pages), style.source)
    pipeline.send()
    return pipeline


def landed(pipeline: Pipeline) -> list[Record]:
    return [json.loads(line) for lines in pipeline.pages().values() for line in lines]


def assert_whole(pipeline: Pipeline, pages: Pages) -> None:
    """What is in the lake is what was served."""
    served = [record for page in pages for record in page]
    assert pipeline.queue.dead == []
    assert pipeline.manifest().state == "complete"
    assert landed(pipeline) == served
    assert pipeline.manifest().load.records == len(served)
    assert pipeline.differences() == []


@pytest.mark.parametrize("name", STYLES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_records_landed_are_the_records_served(name: str, data: st.DataObject) -> None:
    style = STYLES[name]
    pages = data.draw(pages_for(style))
    with TemporaryDirectory() as root:
        pipeline = begun(Path(root), style, pages)
        assert pipeline.drain() == ["complete"]
        assert_whole(pipeline, pages)
        assert len(pipeline.requests) <= len(pages) + 2


@pytest.mark.parametrize("name", STYLES)
@settings(max_examples=15, deadline=None)
@given(data=st.data(), budget=st.integers(1, 4))
def test_so_it_is_where_a_delivery_is_out_of_time_after_any_number_of_pages(
    name: str, data: st.DataObject, budget: int
) -> None:
    style = STYLES[name]
    pages = data.draw(pages_for(style))
    with TemporaryDirectory() as root:
        pipeline = begun(Path(root), style, pages)
        pipeline.budget = budget
        assert set(pipeline.drain()) <= {"out-of-time", "complete"}
        assert_whole(pipeline, pages)
        assert len(pipeline.requests) <= len(pages) + 2


def several(style: PaginatedApi) -> Pages:
    """Four pages, one of them empty where that is legal."""
    pages = split_into_pages(records_of(10), [style.page_size or 3])
    return [*pages[:2], [], *pages[2:]] if style.allows_empty_pages else pages


@pytest.mark.bar(2)
@pytest.mark.parametrize("name", STYLES)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_so_it_is_after_a_crash_at_any_position(name: str, after: bool, tmp_path: Path, proof: Proof) -> None:
    style = STYLES[name]
    pages = several(style)
    for at in itertools.count(1):
        pipeline = begun(tmp_path / str(at), style, pages)
        pipeline.budget = 2
        died = run_until_crash(pipeline, CrashPoint(at, after=after, every_call=proof.full))
        assert_only_whole_pages(pipeline)
        pipeline.drain()
        assert_whole(pipeline, pages)
        if not died:
            break
    proof.figure("crash points of every style of pagination", at - 1, least=5)


@pytest.mark.parametrize("name", STYLES)
def test_so_it_is_where_pages_are_fetched_by_threads(name: str, tmp_path: Path) -> None:
    style = STYLES[name]
    pages = several(style)
    pipeline = begun(tmp_path, style, pages)
    pipeline.services = msgspec.structs.replace(pipeline.services, executor=ThreadPoolExecutor)
    run_until_crash(pipeline, CrashPoint())
    assert_whole(pipeline, pages)


@pytest.mark.parametrize(
    "name",
    ["page of a number", "page of a number in a header", "page of a total and a size", "offset of a total",
     "link with the last page"],
)  # fmt: skip
def test_where_the_last_page_is_told_the_others_are_in_flight_together(name: str, tmp_path: Path) -> None:
    style = STYLES[name]
    pages = split_into_pages(records_of(12), [3])
    serve, numbers, meeting = style.api_for(pages), itertools.count(), Barrier(3, timeout=20)

    def api(request: Request) -> bytes | Response:
        if next(numbers):  # each of the three after the first waits until all of them are asked for
            meeting.wait()
        return serve(request)

    pipeline = Pipeline(tmp_path, api, style.source)
    pipeline.services = msgspec.structs.replace(pipeline.services, executor=ThreadPoolExecutor)
    pipeline.send()
    run_until_crash(pipeline, CrashPoint())
    assert_whole(pipeline, pages)
