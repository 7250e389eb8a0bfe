"""What a request header may be called and may hold (RFC 9110, 5). Pure."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OWN = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding"})
"""Headers that the client sets itself."""
UNSENDABLE = "a line break or a letter beyond ASCII"


def check_header(name: str) -> None:
    """Raises ValueError for an invalid header name, or for a header that the client sets itself."""
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"`header` {name!r} is not a valid header name")
    if name.lower() in _OWN:
        raise ValueError(f"the header {name} is set by option-a itself: leave it out")


def is_sendable(value: str) -> bool:
    """Whether a header may hold the value."""
    return value.isascii() and value.isprintable()
