"""Death at any call of a port: the process is gone before it or after it, and what comes later finds what it left."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

import msgspec

from option_a.ingest.job import World
from option_a.ingest.lake import Entry, Lake
from option_a.ingest.layout import page_number
from option_a.ingest.ports import Cause, Fetch, Queue, Request, Response
from option_a.ingest.task import Delivery, Task
from option_a.ingest.work import Worker
from tests.support.world import Pipeline

T = TypeVar("T")


class Crash(BaseException):
    """The process is dead: nobody may handle this as an error."""


class Doom:
    """Lets the calls of a process through, and kills it before or after the `at`-th (0: never)."""

    def __init__(self, at: int = 0, *, after: bool = False) -> None:
        self.at, self.after, self.calls, self.dead = at, after, 0, False
        self._lock = Lock()

    def around(self, call: Callable[[], T]) -> T:
        with self._lock:
            self.calls += 1
            last = self.calls == self.at
        if self.dead or (last and not self.after):
            self._die()
        result = call()
        if last:
            self._die()
        return result

    def _die(self) -> None:
        self.dead = True
        raise Crash


class MortalLake(Lake):
    """A lake whose every write is a point to die at; of several deletions each is one."""

    def __init__(self, lake: Lake, doom: Doom) -> None:
        self.name = lake.name
        self._lake, self._doom = lake, doom

    def read(self, key: str) -> tuple[bytes, str] | None:
        return self._lake.read(key)

    def entries(self, prefix: str) -> Iterator[Entry]:
        return self._lake.entries(prefix)

    def put(self, key: str, data: bytes) -> None:
        self._doom.around(lambda: self._lake.put(key, data))

    def swap(self, key: str, data: bytes, tag: str | None) -> str | None:
        return self._doom.around(lambda: self._lake.swap(key, data, tag))

    def copy(self, source: str, target: str) -> None:
        self._doom.around(lambda: self._lake.copy(source, target))

    @contextmanager
    def held(self, key: str, tag: str | None) -> Iterator[bool]:
        with self._lake.held(key, tag) as still:
            yield still

    def _delete(self, keys: list[str]) -> None:
        for key in keys:
            self._doom.around(lambda key=key: self._lake.delete([key]))  # type: ignore[misc]


class MortalQueue:
    """A queue whose every call but `receive` is a point to die at."""

    def __init__(self, queue: Queue, doom: Doom) -> None:
        self._queue, self._doom = queue, doom

    def send(self, tasks: Iterable[Task], *, delay: float = 0.0) -> int:
        return self._doom.around(lambda: self._queue.send(tasks, delay=delay))

    def receive(self, queues: Sequence[str], *, lease: float) -> Delivery | None:
        return self._queue.receive(queues, lease=lease)

    def ack(self, delivery: Delivery) -> None:
        self._doom.around(lambda: self._queue.ack(delivery))

    def extend(self, delivery: Delivery, seconds: float) -> bool:
        return self._doom.around(lambda: self._queue.extend(delivery, seconds))

    def bury(self, delivery: Delivery, cause: Cause) -> None:
        self._doom.around(lambda: self._queue.bury(delivery, cause))


def mortal(world: World, doom: Doom) -> World:
    """The same world for a process that is to die."""

    def fetch(request: Request, real: Fetch = world.fetch) -> Response:
        return doom.around(lambda: real(request))

    return msgspec.structs.replace(
        world, lake=MortalLake(world.lake, doom), queue=MortalQueue(world.queue, doom), fetch=fetch
    )


def live_until(pipeline: Pipeline, doom: Doom) -> bool:
    """Drain with a process that is to die; whether it did. The pipeline's worker is a fresh one afterwards."""
    pipeline.worker = Worker(mortal(pipeline.world, doom), pipeline.sources)
    try:
        pipeline.drain()
    except Crash:
        return True
    finally:
        pipeline.worker = Worker(pipeline.world, pipeline.sources)
    return False


def assert_only_whole_pages(pipeline: Pipeline) -> None:
    """Under raw/ stands nothing but pages, and each of them is whole."""
    for key, data in pipeline.objects("raw").items():
        assert page_number(key), key
        assert gzip.decompress(data).endswith(b"}\n"), key
