"""Selects the partitions that `verify` rereads, and counts the states of all requested ones."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Iterable

import msgspec

from option_a.ingest.config import Source
from option_a.ingest.partition import Partition
from option_a.ingest.plan import Summaries, partition_state, unfinished_partitions
from option_a.workspace.pipeline import Pipeline


class VerifyScope(msgspec.Struct, frozen=True):
    """What is verified. `states` include missing partitions, and count `open` ones as complete."""

    partitions: list[Partition]
    """Those that have a manifest."""
    states: Counter[str]
    known: Summaries
    whole_lake: bool
    """No filter applies, so every object in the lake must belong to a manifest."""


def verify_scope(
    pipeline: Pipeline, names: Collection[str], first: dt.date | None, last: dt.date | None, *, named: bool
) -> VerifyScope:
    """The partitions of these dates, including undeclared sources unless the sources were `named`."""
    known, now = pipeline.summaries(), pipeline.clock.now()
    sources = [pipeline.sources[name] for name in names]

    def selected(partition: Partition) -> bool:
        after, before = first is None or partition.date >= first, last is None or partition.date <= last
        return after and before and (not named or partition.source in names)

    states = count_states(sources, pipeline.today(), known, now, selected)
    whole_lake = not named and first is None and last is None
    return VerifyScope(sorted(filter(selected, known)), states, known, whole_lake)


def count_states(
    sources: Collection[Source], today: dt.date, known: Summaries, now: float, selected: Callable[[Partition], bool]
) -> Counter[str]:
    """The states of the selected partitions, present or missing; `open` counts as complete."""
    partitions: Iterable[Partition] = sorted({*known, *unfinished_partitions(sources, today, known, now)})
    states = Counter[str](partition_state(known.get(p), now) for p in filter(selected, partitions))
    states["complete"] += states.pop("open", 0)
    return states
