"""The fetch of a pipeline: mock or real by source, with credentials, and no more at once than a source allows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from threading import BoundedSemaphore

from option_a.ingest.config import Source
from option_a.ingest.http.network import Network
from option_a.ingest.ports import Clock, Fetch, RateLimiter, Request, Response, Secrets
from option_a.ingest.resilience import LocalRateLimiter, RateLimited


def build_client(
    sources: Mapping[str, Source],
    clock: Clock,
    secrets: Secrets,
    *,
    network: Network = Network(),  # noqa: B008 - it is frozen
    rate_limiter: RateLimiter | None = None,
) -> Fetch:
    """Asks real APIs over HTTP and mock ones in this process; of one source `parallel` requests at once."""
    return ConcurrencyLimited(
        _Router(sources, clock, secrets, network, rate_limiter or LocalRateLimiter(sources, clock)), sources
    )


class _Router:
    """Hands a request to the fetch of its origin, which is made when the first one comes."""

    def __init__(
        self, sources: Mapping[str, Source], clock: Clock, secrets: Secrets, network: Network, rate_limiter: RateLimiter
    ) -> None:
        self._sources, self._clock, self._secrets = sources, clock, secrets
        self._network, self._rate_limiter = network, rate_limiter

    @cached_property
    def _real(self) -> Fetch:
        from option_a.ingest.http.auth import Authenticated
        from option_a.ingest.http.client import HttpFetch

        widest = max(source.parallel for source in self._sources.values())
        http = HttpFetch(self._clock, max(16, widest), sources=self._sources, network=self._network)
        paced = RateLimited(http, self._sources, self._clock, self._rate_limiter)
        return Authenticated(paced, self._sources, self._secrets, self._clock)

    @cached_property
    def _mock(self) -> Fetch:
        from option_a.ingest.http.mock import MockFetch

        return MockFetch()

    def __call__(self, request: Request) -> Response:
        real = self._sources[request.source].origin == "real"
        return self._real(request) if real else self._mock(request)


class ConcurrencyLimited:
    """Keeps the requests in flight to one source at its `parallel`, however many partitions of it are loaded."""

    def __init__(self, fetch: Fetch, sources: Mapping[str, Source]) -> None:
        self._fetch = fetch
        self._places = {name: BoundedSemaphore(source.parallel) for name, source in sources.items()}

    def __call__(self, request: Request) -> Response:
        with self._places[request.source]:
            return self._fetch(request)
