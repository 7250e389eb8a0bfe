"""`option-a run`."""

from __future__ import annotations

import datetime as dt

import click

from option_a.cli.options import Date, examples, load_options, pipeline_options, resolve_sources
from option_a.cli.pipeline import open_pipeline
from option_a.cli.planning import nightly, report_defaults
from option_a.cli.run_tasks import run_tasks
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
@click.option("--source", "names", multiple=True, metavar="NAME", help="Just this source; may be given again.")
@click.option("--fresh", is_flag=True, help="Load again what is complete; it stays until the new load is whole.")
@load_options
@pipeline_options
def command(
    date: dt.date | None, names: tuple[str, ...], fresh: bool, as_json: bool, detach: bool, settings: Settings
) -> None:
    """Plan, and work until the queues are empty.

    What is complete is not loaded again. What an earlier run left undone goes on where it stood.
    """
    pipeline = open_pipeline(settings)
    asked = resolve_sources(pipeline, names)
    report_defaults(pipeline)
    partitions, planned = nightly(pipeline, asked, date, named=bool(names), fresh=fresh)
    run_tasks(pipeline, planned, partitions, asked, as_json=as_json, detach=detach)
