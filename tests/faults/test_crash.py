"""Whatever call of a port a process dies at, before or after it: the next ones finish, and the lake is the same."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from option_a.ingest.ledger import Ledger
from option_a.ingest.ports import Request
from option_a.ingest.source import Source
from tests.conftest import Proof
from tests.support.crash import Doom, assert_only_whole_pages, live_until
from tests.support.world import Pipeline, days_of, numbered, source

NEXT = "20231114T230000Z-b"
THIRD = "20231114T233000Z-c"
DECLARED: dict[str, object] = {"style": "page", "total_pages": "total_pages"}
Scenario = Callable[[Path], Pipeline]


class Day:
    """An API of declared pages, whose content a scenario changes; each answer takes some seconds."""

    def __init__(self, pages: list[list[dict[str, object]]], *, seconds: float = 6.0) -> None:
        self.pages, self.seconds = pages, seconds
        self.broken: set[int] = set()
        self.pipeline: Pipeline

    def __call__(self, request: Request) -> bytes:
        self.pipeline.clock.time += self.seconds
        if int(request.params["page"]) in self.broken:
            return b"<html>no</html>"
        return numbered(self.pages, total_pages=len(self.pages))(request)


def with_gap(pages: list[list[dict[str, object]]]) -> list[list[dict[str, object]]]:
    return [*pages[:2], [], *pages[2:]]


def begun(root: Path, day: Day, *sources: Source) -> Pipeline:
    day.pipeline = Pipeline(root, day, *(sources or [source(pagination=DECLARED, parallel=2)]))
    day.pipeline.send()
    return day.pipeline


def first_load(root: Path) -> Pipeline:
    return begun(root, Day(with_gap(days_of(6))))


def page_after_page(root: Path) -> Pipeline:
    def answer(request: Request) -> bytes:
        pipeline.clock.time += 6.0
        return numbered(days_of(4))(request)

    pipeline = Pipeline(root, answer)
    pipeline.send()
    return pipeline


def resumed_load(root: Path) -> Pipeline:
    pipeline = first_load(root)
    assert live_until(pipeline, Doom(14))
    assert 0 < pipeline.manifest().load.answered < 7
    return pipeline


def _complete(root: Path, before: list[list[dict[str, object]]]) -> tuple[Pipeline, Day]:
    day = Day(before)
    pipeline = begun(root, day)
    assert pipeline.drain() == ["complete"]
    pipeline.send(NEXT, fresh=True)
    return pipeline, day


def longer_then_shorter(root: Path) -> Pipeline:
    pipeline, day = _complete(root, days_of(6))
    day.pages = [*days_of(2), [], *days_of(4, word="b")[3:]]
    return pipeline


def shorter_then_longer(root: Path) -> Pipeline:
    pipeline, day = _complete(root, with_gap(days_of(2)))
    day.pages = days_of(5, word="b")
    return pipeline


def emptied(root: Path) -> Pipeline:
    pipeline, day = _complete(root, days_of(3))
    day.pages = [[]]
    return pipeline


def failing_again(root: Path) -> Pipeline:
    pipeline, day = _complete(root, days_of(3))
    day.pages, day.broken = days_of(5, word="b"), {4}
    return pipeline


def after_a_failed_one(root: Path) -> Pipeline:
    pipeline = failing_again(root)
    assert pipeline.drain() == ["failed"]
    pipeline.queue.dead.clear()
    day = pipeline.api
    assert isinstance(day, Day)
    day.broken = set()
    pipeline.send(THIRD, fresh=True)
    return pipeline


def permanent_failure(root: Path) -> Pipeline:
    day = Day(days_of(5))
    day.broken = {4}
    return begun(root, day)


def out_of_time(root: Path) -> Pipeline:
    pipeline = first_load(root)
    pipeline.budget = 3
    return pipeline


def total_mended(root: Path) -> Pipeline:
    """The declared total is one too many until the load is begun once more."""

    def answer(request: Request) -> bytes:
        pipeline.clock.time += 6.0
        return numbered(days_of(3), total=7 - pipeline.manifest().load.restarts)(request)

    counted = {"style": "page", "total_records": "total", "size": 2}
    pipeline = Pipeline(root, answer, source(pagination=counted, parallel=2))
    pipeline.send()
    return pipeline


SCENARIOS: list[Scenario] = [
    first_load,
    page_after_page,
    resumed_load,
    longer_then_shorter,
    shorter_then_longer,
    emptied,
    failing_again,
    after_a_failed_one,
    permanent_failure,
    out_of_time,
    total_mended,
]


def result(pipeline: Pipeline) -> dict[str, object]:
    """All that must be the same whatever happened on the way."""
    manifest = pipeline.manifest()
    load = manifest.load
    rows = list(Ledger(pipeline.lake, manifest.partition).rows(load))
    assert manifest.state == "failed" or not pipeline.objects("staging")
    whole = msgspec.structs.replace(load, started=0.0, finished=None, rows=rows, stalls=0)
    return {
        "lake": pipeline.objects("raw", "dead"),
        "ledger": sorted(pipeline.objects("manifest")),
        "state": (manifest.state, manifest.cause and manifest.cause.kind, manifest.claim, manifest.landed is None),
        "load": whole,
        "dead": [(letter.cause.kind, letter.task and letter.task.run) for letter in pipeline.queue.dead],
        "queued": pipeline.queue.tasks(),
    }


def assert_old_day_stands(pipeline: Pipeline, before: dict[str, bytes], *, was_complete: bool) -> None:
    """What a crash may leave: whole pages alone, and of a complete day, until promotion, every byte."""
    assert_only_whole_pages(pipeline)
    if was_complete and pipeline.manifest().state in ("loading", "failed"):
        assert pipeline.objects("raw") == before
        assert pipeline.manifest().readable is not None
        assert pipeline.differences() == []


@pytest.mark.bar(2)
@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_call_loses_nothing_and_doubles_nothing(
    scenario: Scenario, after: bool, tmp_path: Path, proof: Proof
) -> None:
    undisturbed = scenario(tmp_path / "undisturbed")
    doom = Doom()
    assert not live_until(undisturbed, doom)
    expected = result(undisturbed)
    assert undisturbed.differences() == []
    assert doom.calls >= 10
    for at in range(1, doom.calls + 1):
        pipeline = scenario(tmp_path / str(at))
        before = pipeline.objects("raw")
        was_complete = bool(pipeline.objects("manifest")) and pipeline.manifest().readable is not None
        assert live_until(pipeline, Doom(at, after=after)), at
        if pipeline.objects("manifest"):
            assert_old_day_stands(pipeline, before, was_complete=was_complete)
        pipeline.drain()
        assert result(pipeline) == expected, at
        assert pipeline.differences() == [], at
    proof.figure("crash points", doom.calls)


@pytest.mark.parametrize("scenario", [first_load, longer_then_shorter, out_of_time])
def test_so_it_is_where_pages_are_fetched_by_threads(scenario: Scenario, tmp_path: Path) -> None:
    undisturbed = scenario(tmp_path / "undisturbed")
    doom = Doom()
    assert not live_until(undisturbed, doom)
    for at in range(2, doom.calls, 3):
        pipeline = scenario(tmp_path / str(at))
        pipeline.world = msgspec.structs.replace(pipeline.world, executor=ThreadPoolExecutor)
        live_until(pipeline, Doom(at, after=bool(at % 2)))
        pipeline.drain()
        assert pipeline.objects("raw") == undisturbed.objects("raw"), at
        assert pipeline.objects("staging") == {}, at
        assert pipeline.manifest().state == "complete", at
        assert pipeline.differences() == [], at
