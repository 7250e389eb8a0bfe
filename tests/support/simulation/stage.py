"""One clock and one baton: of all actors one runs at a time, until it waits; who is next, the clock says."""

from __future__ import annotations

import hashlib
import heapq
import threading
from collections import deque
from collections.abc import Callable
from random import Random

TAIL = 80
"""Steps of a trial that are shown where it fails."""


class Abandoned(BaseException):
    """Another actor has failed: unwind."""


class Endless(AssertionError):
    """The trial does not come to its end."""


class Actor:
    """A thread that runs when the stage lets it."""

    def __init__(self, stage: Stage, name: str, play: Callable[[], None]) -> None:
        self.name = name
        self.baton = threading.Lock()
        self.baton.acquire()
        self._stage, self._play = stage, play
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        self.baton.acquire()
        try:
            if self._stage.failure is None:
                self._play()
        except Abandoned:
            pass
        except BaseException as error:
            self._stage.failure = self._stage.failure or error
        self._stage.leave()


class Stage:
    """Virtual time. `wait` is where an actor lets others go first; nothing else ever moves the clock."""

    def __init__(self, rng: Random, now: float, *, most: int) -> None:
        self.rng = rng
        self.skew = 0.0
        """By how much the clock was set, all in all."""
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
        """What every clock of the trial shows."""
        return self._elapsed + self.skew

    def spawn(self, name: str, play: Callable[[], None]) -> Actor:
        """An actor that begins as soon as the clock comes to it."""
        actor = Actor(self, name, play)
        self._sleep(actor, 0.0)
        return actor

    def run(self) -> None:
        """Until every actor has left. Raises what the first one failed with."""
        threads = [actor.thread for _, _, actor in self._asleep]
        for thread in threads:
            thread.start()
        self._hand_on()
        self._over.acquire()
        for thread in threads:
            thread.join()
        if self.failure is not None:
            raise self.failure

    def wait(self, actor: Actor, seconds: float) -> None:
        """Let the clock run on. Raises Abandoned where the trial has failed, Endless where it is too long."""
        if self.steps > self._most:
            raise Endless(f"no end after {self.steps} steps")
        self._sleep(actor, seconds)
        following = self._next()
        if following is not actor:
            following.baton.release()
            actor.baton.acquire()
        if self.failure is not None:
            raise Abandoned

    def leave(self) -> None:
        """The actor that runs is done: the next one, or the end."""
        if self._asleep:
            self._hand_on()
        else:
            self._over.release()

    def note(self, who: str, what: str) -> None:
        """One step of the trial."""
        self.steps += 1
        line = f"{self.steps:5d} {self.time - self._begun:10.2f} {who:8} {what}"
        self.tail.append(line)
        self._digest.update(line.encode())

    @property
    def digest(self) -> str:
        """What two trials of one seed have in common, and no others."""
        return self._digest.hexdigest()

    def _sleep(self, actor: Actor, seconds: float) -> None:
        self._order += 1
        heapq.heappush(self._asleep, (self._elapsed + seconds, self._order, actor))

    def _next(self) -> Actor:
        wake, _, actor = heapq.heappop(self._asleep)
        self._elapsed = max(self._elapsed, wake)
        return actor

    def _hand_on(self) -> None:
        self._next().baton.release()


class StageClock:
    """Satisfies `Clock` for what is no actor: it only looks."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def now(self) -> float:
        return self._stage.time

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody waits here")
