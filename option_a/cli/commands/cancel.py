"""`option-a cancel`."""

from __future__ import annotations

import datetime as dt

import click

from option_a.cli.options import Date, examples, json_option, pipeline_options, resolve_sources
from option_a.cli.pipeline import open_pipeline
from option_a.cli.render import plural, print_json
from option_a.workspace.settings import Settings


@click.command("cancel", epilog=examples("option-a cancel orders --from 2026-01-01 --to 2026-10-31"))
@click.argument("source")
@click.option("--from", "first", type=Date(), required=True, help="The first date.")
@click.option("--to", "last", type=Date(), required=True, help="The last date, inclusive.")
@json_option
@pipeline_options
def command(source: str, first: dt.date, last: dt.date, as_json: bool, settings: Settings) -> None:
    """Take queued tasks back. What a worker has in hand is finished; what has landed stays."""
    if first > last:
        raise click.UsageError(f"--from {first} is after --to {last}")
    pipeline = open_pipeline(settings)
    if source not in pipeline.sources and source not in {depth.queue for depth in pipeline.depths()}:
        resolve_sources(pipeline, [source])  # a source that is declared no longer may still have tasks
    taken, flying = pipeline.cancel(source, first.isoformat(), last.isoformat())
    if as_json:
        print_json({"cancelled": taken, "in_flight": flying})
        return
    left = f"; {plural(flying, 'task')} in a worker's hands will be finished" if flying else ""
    click.echo(f"{plural(taken, 'task')} taken back{left}")
