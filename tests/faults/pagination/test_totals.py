"""`complete` means complete: stop rules, declared totals, page caps and pages that repeat."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from option_a.ingest.events import Event
from option_a.ingest.load.worker import Outcome, Worker
from option_a.ingest.ports import Request
from tests.support.pipeline import ApiFunction, Pipeline, make_pages, numbered_pages, source

NEXT = "20231114T230000Z-b"
DECLARED = {"style": "page", "total_pages": "total_pages"}
COUNTED = {"style": "page", "total_records": "total", "size": 2}


def ran(root: Path, api: ApiFunction, **fields: object) -> tuple[Pipeline, Outcome]:
    """The pipeline after one run of a source, and how its last delivery ended."""
    pipeline = Pipeline(root, api, source(**fields))
    pipeline.send()
    return pipeline, pipeline.drain()[-1]


def cause(pipeline: Pipeline) -> tuple[str, int | None]:
    """The kind and the page of what the one dead letter says; the manifest says the same."""
    (letter,) = pipeline.queue.dead
    manifest = pipeline.manifest()
    assert (manifest.state, manifest.cause) == ("failed", letter.cause)
    return letter.cause.kind, letter.cause.page


@pytest.mark.parametrize(
    ("pagination", "sizes", "pages"),
    [
        ({"style": "page"}, [2, 2, 1, 0], 4),
        ({"style": "page", "stop": "empty"}, [2, 1, 2, 0], 4),
        ({"style": "page", "stop": "short", "size": 2}, [2, 2, 1], 3),
        ({"style": "page", "stop": "short", "size": 2}, [2, 2, 0], 3),
        ({"style": "page", "total_pages": "total_pages"}, [2, 1, 2], 3),
        ({"style": "page", "total_records": "total"}, [2, 1, 2], 3),
        ({"style": "page", "total_records": "total", "size": 2}, [2, 2, 1], 3),
        ({"style": "page", "total_pages": "total_pages", "total_records": "total"}, [2, 1, 1], 3),
    ],
)
def test_a_load_ends_where_its_stop_rule_says_and_asks_for_no_page_beyond(
    pagination: dict[str, object], sizes: list[int], pages: int, tmp_path: Path
) -> None:
    day = [make_pages(page, size=size)[-1] if size else [] for page, size in enumerate(sizes, 1)]
    pipeline, outcome = ran(
        tmp_path, numbered_pages(day, total=sum(sizes), total_pages=len(sizes)), pagination=pagination
    )
    assert outcome == "complete"
    assert pipeline.asked() == list(range(1, pages + 1))
    assert pipeline.manifest().load.records == sum(sizes)
    assert pipeline.differences() == []


def test_pages_that_grow_or_shrink_while_they_are_loaded_are_judged_by_the_last_word(tmp_path: Path) -> None:
    def answer(request: Request) -> bytes:
        page = int(request.params["page"])
        return numbered_pages(make_pages(6), total_pages=4 if page < 3 else 6)(request)

    pipeline, outcome = ran(tmp_path, answer, pagination=DECLARED, parallel=1)
    assert (outcome, pipeline.asked()) == ("complete", [1, 2, 3, 4, 5, 6])


def test_the_last_word_is_the_highest_pages_even_where_a_lower_one_answers_later(tmp_path: Path) -> None:
    landed = threading.Event()

    def answer(request: Request) -> bytes:
        page = int(request.params["page"])
        if page == 2:
            assert landed.wait(60)
        return numbered_pages(make_pages(6), total_pages=5 if page < 5 else 6)(request)

    def tell(event: Event) -> None:
        if event.kind == "landed" and event.page == 6:
            landed.set()

    pipeline = Pipeline(tmp_path, answer, source(pagination=DECLARED, parallel=3))
    world = msgspec.structs.replace(pipeline.services, executor=ThreadPoolExecutor, emit=tell)
    pipeline.worker = Worker(world, pipeline.sources)
    pipeline.send()
    assert pipeline.step() == "complete"
    assert sorted(pipeline.asked()) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("beyond", [3, 7])
def test_a_total_that_does_not_match_is_loaded_once_more_and_then_fails_with_what_was_found(
    beyond: int, tmp_path: Path
) -> None:
    pipeline, outcome = ran(tmp_path, numbered_pages(make_pages(3), total=beyond), pagination=COUNTED, parallel=1)
    assert outcome == "failed"
    assert cause(pipeline)[0] == "total"
    assert pipeline.kinds().count("restarted") == 1
    once = len(pipeline.requests) // 2
    assert pipeline.asked()[:once] == pipeline.asked()[once:]
    assert f"declares {beyond}" in pipeline.queue.dead[0].cause.message


def test_a_total_that_matches_on_the_second_load_is_complete_with_no_stale_page(tmp_path: Path) -> None:
    def answer(request: Request) -> bytes:
        first = "restarted" not in pipeline.kinds()
        return numbered_pages(make_pages(4 if first else 2), total=9 if first else 4)(request)

    pipeline = Pipeline(tmp_path, answer, source(pagination=COUNTED))
    pipeline.send()
    assert pipeline.drain() == ["complete"]
    assert len(pipeline.pages()) == 2
    assert (pipeline.manifest().load.restarts, pipeline.manifest().load.records) == (1, 4)
    assert pipeline.differences() == []


def test_pages_beyond_a_declared_end_that_moved_inwards_are_no_end(tmp_path: Path) -> None:
    def answer(request: Request) -> bytes:
        last = 2 if request.params["page"] == "4" else 4
        return numbered_pages(make_pages(4), total_pages=last)(request)

    pipeline, outcome = ran(tmp_path, answer, pagination=DECLARED)
    assert (outcome, cause(pipeline)[0]) == ("failed", "total")
    assert "now declares 2 pages, and page 3 had records" in pipeline.queue.dead[0].cause.message


@pytest.mark.parametrize(
    ("rule", "total", "outcome"),
    [
        ("exact", 5, "failed"),
        ("exact", 6, "complete"),
        ("exact", 7, "failed"),
        ("at_least", 5, "complete"),
        ("at_least", 6, "complete"),
        ("at_least", 7, "failed"),
        ("ignore", 5, "complete"),
        ("ignore", 7, "complete"),
    ],
)
def test_a_declared_total_is_taken_as_the_source_says(rule: str, total: int, outcome: str, tmp_path: Path) -> None:
    pagination = {"style": "page", "total_pages": "total_pages", "total_records": "total"}
    api = numbered_pages(make_pages(3), total=total, total_pages=3)
    assert ran(tmp_path, api, pagination=pagination, total=rule)[1] == outcome


@pytest.mark.parametrize(("rule", "outcome"), [("at_least", "complete"), ("ignore", "complete"), ("exact", "failed")])
def test_records_beyond_an_estimated_total_land_where_another_rule_tells_the_end(
    rule: str, outcome: str, tmp_path: Path
) -> None:
    pagination = {"style": "page", "total_records": "total", "stop": "empty"}
    pipeline, ended = ran(tmp_path, numbered_pages(make_pages(5), total=4), pagination=pagination, total=rule)
    assert (ended, pipeline.manifest().load.records) == (outcome, 10)
    assert outcome == "complete" or "pagination.stop" in pipeline.queue.dead[0].cause.message


def test_after_a_broken_total_the_next_run_begins_at_the_first_page(tmp_path: Path) -> None:
    total = {"now": 7}
    pipeline, _ = ran(tmp_path, lambda r: numbered_pages(make_pages(3), total=total["now"])(r), pagination=COUNTED)
    total["now"], asked = 6, len(pipeline.requests)
    pipeline.send(NEXT)
    assert pipeline.drain() == ["complete"]
    assert pipeline.asked(asked) == [1, 2, 3]


def test_an_api_that_never_ends_is_stopped_at_the_page_cap(tmp_path: Path) -> None:
    pipeline, outcome = ran(tmp_path, numbered_pages(make_pages(50)), max_pages=7)
    assert (outcome, cause(pipeline)[0]) == ("failed", "pagination")
    assert pipeline.asked() == [1, 2, 3, 4, 5, 6, 7]
    assert "max_pages" in pipeline.queue.dead[0].cause.message


def test_as_many_pages_as_the_cap_are_no_fault(tmp_path: Path) -> None:
    assert (
        ran(tmp_path, numbered_pages(make_pages(7), total_pages=7), pagination=DECLARED, max_pages=7)[1] == "complete"
    )


def cycle(prefix: int, length: int) -> Callable[[Request], bytes]:
    """Pages 1 to `prefix`, and then the same `length` of them for ever."""

    def answer(request: Request) -> bytes:
        page = int(request.params["page"])
        shown = page if page <= prefix else prefix + 1 + (page - prefix - 1) % length
        return msgspec.json.encode({"data": [{"id": shown}]})

    return answer


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prefix=st.integers(0, 20), length=st.integers(1, 20))
def test_pages_that_repeat_in_any_cycle_are_an_error_before_long(prefix: int, length: int, tmp_path: Path) -> None:
    root = tmp_path / str(len(list(tmp_path.iterdir())))
    pipeline, outcome = ran(root, cycle(prefix, length))
    assert outcome == "failed"
    assert cause(pipeline)[0] == "pagination"
    assert len(pipeline.requests) <= 4 * (prefix + length) + 1


def test_an_api_that_repeats_its_last_page_past_the_end_fails_on_the_first_repetition(tmp_path: Path) -> None:
    pipeline, outcome = ran(tmp_path, cycle(3, 1))
    assert (outcome, cause(pipeline), pipeline.asked()) == ("failed", ("pagination", 5), [1, 2, 3, 4, 5])
    assert "page 5 repeats page 4" in pipeline.queue.dead[0].cause.message


def test_an_api_that_ignores_the_page_number_fails_even_where_pages_are_fetched_at_once(tmp_path: Path) -> None:
    def answer(request: Request) -> bytes:
        return msgspec.json.encode({"data": [{"id": 1}], "total_pages": 4})

    pipeline, outcome = ran(tmp_path, answer, pagination=DECLARED)
    assert (outcome, cause(pipeline)[0]) == ("failed", "pagination")


def test_pages_may_be_alike_where_the_source_allows_it(tmp_path: Path) -> None:
    same: list[list[dict[str, object]]] = [[{"id": 1}]] * 5
    pipeline, outcome = ran(tmp_path, numbered_pages(same, total_pages=5), pagination=DECLARED, repeats="allow")
    assert (outcome, len(pipeline.pages())) == ("complete", 5)


@pytest.mark.parametrize("missing", ["total_pages", "total"])
def test_a_total_that_is_declared_and_not_there_is_an_error_and_never_an_end(missing: str, tmp_path: Path) -> None:
    pagination = {"style": "page", "total_pages" if missing == "total_pages" else "total_records": missing}
    pipeline, outcome = ran(tmp_path, numbered_pages(make_pages(3)), pagination=pagination)
    assert (outcome, cause(pipeline)) == ("failed", ("pagination", 1))
    assert f"`{missing}` is not there" in pipeline.queue.dead[0].cause.message
