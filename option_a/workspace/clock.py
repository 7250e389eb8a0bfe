"""The machine's clock, and the stop request that ends every sleep."""

from __future__ import annotations

import threading
import time


class SystemClock:
    """The `Clock` port, by the system's clock."""

    def __init__(self) -> None:
        self._stop = threading.Event()

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        self._stop.wait(seconds)

    def stop(self) -> None:
        """Request that all work stops."""
        self._stop.set()

    def stopping(self) -> bool:
        """Whether a stop was requested."""
        return self._stop.is_set()
