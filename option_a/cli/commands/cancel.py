"""`option-a cancel`."""

from __future__ import annotations

import datetime as dt

import click

from option_a.cli.open import open_pipeline
from option_a.cli.options import Date, examples, json_option, pipeline_options
from option_a.cli.render import plural, print_json
from option_a.operations.cancel import cancel_tasks
from option_a.operations.requests import DateRange
from option_a.workspace.settings import Settings


@click.command("cancel", epilog=examples("option-a cancel orders --from 2026-01-01 --to 2026-10-31"))
@click.argument("source")
@click.option("--from", "first", type=Date(), required=True, help="The first date.")
@click.option("--to", "last", type=Date(), required=True, help="The last date, inclusive.")
@json_option
@pipeline_options
def command(source: str, first: dt.date, last: dt.date, as_json: bool, settings: Settings) -> None:
    """Remove queued tasks. Tasks in progress are finished; what has landed stays."""
    dates = DateRange(first, last)
    done = cancel_tasks(open_pipeline(settings), source, dates)
    if as_json:
        print_json(done)
        return
    left = f"; {plural(done.in_flight, 'task')} in progress will be finished" if done.in_flight else ""
    click.echo(f"{plural(done.cancelled, 'task')} removed from the queue{left}")
