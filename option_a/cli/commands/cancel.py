"""`option-a cancel`."""

from __future__ import annotations

import datetime as dt

import click

from option_a.cli.options import Date, chosen, examples, json_option, place
from option_a.cli.pipeline import opened
from option_a.cli.render import emit, plural
from option_a.workspace.settings import Settings


@click.command("cancel", epilog=examples("option-a cancel orders --from 2026-01-01 --to 2026-10-31"))
@click.argument("source")
@click.option("--from", "first", type=Date(), required=True, help="The first date.")
@click.option("--to", "last", type=Date(), required=True, help="The last date, inclusive.")
@json_option
@place
def command(source: str, first: dt.date, last: dt.date, as_json: bool, settings: Settings) -> None:
    """Take queued tasks back. What a worker has in hand is finished; what has landed stays."""
    if first > last:
        raise click.UsageError(f"--from {first} is after --to {last}")
    pipeline = opened(settings)
    if source not in pipeline.sources and source not in {depth.queue for depth in pipeline.depths()}:
        chosen(pipeline, [source])  # a source that is declared no longer may still have tasks
    taken, flying = pipeline.cancel(source, first.isoformat(), last.isoformat())
    if as_json:
        emit({"cancelled": taken, "in_flight": flying})
        return
    left = f"; {plural(flying, 'task')} in a worker's hands will be finished" if flying else ""
    click.echo(f"{plural(taken, 'task')} taken back{left}")
