"""Requests over HTTP: how they are built, authenticated, sent within limits, and answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from option_a.ingest.http.addresses import is_loopback
from option_a.ingest.http.build import build_client
from option_a.ingest.http.network import Network
from option_a.ingest.http.request import build_request, resolve_next
from option_a.ingest.http.urls import with_params

if TYPE_CHECKING:
    from option_a.ingest.http.mock import mock_body

__all__ = ["Network", "build_client", "build_request", "is_loopback", "mock_body", "resolve_next", "with_params"]


def __getattr__(name: str) -> object:
    """`mock_body` is imported when it is first used: what asks real APIs needs none of it."""
    if name != "mock_body":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from option_a.ingest.http.mock import mock_body

    return mock_body
