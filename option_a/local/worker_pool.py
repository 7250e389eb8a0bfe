"""Works the queues off with a few threads, until no task is left: neither waiting, nor delayed, nor in other hands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue

from option_a.ingest.errors import LakeError
from option_a.ingest.events import Event, EventSink
from option_a.ingest.lake import Lake
from option_a.ingest.load import Worker
from option_a.ingest.ports import Cause
from option_a.ingest.task import Delivery
from option_a.local.queue import SqliteQueue
from option_a.workspace.clock import SystemClock

_PROBE = "staging/probe"
_LOOK = 0.5
"""Seconds between looks at the queue while nothing happens here; another process may send or finish tasks."""


class WorkerPool:
    """Threads that share one worker. The main thread alone receives, so an idle pool costs a look now and then."""

    def __init__(
        self,
        worker: Worker,
        queue: SqliteQueue,
        lake: Lake,
        clock: SystemClock,
        tell: EventSink,
        *,
        threads: int,
        lease: float,
    ) -> None:
        self._worker, self._queue, self._lake, self._clock, self._tell = worker, queue, lake, clock, tell
        self._threads, self._lease = threads, lease
        self._ended: SimpleQueue[BaseException | None] = SimpleQueue()
        self._busy = 0
        self._said = False

    def drain(self, sources: Sequence[str]) -> None:
        """Work until the queues of these sources are empty, or until somebody asks to stop.

        The first error that is not a partition's own (of the whole lake, of the queue) stops all and is raised.
        """
        error: BaseException | None = None
        with ThreadPoolExecutor(self._threads, thread_name_prefix="worker") as threads:
            try:
                while not self._clock.stopping():
                    while self._busy < self._threads and (delivery := self._queue.receive(sources, lease=self._lease)):
                        self._busy += 1
                        threads.submit(self._work, delivery)
                    if not self._busy and not self._queue.has_tasks(sources):
                        break
                    if not self._busy and not self._said:
                        self._report_held(sources)
                    error = self._wait() or error
                    if error is not None:
                        break
            finally:
                if error is not None:
                    self._clock.stop()
        if error is not None:
            raise error

    def _report_held(self, sources: Sequence[str]) -> None:
        """That what is left is in a worker's hands: another process's, or those of one that was killed."""
        held = self._queue.in_other_hands(sources)
        if held is not None:
            source, until = held
            self._said = True
            self._tell(Event("held", source, message=f"{dt.datetime.fromtimestamp(until, dt.UTC):%H:%M:%S}Z"))

    def _work(self, delivery: Delivery) -> None:
        try:
            self._handle(delivery)
            self._ended.put(None)
        except BaseException as error:
            self._ended.put(error)

    def _handle(self, delivery: Delivery) -> None:
        try:
            self._worker.handle(delivery)
        except LakeError as error:
            if (
                not error.whole and self._lake_works()
            ):  # so it is this partition's own: a file in its way, a key that may not be read
                self._queue.dead_letter(delivery, Cause(error.kind, str(error)))
                self._tell(Event("failed", delivery.queue, message=str(error)))
                return
            self._queue.give_back(delivery)
            raise

    def _lake_works(self) -> bool:
        """Whether the lake takes an object at all."""
        try:
            self._lake.put(_PROBE, b"")
            self._lake.delete([_PROBE])
        except LakeError:
            return False
        return True

    def _wait(self) -> BaseException | None:
        """Until a thread ends or it is time to look again; the error that ended it, if one did."""
        try:
            error = self._ended.get(timeout=_LOOK)
        except Empty:
            return None
        self._busy -= 1
        return error
