"""Which partitions need a task: the plan, summaries of manifests, and what is late."""

from __future__ import annotations

from option_a.ingest.plan.freshness import (
    UNFINISHED_STATES,
    expected_partitions,
    late_partitions,
    overdue_partitions,
    unfinished_partitions,
)
from option_a.ingest.plan.planner import (
    Only,
    Planned,
    Summaries,
    backfill_partitions,
    is_real_under_mock,
    lookback_partitions,
    nightly_partitions,
    partitions_on,
    plan_tasks,
    redrive_tasks,
)
from option_a.ingest.plan.summary import (
    PartitionState,
    Summary,
    expected_dates,
    latest_date,
    partition_state,
    summarize,
    unreadable_summary,
)
from option_a.ingest.plan.summary_reader import read_summaries

__all__ = [
    "UNFINISHED_STATES",
    "Only",
    "PartitionState",
    "Planned",
    "Summaries",
    "Summary",
    "backfill_partitions",
    "expected_dates",
    "expected_partitions",
    "is_real_under_mock",
    "late_partitions",
    "latest_date",
    "lookback_partitions",
    "nightly_partitions",
    "overdue_partitions",
    "partition_state",
    "partitions_on",
    "plan_tasks",
    "read_summaries",
    "redrive_tasks",
    "summarize",
    "unfinished_partitions",
    "unreadable_summary",
]
