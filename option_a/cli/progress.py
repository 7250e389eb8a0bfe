"""Progress on stderr: bars on a terminal, lines elsewhere. stdout is reserved for results."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from option_a.cli.render import plural, printable, size, span
from option_a.ingest.events import Event, EventSink

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_NOTE_WIDTH = 40
_LINE_INTERVAL = 5.0
"""Seconds between two lines about one partition's pages."""
_ENDED = frozenset({"complete", "done", "superseded", "failed", "stopped", "waiting", "leased", "requeued", "held"})
_QUIET = frozenset({"done", "superseded", "requeued", "lease-lost"})


@contextmanager
def progress() -> Iterator[EventSink]:
    """An event sink that shows progress until the block ends."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(24),
        TextColumn("{task.fields[done]}", style="green"),
        TextColumn("{task.fields[note]}", style="yellow"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, refresh_per_second=8) as bars:
        yield Bars(bars)


class Lines:
    """One line per notable event; landed pages at most every few seconds for each partition."""

    def __init__(self) -> None:
        self._shown: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        if event.kind in _QUIET or (event.kind == "landed" and not self._due(event)):
            return
        click.echo(f"{time.strftime('%H:%M:%S', time.gmtime())}Z {describe(event)}", err=True)

    def _due(self, event: Event) -> bool:
        key, now = (event.source, str(event.date)), time.monotonic()
        with self._lock:
            due = now - self._shown.setdefault(key, now) >= _LINE_INTERVAL
            if due:
                self._shown[key] = now
        return due


class Bars:
    """One bar per partition in progress; a finished partition leaves a line."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[tuple[str, str], TaskID] = {}
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        with self._lock:
            key = (event.source, str(event.date))
            if event.kind in _ENDED:
                self._end(key)
                if event.kind not in _QUIET:
                    mark = {"complete": "✓", "failed": "✗"}.get(event.kind, "…")
                    self._bars.console.print(f"{mark} {describe(event)}", highlight=False, markup=False)
                return
            if key not in self._tasks:
                name = f"{event.source} {event.date}"
                self._tasks[key] = self._bars.add_task(name, total=event.last, done="", note="")
            fields: dict[str, Any] = {"done": f"{plural(event.pages, 'page')}, {plural(event.records, 'record')}"}
            fields["note"] = printable(event.message)[:_NOTE_WIDTH] if event.kind in ("retrying", "restarted") else ""
            self._bars.update(self._tasks[key], completed=event.pages, total=event.last, **fields)

    def _end(self, key: tuple[str, str]) -> None:
        task = self._tasks.pop(key, None)
        if task is not None:
            self._bars.remove_task(task)


def describe(event: Event) -> str:
    """One event in words."""
    name = f"{event.source} {event.date}" if event.date else event.source
    page = f" page {event.page}" if event.page else ""
    after = f" in {span(event.seconds)}" if event.seconds is not None else ""
    message = printable(event.message)
    match event.kind:
        case "landed":
            pages = f"{event.pages} of {plural(event.last, 'page')}" if event.last else plural(event.pages, "page")
            return f"{name}: {pages}, {plural(event.records, 'record')}"
        case "complete":
            landed = f"{plural(event.pages, 'page')}, {plural(event.records, 'record')}, {size(event.bytes)}"
            return f"{name}: complete, {landed}"
        case "retrying":
            return f"{name}{page}: {message}; retrying{after}"
        case "waiting":
            return f"{name}{page}: {message}; requeued, retrying{after}"
        case "leased":
            return f"{name}: leased by another worker; checking again{after}"
        case "held":
            return f"{name}: waiting for another worker's lease until {message}"
        case "failed":
            return message if message.startswith(name) else f"{name}{page}: {message}"
        case "stopped":
            return f"{name}: stopped after {plural(event.pages, 'page')}; the next run resumes there"
        case _:
            return f"{name}{page}: {event.kind}" + (f": {message}" if message else "")
