"""Crashes a worker before or after any call to lake, queue, API or secrets, for tests of crash recovery."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

import msgspec

from option_a.ingest.lake.base import Entry, Lake
from option_a.ingest.lake.keys import page_number
from option_a.ingest.load.services import Services
from option_a.ingest.load.worker import Worker
from option_a.ingest.ports import Cause, Fetch, Queue, Request, Response, Secrets
from option_a.ingest.secrets import Reference
from option_a.ingest.task import Delivery, Task
from tests.support.pipeline import Pipeline

T = TypeVar("T")


class Crash(BaseException):
    """The process is dead. A BaseException, so that nothing handles it as an error."""


class CrashPoint:
    """Passes a process's calls through and crashes it before or after the `at`-th (0: never).

    `of`: count only this call. `every_call`: count calls that change nothing too.
    """

    def __init__(self, at: int = 0, *, after: bool = False, of: str | None = None, every_call: bool = False) -> None:
        self.at, self.after, self.of, self.every_call, self.dead = at, after, of, every_call, False
        self.points: list[str] = []
        """Every call it might have crashed at, in order: `put raw`, `ack`, `fetch`, …"""
        self._lock = Lock()

    @property
    def calls(self) -> int:
        """The number of calls it might have crashed at."""
        return len(self.points)

    @property
    def uncheckpointed(self) -> int:
        """Requests since the last checkpoint, including those in flight."""
        done = self.points[:-1] if self.dead and not self.after else self.points
        last = max((number for number, point in enumerate(done) if point == "compare_and_swap manifest"), default=-1)
        return done[last + 1 :].count("fetch")

    def guard(self, point: str, call: Callable[[], T], *, read_only: bool = False) -> T:
        """Make the call, unless the process crashes first; a `read_only` call changes nothing."""
        last = self._is_crash(point, read_only=read_only)
        if self.dead or (last and not self.after):
            self._crash()
        try:
            return call()
        finally:
            if last:
                self._crash()

    def _is_crash(self, point: str, *, read_only: bool) -> bool:
        """Note the call; whether it is the one to crash at."""
        with self._lock:
            if self.dead or (read_only and not self.every_call):
                return False
            self.points.append(point)
            counted = self.calls if self.of is None else self.points.count(self.of)
            return counted == self.at and self.of in (None, point)

    def _crash(self) -> None:
        self.dead = True
        raise Crash


class CrashingLake(Lake):
    """A lake that may crash the process at each call; each deleted object counts as a call."""

    def __init__(self, lake: Lake, crash_point: CrashPoint) -> None:
        self.name = lake.name
        self._lake, self._crash_point = lake, crash_point

    def read(self, key: str) -> tuple[bytes, str] | None:
        return self._crash_point.guard(_at("read", key), lambda: self._lake.read(key), read_only=True)

    def entries(self, prefix: str) -> Iterator[Entry]:
        return iter(
            self._crash_point.guard(_at("entries", prefix), lambda: [*self._lake.entries(prefix)], read_only=True)
        )

    def put(self, key: str, data: bytes) -> None:
        self._crash_point.guard(_at("put", key), lambda: self._lake.put(key, data))

    def compare_and_swap(self, key: str, data: bytes, tag: str | None) -> str | None:
        return self._crash_point.guard(
            _at("compare_and_swap", key), lambda: self._lake.compare_and_swap(key, data, tag)
        )

    def copy(self, source: str, target: str) -> None:
        self._crash_point.guard(_at("copy", target), lambda: self._lake.copy(source, target))

    @contextmanager
    def unchanged(self, key: str, tag: str | None) -> Iterator[bool]:
        with self._lake.unchanged(key, tag) as still:
            yield self._crash_point.guard(_at("unchanged", key), lambda: still, read_only=True)

    def _delete(self, keys: list[str]) -> None:
        for key in keys:
            self._crash_point.guard(_at("delete", key), lambda key=key: self._lake.delete([key]))  # type: ignore[misc]


def _at(call: str, key: str) -> str:
    """A call and the top folder of its key."""
    return f"{call} {key.partition('/')[0]}"


class CrashingQueue:
    """A queue that may crash the process at each call."""

    def __init__(self, queue: Queue, crash_point: CrashPoint) -> None:
        self._queue, self._crash_point = queue, crash_point

    def send(self, tasks: Iterable[Task], *, delay: float = 0.0) -> int:
        return self._crash_point.guard("send", lambda: self._queue.send(tasks, delay=delay))

    def receive(self, queues: Sequence[str], *, lease: float) -> Delivery | None:
        return self._crash_point.guard("receive", lambda: self._queue.receive(queues, lease=lease), read_only=True)

    def ack(self, delivery: Delivery) -> None:
        self._crash_point.guard("ack", lambda: self._queue.ack(delivery))

    def extend_visibility(self, delivery: Delivery, seconds: float) -> bool:
        return self._crash_point.guard("extend_visibility", lambda: self._queue.extend_visibility(delivery, seconds))

    def dead_letter(self, delivery: Delivery, cause: Cause) -> None:
        self._crash_point.guard("dead_letter", lambda: self._queue.dead_letter(delivery, cause))


def crashing_services(services: Services, crash_point: CrashPoint) -> Services:
    """The same services for a process that is to crash."""

    def fetch(request: Request, real: Fetch = services.fetch) -> Response:
        return crash_point.guard("fetch", lambda: real(request))

    def secret(wanted: Reference, real: Secrets = services.secrets) -> str:
        return crash_point.guard("secret", lambda: real(wanted), read_only=True)

    return msgspec.structs.replace(
        services,
        lake=CrashingLake(services.lake, crash_point),
        queue=CrashingQueue(services.queue, crash_point),
        fetch=fetch,
        secrets=secret,
    )


def run_until_crash(pipeline: Pipeline, crash_point: CrashPoint) -> bool:
    """Drain with a process that is to crash; whether it did. Afterwards the pipeline has a fresh worker."""
    pipeline.worker = Worker(crashing_services(pipeline.services, crash_point), pipeline.sources)
    pipeline.inbox = CrashingQueue(pipeline.queue, crash_point)
    try:
        pipeline.drain()
    except Crash:
        return True
    finally:
        pipeline.inbox = pipeline.queue
        pipeline.worker = Worker(pipeline.services, pipeline.sources)
    return False


def assert_only_whole_pages(pipeline: Pipeline) -> None:
    """Under raw/ there is nothing but complete pages."""
    for key, data in pipeline.objects("raw").items():
        assert page_number(key), key
        assert gzip.decompress(data).endswith(b"}\n"), key
