"""A clock that only the test moves, for every test in which time matters."""

from __future__ import annotations

NOW = 1_700_000_000.0
"""When fake time begins: 2023-11-14, 22:13 UTC."""


class FakeClock:
    """Satisfies the `Clock` port; sleeping moves it on."""

    def __init__(self, now: float = NOW) -> None:
        self.time = now
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
