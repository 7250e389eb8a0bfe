"""`option-a status`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import click

from option_a.cli.notices import report_defaults
from option_a.cli.open import open_pipeline
from option_a.cli.options import examples, json_option, pipeline_options, sources_option
from option_a.cli.render import moment, plural, print_json, printable, size, span, table, tally
from option_a.ingest.ports import Depth
from option_a.ingest.resilience import BreakerState
from option_a.operations.partition_status import PartitionStatus
from option_a.operations.requests import resolve_sources
from option_a.operations.status import MissingDates, SourceStatus, Status, read_status
from option_a.workspace.settings import Settings

_MAX_PROBLEMS = 20
_TOTALS = ("complete", "open", "unfinished", "failed", "missing", "records", "bytes")


@click.command(
    "status",
    epilog=examples(
        """
        option-a status
        option-a status --source orders --all
        option-a run; option-a status --check      # in cron: fails if anything declared is not complete
        option-a status --json
        """
    ),
)
@sources_option
@click.option("--all", "every", is_flag=True, help="List all partitions, including complete ones.")
@click.option(
    "--check", is_flag=True, help="Exit with 1 if anything declared has failed, or is missing, incomplete or late."
)
@json_option
@pipeline_options
def command(names: tuple[str, ...], every: bool, check: bool, as_json: bool, settings: Settings) -> None:
    """Show partitions and their states, queues and their oldest tasks, dead letters and sources that are down.

    A date is missing if it lies between a source's `since` and its newest date and was never started. With --check, a
    source's newest date is late once its `due` is past, with or without a `since`.
    """
    pipeline = open_pipeline(settings)
    requested = resolve_sources(pipeline.sources, names)
    report_defaults(pipeline)
    status = read_status(pipeline, requested, named=bool(names))
    if as_json:
        print_json(status.to_json())
    else:
        _print(status, every=every)
        if check:
            _print_verdict(status)
    if check and not status.ok:
        sys.exit(1)


def _print(status: Status, *, every: bool) -> None:
    _print_sources(status.sources)
    _print_partitions(status, every=every)
    if status.missing is not None:
        _print_missing(status.missing, every=every)
    if status.open_breakers:
        _print_breakers(status.open_breakers, status.now)
    _print_undeclared(status.undeclared_sources, status.undeclared_queues)


def _print_verdict(status: Status) -> None:
    verdict = "OK: nothing failed, missing or late" if status.ok else f"Not as declared: {tally(status.overdue)}"
    click.echo(f"\n{verdict}")


def _print_sources(sources: Sequence[SourceStatus]) -> None:
    headers = ("source", "newest", "state", *_TOTALS, "queued", "oldest task", "dead")
    click.echo(table(headers, map(_source_cells, sources), right=(*_TOTALS, "queued", "dead")))


def _source_cells(source: SourceStatus) -> list[str]:
    counts = (
        source.count("complete"), source.count("open"), source.count("incomplete", "loading", "promoting"),
        source.count("failed"), source.count("missing"),
    )  # fmt: skip
    age = "" if source.oldest_task_age is None else span(source.oldest_task_age)
    return [
        source.name, source.latest_date.isoformat(), source.latest_state, *map(str, counts), f"{source.records:,}",
        size(source.bytes), str(source.depth.live), age, str(source.depth.dead),
    ]  # fmt: skip


def _print_partitions(status: Status, *, every: bool) -> None:
    partitions = status.partitions if every else status.problems
    if not partitions:
        return
    listed = partitions if every else partitions[:_MAX_PROBLEMS]
    rows = map(_partition_cells, listed)
    click.echo("\n" + table(("source", "date", "state", "pages", "note"), rows, right=("pages",)))
    if len(partitions) > len(listed):
        click.echo(f"… and {len(partitions) - len(listed)} more: option-a status --all")


def _partition_cells(status: PartitionStatus) -> tuple[str, ...]:
    pages = f"{status.summary.pages:,}" if status.summary is not None else ""
    date = status.partition.date.isoformat()
    return (status.partition.source, date, status.state, pages, printable(status.note))


def _print_missing(missing: MissingDates, *, every: bool) -> None:
    """Print how to load them: without --all, no table lists those before a source's latest date."""
    commands = [f"option-a backfill --from {missing.first} --to {missing.last}"]
    commands += ["option-a run"] if missing.includes_latest else []
    where = "" if every else "option-a status --all lists them, "
    verb = "load" if len(commands) > 1 else "loads"
    click.echo(f"\n{missing.count} missing: {where}{' and '.join(commands)} {verb} them")


def _print_breakers(breakers: Mapping[str, BreakerState], now: float) -> None:
    """Print why tasks wait: while a circuit breaker is open, no request is sent."""
    rows = []
    for source, state in breakers.items():
        request = moment(state.until) if state.until > now else "with the next task"
        rows.append((source, moment(state.since), str(state.failures), request, printable(state.why)))
    click.echo("\nDown, so not requested for now:")
    click.echo(table(("source", "down since", "faults", "next request", "why"), rows, right=("faults",)))


def _print_undeclared(sources: Sequence[str], queues: Sequence[Depth]) -> None:
    if sources:
        click.echo(f"\nIn the lake, but no longer declared: {', '.join(sources)}")
    for depth in queues:
        tasks = f"{plural(depth.live, 'task')} and {plural(depth.dead, 'dead letter')}"
        click.echo(f"In the queue, but no longer declared: {depth.queue}, {tasks} (option-a cancel {depth.queue} …)")
