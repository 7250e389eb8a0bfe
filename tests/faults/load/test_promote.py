"""A complete day is loaded again beside itself, and promoted only when the new one is whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from option_a.ingest.lake.base import Lake
from option_a.ingest.lake.keys import manifest_key, page_key, staging_prefix
from option_a.ingest.load.worker import Worker
from option_a.ingest.manifest.model import encode
from option_a.ingest.ports import Request
from tests.support.crashes.port_crash import CrashingLake, CrashPoint, run_until_crash
from tests.support.pipeline import Pipeline, make_pages, numbered_pages, source

DECLARED = {"style": "page", "total_pages": "total_pages"}
NEXT = "20231114T230000Z-b"
THIRD = "20231114T233000Z-c"
Pages = list[list[dict[str, object]]]


class Day:
    """An API whose pages a test changes, and breaks, between two runs."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.broken: set[int] = set()
        self.meanwhile: Callable[[], None] = lambda: None

    def __call__(self, request: Request) -> bytes:
        self.meanwhile()
        if int(request.params["page"]) in self.broken:
            return b"<html>gone</html>"
        return numbered_pages(self.pages, total_pages=len(self.pages))(request)


def landed(root: Path, pages: Pages) -> tuple[Pipeline, Day]:
    day = Day(pages)
    pipeline = Pipeline(root, day, source(pagination=DECLARED, parallel=2))
    pipeline.send()
    assert pipeline.drain() == ["complete"]
    return pipeline, day


def promoting(pipeline: Pipeline) -> bool:
    return pipeline.manifest().state == "promoting"


class Remembering(CrashingLake):
    """A lake that remembers what was done to raw/."""

    def __init__(self, lake: Lake) -> None:
        super().__init__(lake, CrashPoint())
        self.done: list[tuple[str, int]] = []

    def put(self, key: str, data: bytes) -> None:
        self._note("put", key)
        super().put(key, data)

    def copy(self, source: str, target: str) -> None:
        self._note("copy", target)
        super().copy(source, target)

    def _delete(self, keys: list[str]) -> None:
        for key in keys:
            self._note("delete", key)
        super()._delete(keys)

    def _note(self, verb: str, key: str) -> None:
        if key.startswith("raw/"):
            self.done.append((verb, int(key[-14:-8])))


def test_changed_pages_alone_are_copied_and_the_surplus_is_deleted(tmp_path: Path) -> None:
    pipeline, day = landed(tmp_path, make_pages(6))
    day.pages = [*make_pages(1), *make_pages(2, word="b")[1:], *make_pages(3)[2:], []]
    lake = Remembering(pipeline.lake)
    pipeline.worker = Worker(msgspec.structs.replace(pipeline.services, lake=lake), pipeline.sources)
    pipeline.send(NEXT, fresh=True)
    assert pipeline.drain() == ["complete"]
    assert sorted(lake.done) == [("copy", 2), ("delete", 4), ("delete", 5), ("delete", 6)]
    assert pipeline.manifest().load.restated == 4
    assert pipeline.differences() == []
    assert pipeline.objects("staging") == {}


def test_a_re_load_of_the_same_records_restates_nothing_and_touches_no_page(tmp_path: Path) -> None:
    pipeline, _ = landed(tmp_path, make_pages(4))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("raw/**/*.gz")}
    pipeline.send(NEXT, fresh=True)
    assert pipeline.drain() == ["complete"]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("raw/**/*.gz")} == before
    assert (pipeline.manifest().load.run, pipeline.manifest().load.restated) == (NEXT, 0)
    assert pipeline.differences() == []


def test_until_promotion_begins_no_byte_of_the_old_day_changes(tmp_path: Path) -> None:
    pipeline, day = landed(tmp_path, make_pages(4))
    before = pipeline.objects("raw")
    day.pages = make_pages(7, word="b")
    looks = 0

    def look() -> None:
        nonlocal looks
        looks += 1
        assert pipeline.objects("raw") == before
        assert pipeline.differences() == []
        readable = pipeline.manifest().readable
        assert readable is not None
        assert readable.records == 8

    day.meanwhile = look
    pipeline.send(NEXT, fresh=True)
    assert pipeline.drain() == ["complete"]
    assert looks == 7
    assert len(pipeline.pages()) == 7


def test_a_re_load_that_fails_leaves_the_old_day_as_it_was_and_readable(tmp_path: Path) -> None:
    pipeline, day = landed(tmp_path, make_pages(4))
    before = pipeline.objects("raw")
    day.pages, day.broken = make_pages(6, word="b"), {5}
    pipeline.send(NEXT, fresh=True)
    assert pipeline.drain() == ["failed"]
    assert pipeline.objects("raw") == before
    manifest = pipeline.manifest()
    assert manifest.state == "failed"
    assert manifest.readable is not None
    assert (manifest.readable.records, manifest.readable.pages) == (8, 4)
    assert pipeline.differences() == []


