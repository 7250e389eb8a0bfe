"""`option-a cancel`."""

from __future__ import annotations

import datetime as dt

import click

from option_a.cli.open import open_pipeline
from option_a.cli.options import examples, from_option, json_option, pipeline_options, to_option
from option_a.cli.render import plural, print_json
from option_a.operations.cancel import cancel_tasks
from option_a.operations.requests import DateRange
from option_a.workspace.settings import Settings


@click.command("cancel", epilog=examples("option-a cancel orders --from 2026-01-01 --to 2026-10-31"))
@click.argument("source")
@from_option
@to_option
@json_option
@pipeline_options
def command(source: str, first: dt.date, last: dt.date, as_json: bool, settings: Settings) -> None:
    """Remove a source's queued tasks. Tasks in progress are finished, and landed data stays."""
    dates = DateRange(first, last)
    outcome = cancel_tasks(open_pipeline(settings), source, dates)
    if as_json:
        print_json(outcome)
        return
    rest = f"; {plural(outcome.in_flight, 'task')} in progress will be finished" if outcome.in_flight else ""
    click.echo(f"{plural(outcome.cancelled, 'task')} removed from the queue{rest}")
