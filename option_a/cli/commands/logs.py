"""`option-a logs`."""

from __future__ import annotations

import datetime as dt
import sys

import click

from option_a.cli.open import open_pipeline
from option_a.cli.options import Date, examples, json_option, pipeline_options
from option_a.cli.render import moment, plural, print_json, printable, span, table
from option_a.ingest.manifest import Load
from option_a.ingest.partition import Partition
from option_a.operations.logs import AttemptLog, PartitionLog, read_log
from option_a.workspace.settings import Settings


@click.command("logs", epilog=examples("option-a logs orders 2026-11-23\noption-a logs orders 2026-11-23 --json"))
@click.argument("source")
@click.argument("date", type=Date())
@json_option
@pipeline_options
def command(source: str, date: dt.date, as_json: bool, settings: Settings) -> None:
    """Show the last fifty attempts to load one partition."""
    partition = Partition(source, date)
    log = read_log(open_pipeline(settings), partition)
    if log is None:
        advice = f"To load it: option-a run --source {source} --date {date}"
        click.echo(f"{partition}: not started. {advice}", err=True)
        sys.exit(1)
    if as_json:
        print_json(log.to_json())
    else:
        _print(log)


def _print(log: PartitionLog) -> None:
    load, cause = log.load, log.manifest.cause
    counts = f"{plural(load.pages, 'page')}, {plural(load.records, 'record')}, origin {load.origin}"
    click.echo(f"{log.manifest.partition}: {log.state}, {counts}\n")
    headers = ("started", "took", "run", "receives", "responses", "outcome", "message")
    click.echo(table(headers, map(_cells, log.attempts), right=("receives", "responses")))
    if load.restated:
        click.echo(f"\nRestated: {plural(load.restated, 'page')} changed by a reload: {_restated_pages(load)}")
    if cause is not None and cause.body:
        click.echo(f"\nThe body as received: {cause.body}")


def _cells(log: AttemptLog) -> tuple[object, ...]:
    attempt = log.attempt
    took = "" if log.seconds is None else span(log.seconds)
    responses = "" if log.responses is None else log.responses
    outcome = "running" if log.is_running else attempt.outcome
    message = printable(attempt.message)
    return (moment(attempt.started), took, attempt.run, attempt.receives, responses, outcome, message)


def _restated_pages(load: Load) -> str:
    rest = load.restated - len(load.restated_pages)
    return ", ".join(map(str, load.restated_pages)) + (f" and {rest:,} more" if rest > 0 else "")
