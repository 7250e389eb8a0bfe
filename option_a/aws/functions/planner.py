"""The planner in a Lambda: an event to tasks on the queues of their sources."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from option_a.aws.functions.event import PlanRequest, Trigger, known_names, read_event
from option_a.ingest.config import Source
from option_a.ingest.errors import ConfigError
from option_a.ingest.lake import Lake
from option_a.ingest.partition import Partition
from option_a.ingest.plan import (
    Planned,
    Summaries,
    backfill_partitions,
    latest_date,
    lookback_partitions,
    nightly_partitions,
    partitions_on,
    plan_tasks,
    read_summaries,
)
from option_a.ingest.ports import Clock, Queue
from option_a.names import MOST_DAYS, TOO_MUCH

LOOK_BACK = 7
"""Nights for which a day that was loaded before it was over is looked for; `only = "all"` finds older ones."""
_READERS = 32
_TOLD = 100


class Planner:
    """Plans and sends. Its answer is counts and the first hundred tasks."""

    def __init__(self, sources: Mapping[str, Source], lake: Lake, queue: Queue, clock: Clock) -> None:
        self._sources, self._lake, self._queue, self._clock = sources, lake, queue, clock

    def __call__(self, event: Any, request: str) -> dict[str, Any]:
        """Do what the event asks; `request` tells a manual invocation and its retries from any other.

        Raises ConfigError for an event that is none, LakeError and QueueError: the same event may be sent again.
        """
        trigger = read_event(event, request, self._clock.now())
        names = known_names(trigger.plan_request, self._sources)
        partitions, planned = self.plan(trigger, [self._sources[name] for name in names])
        self._queue.send([item.task for item in planned])
        return _answer(trigger.run, partitions, planned)

    def plan(self, trigger: Trigger, sources: list[Source]) -> tuple[list[Partition], list[Planned]]:
        """The partitions that the event means, and the tasks that they need."""
        request, now = trigger.plan_request, self._clock.now()
        today = dt.datetime.fromtimestamp(trigger.moment, dt.UTC).date()
        _check_dates(request, sources, today)
        summaries: Summaries
        late: list[Partition] = []
        if request.first is not None and request.last is not None:
            partitions = backfill_partitions(sources, request.first, request.last)
            summaries = self._read_summaries(partitions)
        elif request.date is not None:
            partitions = partitions_on(sources, request.date, today)
            summaries = self._read_summaries(partitions)
        else:
            summaries = self._read_summaries(_recent(sources, today))
            late = lookback_partitions(sources, today, summaries) if request.only is None else []
            partitions = nightly_partitions(sources, today, summaries, now)
            partitions += [partition for partition in late if partition not in partitions]
        only = request.only or ("missing" if request.first is not None and not request.fresh else None)
        by_name = {source.name: source for source in sources}
        planned = plan_tasks(
            partitions, by_name, summaries, trigger.run, now=now, fresh=request.fresh, only=only, late=late
        )
        return partitions, planned

    def _read_summaries(self, partitions: list[Partition]) -> Summaries:
        with ThreadPoolExecutor(_READERS) as readers:
            return read_summaries(self._lake, partitions, readers)


def _recent(sources: list[Source], today: dt.date) -> list[Partition]:
    return [
        Partition(source.name, latest_date(source, today) - dt.timedelta(days=day))
        for source in sources
        for day in range(max(LOOK_BACK, source.lookback) + 1)
    ]


def _check_dates(request: PlanRequest, sources: list[Source], today: dt.date) -> None:
    """Raises ConfigError for dates in the future, and for more of them than a queue may hold."""
    last = request.date or request.last
    newest_date = max([today, *(latest_date(source, today) for source in sources)])
    if last is not None and last > newest_date:
        raise ConfigError(f"the event asks for {last}, which is in the future (it is {today}, UTC)")
    days = (request.last - request.first).days + 1 if request.first is not None and request.last is not None else 1
    if days > MOST_DAYS:
        raise ConfigError(f"the event asks for {days} dates at once", hint=TOO_MUCH)


def _answer(run: str, partitions: list[Partition], planned: list[Planned]) -> dict[str, Any]:
    return {
        "run": run,
        "partitions": len(partitions),
        "enqueued": len(planned),
        "why": dict(Counter(item.why for item in planned)),
        "tasks": [{"source": i.task.source, "date": i.task.day, "why": i.why} for i in planned[:_TOLD]],
        "more": max(0, len(planned) - _TOLD),
    }
