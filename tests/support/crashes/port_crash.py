"""Death at any call of a port: the process is gone before it or after it, and what comes later finds what it left."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

import msgspec

from option_a.ingest.lake.base import Entry, Lake
from option_a.ingest.lake.keys import page_number
from option_a.ingest.load.job import Services
from option_a.ingest.load.worker import Worker
from option_a.ingest.ports import Cause, Fetch, Queue, Request, Response, Secrets
from option_a.ingest.secrets import Reference
from option_a.ingest.task import Delivery, Task
from tests.support.pipeline import Pipeline

T = TypeVar("T")


class Crash(BaseException):
    """The process is dead: nobody may handle this as an error."""


class Doom:
    """Lets the calls of a process through, and kills it before or after the `at`-th (0: never).

    `of`: the at-th of these calls alone. `everywhere`: calls that change nothing count too, so that it may die at any
    call of any port.
    """

    def __init__(self, at: int = 0, *, after: bool = False, of: str | None = None, everywhere: bool = False) -> None:
        self.at, self.after, self.of, self.everywhere, self.dead = at, after, of, everywhere, False
        self.points: list[str] = []
        """Every call that it might have died at, in order: `put raw`, `ack`, `fetch`, …"""
        self._lock = Lock()

    @property
    def calls(self) -> int:
        """How many calls there were to die at."""
        return len(self.points)

    @property
    def unrecorded(self) -> int:
        """Requests since the manifest was last written, those in flight among them."""
        done = self.points[:-1] if self.dead and not self.after else self.points
        last = max((number for number, point in enumerate(done) if point == "compare_and_swap manifest"), default=-1)
        return done[last + 1 :].count("fetch")

    def around(self, point: str, call: Callable[[], T], *, looks: bool = False) -> T:
        """Make the call; `looks`: it changes nothing."""
        last = self._comes(point, looks=looks)
        if self.dead or (last and not self.after):
            self._die()
        try:
            return call()
        finally:
            if last:
                self._die()

    def _comes(self, point: str, *, looks: bool) -> bool:
        """Note the call; whether it is the one to die at."""
        with self._lock:
            if self.dead or (looks and not self.everywhere):
                return False
            self.points.append(point)
            counted = self.calls if self.of is None else self.points.count(self.of)
            return counted == self.at and self.of in (None, point)

    def _die(self) -> None:
        self.dead = True
        raise Crash


class MortalLake(Lake):
    """A lake whose every call is a point to die at; of several deletions each is one."""

    def __init__(self, lake: Lake, doom: Doom) -> None:
        self.name = lake.name
        self._lake, self._doom = lake, doom

    def read(self, key: str) -> tuple[bytes, str] | None:
        return self._doom.around(_at("read", key), lambda: self._lake.read(key), looks=True)

    def entries(self, prefix: str) -> Iterator[Entry]:
        return iter(self._doom.around(_at("entries", prefix), lambda: [*self._lake.entries(prefix)], looks=True))

    def put(self, key: str, data: bytes) -> None:
        self._doom.around(_at("put", key), lambda: self._lake.put(key, data))

    def compare_and_swap(self, key: str, data: bytes, tag: str | None) -> str | None:
        return self._doom.around(_at("compare_and_swap", key), lambda: self._lake.compare_and_swap(key, data, tag))

    def copy(self, source: str, target: str) -> None:
        self._doom.around(_at("copy", target), lambda: self._lake.copy(source, target))

    @contextmanager
    def unchanged(self, key: str, tag: str | None) -> Iterator[bool]:
        with self._lake.unchanged(key, tag) as still:
            yield self._doom.around(_at("unchanged", key), lambda: still, looks=True)

    def _delete(self, keys: list[str]) -> None:
        for key in keys:
            self._doom.around(_at("delete", key), lambda key=key: self._lake.delete([key]))  # type: ignore[misc]


def _at(call: str, key: str) -> str:
    """A call, and the room of the lake that it goes to."""
    return f"{call} {key.partition('/')[0]}"


class MortalQueue:
    """A queue whose every call is a point to die at."""

    def __init__(self, queue: Queue, doom: Doom) -> None:
        self._queue, self._doom = queue, doom

    def send(self, tasks: Iterable[Task], *, delay: float = 0.0) -> int:
        return self._doom.around("send", lambda: self._queue.send(tasks, delay=delay))

    def receive(self, queues: Sequence[str], *, lease: float) -> Delivery | None:
        return self._doom.around("receive", lambda: self._queue.receive(queues, lease=lease), looks=True)

    def ack(self, delivery: Delivery) -> None:
        self._doom.around("ack", lambda: self._queue.ack(delivery))

    def extend_visibility(self, delivery: Delivery, seconds: float) -> bool:
        return self._doom.around("extend_visibility", lambda: self._queue.extend_visibility(delivery, seconds))

    def dead_letter(self, delivery: Delivery, cause: Cause) -> None:
        self._doom.around("dead_letter", lambda: self._queue.dead_letter(delivery, cause))


def mortal(world: Services, doom: Doom) -> Services:
    """The same world for a process that is to die."""

    def fetch(request: Request, real: Fetch = world.fetch) -> Response:
        return doom.around("fetch", lambda: real(request))

    def secret(wanted: Reference, real: Secrets = world.secrets) -> str:
        return doom.around("secret", lambda: real(wanted), looks=True)

    return msgspec.structs.replace(
        world, lake=MortalLake(world.lake, doom), queue=MortalQueue(world.queue, doom), fetch=fetch, secrets=secret
    )


def live_until(pipeline: Pipeline, doom: Doom) -> bool:
    """Drain with a process that is to die; whether it did. The pipeline's worker is a fresh one afterwards."""
    pipeline.worker = Worker(mortal(pipeline.world, doom), pipeline.sources)
    pipeline.inbox = MortalQueue(pipeline.queue, doom)
    try:
        pipeline.drain()
    except Crash:
        return True
    finally:
        pipeline.inbox = pipeline.queue
        pipeline.worker = Worker(pipeline.world, pipeline.sources)
    return False


def assert_only_whole_pages(pipeline: Pipeline) -> None:
    """Under raw/ stands nothing but pages, and each of them is whole."""
    for key, data in pipeline.objects("raw").items():
        assert page_number(key), key
        assert gzip.decompress(data).endswith(b"}\n"), key
