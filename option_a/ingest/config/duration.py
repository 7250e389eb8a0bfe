"""Times that a source declares: durations, and a rate as the time between two requests. Pure."""

from __future__ import annotations

import re

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
LONGEST = 3_660 * 86_400.0
"""Seconds of the longest duration."""

_RATE = re.compile(r"([0-9]{1,6})\s*/\s*(s|min|h)")
_RATE_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
SLOWEST = 60.0
"""Seconds between two requests: what is slower no worker could wait out."""


def seconds(duration: str) -> float:
    """The seconds of `90s`, `30m`, `6h` or `2d`. Raises ValueError for anything else."""
    match = _DURATION.fullmatch(duration.strip())
    if match is None:
        raise ValueError(f"{duration!r} is not a valid duration: write a number and s, m, h or d, as in 6h")
    total = float(match[1]) * _SECONDS[match[2]]
    if total > LONGEST:
        raise ValueError(f"{duration[:40]!r} is longer than ten years")
    return total


def interval(rate: str) -> float:
    """The seconds between two requests at `10/s`, `600/min` or `1000/h`. Raises ValueError."""
    match = _RATE.fullmatch(rate.strip())
    if match is None or not int(match[1]):
        raise ValueError(f"{rate!r} is not a valid rate: write requests and s, min or h, as in 10/s or 600/min")
    found = _RATE_SECONDS[match[2]] / int(match[1])
    if found > SLOWEST:
        raise ValueError(f"{rate!r} is slower than 1/min")
    return found
