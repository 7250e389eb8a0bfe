"""Runs the actors of a simulated trial one at a time on a virtual clock, which decides who is next."""

from __future__ import annotations

import hashlib
import heapq
import threading
from collections import deque
from collections.abc import Callable
from random import Random

TAIL = 80
"""The number of steps shown when a trial fails."""


class TrialAborted(BaseException):
    """Another actor failed: unwind."""


class TrialTooLong(AssertionError):
    """The trial does not end."""


class Actor:
    """A thread that runs when the scheduler resumes it."""

    def __init__(self, scheduler: Scheduler, name: str, work: Callable[[], None]) -> None:
        self.name = name
        self.baton = threading.Lock()
        self.baton.acquire()
        self._scheduler, self._work = scheduler, work
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        self.baton.acquire()
        try:
            if self._scheduler.failure is None:
                self._work()
        except TrialAborted:
            pass
        except BaseException as error:
            self._scheduler.failure = self._scheduler.failure or error
        self._scheduler.leave()


class Scheduler:
    """Virtual time. Actors let others run in `wait`; nothing else ever moves the clock."""

    def __init__(self, rng: Random, now: float, *, most: int) -> None:
        self.rng = rng
        self.skew = 0.0
        """Total seconds by which the clock was set forward or back."""
        self.steps = 0
        self.failure: BaseException | None = None
        self.tail: deque[str] = deque(maxlen=TAIL)
        self._most = most
        self._digest = hashlib.blake2b(digest_size=8)
        self._asleep: list[tuple[float, int, Actor]] = []
        self._order = 0
        self._over = threading.Lock()
        self._over.acquire()
        self._begun = self._elapsed = now

    @property
    def time(self) -> float:
        """The time on every clock of the trial."""
        return self._elapsed + self.skew

    def spawn(self, name: str, work: Callable[[], None]) -> Actor:
        """Add an actor; it begins as soon as the clock reaches it."""
        actor = Actor(self, name, work)
        self._sleep(actor, 0.0)
        return actor

    def run(self) -> None:
        """Run until every actor has finished. Raises the first actor's error."""
        threads = [actor.thread for _, _, actor in self._asleep]
        for thread in threads:
            thread.start()
        self._resume_next()
        self._over.acquire()
        for thread in threads:
            thread.join()
        if self.failure is not None:
            raise self.failure

    def wait(self, actor: Actor, seconds: float) -> None:
        """Let others run for this long. Raises TrialAborted if the trial failed, TrialTooLong after too many steps."""
        if self.steps > self._most:
            raise TrialTooLong(f"no end after {self.steps} steps")
        self._sleep(actor, seconds)
        following = self._next()
        if following is not actor:
            following.baton.release()
            actor.baton.acquire()
        if self.failure is not None:
            raise TrialAborted

    def leave(self) -> None:
        """The running actor is done: resume the next, or end the trial."""
        if self._asleep:
            self._resume_next()
        else:
            self._over.release()

    def note(self, who: str, what: str) -> None:
        """Log one step of the trial."""
        self.steps += 1
        line = f"{self.steps:5d} {self.time - self._begun:10.2f} {who:8} {what}"
        self.tail.append(line)
        self._digest.update(line.encode())

    @property
    def digest(self) -> str:
        """A digest of all steps: equal for the same seed, different for others."""
        return self._digest.hexdigest()

    def _sleep(self, actor: Actor, seconds: float) -> None:
        self._order += 1
        heapq.heappush(self._asleep, (self._elapsed + seconds, self._order, actor))

    def _next(self) -> Actor:
        wake, _, actor = heapq.heappop(self._asleep)
        self._elapsed = max(self._elapsed, wake)
        return actor

    def _resume_next(self) -> None:
        self._next().baton.release()


class SchedulerClock:
    """Satisfies `Clock` for code that is not an actor and only reads the time."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def now(self) -> float:
        return self._scheduler.time

    def sleep(self, seconds: float) -> None:
        raise AssertionError("only actors may wait")
