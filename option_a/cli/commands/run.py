"""`option-a run`."""

from __future__ import annotations

import datetime as dt

import click

from option_a.cli.options import Date, chosen, examples, place, working
from option_a.cli.pipeline import opened
from option_a.cli.planning import nightly, tell_of_defaults
from option_a.cli.run_tasks import work_off
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
@working
@place
def command(
    date: dt.date | None, names: tuple[str, ...], fresh: bool, as_json: bool, detach: bool, settings: Settings
) -> None:
    """Plan, and work until the queues are empty.

    What is complete is not loaded again. What an earlier run left undone goes on where it stood.
    """
    pipeline = opened(settings)
    asked = chosen(pipeline, names)
    tell_of_defaults(pipeline)
    partitions, planned = nightly(pipeline, asked, date, named=bool(names), fresh=fresh)
    work_off(pipeline, planned, partitions, asked, as_json=as_json, detach=detach)
