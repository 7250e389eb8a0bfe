"""A worker's lives, one after the other: it takes deliveries as a Lambda or as a thread of the local pool does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from option_a.aws.functions.worker import CHECKPOINT, OUTAGE, SPARE
from option_a.aws.functions.worker import LEASE as LAMBDA_LEASE
from option_a.ingest.errors import LakeError, QueueError
from option_a.ingest.load.job import Limits
from option_a.ingest.load.worker import Worker
from option_a.ingest.ports import Cause
from option_a.ingest.task import Delivery
from option_a.local.queue import SqliteQueue
from tests.support.crashes.port_crash import Crash
from tests.support.simulation.process import LEASE, Process, Setting
from tests.support.simulation.stage import Actor
from tests.support.simulation.stepped import world_of

IDLE = 240.0
"""Seconds between looks at a queue that has nothing to do yet."""


class Life:
    """One actor. `span`: seconds that an invocation of it may last; None where it is a thread on one machine."""

    def __init__(self, setting: Setting, span: float | None, outcomes: Counter[str]) -> None:
        self._setting, self._span, self._outcomes = setting, span, outcomes
        self.actor: Actor
        self.over = False
        self.look_at = 0.0
        """When something is next to happen that is not the queue's."""

    def play(self) -> None:
        """Until it is told that the trial is over, whatever befalls it."""
        while not self.over:
            process = Process(self._setting, self.actor)
            try:
                self._live(process)
            except Crash:
                self._outcomes["died"] += 1
            except (LakeError, QueueError):
                self._outcomes["ended by an error"] += 1
            self._wait(30.0 * self._setting.stage.rng.random())

    def _live(self, process: Process) -> None:
        rng = self._setting.stage.rng
        if self._span is None and self._setting.faults.happens(rng, 0.1, "asked to stop"):
            process.stops = process.now() + rng.choice((10.0, 60.0, 600.0))
        world = world_of(process, self._limits(process))
        worker = Worker(world, self._setting.sources)
        while not self.over:
            delivery = world.queue.receive(list(self._setting.sources), lease=world.limits.lease)
            if delivery is None:
                self._idle()
                continue
            process.delivery = delivery
            if self._span is not None:
                process.ends = process.now() + self._span
                world.queue.extend_visibility(delivery, self._span + SPARE)
            outcome = self._handle(process, worker.handle, delivery)
            self._outcomes[outcome] += 1
            process.delivery, process.ends = None, None
            if outcome == "stopped":
                return

    def _limits(self, process: Process) -> Limits:
        """As `aws.batch` and `local.wiring` have them."""
        if self._span is None:
            return Limits(LEASE, stopping=lambda: process.stopping)
        reserve = min(90.0, self._span / 2)
        return Limits(LAMBDA_LEASE, lambda: process.left < reserve, checkpoint_interval=CHECKPOINT)

    def _handle(self, process: Process, handle: Callable[[Delivery], str], delivery: Delivery) -> str:
        """As `aws.batch` and `local.pool` have it, where the lake or the queue refuses."""
        queue = self._setting.queue
        try:
            return handle(delivery)
        except (LakeError, QueueError) as error:
            if self._span is not None:
                queue.extend_visibility(delivery, OUTAGE)
                return "not done"
            if isinstance(error, LakeError) and process.stage.rng.random() < 0.3:  # the lake works: it is just this one
                queue.dead_letter(delivery, Cause(error.kind, str(error)))
                return "buried"
            if isinstance(error, LakeError) and isinstance(queue, SqliteQueue):
                queue.give_back(delivery)
            raise

    def _idle(self) -> None:
        """Nothing is visible: until a message is, or until something is planned."""
        stage, queue = self._setting.stage, self._setting.queue
        visible = queue.next_visible()
        until = self.look_at if visible is None else min(max(visible, stage.time), stage.time + IDLE)
        self._wait(max(0.0, until - stage.time) + 10.0 * stage.rng.random())

    def _wait(self, seconds: float) -> None:
        self._setting.stage.wait(self.actor, seconds)
