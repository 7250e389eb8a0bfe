"""What is sent, awaited and reported, and what the outcome is afterwards."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from option_a.ingest.partition import Partition
from option_a.ingest.plan.planner import Planned
from option_a.ingest.task import Task
from option_a.operations.run import Failure, count_others, explain_failures, finish, read_outcome, submit
from tests.support.pipeline import source
from tests.unit.operations.memory_pipeline import (
    NOW,
    TODAY,
    UNREADABLE,
    YESTERDAY,
    MemoryPipeline,
    dead_letter,
    known,
    summary,
)

BEFORE = YESTERDAY - dt.timedelta(days=1)
NEW, OLD, LEFT = Partition("s", TODAY), Partition("s", YESTERDAY), Partition("s", BEFORE)
PLANNED = [Planned(Task("s", TODAY, "20261124T120000Z-b"), "missing")]


def test_tasks_are_sent_before_the_dead_letters_that_they_replace_are_deleted(tmp_path: Path) -> None:
    pipeline, letters = MemoryPipeline(tmp_path), [dead_letter()]
    submit(pipeline, PLANNED, [], ["s"], letters)
    assert pipeline.calls == [("send", [NEW]), ("delete", letters)]


def test_what_is_pending_is_awaited_and_reported_too(tmp_path: Path) -> None:
    pipeline = MemoryPipeline(tmp_path, queued=[LEFT, NEW])
    submission = submit(pipeline, PLANNED, [OLD, NEW], ["s"])
    assert submission.reported == [OLD, NEW, LEFT]
    assert set(submission.awaited) == {NEW, LEFT}
    assert (submission.tasks, submission.left_over) == (1, 1)


def test_nothing_planned_and_nothing_pending_sends_and_awaits_nothing(tmp_path: Path) -> None:
    pipeline = MemoryPipeline(tmp_path)
    submission = submit(pipeline, [], [OLD], ["s"])
    assert (submission.awaited, submission.reported, pipeline.calls) == ([], [OLD], [])


def test_the_outcome_is_ok_if_all_that_was_requested_is_complete_or_open(tmp_path: Path) -> None:
    pipeline = MemoryPipeline(tmp_path, summaries=known(summary(TODAY, open=True), summary(YESTERDAY)))
    assert read_outcome(pipeline, [NEW, OLD], ["s"]).ok
    outcome = read_outcome(pipeline, [NEW, LEFT], ["s"])
    assert ([status.partition for status in outcome.incomplete], outcome.ok) == ([LEFT], False)
    assert [found.date for found in outcome.summaries] == [TODAY]


def test_unfinished_partitions_that_were_not_requested_are_counted() -> None:
    found = known(summary(TODAY, state="failed"), summary(YESTERDAY, state="loading"))
    sources = [source(since=BEFORE)]
    assert count_others(sources, [NEW], TODAY, found, NOW) == {"failed": 0, "incomplete": 1, "missing": 1}
    assert count_others(sources, [NEW, OLD, LEFT], TODAY, found, NOW) == {"failed": 0, "incomplete": 0, "missing": 0}


def test_the_dead_letters_of_what_is_complete_by_now_are_deleted_at_the_end(tmp_path: Path) -> None:
    resolved, unresolved = dead_letter(YESTERDAY), dead_letter(TODAY)
    letters = [resolved, unresolved, UNREADABLE]
    pipeline = MemoryPipeline(tmp_path, summaries=known(summary(YESTERDAY)), letters=letters)
    assert read_outcome(pipeline, [OLD], ["s"]) == finish(pipeline, [OLD], ["s"])
    assert pipeline.calls == [("delete", [resolved])]


def test_a_failure_has_the_cause_of_its_manifest_or_else_of_its_dead_letter(tmp_path: Path) -> None:
    found = known(summary(TODAY, state="failed", cause="HTTP 403"), summary(YESTERDAY))
    pipeline = MemoryPipeline(tmp_path, summaries=found)
    missing = Partition("s", BEFORE - dt.timedelta(days=1))
    outcome = read_outcome(pipeline, [NEW, OLD, LEFT, missing], ["s"])
    letters = [dead_letter(TODAY), dead_letter(BEFORE, message="no disk"), UNREADABLE]
    assert explain_failures(outcome, letters) == [
        Failure(NEW, "HTTP 403"), Failure(LEFT, "no disk"), Failure(missing, None),
    ]  # fmt: skip
