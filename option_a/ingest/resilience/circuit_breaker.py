"""The breaker of a source that is down: one object in the lake, changed by compare-and-swap, for all workers anywhere.

While it is open nobody asks. When it expires, whoever wins the swap asks once for all: that is the probe. An answer
closes it, whatever it says; another fault opens it for longer. While all is well it is read once for a delivery.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from option_a.ingest.jsontext import decode_or_none
from option_a.ingest.lake import CONTROL, Lake, breaker_key
from option_a.ingest.ports import Clock
from option_a.ingest.resilience.retry import LONGEST_DELAY, MAX_IN_PROCESS_WAIT

THRESHOLD = 5
"""Faults of all workers together, with no answer between them, that open it; a request's first one is not counted."""
MEMORY = 900.0
"""Seconds after which a fault is forgotten."""
SHORTEST, LONGEST = 60.0, 300.0
"""Seconds for which it is open: a source that is down is asked once a minute at most, and found within five."""
_TRIES = 8


class BreakerState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the object holds: the faults since the last answer and, where it is open, until when."""

    failures: int = 0
    since: float = 0.0
    last: float = 0.0
    until: float = 0.0
    """0 while it is closed."""
    why: str = ""

    def failed(self, now: float, why: str, retry_after: float | None, *, probe: bool = False) -> BreakerState:
        """After another fault, or that of the probe; `retry_after` is the wait that the server asks for, in seconds."""
        if self.until > now and not probe:
            return self
        fresh = not self.until and now - self.last > MEMORY
        failures, since = (1, now) if fresh or not self.failures else (self.failures + 1, self.since)
        wait = retry_after or 0.0
        wait = min(wait, LONGEST_DELAY) if wait > MAX_IN_PROCESS_WAIT else 0.0
        down = bool(self.until) or failures >= THRESHOLD
        period = max(wait, min(LONGEST, max(SHORTEST, (now - since) / 4))) if down else wait
        return BreakerState(failures, since, now, now + period if period else 0.0, why)

    def probing(self, now: float) -> BreakerState:
        """While one worker asks; should it die, another one may ask after a while."""
        return msgspec.structs.replace(self, until=now + SHORTEST)


CLOSED = BreakerState()
_STATE = msgspec.json.Decoder(BreakerState)
_CLOSED_SIZE = len(msgspec.json.encode(CLOSED))


def read_breakers(lake: Lake, sources: Collection[str], now: float) -> dict[str, BreakerState]:
    """The breakers of sources that have had a fault since their last answer; the others are not even read."""
    names = {breaker_key(source): source for source in sources}
    keys = sorted(entry.key for entry in lake.entries(CONTROL) if entry.key in names and entry.size > _CLOSED_SIZE)
    states = {names[key]: _decoded(data, now) for key in keys if (data := lake.get(key)) is not None}
    return {source: state for source, state in states.items() if state.failures or state.until}


def _decoded(data: bytes, now: float) -> BreakerState:
    state = decode_or_none(_STATE, data)
    if state is None:
        return CLOSED  # it held nothing that cannot be learnt again
    if not 0.0 <= state.since <= now + LONGEST_DELAY:
        return CLOSED  # of no time that there was
    if state.until > now + LONGEST_DELAY:  # nobody opens it for so long: a clock was wrong
        return msgspec.structs.replace(state, until=now)
    return state


class CircuitBreaker:
    """One delivery's hold on the breaker of its source. Its threads may share it."""

    def __init__(self, lake: Lake, source: str, clock: Clock) -> None:
        self._lake, self._key, self._clock = lake, breaker_key(source), clock
        self._counted = False
        self.probes = False
        """Whether this delivery asks for all: then it asks one thing at a time, and once."""

    def blocked_by(self) -> BreakerState | None:
        """What keeps this delivery from asking; None if it may. May make it the one that probes."""
        state, tag = self._read()
        now = self._clock.now()
        if not state.until:
            return None
        if state.until <= now:
            if self._write(state.probing(now), tag):
                self.probes = True
                return None
            state, _ = self._read()
        return state if state.until else None

    def failed(self, why: str, retry_after: float | None) -> BreakerState:
        """Count a fault of a request; the state that follows."""
        now, probe = self._clock.now(), self.probes
        self._counted, self.probes = True, False
        return self._change(lambda state: state.failed(now, why, retry_after, probe=probe))

    def succeeded(self) -> None:
        """An answer came. It costs nothing unless this delivery has counted a fault, or probes."""
        if self._counted or self.probes:
            self._counted = self.probes = False
            self._change(lambda state: CLOSED)

    def _change(self, change: Callable[[BreakerState], BreakerState]) -> BreakerState:
        for _ in range(_TRIES):
            state, tag = self._read()
            changed = change(state)
            if changed == state or self._write(changed, tag):
                return changed
        return state  # others change it all the time, and all to the same end

    def _read(self) -> tuple[BreakerState, str | None]:
        stored = self._lake.read(self._key)
        return (CLOSED, None) if stored is None else (_decoded(stored[0], self._clock.now()), stored[1])

    def _write(self, state: BreakerState, tag: str | None) -> bool:
        return self._lake.compare_and_swap(self._key, msgspec.json.encode(state), tag) is not None
