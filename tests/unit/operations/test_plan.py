"""Which partitions `run` and `backfill` load, and what they report of the others."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from option_a.ingest.errors import InvalidRequest
from option_a.ingest.partition import Partition
from option_a.ingest.plan.planner import Only
from option_a.operations.backfill import plan_backfill
from option_a.operations.plan import partitions_on, plan_run
from option_a.operations.requests import DateRange
from tests.support.pipeline import source
from tests.unit.operations.memory_pipeline import TODAY, YESTERDAY, MemoryPipeline, known, snapshot, summary

BEFORE = YESTERDAY - dt.timedelta(days=1)
TOMORROW = TODAY + dt.timedelta(days=1)
RANGE = DateRange(BEFORE, TODAY)


def on(*dates: dt.date, name: str = "s") -> list[Partition]:
    return [Partition(name, date) for date in dates]


def test_a_run_loads_the_latest_date_and_what_a_lookback_reloads(tmp_path: Path) -> None:
    pipeline = MemoryPipeline(tmp_path, [source(lookback=1)], known(summary(YESTERDAY)))
    planned = plan_run(pipeline, ["s"], None, named=False, fresh=False)
    assert planned.partitions == on(TODAY, YESTERDAY)
    assert [item.why for item in planned.planned] == ["missing", "lookback"]


def test_partitions_without_a_task_are_counted_by_state(tmp_path: Path) -> None:
    sources = [source(), source(name="t"), source(name="u")]
    pipeline = MemoryPipeline(tmp_path, sources, known(summary(TODAY)), queued=on(TODAY, name="t"))
    planned = plan_run(pipeline, ["s", "t", "u"], TODAY, named=False, fresh=False)
    assert planned.planned_partitions == on(TODAY, name="u")
    assert planned.skipped() == {"complete": 1, "queued": 1}


def test_a_fresh_run_reloads_what_is_complete(tmp_path: Path) -> None:
    pipeline = MemoryPipeline(tmp_path, [source()], known(summary(TODAY)))
    planned = plan_run(pipeline, ["s"], TODAY, named=True, fresh=True)
    assert planned.planned[0].task.fresh
    assert planned.skipped() == {}


def test_real_data_under_a_mock_source_is_kept_and_counted(tmp_path: Path) -> None:
    pipeline = MemoryPipeline(tmp_path, [source(url="mock://s")], known(summary(TODAY)))
    planned = plan_run(pipeline, ["s"], TODAY, named=False, fresh=False)
    assert (planned.planned, planned.kept_real) == ([], 1)
    pipeline.settings.env["USE_REAL_HTTP"] = "false"  # type: ignore[index]
    replaced = plan_run(pipeline, ["s"], TODAY, named=False, fresh=False)
    assert ([item.why for item in replaced.planned], replaced.kept_real) == (["origin"], 0)


def test_a_run_of_a_date_in_the_future_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="in the future"):
        plan_run(MemoryPipeline(tmp_path), ["s"], TOMORROW, named=False, fresh=False)


def test_a_snapshot_has_no_past_and_is_refused_only_if_it_was_named() -> None:
    both = {"s": source(), "snap": snapshot("snap")}
    assert partitions_on(both, YESTERDAY, TODAY, named=False) == on(YESTERDAY)
    assert partitions_on(both, TODAY, TODAY, named=True) == [*on(TODAY), *on(TODAY, name="snap")]
    for sources, named in ((both, True), ({"snap": snapshot("snap")}, False)):
        with pytest.raises(InvalidRequest, match="`snap` has no date_param"):
            partitions_on(sources, YESTERDAY, TODAY, named=named)


def test_a_backfill_loads_missing_dates_newest_first_and_counts_what_it_leaves(tmp_path: Path) -> None:
    found = known(summary(TODAY, state="failed"), summary(YESTERDAY, state="loading"))
    planned = plan_backfill(MemoryPipeline(tmp_path, summaries=found), ["s"], RANGE, "missing", named=[])
    assert planned.planned_partitions == on(BEFORE)
    assert planned.reported == on(TODAY, YESTERDAY, BEFORE)
    assert planned.not_attempted == {"failed": 1, "incomplete": 1}


def test_a_queued_partition_is_not_reported_as_left(tmp_path: Path) -> None:
    found = known(summary(TODAY, state="failed"))
    pipeline = MemoryPipeline(tmp_path, summaries=found, queued=on(TODAY))
    assert plan_backfill(pipeline, ["s"], RANGE, "missing", named=[]).not_attempted == {"failed": 0, "incomplete": 0}


@pytest.mark.parametrize(
    ("only", "dates"),
    [("failed", [TODAY]), ("incomplete", [YESTERDAY]), ("all", [TODAY, YESTERDAY, BEFORE])],
)
def test_a_filtered_backfill_reports_only_what_it_loads(tmp_path: Path, only: Only, dates: list[dt.date]) -> None:
    found = known(summary(TODAY, state="failed"), summary(YESTERDAY, state="loading"), summary(BEFORE))
    planned = plan_backfill(MemoryPipeline(tmp_path, summaries=found), ["s"], RANGE, only, named=[])
    assert planned.planned_partitions == planned.reported == on(*dates)
    assert planned.not_attempted == {"failed": 0, "incomplete": 0}


def test_a_backfill_of_the_future_or_of_a_named_snapshot_is_refused(tmp_path: Path) -> None:
    pipeline = MemoryPipeline(tmp_path, [source(), snapshot("snap")])
    with pytest.raises(InvalidRequest, match="in the future"):
        plan_backfill(pipeline, ["s"], DateRange(TODAY, TOMORROW), "missing", named=[])
    with pytest.raises(InvalidRequest, match="`snap` has no date_param"):
        plan_backfill(pipeline, ["snap"], RANGE, "missing", named=["snap"])
    unnamed = plan_backfill(pipeline, ["s", "snap"], RANGE, "missing", named=[])
    assert {partition.source for partition in unnamed.partitions} == {"s"}
