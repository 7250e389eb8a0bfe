"""Runs threads one at a time, switching at each port call as a seed decides, for tests of competing workers.

Time passes only when every thread waits for it, so calls at one moment interleave in every way, and a seed always
replays the same history.
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


class _InterleavedThread:
    """Until when, and for what, a thread waits."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.wake, self.ready = 0.0, always


class ThreadInterleaver:
    """Satisfies the `Clock` port for the threads it runs. `frozen`: how often a switch freezes a thread."""

    def __init__(self, rng: random.Random, clock: FakeClock, *, frozen: float = 0.0) -> None:
        self._rng, self._clock, self._frozen = rng, clock, frozen
        self._threads: dict[int, _InterleavedThread] = {}
        self.errors: list[BaseException] = []
        self.switches = 0

    def now(self) -> float:
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        """Let time pass for this thread."""
        self._wait(self.now() + seconds, always)

    def switch(self) -> None:
        """Perhaps let another thread run; now and then freeze this one for longer than any lease."""
        frozen = self._frozen and self._rng.random() < self._frozen
        self._wait(self.now() + (FROZEN if frozen else 0.0), always)

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Let other threads run until this is true."""
        while not ready():
            self._wait(self.now(), ready)

    def run(self, *works: Callable[[], None]) -> None:
        """Run them all to completion, and raise the first error of any."""
        threads = [threading.Thread(target=self._run_thread, args=(work, number)) for number, work in enumerate(works)]
        self._threads = {number: _InterleavedThread() for number in range(len(works))}
        for thread in threads:
            thread.start()
        self._resume_next()
        for thread in threads:
            thread.join()
        if self.errors:
            raise self.errors[0]

    def _run_thread(self, work: Callable[[], None], number: int) -> None:
        threading.current_thread().name = str(number)
        self._threads[number].go.wait()
        try:
            work()
        except BaseException as error:
            self.errors.append(error)
        finally:
            del self._threads[number]
            self._resume_next()

    def _wait(self, wake: float, ready: Callable[[], bool]) -> None:
        thread_state = self._threads[int(threading.current_thread().name)]
        thread_state.wake, thread_state.ready = wake, ready
        thread_state.go.clear()
        self._resume_next()
        thread_state.go.wait()

    def _resume_next(self) -> None:
        """Resume a random thread that may run; if none may yet, let time pass."""
        if not self._threads:
            return
        waiting = [thread_state for thread_state in self._threads.values() if thread_state.ready()]
        assert waiting, "deadlock"
        self._clock.time = max(self._clock.time, min((thread_state.wake for thread_state in waiting), default=math.inf))
        self.switches += 1
        self._rng.choice([thread_state for thread_state in waiting if thread_state.wake <= self._clock.time]).go.set()
