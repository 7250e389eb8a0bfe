"""A simulated process: at each port call others may run first, and it may die, pause or get an error."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

import msgspec

from option_a.ingest.config.source import Source
from option_a.ingest.events import Event
from option_a.ingest.lake.base import Lake
from option_a.ingest.ports import DeadLetter, Queue, Request, Response
from option_a.ingest.task import Delivery, decode_task
from tests.support.crashes.port_crash import Crash
from tests.support.simulation.apis import SimulatedApis, base_of
from tests.support.simulation.faults import FaultRates
from tests.support.simulation.invariants import InvariantChecker, QueueView
from tests.support.simulation.scheduler import Actor, Scheduler

T = TypeVar("T")
ErrorFactory = Callable[[str], Exception]
LEASE = 30.0


class InspectableQueue(Queue, QueueView, Protocol):
    """A queue in a trial: the port, plus what an observer can see and do."""

    def next_visible(self) -> float | None: ...

    def delete_dead_letters(self, letters: Iterable[DeadLetter]) -> None: ...


class SimulationContext(msgspec.Struct):
    """What all processes of a trial share."""

    scheduler: Scheduler
    faults: FaultRates
    invariants: InvariantChecker
    lake: Lake
    queue: InspectableQueue
    apis: SimulatedApis
    sources: dict[str, Source]
    request_seconds: float
    """The seconds a request takes, at most, unless the process pauses."""
    emit: Callable[[Event], None]
    locked_folders: dict[str, SimulatedProcess] = msgspec.field(default_factory=dict)
    """Folders locked by a process, in a lake that can lock."""
    folder: bool = False


class SimulatedProcess:
    """Satisfies `Clock`, and makes the calls of the other ports."""

    def __init__(self, context: SimulationContext, actor: Actor) -> None:
        self.context, self.actor = context, actor
        self.scheduler, self.faults, self.invariants = context.scheduler, context.faults, context.invariants
        self.dead = False
        self.delivery: Delivery | None = None
        self.ends: float | None = None
        """When its Lambda invocation is killed, if it is one."""
        self.stops: float | None = None
        """When it is asked to stop."""

    def now(self) -> float:
        return self.scheduler.time

    def sleep(self, seconds: float) -> None:
        self.scheduler.wait(self.actor, seconds)
        self.alive()

    def alive(self) -> None:
        """Raises Crash, every time, once the process is dead."""
        if self.ends is not None and self.now() >= self.ends:
            self.faults.seen["killed at the end of its time"] += not self.dead
            self.dead = True
        if self.dead:
            raise Crash

    def call(
        self, what: str, act: Callable[[], T], refusal: ErrorFactory | None, *, cost: float, fenced: bool = True
    ) -> T:
        """One port call, a step of the trial. Unless `fenced`, it is made even if the lease was lost meanwhile."""
        self.alive()
        rng = self.scheduler.rng
        fault = self.faults.of_call(rng, storage=refusal is not None)
        seconds = cost * rng.random()
        if fault == "pause" and (fenced or self.faults.pause_before_writes):
            seconds += rng.choice((LEASE / 2, LEASE, 1.5 * LEASE, 4 * LEASE, 20 * LEASE))
            if not fenced:
                self._make_stale()
        self.scheduler.wait(self.actor, seconds)
        self.alive()
        if fault == "death before":
            self.die(what)
        if fault == "refused" and refusal is not None:
            self.scheduler.note(self.actor.name, f"{what}: refused")
            raise refusal(what)
        result = act()
        self.scheduler.note(self.actor.name, f"{what}{f': {fault}' if fault else ''}")
        self.invariants.step()
        if fault == "death after":
            self.die(what)
        if fault == "no answer" and refusal is not None:
            raise refusal(what)
        return result

    def _make_stale(self) -> None:
        """The process pauses before a write, and what it is about to write is no longer what the API holds."""
        self.invariants.fenced = False
        if self.delivery is not None:
            partition = decode_task(self.delivery.body).partition
            self.invariants.mixed.add(partition)
            self.context.apis.restate(base_of(self.context.sources[partition.source]), partition, self.now())

    def die(self, what: str) -> None:
        """Raises Crash: the process dies here."""
        self.scheduler.note(self.actor.name, f"died at {what}")
        self.invariants.died(self.delivery)
        self.dead = True
        raise Crash

    @property
    def left(self) -> float:
        """Seconds until it is killed."""
        return math.inf if self.ends is None else self.ends - self.now()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self.stops is not None and self.now() >= self.stops

    def fetch(self, request: Request) -> Response:
        """Satisfies `Fetch`."""
        self.context.apis.asked.setdefault(request.source, []).append(self.now())

        def ask() -> Response:
            self.faults.request(self.scheduler.rng)
            return self.context.apis.answer(request, self.now())

        return self.call(f"ask {request.source}", ask, None, cost=self.context.request_seconds)
