"""What `run`, `backfill` and `redrive` share: sends the tasks, works or waits, prints the outcome."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import click

from option_a.cli.progress import progress
from option_a.cli.render import plural, print_json, printable, size, table, tally
from option_a.ingest.errors import OptionAError
from option_a.ingest.partition import Partition
from option_a.ingest.plan import Planned
from option_a.ingest.ports import DeadLetter
from option_a.operations.partition_status import PartitionStatus
from option_a.operations.run import Failure, Outcome, Submission, explain_failures, finish, read_outcome, submit
from option_a.workspace.pipeline import Pipeline

_MAX_ROWS = 40
_INTERRUPTED = 130
_HEADERS = ("source", "date", "pages", "records", "bytes", "state")


def run_tasks(
    pipeline: Pipeline,
    planned: Sequence[Planned],
    reported: Iterable[Partition],
    names: list[str],
    letters: Sequence[DeadLetter] = (),
    *,
    as_json: bool,
    detach: bool = False,
) -> None:
    """Send the tasks and print the outcome; exit with 1 if a partition is not complete.

    `letters` are the dead letters that the tasks replace. With `detach`, return without waiting.
    """
    submission = submit(pipeline, planned, reported, names, letters)
    if detach:
        _print_detached(pipeline, submission, names, as_json=as_json)
        return
    if submission.awaited:
        _work(pipeline, submission, names, as_json=as_json)
    _finish(pipeline, submission, names, as_json=as_json)


def _print_detached(pipeline: Pipeline, submission: Submission, names: list[str], *, as_json: bool) -> None:
    """Print what was sent; the outcome is not known yet."""
    if as_json:
        outcome = read_outcome(pipeline, submission.reported, names)
        _print_json(outcome, worked=False, sent=submission.tasks, ok=None)
        return
    advice = f"; {pipeline.stopped_message}" if submission.tasks else ""
    click.echo(f"{plural(submission.tasks, 'task')} sent{advice}")


def _work(pipeline: Pipeline, submission: Submission, names: list[str], *, as_json: bool) -> None:
    """Work, or follow the stack's work. On an error of lake or queue, print the outcome so far and raise it."""
    _announce(submission)
    try:
        with _interruptible(pipeline), progress() as emit:
            pipeline.work(names, submission.awaited, emit)
    except OptionAError as error:
        with suppress(OptionAError):  # the lake itself may have failed
            outcome = read_outcome(pipeline, submission.reported, names)
            if as_json:
                _print_json(outcome, worked=True, ok=False, error=str(error))
            else:
                _print_table(outcome)
        raise


def _announce(submission: Submission) -> None:
    parts = [
        plural(submission.tasks, "partition") + " to load" if submission.tasks else "",
        f"{submission.left_over} left in the queue" if submission.left_over else "",
    ]
    click.echo(", ".join(filter(None, parts)), err=True)


def _finish(pipeline: Pipeline, submission: Submission, names: list[str], *, as_json: bool) -> None:
    """Print the outcome and exit with its code."""
    outcome = finish(pipeline, submission.reported, names)
    worked, stopped = bool(submission.awaited), pipeline.clock.stopping()
    if as_json:
        _print_json(outcome, worked=worked, ok=outcome.ok)
    else:
        _print_outcome(outcome, idle=not worked and outcome.ok)
        if not outcome.ok and not stopped:
            _print_failures(explain_failures(outcome, pipeline.dead_letters()))
    if stopped:
        click.echo(pipeline.stopped_message, err=True)
        sys.exit(_INTERRUPTED)
    if not outcome.ok:
        sys.exit(1)


def _print_json(outcome: Outcome, **facts: Any) -> None:
    rows = [status.to_json() for status in outcome.partitions]
    print_json({"partitions": rows, **facts, "not_asked": outcome.not_requested})


def _print_outcome(outcome: Outcome, *, idle: bool) -> None:
    if idle and outcome.partitions:
        click.echo("Nothing to do: every requested partition is complete.\n")
    _print_table(outcome)
    if any(outcome.not_requested.values()):
        click.echo(f"Outside this run: {tally(outcome.not_requested)} (option-a status --all)")


def _print_table(outcome: Outcome) -> None:
    statuses, summaries = outcome.partitions, outcome.summaries
    if not statuses:
        click.echo("Nothing to do.")
        return
    listed = statuses if len(statuses) <= _MAX_ROWS else statuses[: _MAX_ROWS // 2]
    click.echo(table(_HEADERS, map(_cells, listed), right=("pages", "records", "bytes")))
    if len(statuses) > len(listed):
        click.echo(f"… and {len(statuses) - len(listed)} more: option-a status")
    click.echo(
        f"\n{plural(len(statuses), 'partition')}, {plural(sum(s.pages for s in summaries), 'page')}, "
        f"{plural(sum(s.records for s in summaries), 'record')}, {size(sum(s.bytes for s in summaries))}"
    )


def _cells(status: PartitionStatus) -> tuple[str, ...]:
    partition, summary = status.partition, status.summary
    if summary is None:
        return (partition.source, partition.date.isoformat(), "", "", "", status.state)
    notes = ["mock"] if summary.origin == "mock" else []
    notes += [f"restated {summary.restated}"] if summary.restated else []
    state = status.state + (f" ({', '.join(notes)})" if notes else "")
    counts = (f"{summary.pages:,}", f"{summary.records:,}", size(summary.bytes))
    return (partition.source, partition.date.isoformat(), *counts, state)


def _print_failures(failures: Sequence[Failure]) -> None:
    for failure in failures[:_MAX_ROWS]:
        click.echo(f"error: {printable(failure.cause or f'{failure.partition}: not complete')}", err=True)
    if len(failures) > _MAX_ROWS:
        click.echo(f"… and {len(failures) - _MAX_ROWS} more: option-a status", err=True)
    if any(failure.cause is not None for failure in failures):
        click.echo("  when the cause is fixed: option-a redrive", err=True)


@contextmanager
def _interruptible(pipeline: Pipeline) -> Iterator[None]:
    """On the first Ctrl-C, let pages in flight land and write the manifests; the second one kills."""

    def stop(number: int, frame: FrameType | None) -> None:
        click.echo(f"\n{pipeline.stopping_message}", err=True)
        pipeline.clock.stop()
        signal.signal(number, signal.SIG_DFL)

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
