"""What `run` and `plan` share: the partitions of a night, and the tasks that they need."""

from __future__ import annotations

import datetime as dt

import click

from option_a.cli.options import not_ahead
from option_a.cli.pipeline import Pipeline
from option_a.ingest.layout import Partition
from option_a.ingest.plan import Planned, plan, tonight


def nightly(
    pipeline: Pipeline, names: list[str], date: dt.date | None, *, named: bool, fresh: bool
) -> tuple[list[Partition], list[Planned]]:
    """The partitions of tonight, or of `date`, and the tasks for those that need one."""
    known, now, today = pipeline.known(), pipeline.clock.now(), pipeline.today()
    sources = {name: pipeline.sources[name] for name in names}
    if date is None:
        partitions = tonight(sources.values(), today, known, now)
    else:
        not_ahead(pipeline, date)
        snapshots = [name for name, source in sources.items() if source.snapshot and date != today]
        if snapshots and (named or len(snapshots) == len(sources)):
            raise click.UsageError(
                f"`{snapshots[0]}` has no date_param, so it is a snapshot: it has no past. Leave out --date"
            )
        partitions = [Partition(name, date) for name in sources if name not in snapshots]
    planned = plan(partitions, sources, known, pipeline.new_run(), now=now, fresh=fresh, queued=pipeline.queued())
    return partitions, planned
