"""The breaker of a source that is down: one object in the lake, changed by compare-and-swap, for all workers anywhere.

While it is open nobody asks. When it expires, whoever wins the swap asks once for all: that is the probe. An answer
closes it, whatever it says; another fault opens it for longer. While all is well it is read once for a delivery.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from option_a.ingest.lake.base import Lake
from option_a.ingest.lake.keys import CONTROL, breaker_key
from option_a.ingest.ports import Clock
from option_a.ingest.resilience.retry import LONGEST_DELAY, MAX_IN_PROCESS_WAIT

THRESHOLD = 5
"""Faults of all workers together, with no answer between them, that open it; a request's first one is not counted."""
MEMORY = 900.0
"""Seconds after which a fault is forgotten."""
SHORTEST, LONGEST = 60.0, 300.0
"""Seconds for which it is open: a source that is down is asked once a minute at most, and found within five."""
_TRIES = 8


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the object holds: the faults since the last answer and, where it is open, until when."""

    failures: int = 0
    since: float = 0.0
    last: float = 0.0
    until: float = 0.0
    """0 while it is closed."""
    why: str = ""

    def failed(self, now: float, why: str, wish: float | None, *, probe: bool = False) -> State:
        """After another fault, or that of the probe; `wish` is the server's own, in seconds."""
        if self.until > now and not probe:
            return self
        fresh = not self.until and now - self.last > MEMORY
        failures, since = (1, now) if fresh or not self.failures else (self.failures + 1, self.since)
        wished = min(wish, LONGEST_DELAY) if wish is not None and wish > MAX_IN_PROCESS_WAIT else 0.0
        down = bool(self.until) or failures >= THRESHOLD
        period = max(wished, min(LONGEST, max(SHORTEST, (now - since) / 4))) if down else wished
        return State(failures, since, now, now + period if period else 0.0, why)

    def probing(self, now: float) -> State:
        """While one worker asks; should it die, another one may ask after a while."""
        return msgspec.structs.replace(self, until=now + SHORTEST)


CLOSED = State()
_STATE = msgspec.json.Decoder(State)
_CLOSED_SIZE = len(msgspec.json.encode(CLOSED))


def open_breakers(lake: Lake, sources: Collection[str], now: float) -> dict[str, State]:
    """The breakers of sources that are open, or that wait for the next task to probe."""
    return {source: state for source, state in read_breakers(lake, sources, now).items() if state.until}


def read_breakers(lake: Lake, sources: Collection[str], now: float) -> dict[str, State]:
    """The breakers of sources that have had a fault since their last answer; the others are not even read."""
    names = {breaker_key(source): source for source in sources}
    keys = sorted(entry.key for entry in lake.entries(CONTROL) if entry.key in names and entry.size > _CLOSED_SIZE)
    found = {names[key]: _decoded(data, now) for key in keys if (data := lake.get(key)) is not None}
    return {source: state for source, state in found.items() if state.failures or state.until}


def _decoded(data: bytes, now: float) -> State:
    try:
        state = _STATE.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return CLOSED  # it holds nothing that cannot be learnt again
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

    def blocked_by(self) -> State | None:
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

    def failed(self, why: str, wish: float | None) -> State:
        """Count a fault of a request; the state that follows."""
        now, probe = self._clock.now(), self.probes
        self._counted, self.probes = True, False
        return self._change(lambda state: state.failed(now, why, wish, probe=probe))

    def succeeded(self) -> None:
        """An answer came. It costs nothing unless this delivery has counted a fault, or probes."""
        if self._counted or self.probes:
            self._counted = self.probes = False
            self._change(lambda state: CLOSED)

    def _change(self, change: Callable[[State], State]) -> State:
        for _ in range(_TRIES):
            state, tag = self._read()
            changed = change(state)
            if changed == state or self._write(changed, tag):
                return changed
        return state  # others change it all the time, and all to the same end

    def _read(self) -> tuple[State, str | None]:
        found = self._lake.read(self._key)
        return (CLOSED, None) if found is None else (_decoded(found[0], self._clock.now()), found[1])

    def _write(self, state: State, tag: str | None) -> bool:
        return self._lake.compare_and_swap(self._key, msgspec.json.encode(state), tag) is not None
