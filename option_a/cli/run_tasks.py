"""What `run`, `backfill` and `redrive` share: send the tasks, work the queues off, show what landed."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import click

from option_a.cli.pipeline import Pipeline
from option_a.cli.progress import progress
from option_a.cli.render import plural, print_json, printable, size, table, tally
from option_a.ingest.errors import OptionAError
from option_a.ingest.partition import Partition
from option_a.ingest.plan.freshness import UNFINISHED, unfinished
from option_a.ingest.plan.plan import Planned, Summaries
from option_a.ingest.plan.summary import Summary, partition_state
from option_a.ingest.ports import DeadLetter

_SHOWN = 40
_INTERRUPTED = 130


def run_tasks(
    pipeline: Pipeline,
    planned: Sequence[Planned],
    shown: Iterable[Partition],
    names: list[str],
    letters: Sequence[DeadLetter] = (),
    *,
    as_json: bool,
    detach: bool = False,
) -> None:
    """Send, work until nothing is left, print, and exit with 1 if a partition is not complete; `detach`: send alone.

    `letters` are the dead letters that the planned tasks stand for; they are dropped once the tasks are sent.
    """
    asked = list(dict.fromkeys([*shown, *(item.task.partition for item in planned)]))
    before = pipeline.left(names, asked)
    if planned:
        pipeline.send([item.task for item in planned])
    if letters:
        pipeline.delete_dead_letters(list(letters))
    partitions = list(dict.fromkeys([*asked, *sorted(before)]))
    if detach:
        _detached(pipeline, planned, partitions, names, as_json=as_json)
        return
    if not planned and not before:
        report(pipeline, partitions, names, worked=False, as_json=as_json)
        return
    _announce(planned, before)
    try:
        with _interruptible(pipeline), progress() as tell:
            pipeline.work(names, list({item.task.partition for item in planned} | before), tell)
    except OptionAError as error:
        _report_after(error, pipeline, partitions, names, as_json=as_json)
        raise
    report(pipeline, partitions, names, worked=True, as_json=as_json)


def _report_after(
    error: OptionAError, pipeline: Pipeline, partitions: list[Partition], names: list[str], *, as_json: bool
) -> None:
    """What stands there all the same, if the lake can still be read."""
    with suppress(OptionAError):
        known, now = pipeline.summaries(), pipeline.clock.now()
        if as_json:
            rows = [row(partition, known, now) for partition in partitions]
            beside = not_asked(pipeline, partitions, names, known, now)
            print_json({"partitions": rows, "worked": True, "ok": False, "error": str(error), "not_asked": beside})
        else:
            _show(partitions, known, now, idle=False)


def _detached(
    pipeline: Pipeline, planned: Sequence[Planned], partitions: list[Partition], names: list[str], *, as_json: bool
) -> None:
    """What was sent; how it ends, nobody knows yet."""
    if as_json:
        known, now = pipeline.summaries(), pipeline.clock.now()
        rows = [row(partition, known, now) for partition in partitions]
        beside = not_asked(pipeline, partitions, names, known, now)
        print_json({"partitions": rows, "worked": False, "sent": len(planned), "ok": None, "not_asked": beside})
        return
    click.echo(f"{plural(len(planned), 'task')} sent" + (f"; {pipeline.stopped}" if planned else ""))


def _announce(planned: Sequence[Planned], before: set[Partition]) -> None:
    left = before - {item.task.partition for item in planned}
    parts = [
        plural(len(planned), "partition") + " to load" if planned else "",
        f"{len(left)} left in the queue" if left else "",
    ]
    click.echo(", ".join(part for part in parts if part), err=True)


def not_asked(
    pipeline: Pipeline, partitions: Iterable[Partition], names: Iterable[str], known: Summaries, now: float
) -> dict[str, int]:
    """How many others of these sources have failed, are incomplete or missing."""
    asked = set(partitions)
    every = unfinished([pipeline.sources[name] for name in names], pipeline.today(), known, now)
    counts = Counter(state for partition, state in every.items() if partition not in asked)
    return {state: counts[state] for state in UNFINISHED}


def report(pipeline: Pipeline, partitions: list[Partition], names: list[str], *, worked: bool, as_json: bool) -> None:
    """What stands in the lake of these partitions, and how many others of these sources do not stand."""
    known, now = pipeline.summaries(), pipeline.clock.now()
    pipeline.drop_resolved_dead_letters(known)
    bad = [
        partition for partition in partitions if partition_state(known.get(partition), now) not in ("complete", "open")
    ]
    beside = not_asked(pipeline, partitions, names, known, now)
    if as_json:
        rows = [row(partition, known, now) for partition in partitions]
        print_json({"partitions": rows, "worked": worked, "ok": not bad, "not_asked": beside})
    else:
        _show(partitions, known, now, idle=not worked and not bad)
        if any(beside.values()):
            click.echo(f"Not asked for: {tally(beside)} (option-a status --all)")
        if bad and not pipeline.clock.stopping():
            _complain(bad, known, pipeline.dead_letters())
    if pipeline.clock.stopping():
        click.echo(pipeline.stopped, err=True)
        sys.exit(_INTERRUPTED)
    if bad:
        sys.exit(1)


def _show(partitions: list[Partition], known: Summaries, now: float, *, idle: bool) -> None:
    if not partitions:
        click.echo("Nothing to do.")
        return
    if idle:
        click.echo("Nothing to do: every partition asked for is complete.\n")
    listed = partitions if len(partitions) <= _SHOWN else partitions[: _SHOWN // 2]
    cells = [_cells(partition, known.get(partition), now) for partition in listed]
    click.echo(table(HEADERS, cells, right=("pages", "records", "bytes")))
    if len(partitions) > len(listed):
        click.echo(f"… and {len(partitions) - len(listed)} more: option-a status")
    sums = [known[partition] for partition in partitions if partition in known]
    click.echo(
        f"\n{plural(len(partitions), 'partition')}, {plural(sum(s.pages for s in sums), 'page')}, "
        f"{plural(sum(s.records for s in sums), 'record')}, {size(sum(s.bytes for s in sums))}"
    )


HEADERS = ("source", "date", "pages", "records", "bytes", "state")


def _cells(partition: Partition, summary: Summary | None, now: float) -> tuple[str, ...]:
    if summary is None:
        return (partition.source, partition.date.isoformat(), "", "", "", "missing")
    notes = [
        note
        for note, holds in (("mock", summary.origin == "mock"), (f"restated {summary.restated}", summary.restated))
        if holds
    ]
    state = partition_state(summary, now) + (f" ({', '.join(notes)})" if notes else "")
    counts = (f"{summary.pages:,}", f"{summary.records:,}", size(summary.bytes))
    return (partition.source, partition.date.isoformat(), *counts, state)


def _complain(bad: list[Partition], known: Summaries, letters: list[DeadLetter]) -> None:
    """Name every partition that is not complete, with its cause: its manifest's, or its dead letter's."""
    dead = {letter.task.partition: letter.cause.message for letter in letters if letter.task is not None}
    for partition in bad[:_SHOWN]:
        cause = (known[partition].cause if partition in known else None) or dead.get(partition)
        click.echo(f"error: {printable(cause or f'{partition}: not complete')}", err=True)
    if len(bad) > _SHOWN:
        click.echo(f"… and {len(bad) - _SHOWN} more: option-a status", err=True)
    if any(partition in dead or (partition in known and known[partition].cause) for partition in bad):
        click.echo("  when the cause is mended: option-a redrive", err=True)


def row(partition: Partition, known: Summaries, now: float) -> dict[str, Any]:
    """One partition, for --json."""
    summary = known.get(partition)
    common = {"source": partition.source, "date": partition.date, "state": partition_state(summary, now)}
    if summary is None:
        return common
    keys = (
        "run", "origin", "pages", "records", "bytes", "started", "finished", "restated", "restated_pages", "cause",
        "cause_kind", "message",
    )  # fmt: skip
    return common | {key: getattr(summary, key) for key in keys}


@contextmanager
def _interruptible(pipeline: Pipeline) -> Iterator[None]:
    """The first Ctrl-C lets pages in flight land and the ledger be written; the second one kills."""

    def stop(number: int, frame: FrameType | None) -> None:
        click.echo(f"\n{pipeline.stopping}", err=True)
        pipeline.clock.stop()
        signal.signal(number, signal.SIG_DFL)

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
