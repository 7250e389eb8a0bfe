"""Rates: the one that a source declares, and what an API tells of its own in its headers. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime

_PREFIXES = ("ratelimit-", "x-ratelimit-", "x-rate-limit-")
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")
_PAIR = re.compile(r"(?:^|[;,\s])(r|remaining|t|reset)\s*=\s*\"?([0-9]{1,15})")
_EPOCH, _EPOCH_MS = 10**9, 10**12


def seconds_until_reset(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds until the API takes requests again, if it tells that none is left; `now` is our clock's time.

    Read are `RateLimit-*`, `X-RateLimit-*` and `X-Rate-Limit-*`, and the `RateLimit` of the drafts before and since
    they have named policies. A reset may be seconds from now, or an epoch in seconds or milliseconds.
    """
    resets = [reset for remaining, reset in _quotas(headers) if remaining == 0]
    if not resets:
        return None
    theirs = server_time(headers, now)
    return max(_wait(reset, theirs) for reset in resets)


def server_time(headers: Mapping[str, str], now: float) -> float:
    """What the API's own clock says, by which its dates are meant; ours where it sends none."""
    try:
        moment = parsedate_to_datetime(headers["date"])
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
    except (KeyError, ValueError, OverflowError):
        return now


def _quotas(headers: Mapping[str, str]) -> Iterator[tuple[int, float]]:
    """Requests left and the reset, by each header that tells both."""
    for prefix in _PREFIXES:
        left, reset = headers.get(prefix + "remaining", ""), headers.get(prefix + "reset", "")
        if _NUMBER.fullmatch(left) and _NUMBER.fullmatch(reset):
            yield int(float(left)), float(reset)
    policies = headers.get("ratelimit", "")
    for policy in policies.split(",") if ";" in policies else [policies]:
        values = dict(_PAIR.findall(policy))
        remaining, wait = values.get("remaining", values.get("r")), values.get("reset", values.get("t"))
        if remaining is not None and wait is not None:
            yield int(remaining), float(wait)


def _wait(reset: float, now: float) -> float:
    if reset >= _EPOCH_MS:
        return max(0.0, reset / 1000 - now)
    return max(0.0, reset - now) if reset >= _EPOCH else reset
