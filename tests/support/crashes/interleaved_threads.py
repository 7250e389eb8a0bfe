"""Threads of which one runs at a time: at each call of a port a seed decides who goes on, and no time passes meanwhile.

Time moves on only when all of them wait for it, so what happens at one moment is interleaved in every way, and one
seed is one history.
"""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable

from tests.support.clock import FakeClock

FROZEN = 45.0


def always() -> bool:
    return True


class _Strand:
    """One thread: until when, and for what, it waits."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.wake, self.ready = 0.0, always


class Interleaving:
    """Satisfies the `Clock` port for the threads that it runs."""

    def __init__(self, rng: random.Random, clock: FakeClock, *, frozen: float = 0.0) -> None:
        self._rng, self._clock, self._frozen = rng, clock, frozen
        self._strands: dict[int, _Strand] = {}
        self.errors: list[BaseException] = []
        self.switches = 0

    def now(self) -> float:
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        """Let time pass for this thread."""
        self._wait(self.now() + seconds, always)

    def turn(self) -> None:
        """Let another go on, or not. Now and then the process is frozen there, for longer than any lease."""
        frozen = self._frozen and self._rng.random() < self._frozen
        self._wait(self.now() + (FROZEN if frozen else 0.0), always)

    def until(self, ready: Callable[[], bool]) -> None:
        """Let others go on until that is true."""
        while not ready():
            self._wait(self.now(), ready)

    def run(self, *works: Callable[[], None]) -> None:
        """Run them all to their ends, and raise the first error of any."""
        threads = [threading.Thread(target=self._strand, args=(work, number)) for number, work in enumerate(works)]
        self._strands = {number: _Strand() for number in range(len(works))}
        for thread in threads:
            thread.start()
        self._hand_on()
        for thread in threads:
            thread.join()
        if self.errors:
            raise self.errors[0]

    def _strand(self, work: Callable[[], None], number: int) -> None:
        threading.current_thread().name = str(number)
        self._strands[number].go.wait()
        try:
            work()
        except BaseException as error:
            self.errors.append(error)
        finally:
            del self._strands[number]
            self._hand_on()

    def _wait(self, wake: float, ready: Callable[[], bool]) -> None:
        strand = self._strands[int(threading.current_thread().name)]
        strand.wake, strand.ready = wake, ready
        strand.go.clear()
        self._hand_on()
        strand.go.wait()

    def _hand_on(self) -> None:
        """Who may go on does, by lot; where nobody may yet, time passes."""
        if not self._strands:
            return
        waiting = [strand for strand in self._strands.values() if strand.ready()]
        assert waiting, "each waits for the other"
        self._clock.time = max(self._clock.time, min((strand.wake for strand in waiting), default=math.inf))
        self.switches += 1
        self._rng.choice([strand for strand in waiting if strand.wake <= self._clock.time]).go.set()
