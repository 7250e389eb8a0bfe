"""Random faults in a simulated trial: the seed decides which kinds occur, and how often."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Literal

import msgspec

from option_a.ingest.errors import TransientError

Fault = Literal["death before", "death after", "refused", "no answer", "pause"]

_RATES = (0.0, 0.0, 0.002, 0.005, 0.02, 0.05)
_RETRY_AFTERS = (None, None, 1.0, 7.0, 45.0, 300.0, 3600.0)


class FaultRates(msgspec.Struct):
    """The share of calls in which each kind occurs."""

    death: float = 0.0
    refused: float = 0.0
    """The lake or queue reports an error, and nothing was done."""
    no_answer: float = 0.0
    """The lake or queue reports an error although it was done."""
    too_late: float = 0.0
    """A compare-and-swap succeeded but its response was lost; the retry finds its own object there."""
    pause: float = 0.0
    reset: float = 0.0
    """A request fails with a transient error."""
    pause_before_writes: bool = False
    """Whether a process may pause between checking its lease and the write the lease allows."""
    seen: Counter[str] = msgspec.field(default_factory=Counter)
    on: bool = True

    @classmethod
    def drawn(cls, rng: Random) -> FaultRates:
        """Swarm testing: kinds that are off leave room for the others."""
        death, refused, no_answer, too_late, pause = (rng.choice(_RATES) for _ in range(5))
        asleep = rng.random() < 0.15
        return cls(
            death, refused, no_answer, too_late, _RATES[-1] if asleep else pause,
            reset=rng.choice((0.0, 0.02, 0.1, 0.3)), pause_before_writes=asleep,
        )  # fmt: skip

    def of_call(self, rng: Random, *, storage: bool) -> Fault | None:
        """The fault in one call, if any; only storage calls may report errors."""
        if not self.on:
            return None
        kinds: list[tuple[Fault, float]] = [
            ("death before", self.death / 2), ("death after", self.death / 2), ("pause", self.pause),
        ]  # fmt: skip
        if storage:
            kinds += [("refused", self.refused), ("no answer", self.no_answer)]
        drawn = rng.random()
        for kind, rate in kinds:
            drawn -= rate
            if drawn < 0:
                self.seen[kind] += 1
                return kind
        return None

    def happens(self, rng: Random, rate: float, kind: str) -> bool:
        """Whether a fault with this rate occurs now."""
        if not self.on or rng.random() >= rate:
            return False
        self.seen[kind] += 1
        return True

    def request(self, rng: Random) -> None:
        """Raises TransientError if this request is to fail."""
        if self.happens(rng, self.reset, "request failed"):
            what = rng.choice(("connection reset", "timed out", "the body was cut short", "the API answered 429"))
            raise TransientError(what, retry_after=rng.choice(_RETRY_AFTERS))
