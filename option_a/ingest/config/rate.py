"""The rate that a source declares. Pure."""

from __future__ import annotations

import re

_RATE = re.compile(r"([0-9]{1,6})\s*/\s*(s|min|h)")
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
SLOWEST = 60.0
"""Seconds between two requests: what is slower no worker could wait out."""


def interval(rate: str) -> float:
    """The seconds between two requests at `10/s`, `600/min` or `1000/h`. Raises ValueError."""
    match = _RATE.fullmatch(rate.strip())
    if match is None or not int(match[1]):
        raise ValueError(f"{rate!r} is no rate: write requests and s, min or h, as in 10/s or 600/min")
    seconds = _SECONDS[match[2]] / int(match[1])
    if seconds > SLOWEST:
        raise ValueError(f"{rate!r} is slower than 1/min")
    return seconds
