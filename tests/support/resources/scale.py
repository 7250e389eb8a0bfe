"""What grows with a lake, at any size, in its own process: `python -m tests.support.resources.scale WHAT SIZE FOLDER`.

Prints what it cost, as JSON. What is only made in order to be measured is made before the clock starts.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from option_a.ingest.config.source import Source
from option_a.ingest.lake.keys import manifest_key
from option_a.ingest.manifest.model import Load, Manifest, encode
from option_a.ingest.partition import Partition
from option_a.ingest.plan.plan import backfill, plan
from option_a.ingest.task import Task
from option_a.local.queue import SqliteQueue
from option_a.workspace.clock import SystemClock
from tests.support.resources.peak_memory import peak

SOURCES = 400
FIRST = dt.date(2024, 1, 1)
RUN = "20260101T000000Z-a"
HANDLED = 1_000
"""Tasks that are received and acked at the front of a queue, however long it is."""
OF_ONE = 20
"""Of which so many are the last source's, behind a task of every other one."""


class Cost(msgspec.Struct, frozen=True):
    """At a size: CPU seconds for so many items, and the most bytes that the process held."""

    size: int
    items: int
    cpu: float
    peak: int

    @property
    def each(self) -> float:
        """CPU seconds an item."""
        return self.cpu / self.items


class Stopwatch:
    """The CPU of this process, between `with` and its end."""

    cpu = 0.0

    def __enter__(self) -> Stopwatch:
        self._began = time.process_time()
        return self

    def __exit__(self, *error: object) -> None:
        self.cpu = time.process_time() - self._began


def declared(count: int = SOURCES) -> dict[str, Source]:
    """So many sources, real and dated."""
    names = [f"source-{number:03d}" for number in range(count)]
    return {
        name: msgspec.convert(
            {"name": name, "url": f"https://api.test/{name}", "date_param": "date", "since": FIRST}, Source
        )
        for name in names
    }


def planned(size: int, folder: Path) -> Cost:
    """`size` partitions of 400 sources, planned and enqueued."""
    sources, last = declared(), FIRST + dt.timedelta(days=size // SOURCES - 1)
    with Stopwatch() as watch:
        tasks = plan(backfill(sources.values(), FIRST, last), sources, {}, RUN, now=time.time())
        queue = SqliteQueue(folder / "queue.sqlite", SystemClock())
        sent = queue.send(item.task for item in tasks)
    assert sent == size
    queue.close()
    return Cost(size, size, watch.cpu, peak())


def looked_at(size: int, folder: Path) -> Cost:
    """`option-a status` over `size` partitions, all complete but a few, the first time."""
    sources = declared()
    _make_lake(size, folder / "lake")
    tables = "\n".join(f'[sources.{s.name}]\nurl = "{s.url}"\ndate_param = "date"' for s in sources.values())
    (folder / "sources.toml").write_text(tables)
    with Stopwatch() as watch:
        _option_a("status", folder)
    return Cost(size, size, watch.cpu, peak())


def looked_at_again(size: int, folder: Path) -> Cost:
    """The same, when the home remembers it."""
    with Stopwatch() as watch:
        _option_a("status", folder)
    return Cost(size, size, watch.cpu, peak())


def nightly(size: int, folder: Path) -> Cost:
    """`option-a plan` over the same lake."""
    with Stopwatch() as watch:
        _option_a("plan", folder)
    return Cost(size, size, watch.cpu, peak())


def _option_a(command: str, folder: Path) -> None:
    """One command, in this process, since its imports and its interpreter are not what grows."""
    from option_a.cli.main import cli

    os.chdir(folder)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        cli([command], standalone_mode=False)


def _make_lake(size: int, lake: Path) -> None:
    for number in range(size):
        partition = Partition(f"source-{number % SOURCES:03d}", FIRST + dt.timedelta(days=number // SOURCES))
        path = lake / manifest_key(partition)
        path.parent.mkdir(parents=True)
        path.write_bytes(encode(_manifest(partition, complete=number % 1_000 != 0)))


def _manifest(partition: Partition, *, complete: bool) -> Manifest:
    load = Load(
        RUN, "real", "shape", started=1.7e9, finished=1.8e9 if complete else None, pages=9, records=99, bytes=999
    )
    return Manifest(partition.source, partition.date, "complete" if complete else "loading", load)


def _tasks(size: int) -> Iterator[Task]:
    for number in range(size):
        yield Task(f"source-{number % SOURCES:03d}", FIRST + dt.timedelta(days=number // SOURCES), RUN)


def _queue(folder: Path) -> SqliteQueue:
    return SqliteQueue(folder / "queue.sqlite", SystemClock())


def sent(size: int, folder: Path) -> Cost:
    """`size` tasks enqueued."""
    queue = _queue(folder)
    with Stopwatch() as watch:
        assert queue.send(_tasks(size)) == size
    queue.close()
    return Cost(size, size, watch.cpu, peak())


def counted(size: int, folder: Path) -> Cost:
    """The depth of a queue of `size` tasks."""
    queue = _queue(folder)
    with Stopwatch() as watch:
        assert sum(depth.visible for depth in queue.depth()) == size
    return Cost(size, size, watch.cpu, peak())


def handled(size: int, folder: Path) -> Cost:
    """A thousand tasks received, extended and acked at the front of a queue of `size`; some of them of one source."""
    queue, names, number = _queue(folder), list(declared()), min(HANDLED, size // 2)
    of_one = min(OF_ONE, size // SOURCES)
    with Stopwatch() as watch:
        for nth in range(number):
            delivery = queue.receive(names[-1:] if nth < of_one else names, lease=60)
            assert delivery is not None
            assert queue.extend_visibility(delivery, 60)
            queue.ack(delivery)
            assert queue.has_tasks(names)
    return Cost(size, number, watch.cpu, peak())


WHAT: dict[str, Callable[[int, Path], Cost]] = {
    work.__name__: work for work in (planned, looked_at, looked_at_again, nightly, sent, counted, handled)
}


if __name__ == "__main__":
    what, size, folder = sys.argv[1:]
    print(msgspec.json.encode(WHAT[what](int(size), Path(folder))).decode())
