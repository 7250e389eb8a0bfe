"""`option-a backfill`."""

from __future__ import annotations

import datetime as dt
from typing import cast

import click

from option_a.cli.options import Date, examples, load_options, pipeline_options, reject_future, resolve_sources
from option_a.cli.pipeline import open_pipeline
from option_a.cli.planning import report_defaults, report_kept_real, report_not_attempted
from option_a.cli.run_tasks import run_tasks
from option_a.ingest.config.read import forces_mock
from option_a.ingest.plan.plan import Only, backfill, plan
from option_a.workspace.settings import Settings

_ONLY = ("missing", "incomplete", "failed", "all")


@click.command(
    "backfill",
    epilog=examples(
        """
        option-a backfill --from 2026-11-01 --to 2026-11-23
        option-a backfill --from 2026-11-01 --to 2026-11-23 --source orders --only failed
        option-a backfill --from 2026-11-01 --to 2026-11-23 --only all    # load it all again
        """
    ),
)
@click.option("--from", "first", type=Date(), required=True, help="The first date.")
@click.option("--to", "last", type=Date(), required=True, help="The last date, inclusive.")
@click.option("--source", "names", multiple=True, metavar="NAME", help="Just this source; may be given again.")
@click.option("--only", type=click.Choice(_ONLY), default="missing", show_default=True,
              help="Which partitions; `all` loads again what is complete.")  # fmt: skip
@load_options
@pipeline_options
def command(
    first: dt.date, last: dt.date, names: tuple[str, ...], only: str, as_json: bool, detach: bool, settings: Settings
) -> None:
    """Load a range of past dates, newest first.

    Sources without dates (snapshots) have no past and are left out, as are dates before a source's `since`.
    """
    if first > last:
        raise click.UsageError(f"--from {first} is after --to {last}")
    pipeline = open_pipeline(settings)
    asked = resolve_sources(pipeline, names)
    report_defaults(pipeline)
    reject_future(pipeline, last)
    snapshots = [name for name in names if pipeline.sources[name].snapshot]
    if snapshots:
        raise click.UsageError(f"`{snapshots[0]}` has no date_param, so it is a snapshot and has no past: option-a run")
    partitions = backfill([pipeline.sources[name] for name in asked], first, last)
    known, queued = pipeline.summaries(), pipeline.queued()
    planned = plan(
        partitions,
        pipeline.sources,
        known,
        pipeline.new_run(),
        now=pipeline.clock.now(),
        only=cast(Only, only),
        queued=queued,
        mock_over_real=forces_mock(pipeline.settings.env),
    )
    report_kept_real(pipeline, partitions, known, planned)
    # of a range that was narrowed, what was not asked for is not told either
    shown = partitions if only in ("missing", "all") else [item.task.partition for item in planned]
    sent = {item.task.partition for item in planned}
    report_not_attempted(shown, known, sent, queued, pipeline.clock.now())
    run_tasks(pipeline, planned, shown, asked, as_json=as_json, detach=detach)
