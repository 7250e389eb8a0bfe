"""What `status` decides: which partitions it lists, their totals, what is missing or overdue."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
import pytest

from option_a.ingest.config.source import Source
from option_a.ingest.lake.keys import breaker_key
from option_a.ingest.partition import Partition
from option_a.ingest.ports import Depth
from option_a.ingest.resilience.circuit_breaker import BreakerState
from option_a.operations.partition_status import status_of
from option_a.operations.status import MissingDates, Status, find_missing, list_partitions, read_status
from tests.support.pipeline import source
from tests.unit.operations.memory_pipeline import NOW, TODAY, YESTERDAY, MemoryPipeline, known, summary

BEFORE = YESTERDAY - dt.timedelta(days=1)


def status_with(folder: Path, sources: list[Source], *, named: bool = False, **data: object) -> Status:
    pipeline = MemoryPipeline(folder, sources, **data)  # type: ignore[arg-type]
    return read_status(pipeline, [declared.name for declared in sources], named=named)


@pytest.mark.parametrize(
    ("fields", "outage", "note"),
    [
        ({"state": "failed", "cause": "HTTP 401", "message": "waiting", "restated": 2}, "down", "HTTP 401"),
        ({"state": "loading", "message": "waiting"}, "down", "waiting"),
        ({"state": "loading"}, "down", "down"),
        ({"state": "complete", "restated": 2}, "down", "restated 2 pages"),
        ({"state": "complete"}, "down", ""),
    ],
)
def test_a_note_is_the_cause_or_what_is_awaited_or_what_a_reload_changed(
    fields: dict[str, Any], outage: str, note: str
) -> None:
    assert status_of(Partition("s", YESTERDAY), known(summary(**fields)), NOW, outage).note == note


def test_a_missing_partition_has_no_note_and_a_short_row() -> None:
    status = status_of(Partition("s", YESTERDAY), {}, NOW, "down")
    assert (status.state, status.note, status.is_complete) == ("missing", "", False)
    assert status.to_json() == {"source": "s", "date": YESTERDAY, "state": "missing"}


def test_open_partitions_count_as_complete() -> None:
    assert status_of(Partition("s", YESTERDAY), known(summary(open=True)), NOW).is_complete


def test_partitions_that_should_exist_are_listed_with_those_that_do() -> None:
    found = known(summary(BEFORE), summary(name="gone"))
    declared = [source(since=YESTERDAY)]
    expected = [Partition("s", BEFORE), Partition("s", YESTERDAY), Partition("s", TODAY)]
    assert list_partitions(declared, found, TODAY, include_undeclared=False) == expected
    assert list_partitions(declared, found, TODAY, include_undeclared=True)[0] == Partition("gone", YESTERDAY)


@pytest.mark.parametrize(
    ("dates", "missing"),
    [
        ([], None),
        ([TODAY], None),
        ([BEFORE, YESTERDAY], MissingDates(2, BEFORE, YESTERDAY, includes_latest=False)),
        ([BEFORE, TODAY], MissingDates(2, BEFORE, BEFORE, includes_latest=True)),
    ],
)
def test_dates_before_the_latest_one_take_a_backfill(dates: list[dt.date], missing: MissingDates | None) -> None:
    statuses = [status_of(Partition("s", date), {}, NOW) for date in dates]
    assert find_missing(statuses, {"s": source()}, TODAY) == missing


def test_the_totals_of_a_source_are_those_of_all_its_partitions(tmp_path: Path) -> None:
    found = known(
        summary(TODAY, open=True),
        summary(YESTERDAY, state="failed"),
        summary(BEFORE, state="loading", leased_until=0.0),
    )
    depth = Depth("s", visible=1, delayed=2, dead=3, oldest=NOW - 60)
    (totals,) = status_with(tmp_path, [source(since=BEFORE)], summaries=found, depths=[depth]).sources
    assert (totals.latest_date, totals.latest_state) == (TODAY, "open")
    assert [totals.count(state) for state in ("open", "failed", "incomplete", "complete")] == [1, 1, 1, 0]
    assert totals.count("incomplete", "loading", "promoting") == 1
    assert (totals.records, totals.bytes, totals.depth.live, totals.oldest_task_age) == (90, 1200, 3, 60.0)


def test_a_source_with_nothing_queued_has_an_empty_depth(tmp_path: Path) -> None:
    (totals,) = status_with(tmp_path, [source()]).sources
    assert (totals.depth, totals.oldest_task_age, totals.latest_state) == (Depth("s"), None, "missing")


def test_problems_are_what_was_started_and_is_not_complete(tmp_path: Path) -> None:
    found = known(summary(YESTERDAY), summary(BEFORE, state="failed"))
    status = status_with(tmp_path, [source()], summaries=found)
    assert [problem.partition.date for problem in status.problems] == [BEFORE]


def test_the_verdict_counts_what_is_overdue_by_state(tmp_path: Path) -> None:
    complete = known(summary(YESTERDAY), summary(TODAY))
    assert status_with(tmp_path, [source(since=YESTERDAY)], summaries=complete).ok
    status = status_with(tmp_path, [source(since=BEFORE)], summaries=complete)
    assert not status.ok
    assert status.overdue == {"failed": 0, "incomplete": 0, "missing": 1, "late": 0}


def test_what_is_not_declared_any_more_is_named(tmp_path: Path) -> None:
    found, depths = known(summary(name="gone")), [Depth("z", dead=1), Depth("s", visible=1)]
    status = status_with(tmp_path, [source()], summaries=found, depths=depths)
    assert status.undeclared_sources == ["gone"]
    assert status.undeclared_queues == [Depth("z", dead=1)]
    assert [depth.queue for depth in status.depths] == ["s", "z"]
    assert "gone" not in {p.partition.source for p in status_with(tmp_path, [source()], named=True).partitions}


def test_a_source_that_is_down_explains_its_waiting_partitions(tmp_path: Path) -> None:
    pipeline = MemoryPipeline(tmp_path, [source()], known(summary(TODAY, state="loading")))
    state = BreakerState(failures=5, since=NOW - 60, last=NOW - 1, until=NOW + 60, why="HTTP 503")
    pipeline.lake.put(breaker_key("s"), msgspec.json.encode(state))
    status = read_status(pipeline, ["s"], named=False)
    assert status.open_breakers == {"s": state}
    assert status.problems[0].note == "HTTP 503"
    (row,) = status.to_json()["breakers"]
    assert row == {"source": "s", "since": NOW - 60, "until": NOW + 60, "failures": 5, "why": "HTTP 503"}


def test_the_json_document_has_a_row_for_each_partition_and_queue(tmp_path: Path) -> None:
    depth = Depth("s", visible=1, oldest=NOW - 1.23456)
    document = status_with(tmp_path, [source()], summaries=known(summary(TODAY)), depths=[depth]).to_json()
    assert document.keys() == {"partitions", "queues", "breakers", "lacks"}
    assert [(row["state"], row["records"]) for row in document["partitions"]] == [("complete", 30)]
    assert document["queues"] == [
        {"queue": "s", "visible": 1, "delayed": 0, "in_flight": 0, "dead": 0, "oldest_seconds": 1.235}
    ]
