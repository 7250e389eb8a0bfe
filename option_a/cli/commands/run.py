"""`option-a run`."""

from __future__ import annotations

import datetime as dt

import click

from option_a.cli.notices import report_defaults, report_kept_real
from option_a.cli.open import open_pipeline
from option_a.cli.options import examples, load_options, pipeline_options, run_date_option, sources_option
from option_a.cli.run_tasks import run_tasks
from option_a.operations.plan import plan_run
from option_a.operations.requests import resolve_sources
from option_a.workspace.settings import Settings


@click.command(
    "run",
    epilog=examples(
        """
        option-a run
        option-a run --date 2026-11-23 --source orders
        option-a run --fresh --source orders           # reload today's partition
        option-a run --lake s3://my-bucket/lake
        option-a run --stack OptionAIngestionDemoPy    # the stack does the work; this follows it
        """
    ),
)
@run_date_option
@sources_option
@click.option(
    "--fresh",
    is_flag=True,
    help="Reload complete partitions; the previous load stays readable until the new one is complete.",
)
@load_options
@pipeline_options
def command(
    date: dt.date | None, names: tuple[str, ...], fresh: bool, as_json: bool, detach: bool, settings: Settings
) -> None:
    """Load the partitions of a date, by default today's, and work until the queues are empty.

    Complete partitions are not loaded again; unfinished loads resume where they stopped.
    """
    pipeline = open_pipeline(settings)
    requested = resolve_sources(pipeline.sources, names)
    report_defaults(pipeline)
    plan = plan_run(pipeline, requested, date, named=bool(names), fresh=fresh)
    report_kept_real(plan.kept_real)
    run_tasks(pipeline, plan.planned, plan.partitions, requested, as_json=as_json, detach=detach)
