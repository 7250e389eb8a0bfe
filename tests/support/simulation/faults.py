"""What goes wrong in a trial: every kind is on or off, and rare or common, as the seed has it."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Literal

import msgspec

from option_a.ingest.errors import TransientError

Fault = Literal["death before", "death after", "refused", "no answer", "pause"]

_RATES = (0.0, 0.0, 0.002, 0.005, 0.02, 0.05)
_WISHES = (None, None, 1.0, 7.0, 45.0, 300.0, 3600.0)


class Faults(msgspec.Struct):
    """How often each kind comes, of all calls where it may."""

    death: float = 0.0
    refused: float = 0.0
    """The lake or the queue says no, and nothing has happened."""
    no_answer: float = 0.0
    """It has happened, and the lake or the queue says no."""
    too_late: float = 0.0
    """A swap has happened; its answer was lost, asked again it finds its own object there."""
    pause: float = 0.0
    reset: float = 0.0
    """A request fails in a way that passes."""
    asleep_in_writes: bool = False
    """Whether a pause may come between a look at the claim and the write that it allows."""
    seen: Counter[str] = msgspec.field(default_factory=Counter)
    on: bool = True

    @classmethod
    def drawn(cls, rng: Random) -> Faults:
        """Swarms of settings: what is off leaves room for the others."""
        death, refused, no_answer, too_late, pause = (rng.choice(_RATES) for _ in range(5))
        asleep = rng.random() < 0.15
        return cls(
            death, refused, no_answer, too_late, _RATES[-1] if asleep else pause,
            reset=rng.choice((0.0, 0.02, 0.1, 0.3)), asleep_in_writes=asleep,
        )  # fmt: skip

    def of_call(self, rng: Random, *, storage: bool) -> Fault | None:
        """What befalls one call; only of storage may the answer be an error."""
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
        """Whether a fault of a rate of its own comes now."""
        if not self.on or rng.random() >= rate:
            return False
        self.seen[kind] += 1
        return True

    def request(self, rng: Random) -> None:
        """Raises TransientError for a request that fails once."""
        if self.happens(rng, self.reset, "request failed"):
            what = rng.choice(("connection reset", "timed out", "the body was cut short", "the API answered 429"))
            raise TransientError(what, retry_after=rng.choice(_WISHES))
