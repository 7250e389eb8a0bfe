"""What a redrive sends again, and what a cancellation removes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from option_a.ingest.errors import InvalidRequest
from option_a.ingest.partition import Partition
from option_a.ingest.ports import Depth
from option_a.operations.cancel import Cancelled, cancel_tasks
from option_a.operations.redrive import plan_redrive, select_failed
from option_a.operations.requests import DateRange
from tests.support.pipeline import source
from tests.unit.operations.memory_pipeline import (
    TODAY,
    UNREADABLE,
    YESTERDAY,
    MemoryPipeline,
    dead_letter,
    known,
    snapshot,
    summary,
)

FOUND = known(
    summary(TODAY),
    summary(YESTERDAY, state="failed", cause_kind="body"),
    summary(YESTERDAY, name="t", state="failed", cause_kind="total"),
)
LETTERS = [dead_letter(YESTERDAY), dead_letter(TODAY, name="t"), UNREADABLE]
S, T, T_TODAY = Partition("s", YESTERDAY), Partition("t", YESTERDAY), Partition("t", TODAY)


@pytest.mark.parametrize(
    ("names", "date", "cause", "selected"),
    [
        (("s", "t"), None, None, [S, T, T_TODAY]),
        (("s",), None, None, [S]),
        (("s", "t"), TODAY, None, [T_TODAY]),
        (("s", "t"), None, "http", [S, T_TODAY]),
        (("s", "t"), None, "body", [S]),
        (("s", "t"), TODAY, "body", []),
    ],
)
def test_what_has_failed_by_its_manifest_or_a_dead_letter_is_selected(
    names: tuple[str, ...], date: dt.date | None, cause: str | None, selected: list[Partition]
) -> None:
    assert select_failed(FOUND, LETTERS, names, date, cause) == selected


def test_a_redrive_sends_what_was_selected_and_replaces_its_letters(tmp_path: Path) -> None:
    pipeline = MemoryPipeline(tmp_path, [source(), source(name="t")], FOUND, letters=LETTERS)
    planned = plan_redrive(pipeline, ["s", "t"], YESTERDAY, None)
    assert [item.task.partition for item in planned.planned] == [S, T]
    assert planned.letters == LETTERS[:1]
    assert pipeline.calls == []


def test_a_past_snapshot_is_not_sent_but_its_letters_are_replaced(tmp_path: Path) -> None:
    letters = [dead_letter(YESTERDAY, "snap"), dead_letter(TODAY, "snap")]
    pipeline = MemoryPipeline(tmp_path, [snapshot("snap")], letters=letters)
    planned = plan_redrive(pipeline, ["snap"], None, None)
    assert planned.past_snapshots == [Partition("snap", YESTERDAY)]
    assert [item.task.partition for item in planned.planned] == [Partition("snap", TODAY)]
    assert planned.letters == letters


def test_queued_tasks_of_a_range_are_cancelled(tmp_path: Path) -> None:
    pipeline = MemoryPipeline(tmp_path)
    assert cancel_tasks(pipeline, "s", DateRange(YESTERDAY, TODAY)) == Cancelled(cancelled=2, in_flight=1)
    assert pipeline.calls == [("cancel", ("s", "2026-11-23", "2026-11-24"))]


def test_an_undeclared_source_is_known_as_long_as_its_queue_holds_tasks(tmp_path: Path) -> None:
    dates = DateRange(YESTERDAY, TODAY)
    cancel_tasks(MemoryPipeline(tmp_path, depths=[Depth("gone", visible=2)]), "gone", dates)
    with pytest.raises(InvalidRequest, match="no source `gone`"):
        cancel_tasks(MemoryPipeline(tmp_path), "gone", dates)
