"""A simulated worker: handles deliveries like a Lambda function or a local pool thread, and restarts when it dies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from option_a.aws.functions.worker import CHECKPOINT, OUTAGE, SPARE
from option_a.aws.functions.worker import LEASE as LAMBDA_LEASE
from option_a.ingest.errors import LakeError, QueueError
from option_a.ingest.load.services import Limits
from option_a.ingest.load.worker import Worker
from option_a.ingest.ports import Cause
from option_a.ingest.task import Delivery
from option_a.local.queue import SqliteQueue
from tests.support.crashes.port_crash import Crash
from tests.support.simulation.ports import services_of
from tests.support.simulation.process import LEASE, SimulatedProcess, SimulationContext
from tests.support.simulation.scheduler import Actor

IDLE = 240.0
"""Seconds between polls of a queue whose tasks are not visible yet."""


class SimulatedWorker:
    """One actor. `invocation_seconds`: how long a Lambda invocation may last; None for a local pool thread."""

    def __init__(self, context: SimulationContext, invocation_seconds: float | None, outcomes: Counter[str]) -> None:
        self._context, self._invocation_seconds, self._outcomes = context, invocation_seconds, outcomes
        self.actor: Actor
        self.over = False
        self.next_event_at = 0.0
        """When the environment next makes something happen."""

    def run(self) -> None:
        """Work until the trial is over, with a new process after each crash or error."""
        while not self.over:
            process = SimulatedProcess(self._context, self.actor)
            try:
                self._run_process(process)
            except Crash:
                self._outcomes["died"] += 1
            except (LakeError, QueueError):
                self._outcomes["ended by an error"] += 1
            self._wait(30.0 * self._context.scheduler.rng.random())

    def _run_process(self, process: SimulatedProcess) -> None:
        rng = self._context.scheduler.rng
        if self._invocation_seconds is None and self._context.faults.happens(rng, 0.1, "asked to stop"):
            process.stops = process.now() + rng.choice((10.0, 60.0, 600.0))
        services = services_of(process, self._limits(process))
        worker = Worker(services, self._context.sources)
        while not self.over:
            delivery = services.queue.receive(list(self._context.sources), lease=services.limits.lease)
            if delivery is None:
                self._idle()
                continue
            process.delivery = delivery
            if self._invocation_seconds is not None:
                process.ends = process.now() + self._invocation_seconds
                services.queue.extend_visibility(delivery, self._invocation_seconds + SPARE)
            outcome = self._handle(process, worker.handle, delivery)
            self._outcomes[outcome] += 1
            process.delivery, process.ends = None, None
            if outcome == "stopped":
                return

    def _limits(self, process: SimulatedProcess) -> Limits:
        """The limits of the Lambda worker or the local pool."""
        if self._invocation_seconds is None:
            return Limits(LEASE, stopping=lambda: process.stopping)
        reserve = min(90.0, self._invocation_seconds / 2)
        return Limits(LAMBDA_LEASE, lambda: process.left < reserve, checkpoint_interval=CHECKPOINT)

    def _handle(self, process: SimulatedProcess, handle: Callable[[Delivery], str], delivery: Delivery) -> str:
        """Handle errors of lake and queue as the Lambda batch handler and the local pool do."""
        queue = self._context.queue
        try:
            return handle(delivery)
        except (LakeError, QueueError) as error:
            if self._invocation_seconds is not None:
                queue.extend_visibility(delivery, OUTAGE)
                return "not done"
            if (
                isinstance(error, LakeError) and process.scheduler.rng.random() < 0.3
            ):  # only this partition's objects fail
                queue.dead_letter(delivery, Cause(error.kind, str(error)))
                return "dead-lettered"
            if isinstance(error, LakeError) and isinstance(queue, SqliteQueue):
                queue.give_back(delivery)
            raise

    def _idle(self) -> None:
        """Nothing is visible: wait until a message is, or until something is planned."""
        scheduler, queue = self._context.scheduler, self._context.queue
        visible = queue.next_visible()
        until = self.next_event_at if visible is None else min(max(visible, scheduler.time), scheduler.time + IDLE)
        self._wait(max(0.0, until - scheduler.time) + 10.0 * scheduler.rng.random())

    def _wait(self, seconds: float) -> None:
        self._context.scheduler.wait(self.actor, seconds)
