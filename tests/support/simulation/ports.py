"""Lake and queue as a simulated process sees them: every call is a step of the trial."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from option_a.ingest.errors import LakeError, QueueError
from option_a.ingest.lake.base import Entry, Lake
from option_a.ingest.load.services import Limits, Services
from option_a.ingest.ports import Cause
from option_a.ingest.task import Delivery, Task
from tests.support.inline_executor import InlineExecutor
from tests.support.queues.sqs_like import SqsLikeQueue
from tests.support.simulation.process import SimulatedProcess

T = TypeVar("T")


def services_of(process: SimulatedProcess, limits: Limits) -> Services:
    """The services of a simulated process."""
    return Services(
        lake=SimulatedLake(process),
        queue=SimulatedQueue(process),
        fetch=process.fetch,
        clock=process,
        limits=limits,
        executor=InlineExecutor,
        jitter=process.scheduler.rng.random,
        emit=process.context.emit,
    )


class SimulatedLake(Lake):
    """A lake whose every call is a step; each deleted object is one."""

    def __init__(self, process: SimulatedProcess) -> None:
        self._process, self._lake, self._invariants = process, process.context.lake, process.invariants
        self.name = self._lake.name

    def read(self, key: str) -> tuple[bytes, str] | None:
        return self._call(f"read {key}", lambda: self._lake.read(key))

    def entries(self, prefix: str) -> Iterator[Entry]:
        found = self._call(f"list {prefix}", lambda: sorted(self._lake.entries(prefix), key=lambda entry: entry.key))
        return iter(found)

    def put(self, key: str, data: bytes) -> None:
        def act() -> None:
            self._lake.put(key, data)
            self._invariants.put(key, data, self._process)

        self._write(f"put {key}", act)

    def copy(self, source: str, target: str) -> None:
        def act() -> None:
            self._lake.copy(source, target)
            self._invariants.copied(source, target, self._process)

        self._write(f"copy to {target}", act)

    def compare_and_swap(self, key: str, data: bytes, tag: str | None) -> str | None:
        process, folder = self._process, key.rpartition("/")[0]

        def act() -> str | None:
            self._wait_for_lock(folder)
            written = self._lake.compare_and_swap(key, data, tag)
            if written is not None:
                self._invariants.swapped(key, data, process)
            return written

        written = self._call(f"compare_and_swap {key}", act)
        if written is not None and process.faults.happens(
            process.scheduler.rng, process.faults.too_late, "answer lost"
        ):
            return None
        return written

    @contextmanager
    def unchanged(self, key: str, tag: str | None) -> Iterator[bool]:
        process, folder = self._process, key.rpartition("/")[0]
        still = self._call(f"look at {key}", lambda: self._tag(key) == tag)
        if not process.context.folder:
            yield still
            return
        self._wait_for_lock(folder)
        still = self._tag(key) == tag
        process.context.locked_folders[folder] = process
        try:
            yield still
        finally:
            del process.context.locked_folders[folder]

    def _delete(self, keys: list[str]) -> None:
        for key in keys:

            def act(key: str = key) -> None:
                self._lake.delete([key])
                self._invariants.deleted(key, self._process)

            self._write(f"delete {key}", act)

    def _tag(self, key: str) -> str | None:
        found = self._lake.read(key)
        return None if found is None else found[1]

    def _wait_for_lock(self, folder: str) -> None:
        """Wait while another process has the folder locked."""
        while self._process.context.locked_folders.get(folder, self._process) is not self._process:
            self._process.sleep(2.0)

    def _call(self, what: str, act: Callable[[], T], *, fenced: bool = True) -> T:
        refusal = lambda what: LakeError(f"cannot {what}: 500")  # noqa: E731
        return self._process.call(what, act, refusal, cost=0.1, fenced=fenced)

    def _write(self, what: str, act: Callable[[], None]) -> None:
        """Only a lock protects a write from a process that pauses after checking its lease."""
        self._call(what, act, fenced=self._process in self._process.context.locked_folders.values())


class SimulatedQueue:
    """A queue whose every call is a step."""

    def __init__(self, process: SimulatedProcess) -> None:
        self._process, self._queue, self._invariants = process, process.context.queue, process.invariants

    def send(self, tasks: Iterable[Task], *, delay: float = 0.0) -> int:
        every = list(tasks)

        def act() -> int:
            taken = self._queue.send(every, delay=delay)
            self._invariants.sent(every)
            return taken

        return self._call(f"send {_describe(every)}", act)

    def receive(self, queues: Sequence[str], *, lease: float) -> Delivery | None:
        def act() -> Delivery | None:
            delivery = self._queue.receive(queues, lease=lease)
            if delivery is not None:
                self._invariants.received(delivery)
            return delivery

        return self._call("receive", act)

    def ack(self, delivery: Delivery) -> None:
        def act() -> None:
            self._queue.ack(delivery)
            self._invariants.acked(delivery)

        self._call(f"ack {delivery.queue}", act)

    def extend_visibility(self, delivery: Delivery, seconds: float) -> bool:
        return self._call(
            f"extend_visibility {delivery.queue}", lambda: self._queue.extend_visibility(delivery, seconds)
        )

    def dead_letter(self, delivery: Delivery, cause: Cause) -> None:
        queue = self._queue
        if isinstance(queue, SqsLikeQueue):
            self._call(f"add dead letter {cause.kind}", lambda: queue.add_dead_letter(delivery, cause))
            self.ack(delivery)
            return

        def act() -> None:
            queue.dead_letter(delivery, cause)
            self._invariants.acked(delivery)

        self._call(f"dead_letter {cause.kind}", act)

    def _call(self, what: str, act: Callable[[], T]) -> T:
        return self._process.call(what, act, lambda what: QueueError(f"cannot {what}"), cost=0.05)


def _describe(tasks: Sequence[Task]) -> str:
    return ", ".join(f"{task.source} {task.day} {task.run} requeue {task.requeues}" for task in tasks)