def test_a_failed_re_load_is_gone_on_with_by_the_next_run_and_promoted(tmp_path: Path) -> None:
    pipeline, day = landed(tmp_path, make_pages(4))
    day.pages, day.broken = make_pages(6, word="b"), {5}
    pipeline.send(NEXT, fresh=True)
    pipeline.drain()
    asked = len(pipeline.requests)
    day.broken = set()
    pipeline.send(THIRD)
    assert pipeline.drain() == ["complete"]
    assert 5 in pipeline.asked(asked)
    assert 1 not in pipeline.asked(asked)
    assert len(pipeline.pages()) == 6
    assert pipeline.objects("staging") == {}
    assert pipeline.differences() == []


def test_a_re_load_whose_staged_copy_another_replaces_leaves_nothing_in_staging(tmp_path: Path) -> None:
    pipeline, day = landed(tmp_path, make_pages(4))
    day.broken = {3}
    pipeline.send(NEXT, fresh=True)
    pipeline.drain()
    assert pipeline.objects("staging") != {}
    day.broken = set()
    pipeline.send(THIRD, fresh=True)
    assert pipeline.drain() == ["complete"]
    assert pipeline.objects("staging") == {}


def test_a_promotion_that_was_begun_is_finished_before_a_newer_run_loads_anew(tmp_path: Path) -> None:
    pipeline, day = landed(tmp_path, make_pages(3))
    day.pages = make_pages(5, word="b")
    pipeline.send(NEXT, fresh=True)
    assert run_until_crash(pipeline, CrashPoint(18))
    assert pipeline.manifest().state == "promoting"
    pipeline.queue.messages.clear()
    day.pages = make_pages(2, word="c")
    pipeline.send(THIRD, fresh=True)
    assert pipeline.drain()[-2:] == ["requeued", "complete"]
    assert pipeline.manifest().load.run == THIRD
    assert len(pipeline.pages()) == 2
    assert pipeline.objects("staging") == {}
    assert pipeline.differences() == []


def test_a_task_of_an_older_run_does_not_undo_a_promotion(tmp_path: Path) -> None:
    pipeline, day = landed(tmp_path, make_pages(3))
    day.pages = make_pages(2, word="b")
    pipeline.send(THIRD, fresh=True)
    pipeline.drain()
    before = pipeline.objects("raw")
    pipeline.send(NEXT, fresh=True)
    assert pipeline.drain() == ["superseded"]
    assert pipeline.objects("raw") == before


page = st.lists(st.integers(0, 3).map(lambda n: {"n": n}), max_size=2)
day_of_pages = st.lists(page, max_size=6)


@pytest.mark.bar(6)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=st.lists(day_of_pages, min_size=2, max_size=4))
def test_after_any_sequence_of_runs_the_lake_is_what_the_last_one_alone_would_have_left(
    days: list[Pages], tmp_path: Path
) -> None:
    root = tmp_path / str(len(list(tmp_path.iterdir())))
    declared = source(pagination=DECLARED, repeats="allow")
    day = Day(days[0])
    pipeline = Pipeline(root / "all", day, declared)
    for number, pages in enumerate(days):
        day.pages = pages
        pipeline.send(f"20231114T22{number:02d}00Z-x", fresh=True)
        assert pipeline.drain() == ["complete"]
    alone = Pipeline(root / "last", Day(days[-1]), declared)
    alone.send()
    alone.drain()
    assert pipeline.objects("raw") == alone.objects("raw")
    assert pipeline.objects("staging") == {}
    assert pipeline.differences() == []
    assert pipeline.manifest().load.records == sum(map(len, days[-1]))


def test_a_staged_page_that_is_gone_is_loaded_again_and_the_partition_is_not_stuck(tmp_path: Path) -> None:
    pipeline, day = landed(tmp_path, make_pages(3))
    day.pages = make_pages(3, word="b")
    left = iter([True, False] * 50)
    limits = msgspec.structs.replace(pipeline.services.limits, out_of_time=lambda: promoting(pipeline) and next(left))
    pipeline.worker = Worker(msgspec.structs.replace(pipeline.services, limits=limits), pipeline.sources)
    pipeline.send(NEXT, fresh=True)
    assert pipeline.step() == "out-of-time"
    staged = sorted(pipeline.objects("staging"))
    pipeline.lake.delete(staged[1:2])
    assert pipeline.drain()[-1] == "complete"
    assert {json.loads(line)["word"] for lines in pipeline.pages().values() for line in lines} == {"b"}
    assert (pipeline.differences(), pipeline.objects("staging")) == ([], {})


def test_a_late_delivery_of_an_older_run_leaves_the_staging_of_a_newer_one_alone(tmp_path: Path) -> None:
    pipeline, _ = landed(tmp_path, make_pages(2))
    manifest = pipeline.manifest()
    manifest.attempts[-1].run = NEXT  # the newer run finished the older one's promotion, and is about to load
    pipeline.lake.put(manifest_key(manifest.partition), encode(manifest))
    theirs = page_key(staging_prefix(manifest.partition, NEXT), 1)
    pipeline.lake.put(theirs, b"in the making")
    pipeline.send()
    assert pipeline.drain() == ["done"]
    assert pipeline.lake.get(theirs) == b"in the making"
