"""`option-a logs`."""

from __future__ import annotations

import datetime as dt
import sys

import click

from option_a.cli.options import Date, examples, json_option, pipeline_options, resolve_sources
from option_a.cli.pipeline import open_pipeline
from option_a.cli.render import moment, plural, print_json, printable, span, table
from option_a.ingest.manifest.model import Load, Manifest
from option_a.ingest.manifest.store import ManifestStore
from option_a.ingest.partition import Partition
from option_a.ingest.plan.summary import partition_state, summarize
from option_a.workspace.settings import Settings


@click.command("logs", epilog=examples("option-a logs orders 2026-11-23\noption-a logs orders 2026-11-23 --json"))
@click.argument("source")
@click.argument("date", type=Date())
@json_option
@pipeline_options
def command(source: str, date: dt.date, as_json: bool, settings: Settings) -> None:
    """What happened to one partition, attempt by attempt (the last fifty)."""
    pipeline = open_pipeline(settings)
    partition = Partition(source, date)
    manifest = (
        ManifestStore(pipeline.lake, partition).read() if source in {p.source for p in pipeline.summaries()} else None
    )
    if manifest is None:
        resolve_sources(pipeline, [source])
        click.echo(
            f"{partition}: missing, nobody has begun it. To load it: option-a run --source {source} --date {date}",
            err=True,
        )
        sys.exit(1)
    load = manifest.readable or manifest.load
    if as_json:
        print_json(
            {
                "source": source,
                "date": date,
                "state": manifest.state,
                "cause": manifest.cause,
                "restated": load.restated,
                "restated_pages": load.restated_pages,
                "attempts": manifest.attempts,
            }
        )
        return
    _show(manifest, pipeline.clock.now())


def _show(manifest: Manifest, now: float) -> None:
    load = manifest.readable or manifest.load
    counts = f"{load.pages:,} pages, {load.records:,} records, origin {load.origin}"
    click.echo(f"{manifest.partition}: {partition_state(summarize(manifest), now)}, {counts}\n")
    rows = []
    for number, attempt in enumerate(manifest.attempts, 1):
        alive = attempt.ended is None and number == len(manifest.attempts) and manifest.is_leased(now)
        took = span(attempt.ended - attempt.started) if attempt.ended is not None else ""
        answered = max(0, attempt.answered - attempt.answered_before) if attempt.ended is not None else ""
        outcome = "at work" if alive else attempt.outcome
        rows.append(
            (
                moment(attempt.started),
                took,
                attempt.run,
                attempt.receives,
                answered,
                outcome,
                printable(attempt.message),
            )
        )
    headers = ("started", "took", "run", "receives", "responses", "outcome", "message")
    click.echo(table(headers, rows, right=("receives", "responses")))
    if load.restated:
        click.echo(f"\nRestated: {plural(load.restated, 'page')} unlike the load before: {_pages(load)}")
    if manifest.cause is not None and manifest.cause.body:
        click.echo(f"\nThe body as it came: {manifest.cause.body}")


def _pages(load: Load) -> str:
    rest = load.restated - len(load.restated_pages)
    return ", ".join(map(str, load.restated_pages)) + (f" and {rest:,} more" if rest > 0 else "")
