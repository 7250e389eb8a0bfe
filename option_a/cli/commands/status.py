"""`option-a status`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import click

from option_a.cli.options import examples, json_option, pipeline_options, resolve_sources
from option_a.cli.pipeline import Pipeline, open_pipeline
from option_a.cli.planning import report_defaults
from option_a.cli.render import moment, plural, print_json, printable, size, span, table, tally
from option_a.cli.run_tasks import row
from option_a.ingest.config.source import Source
from option_a.ingest.partition import Partition
from option_a.ingest.plan.freshness import UNFINISHED, overdue
from option_a.ingest.plan.plan import Summaries
from option_a.ingest.plan.summary import Summary, expected_dates, latest_date, partition_state
from option_a.ingest.ports import Depth
from option_a.ingest.resilience.circuit_breaker import State, read_breakers
from option_a.workspace.settings import Settings

_PROBLEMS = 20


@click.command(
    "status",
    epilog=examples(
        """
        option-a status
        option-a status --source orders --all
        option-a run; option-a status --check      # in cron: and is all there that should be?
        option-a status --json
        """
    ),
)
@click.option("--source", "names", multiple=True, metavar="NAME", help="Just this source; may be given again.")
@click.option("--all", "every", is_flag=True, help="List every partition, not just those that are not complete.")
@click.option("--check", is_flag=True, help="Exit with 1 if a declared partition has failed, or is missing or late.")
@json_option
@pipeline_options
def command(names: tuple[str, ...], every: bool, check: bool, as_json: bool, settings: Settings) -> None:
    """Partitions and their states, queues and the age of their oldest task, dead letters, sources that are down.

    A date is missing if it lies between a source's `since` and the newest date, and has no manifest. With --check a
    source's newest date has time until its `due`; then it is late, with or without a `since`.
    """
    pipeline = open_pipeline(settings)
    asked = resolve_sources(pipeline, names)
    report_defaults(pipeline)
    known, now = pipeline.summaries(), pipeline.clock.now()
    depths = {depth.queue: depth for depth in pipeline.depths()}
    faulty = read_breakers(pipeline.lake, asked, now)
    down = {source: state for source, state in faulty.items() if state.until}
    sources = [pipeline.sources[name] for name in asked]
    wrong = Counter(overdue(sources, pipeline.today(), known, now).values())
    lacks = {state: wrong[state] for state in (*UNFINISHED, "late")}
    partitions = sorted(set(_expected(pipeline, asked)) | {p for p in known if p.source in asked or not names})
    if as_json:
        rows = [row(partition, known, now) for partition in partitions]
        queues = [_depth_row(depths[queue], now) for queue in sorted(depths)]
        breakers = [_breaker_row(*one) for one in down.items()]
        print_json({"partitions": rows, "queues": queues, "breakers": breakers, "lacks": lacks})
    else:
        click.echo(_overview(sources, partitions, known, depths, pipeline, now))
        _list(partitions, known, faulty, now, every=every)
        _missing([p for p in partitions if p not in known], pipeline, every=every)
        _down(down, now)
        _undeclared(pipeline, known, depths)
        if check:
            click.echo(f"\nNot as declared: {tally(lacks)}" if wrong else "\nAll that should be there is there")
    if check and wrong:
        sys.exit(1)


def _expected(pipeline: Pipeline, asked: list[str]) -> Iterator[Partition]:
    today = pipeline.today()
    for name in asked:
        yield from (Partition(name, date) for date in expected_dates(pipeline.sources[name], today))


def _overview(
    sources: list[Source],
    partitions: list[Partition],
    known: Summaries,
    depths: dict[str, Depth],
    pipeline: Pipeline,
    now: float,
) -> str:
    counts: dict[str, Counter[str]] = {}
    for partition in partitions:
        counts.setdefault(partition.source, Counter())[partition_state(known.get(partition), now)] += 1
    mine: dict[str, list[Summary]] = {}
    for partition, summary in known.items():
        mine.setdefault(partition.source, []).append(summary)
    rows = [
        _source_row(source, counts[source.name], mine.get(source.name, []), depths.get(source.name), pipeline, now)
        for source in sources
    ]
    right = ("complete", "open", "unfinished", "failed", "missing", "records", "bytes", "queued", "dead")
    headers = ("source", "newest", "state", *right[:-2], "queued", "oldest task", "dead")
    return table(headers, rows, right=right)


def _source_row(
    source: Source, count: Counter[str], mine: list[Summary], depth: Depth | None, pipeline: Pipeline, now: float
) -> list[str]:
    date = latest_date(source, pipeline.today())
    last = next((summary for summary in mine if summary.date == date), None)
    unfinished = count["incomplete"] + count["loading"] + count["promoting"]
    depth = depth or Depth(source.name)
    return [
        source.name, date.isoformat(), partition_state(last, now),
        str(count["complete"]), str(count["open"]), str(unfinished), str(count["failed"]), str(count["missing"]),
        f"{sum(s.records for s in mine):,}", size(sum(s.bytes for s in mine)),
        str(depth.live), span(now - depth.oldest) if depth.oldest is not None else "", str(depth.dead),
    ]  # fmt: skip


def _list(
    partitions: list[Partition], known: Summaries, faulty: Mapping[str, State], now: float, *, every: bool
) -> None:
    shown = [
        p for p in partitions if every or partition_state(known.get(p), now) not in ("complete", "open", "missing")
    ]
    if not shown:
        return
    click.echo()
    rows = []
    for partition in shown if every else shown[:_PROBLEMS]:
        summary = known.get(partition)
        pages = f"{summary.pages:,}" if summary else ""
        note = printable(_note(summary, faulty.get(partition.source))) if summary else ""
        rows.append((partition.source, partition.date.isoformat(), partition_state(summary, now), pages, note))
    click.echo(table(("source", "date", "state", "pages", "note"), rows, right=("pages",)))
    if len(shown) > len(rows):
        click.echo(f"… and {len(shown) - len(rows)} more: option-a status --all")


def _note(summary: Summary, fault: State | None) -> str:
    """Why it failed or waits, or what it brought that was not there before."""
    waits = fault.why if fault is not None and summary.state not in ("complete", "failed") else ""
    restated = f"restated {summary.restated} pages" if summary.restated else ""
    return summary.cause or summary.message or waits or restated


def _missing(missing: list[Partition], pipeline: Pipeline, *, every: bool) -> None:
    """How they are loaded. The table of what has failed has none of them, the one of sources just the newest."""
    past = [p.date for p in missing if p.date != latest_date(pipeline.sources[p.source], pipeline.today())]
    if not past:
        return
    ways = [f"option-a backfill --from {min(past)} --to {max(past)}"]
    ways += ["option-a run"] if len(past) < len(missing) else []
    where = "" if every else "option-a status --all lists them, "
    click.echo(f"\n{len(missing)} missing: {where}{' and '.join(ways)} {'load' if len(ways) > 1 else 'loads'} them")


def _down(breakers: Mapping[str, State], now: float) -> None:
    """Why nothing moves, though tasks wait: who finds a breaker open does not ask."""
    if not breakers:
        return
    rows = [
        (source, moment(state.since), str(state.failures), _asked_again(state, now), printable(state.why))
        for source, state in breakers.items()
    ]
    click.echo("\nDown, so not asked for a while:")
    click.echo(table(("source", "down since", "faults", "asked again", "why"), rows, right=("faults",)))


def _asked_again(state: State, now: float) -> str:
    return moment(state.until) if state.until > now else "by the next task"


def _undeclared(pipeline: Pipeline, known: Summaries, depths: dict[str, Depth]) -> None:
    others = sorted({partition.source for partition in known} - pipeline.sources.keys())
    if others:
        click.echo(f"\nIn the lake, but not declared any more: {', '.join(others)}")
    for name in sorted(depths.keys() - pipeline.sources.keys()):
        waiting = f"{plural(depths[name].live, 'task')} and {plural(depths[name].dead, 'dead letter')}"
        click.echo(f"In the queue, but not declared any more: {name}, {waiting} (option-a cancel {name} …)")


def _breaker_row(source: str, state: State) -> dict[str, Any]:
    return {
        "source": source, "since": state.since, "until": state.until, "failures": state.failures, "why": state.why,
    }  # fmt: skip


def _depth_row(depth: Depth, now: float) -> dict[str, Any]:
    return {
        "queue": depth.queue, "visible": depth.visible, "delayed": depth.delayed, "in_flight": depth.in_flight,
        "dead": depth.dead, "oldest_seconds": None if depth.oldest is None else round(now - depth.oldest, 3),
    }  # fmt: skip
