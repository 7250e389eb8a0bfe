"""What to do about a transient fault, as a value. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from email.utils import parsedate_to_datetime

import msgspec

TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})

FIRST_WAIT = 0.5
LONGEST_WAIT = 15.0
ATTEMPTS = 5
MAX_IN_PROCESS_WAIT = 20.0
"""Seconds up to which a wait is slept out in the worker; a longer one is the queue's."""
FIRST_DELAY = 30.0
LONGEST_DELAY = 900.0
"""SQS delays a message by at most 15 minutes."""


class Retry(msgspec.Struct, frozen=True):
    """Ask again in the worker after `wait` seconds."""

    wait: float


class Requeue(msgspec.Struct, frozen=True):
    """Give the task back to the queue; `wait` is what the server asked for, in seconds, if it did."""

    wait: float | None


def is_transient(status: int) -> bool:
    """Whether the same request may be answered later: RFC 9110's and the CDNs' codes for overload and outage."""
    return status in TRANSIENT_STATUS or (500 <= status <= 599 and status not in (501, 505))


def next_attempt(attempt: int, retry_after: float | None, jitter: Callable[[], float]) -> Retry | Requeue:
    """What follows the `attempt`-th (from 1) transient failure of one request; `jitter` gives [0, 1)."""
    if retry_after is not None and retry_after > MAX_IN_PROCESS_WAIT:
        return Requeue(retry_after)
    if attempt >= ATTEMPTS:
        return Requeue(retry_after)
    backoff = jitter() * min(LONGEST_WAIT, FIRST_WAIT * 2.0**attempt)
    return Retry(max(backoff, retry_after or 0.0))


def requeue_delay(waited: float, retry_after: float | None, jitter: Callable[[], float]) -> float:
    """For how long a task is sent away after `waited` seconds of patience: doubling, 30 to 900 s, half of it jitter."""
    ceiling = min(LONGEST_DELAY, max(FIRST_DELAY, waited))
    return min(LONGEST_DELAY, max(ceiling * (0.5 + jitter() / 2), retry_after or 0.0))


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Seconds that a `Retry-After` asks for, in either form of RFC 9110; None for none or nonsense."""
    if not value:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return max(0.0, moment.timestamp() - now)
