"""One life of a worker: its ports, at each call of which others may come first, and it may die, sleep or be refused."""

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
from tests.support.simulation.api import Apis, base_of
from tests.support.simulation.faults import Faults
from tests.support.simulation.law import Law, Tasks
from tests.support.simulation.stage import Actor, Stage

T = TypeVar("T")
Refusal = Callable[[str], Exception]
LEASE = 30.0


class Watched(Queue, Tasks, Protocol):
    """A queue of a trial: the port, and what can be seen and done from outside."""

    def next_visible(self) -> float | None: ...

    def delete_dead_letters(self, letters: Iterable[DeadLetter]) -> None: ...


class Setting(msgspec.Struct):
    """What all processes of a trial share."""

    stage: Stage
    faults: Faults
    law: Law
    lake: Lake
    queue: Watched
    apis: Apis
    sources: dict[str, Source]
    slow: float
    """Seconds that a request takes, most often."""
    tell: Callable[[Event], None]
    fenced: dict[str, Process] = msgspec.field(default_factory=dict)
    """Folders that a process has locked, where the lake is one that can."""
    folder: bool = False


class Process:
    """Satisfies `Clock`, and makes the calls of the other ports."""

    def __init__(self, setting: Setting, actor: Actor) -> None:
        self.setting, self.actor = setting, actor
        self.stage, self.faults, self.law = setting.stage, setting.faults, setting.law
        self.dead = False
        self.delivery: Delivery | None = None
        self.ends: float | None = None
        """When its invocation is killed, where it is one of a Lambda."""
        self.stops: float | None = None
        """When it is asked to stop."""

    def now(self) -> float:
        return self.stage.time

    def sleep(self, seconds: float) -> None:
        self.stage.wait(self.actor, seconds)
        self.alive()

    def alive(self) -> None:
        """Raises Crash, again and again, once it is dead."""
        if self.ends is not None and self.now() >= self.ends:
            self.faults.seen["killed at the end of its time"] += not self.dead
            self.dead = True
        if self.dead:
            raise Crash

    def call(self, what: str, act: Callable[[], T], refusal: Refusal | None, *, cost: float, fenced: bool = True) -> T:
        """One call of a port: a step of the trial. One that is not `fenced` is made whatever happened meanwhile."""
        self.alive()
        rng = self.stage.rng
        fault = self.faults.of_call(rng, storage=refusal is not None)
        seconds = cost * rng.random()
        if fault == "pause" and (fenced or self.faults.asleep_in_writes):
            seconds += rng.choice((LEASE / 2, LEASE, 1.5 * LEASE, 4 * LEASE, 20 * LEASE))
            if not fenced:
                self._outdated()
        self.stage.wait(self.actor, seconds)
        self.alive()
        if fault == "death before":
            self.die(what)
        if fault == "refused" and refusal is not None:
            self.stage.note(self.actor.name, f"{what}: refused")
            raise refusal(what)
        result = act()
        self.stage.note(self.actor.name, f"{what}{f': {fault}' if fault else ''}")
        self.law.step()
        if fault == "death after":
            self.die(what)
        if fault == "no answer" and refusal is not None:
            raise refusal(what)
        return result

    def _outdated(self) -> None:
        """It sleeps amid a write, and what it is about to write is no longer what the API holds."""
        self.law.fenced = False
        if self.delivery is not None:
            partition = decode_task(self.delivery.body).partition
            self.law.mixed.add(partition)
            self.setting.apis.restate(base_of(self.setting.sources[partition.source]), partition, self.now())

    def die(self, what: str) -> None:
        self.stage.note(self.actor.name, f"died at {what}")
        self.law.died(self.delivery)
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
        self.setting.apis.asked.setdefault(request.source, []).append(self.now())

        def ask() -> Response:
            self.faults.request(self.stage.rng)
            return self.setting.apis.answer(request, self.now())

        return self.call(f"ask {request.source}", ask, None, cost=self.setting.slow)
