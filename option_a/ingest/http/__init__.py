"""Requests over HTTP: how they are built, authenticated, sent within limits, and answered."""

from __future__ import annotations

from option_a.ingest.http.addresses import is_loopback
from option_a.ingest.http.build import build_client
from option_a.ingest.http.mock import mock_body
from option_a.ingest.http.network import Network
from option_a.ingest.http.request import build_request, resolve_next
from option_a.ingest.http.urls import with_params

__all__ = ["Network", "build_client", "build_request", "is_loopback", "mock_body", "resolve_next", "with_params"]
