"""A total deadline for a request. A socket's own timeout is for each `recv`, so a slow drip would outlast any.

One thread for a process watches all requests and shuts the socket of one that is out of time, which wakes its reader.
"""

from __future__ import annotations

import contextvars
import heapq
import itertools
import math
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_AGAIN = 0.2
"""Seconds until a connection that has no socket yet is looked at again."""


class Guard:
    """One request under watch. `expired`: its deadline ended it; `kept`: its connection had served another before."""

    def __init__(self) -> None:
        self.connection: Any = None
        self.sock: Any = None
        self.expired = False
        self.kept = False
        self.done = False

    def fire(self) -> bool:
        """End the request; False while there is no socket to shut."""
        self.expired = True
        # a connection lets go of its socket while an answer that ends with it is still being read
        sock = getattr(self.connection, "sock", None) or self.sock
        if sock is None:
            return False
        with suppress(OSError):  # it may be gone already
            # the plain socket's shutdown: an SSL socket's own would pull its state from under the reader
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        return True


_current: contextvars.ContextVar[Guard | None] = contextvars.ContextVar("guard", default=None)


@contextmanager
def track_connection(connection: Any) -> Iterator[None]:
    """While a request is sent: tell the guard of this thread's request which connection carries it."""
    guard = _current.get() or Guard()
    guard.kept = connection.sock is not None
    guard.connection, guard.sock = connection, connection.sock
    yield
    guard.sock = connection.sock  # it has one now
    if guard.expired:  # between two connections there was nothing to shut
        guard.fire()


def out_of_time() -> bool:
    """Whether the deadline of this thread's request has passed: while a connection is made there is nothing to shut."""
    guard = _current.get()
    return guard is not None and guard.expired


class Watchdog:
    """Watches deadlines in a thread that starts with the first of them."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Guard]] = []
        self._changed = threading.Condition()
        self._order = itertools.count()
        self._thread: threading.Thread | None = None
        self._wakes_at = -math.inf
        """When the thread looks next; a deadline before that wakes it, one after it does not."""

    @contextmanager
    def limit(self, seconds: float) -> Iterator[Guard]:
        """Everything within ends after so many seconds."""
        guard = Guard()
        self._watch(time.monotonic() + seconds, guard)
        token = _current.set(guard)
        try:
            yield guard
        finally:
            guard.done = True
            guard.connection = guard.sock = None
            _current.reset(token)

    def _watch(self, moment: float, guard: Guard) -> None:
        with self._changed:
            heapq.heappush(self._heap, (moment, next(self._order), guard))
            while self._heap and self._heap[0][2].done:
                heapq.heappop(self._heap)
            if self._thread is None or not self._thread.is_alive():  # none lives on in a fork
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            if moment < self._wakes_at:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._heap or self._heap[0][0] > time.monotonic():
                    left = self._heap[0][0] - time.monotonic() if self._heap else None
                    self._wakes_at = self._heap[0][0] if self._heap else math.inf
                    self._changed.wait(left)
                _, _, guard = heapq.heappop(self._heap)
            if not guard.done and not guard.fire():
                self._watch(time.monotonic() + _AGAIN, guard)


WATCHDOG = Watchdog()
"""The one that all requests of the process share: its thread never ends."""
