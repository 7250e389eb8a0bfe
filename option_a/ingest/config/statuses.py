"""What an API's statuses mean, where a source declares another meaning than the usual one. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

Meaning = Literal["empty", "transient", "permanent"]

_SPELT_OUT = frozenset({401, 403, 407, 408, 425, 429})
"""What no class covers: a key that is refused, or a plea for patience, is no end and no outage."""
_KEY = re.compile(r"20[1-9]|2[1-9][0-9]|[45][0-9][0-9]|[45]xx")


def check(statuses: Mapping[str, Meaning]) -> None:
    """Raises ValueError for a key that is neither a status nor a class of them."""
    for key in statuses:
        if not _KEY.fullmatch(key):
            raise ValueError(
                f'`statuses`: invalid status {key!r}: write a status ("404") or a class ("4xx"), except 200 and 3xx'
            )


def meaning(statuses: Mapping[str, Meaning], status: int) -> Meaning | None:
    """What a source declares of a status; the status itself counts before its class. None: nothing."""
    of_class = None if status in _SPELT_OUT else statuses.get(f"{status // 100}xx")
    return statuses.get(str(status)) or of_class
