"""What to do about faults and limits: retries as values, the circuit breaker, the rate limiter."""

from __future__ import annotations

from option_a.ingest.resilience.circuit_breaker import BreakerState, CircuitBreaker, read_breakers
from option_a.ingest.resilience.rate_limit_headers import seconds_until_reset, server_time
from option_a.ingest.resilience.rate_limiter import LocalRateLimiter, RateLimited
from option_a.ingest.resilience.retry import (
    LONGEST_DELAY,
    Retry,
    is_transient,
    next_attempt,
    parse_retry_after,
    requeue_delay,
)

__all__ = [
    "LONGEST_DELAY",
    "BreakerState",
    "CircuitBreaker",
    "LocalRateLimiter",
    "RateLimited",
    "Retry",
    "is_transient",
    "next_attempt",
    "parse_retry_after",
    "read_breakers",
    "requeue_delay",
    "seconds_until_reset",
    "server_time",
]
