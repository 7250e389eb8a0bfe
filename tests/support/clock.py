"""Time that tests own."""

from __future__ import annotations


class FakeClock:
    """Satisfies the `Clock` port; sleeping moves it."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.time = now
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
