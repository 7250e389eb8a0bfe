"""Records every address that a socket of this process connects to, for tests of SSRF, proxies and redirects."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_watching: list[list[tuple[str, int]]] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.connect" or not _watching:
        return
    address = arguments[1]
    _watching[-1].append((str(address[0]), int(address[1])))
    if not str(address[0]).startswith("127."):
        raise ConnectionRefusedError  # tests never use the network


@contextmanager
def record_connections() -> Iterator[list[tuple[str, int]]]:
    """The addresses connected to within the block; connections to other machines are refused."""
    found: list[tuple[str, int]] = []
    _watching.append(found)
    try:
        yield found
    finally:
        _watching.pop()


sys.addaudithook(_hook)
