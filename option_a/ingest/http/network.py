"""What a machine is to the requests made on it: whether it may ask itself, its proxies, its certificates."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

Resolve = Callable[[str, int], list[str]]
"""The addresses of a host, as text. Raises OSError where there is none."""


class Network(msgspec.Struct, frozen=True):
    """Given by the wiring."""

    loopback: bool = True
    """Whether a source may be on the machine itself, where its url says so: `http://localhost:8001/…`."""
    env: Mapping[str, str] = {}
    """HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY."""
    folder: str = "."
    """Where a relative `ca_bundle` is looked for."""
    resolve: Resolve | None = None
    """None: as the system does."""
