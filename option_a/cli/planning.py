"""What `run`, `backfill` and `plan` share: the partitions of a night, the tasks that they need, and what has none."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable

import click

from option_a.cli.options import reject_future
from option_a.cli.pipeline import Pipeline
from option_a.cli.render import plural, printable
from option_a.ingest.config.read import forces_mock
from option_a.ingest.partition import Partition
from option_a.ingest.plan.plan import Planned, Summaries, is_real_under_mock, lookback, nightly_partitions, plan
from option_a.ingest.plan.summary import partition_state


def nightly(
    pipeline: Pipeline, names: list[str], date: dt.date | None, *, named: bool, fresh: bool
) -> tuple[list[Partition], list[Planned]]:
    """The partitions of tonight, or of `date`, and the tasks for those that need one."""
    known, now, today = pipeline.summaries(), pipeline.clock.now(), pipeline.today()
    sources = {name: pipeline.sources[name] for name in names}
    late: list[Partition] = []
    if date is None:
        partitions = nightly_partitions(sources.values(), today, known, now)
        late = lookback(sources.values(), today, known)
        partitions = list(dict.fromkeys([*partitions, *late]))
    else:
        reject_future(pipeline, date)
        snapshots = [name for name, source in sources.items() if source.snapshot and date != today]
        if snapshots and (named or len(snapshots) == len(sources)):
            raise click.UsageError(
                f"`{snapshots[0]}` has no date_param, so it is a snapshot: it has no past. Leave out --date"
            )
        partitions = [Partition(name, date) for name in sources if name not in snapshots]
    planned = plan(
        partitions, sources, known, pipeline.new_run(), now=now, fresh=fresh, queued=pipeline.queued(),
        mock_over_real=forces_mock(pipeline.settings.env), late=late,
    )  # fmt: skip
    report_kept_real(pipeline, partitions, known, planned)
    return partitions, planned


def declared_in(pipeline: Pipeline) -> str:
    """The file that declares the sources, in words where there is none."""
    file = pipeline.settings.sources_file
    return printable(str(file) if file.exists() else f"the defaults (there is no {file.absolute()})")


def report_defaults(pipeline: Pipeline) -> None:
    """Say that nothing is declared here: maybe it is the wrong folder."""
    if not pipeline.settings.sources_file.exists():
        click.echo(f"{plural(len(pipeline.sources), 'source')} of {declared_in(pipeline)}", err=True)


def report_not_attempted(
    partitions: Iterable[Partition],
    known: Summaries,
    sent: Collection[Partition],
    queued: Collection[Partition],
    now: float,
) -> None:
    """Say what of a range keeps the state in which it was found before, and how it is loaded."""
    left = Counter(partition_state(known.get(p), now) for p in partitions if p not in sent and p not in queued)
    if count := left["failed"]:
        was = f"{count} failed before, and {'is' if count == 1 else 'are'} not tried again"
        click.echo(f"{was}: option-a redrive, or backfill --only failed", err=True)
    if count := left["incomplete"]:
        click.echo(f"{count} left incomplete before, and not gone on with: backfill --only incomplete", err=True)


def report_kept_real(
    pipeline: Pipeline, partitions: Iterable[Partition], known: Summaries, planned: Iterable[Planned]
) -> None:
    """Say that real data is left alone where its source is mock now."""
    sent = {item.task.partition for item in planned}
    left = [p for p in partitions if p not in sent and is_real_under_mock(pipeline.sources[p.source], known.get(p))]
    if left and not forces_mock(pipeline.settings.env):
        click.echo(
            f"{plural(len(left), 'partition')} of real data left as it is: the source is mock now. Are USE_REAL_HTTP "
            "and ENDPOINT_MAP set? (USE_REAL_HTTP=false, or --fresh, puts mock data in its place)",
            err=True,
        )
