"""Measures what grows with a lake, for tests/prove/test_scale.py.

`python -m tests.support.resources.scale WHAT SIZE FOLDER` prints the cost as JSON. Preparations are made before the
clock starts.
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
from option_a.ingest.plan.planner import backfill_partitions, plan_tasks
from option_a.ingest.task import Task
from option_a.local.queue import SqliteQueue
from option_a.workspace.clock import SystemClock
from tests.support.resources.process_usage import peak_memory

SOURCES = 400
FIRST = dt.date(2024, 1, 1)
RUN = "20260101T000000Z-a"
HANDLED = 1_000
"""Tasks received and acked at the front of a queue, however long it is."""
OF_ONE = 20
"""How many of them belong to the last source, behind a task of every other source."""


class Cost(msgspec.Struct, frozen=True):
    """At a size: CPU seconds for this many items, and the process's peak memory in bytes."""

    size: int
    items: int
    cpu: float
    peak: int

    @property
    def cpu_per_item(self) -> float:
        """CPU seconds per item."""
        return self.cpu / self.items


class Stopwatch:
    """Measures this process's CPU seconds within a `with` block."""

    cpu = 0.0

    def __enter__(self) -> Stopwatch:
        self._began = time.process_time()
        return self

    def __exit__(self, *error: object) -> None:
        self.cpu = time.process_time() - self._began


def declared(count: int = SOURCES) -> dict[str, Source]:
    """This many dated sources of real data."""
    names = [f"source-{number:03d}" for number in range(count)]
    return {
        name: msgspec.convert(
            {"name": name, "url": f"https://api.test/{name}", "date_param": "date", "since": FIRST}, Source
        )
        for name in names
    }


def measure_plan(size: int, folder: Path) -> Cost:
    """`size` partitions of 400 sources, planned and enqueued."""
    sources, last = declared(), FIRST + dt.timedelta(days=size // SOURCES - 1)
    with Stopwatch() as watch:
        tasks = plan_tasks(backfill_partitions(sources.values(), FIRST, last), sources, {}, RUN, now=time.time())
        queue = SqliteQueue(folder / "queue.sqlite", SystemClock())
        measure_send = queue.send(item.task for item in tasks)
    assert measure_send == size
    queue.close()
    return Cost(size, size, watch.cpu, peak_memory())


def measure_status(size: int, folder: Path) -> Cost:
    """`option-a status` over `size` partitions, almost all complete, with a cold cache."""
    sources = declared()
    _make_lake(size, folder / "lake")
    tables = "\n".join(f'[sources.{s.name}]\nurl = "{s.url}"\ndate_param = "date"' for s in sources.values())
    (folder / "sources.toml").write_text(tables)
    with Stopwatch() as watch:
        _option_a("status", folder)
    return Cost(size, size, watch.cpu, peak_memory())


def measure_status_cached(size: int, folder: Path) -> Cost:
    """The same with a warm cache."""
    with Stopwatch() as watch:
        _option_a("status", folder)
    return Cost(size, size, watch.cpu, peak_memory())


def measure_nightly(size: int, folder: Path) -> Cost:
    """`option-a plan` over the same lake."""
    with Stopwatch() as watch:
        _option_a("plan", folder)
    return Cost(size, size, watch.cpu, peak_memory())


def _option_a(command: str, folder: Path) -> None:
    """Run a command in this process: neither interpreter nor imports grow with the lake."""
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


def measure_send(size: int, folder: Path) -> Cost:
    """`size` tasks enqueued."""
    queue = _queue(folder)
    with Stopwatch() as watch:
        assert queue.send(_tasks(size)) == size
    queue.close()
    return Cost(size, size, watch.cpu, peak_memory())


def measure_depth(size: int, folder: Path) -> Cost:
    """The depth of a queue of `size` tasks."""
    queue = _queue(folder)
    with Stopwatch() as watch:
        assert sum(depth.visible for depth in queue.depth()) == size
    return Cost(size, size, watch.cpu, peak_memory())


def measure_deliveries(size: int, folder: Path) -> Cost:
    """A thousand tasks received, extended and acked at the front of a queue of `size`; some from a single source."""
    queue, names, number = _queue(folder), list(declared()), min(HANDLED, size // 2)
    of_one = min(OF_ONE, size // SOURCES)
    with Stopwatch() as watch:
        for nth in range(number):
            delivery = queue.receive(names[-1:] if nth < of_one else names, lease=60)
            assert delivery is not None
            assert queue.extend_visibility(delivery, 60)
            queue.ack(delivery)
            assert queue.has_tasks(names)
    return Cost(size, number, watch.cpu, peak_memory())


MEASUREMENTS: dict[str, Callable[[int, Path], Cost]] = {
    work.__name__: work
    for work in (
        measure_plan,
        measure_status,
        measure_status_cached,
        measure_nightly,
        measure_send,
        measure_depth,
        measure_deliveries,
    )
}


if __name__ == "__main__":
    what, size, folder = sys.argv[1:]
    print(msgspec.json.encode(MEASUREMENTS[what](int(size), Path(folder))).decode())
