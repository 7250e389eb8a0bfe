"""A fetch that keeps to the rate of each source, and waits where an API tells that its own limit is used up."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Protocol

from option_a.ingest.errors import TransientError
from option_a.ingest.ports import Clock, Fetch, RateLimiter, Request, Response
from option_a.ingest.resilience.rate_limit_headers import seconds_until_reset
from option_a.ingest.resilience.retry import MAX_IN_PROCESS_WAIT

_EARLY = 0.001
"""Seconds by which a clock may wake a sleeper too soon."""


class RateSettings(Protocol):
    """What a source declares of its rate."""

    @property
    def interval(self) -> float:
        """Seconds between two requests; 0 where no rate is declared."""

    @property
    def concurrency(self) -> int:
        """Workers that may load the source at once."""


class RateLimited:
    """Waits for the rate limiter before each request. Threads may share it."""

    def __init__(
        self, fetch: Fetch, sources: Mapping[str, RateSettings], clock: Clock, rate_limiter: RateLimiter
    ) -> None:
        self._fetch, self._clock, self._rate_limiter = fetch, clock, rate_limiter
        self._intervals = {name: source.interval for name, source in sources.items() if source.interval}
        self._used_up: dict[str, float] = {}
        """Until when an API accepts no more requests, by its last answer."""

    def __call__(self, request: Request) -> Response:
        self._hold_back(request.source)
        interval = self._intervals.get(request.source)
        if interval is not None:
            self._sleep(self._rate_limiter(request.source, interval))
        response = self._fetch(request)
        now = self._clock.now()
        wait = seconds_until_reset(response.headers, now)
        if wait is not None:
            self._used_up[request.source] = now + wait
        return response

    def _hold_back(self, source: str) -> None:
        """Sleep through a short wait for the API's limit; leave a long one to the queue."""
        left = self._used_up.get(source, 0.0) - self._clock.now()
        if left > MAX_IN_PROCESS_WAIT:
            raise TransientError("the API's rate limit is used up", retry_after=left)
        if left > 0:
            self._sleep(left)

    def _sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return
        until = self._clock.now() + seconds
        self._clock.sleep(seconds)
        if self._clock.now() < until - _EARLY:  # else a stop would let every waiter go at once
            raise TransientError("stopped while waiting for the rate limiter")


class LocalRateLimiter:
    """The limiter of a worker that knows nothing of the others: it assumes `concurrency` peers and takes its share.

    `begin` is called for each invocation: another worker may have had its place until now, so the first slot is one
    whole share away.
    """

    def __init__(self, sources: Mapping[str, RateSettings], clock: Clock) -> None:
        self._sharing = {name: source.concurrency for name, source in sources.items()}
        self._clock = clock
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}
        self._began = clock.now()

    def begin(self) -> None:
        """Other workers may have asked up to now."""
        with self._lock:
            self._began = self._clock.now()

    def __call__(self, source: str, interval: float) -> float:
        with self._lock:
            now = self._clock.now()
            turn = max(now, max(self._last.get(source, 0.0), self._began) + interval * self._sharing[source])
            self._last[source] = turn
            return turn - now
