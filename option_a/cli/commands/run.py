"""`option-a run`."""

from __future__ import annotations

import datetime as dt

import click

from option_a.cli.notices import report_defaults, report_kept_real
from option_a.cli.open import open_pipeline
from option_a.cli.options import Date, examples, load_options, pipeline_options
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
        option-a run --fresh --source orders      # load again beside what is there, then promote
        option-a run --lake s3://my-bucket/lake
        option-a run --stack OptionAIngestionDemoPy       # the stack loads; this watches
        """
    ),
)
@click.option(
    "--date", type=Date(), help="The partition's date.  [default: today, UTC, plus each source's date_offset]"
)
@click.option("--source", "names", multiple=True, metavar="NAME", help="Only this source; repeat for more.")
@click.option(
    "--fresh",
    is_flag=True,
    help="Reload complete partitions; the current load stays readable until the new one is complete.",
)
@load_options
@pipeline_options
def command(
    date: dt.date | None, names: tuple[str, ...], fresh: bool, as_json: bool, detach: bool, settings: Settings
) -> None:
    """Plan, and work until the queues are empty.

    What is complete is not loaded again. What an earlier run left undone goes on where it stood.
    """
    pipeline = open_pipeline(settings)
    requested = resolve_sources(pipeline.sources, names)
    report_defaults(pipeline)
    plan = plan_run(pipeline, requested, date, named=bool(names), fresh=fresh)
    report_kept_real(plan.kept_real)
    run_tasks(pipeline, plan.planned, plan.partitions, requested, as_json=as_json, detach=detach)
