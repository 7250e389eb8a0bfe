"""(sources, dates, manifests) → tasks. Pure, so a dry run is free."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Literal

import msgspec

from option_a.ingest.config import Source
from option_a.ingest.partition import Partition
from option_a.ingest.plan.summary import Summary, latest_date, needs_reload, partition_state
from option_a.ingest.ports import DeadLetter
from option_a.ingest.task import Task

Why = Literal["missing", "incomplete", "failed", "open", "origin", "fresh", "lookback"]
Only = Literal["missing", "incomplete", "failed", "all"]
Summaries = Mapping[Partition, Summary]

UNFINISHED: frozenset[Why] = frozenset({"missing", "incomplete", "failed", "open", "origin"})
_ONLY: dict[Only, frozenset[Why]] = {
    "missing": frozenset({"missing", "origin"}),
    "incomplete": frozenset({"incomplete"}),
    "failed": frozenset({"failed"}),
    "all": UNFINISHED,
}


class Planned(msgspec.Struct, frozen=True):
    """One task, and why it is there."""

    task: Task
    why: Why


def nightly_partitions(sources: Iterable[Source], today: dt.date, summaries: Summaries, now: float) -> list[Partition]:
    """The partitions of a day's run: each source's newest date, then the open days that are over by now."""
    declared = {source.name: source for source in sources}
    asked = [Partition(source.name, latest_date(source, today)) for source in declared.values()]
    again = [
        partition
        for partition, summary in summaries.items()
        if partition.source in declared
        and needs_reload(summary, now)
        and summary.origin == declared[partition.source].origin
    ]
    later = sorted(set(again) - set(asked), key=lambda partition: (-partition.date.toordinal(), partition.source))
    return asked + later


def lookback_partitions(sources: Iterable[Source], today: dt.date, summaries: Summaries) -> list[Partition]:
    """The dates before the newest one that a night's run loads again: those that were complete before today.

    What is not complete has its own reason to be loaded, in a backfill or a redrive.
    """
    begun = dt.datetime.combine(today, dt.time(), dt.UTC).timestamp()
    return [p for source in sources for p in _before(source, today) if _settled(summaries.get(p), source, begun)]


def _before(source: Source, today: dt.date) -> list[Partition]:
    last = latest_date(source, today)
    days = [last - dt.timedelta(days=day) for day in range(1, source.lookback + 1)]
    return [Partition(source.name, day) for day in days if source.since is None or day >= source.since]


def _settled(summary: Summary | None, source: Source, begun: float) -> bool:
    if summary is None or summary.state != "complete" or summary.origin != source.origin:
        return False
    return summary.started < begun


def partitions_on(sources: Iterable[Source], date: dt.date, today: dt.date) -> list[Partition]:
    """The partitions of one date: of a snapshot only today's, for it has no past."""
    return [Partition(source.name, date) for source in sources if not source.snapshot or date == today]


def backfill_partitions(sources: Iterable[Source], first: dt.date, last: dt.date) -> list[Partition]:
    """The partitions of a range of dates, newest first: none of a snapshot, none before a source's `since`."""
    dated = [source for source in sources if not source.snapshot]
    days = [last - dt.timedelta(days=day) for day in range((last - first).days + 1)]
    return [Partition(s.name, day) for day in days for s in dated if s.since is None or day >= s.since]


def plan_tasks(
    partitions: Iterable[Partition],
    sources: Mapping[str, Source],
    summaries: Summaries,
    run: str,
    *,
    now: float,
    fresh: bool = False,
    only: Only | None = None,
    queued: Collection[Partition] = (),
    mock_over_real: bool = False,
    late: Collection[Partition] = (),
) -> list[Planned]:
    """One task for each partition that needs one, in the order given.

    `only` narrows it to one kind; "all" and `fresh` load again what is complete. `queued` partitions have a task;
    `late` ones, which are complete, may have got records since. Real data is replaced by mock data where that is
    asked for, by `mock_over_real` or `fresh`, and not by mistake.
    """
    wanted = UNFINISHED if only is None else _ONLY[only]
    again = fresh or only == "all"
    planned = []
    for partition in partitions:
        source, summary = sources[partition.source], summaries.get(partition)
        why = None if is_real_under_mock(source, summary) and not mock_over_real else _why(source, summary, now)
        if again:
            planned.append(Planned(Task(partition.source, partition.date, run, fresh=True), why or "fresh"))
        elif why is not None and why in wanted and partition not in queued:
            planned.append(Planned(Task(partition.source, partition.date, run), why))
        elif why is None and only is None and partition in late and partition not in queued:
            planned.append(Planned(Task(partition.source, partition.date, run, fresh=True), "lookback"))
    return planned


def redrive_tasks(
    failed: Iterable[Partition], summaries: Summaries, letters: Iterable[DeadLetter], run: str
) -> list[Planned]:
    """One task for each partition that has failed. What had landed stays, but a re-load that is owed is one again."""
    owed = {letter.task.partition for letter in letters if letter.task and _reload_is_owed(letter.task, summaries)}
    return [Planned(Task(p.source, p.date, run, fresh=p in owed), "failed") for p in failed]


def _reload_is_owed(task: Task, summaries: Summaries) -> bool:
    """Whether a re-load died before it had begun: what stands there is an older run's."""
    summary = summaries.get(task.partition)
    return task.fresh and summary is not None and (summary.tried_run or summary.run) < task.run


def is_real_under_mock(source: Source, summary: Summary | None) -> bool:
    """Whether a partition holds real data, or was to, and its source is mock now: maybe just a variable is not set."""
    return summary is not None and source.origin == "mock" and "real" in (summary.origin, summary.tried)


def _why(source: Source, summary: Summary | None, now: float) -> Why | None:
    """Why a partition needs a task; None if it is complete, or in good hands."""
    if summary is not None and (summary.tried or summary.origin) != source.origin:
        return "origin"
    state = partition_state(summary, now)
    if state in ("missing", "incomplete", "failed"):
        return state
    return "open" if summary is not None and needs_reload(summary, now) else None
