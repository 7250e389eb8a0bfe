"""Whom a request goes to: a mock source's to this process, whatever else is declared."""

from __future__ import annotations

import datetime as dt

from option_a.ingest.config.source import mock_source
from option_a.ingest.http.build import build_client
from option_a.ingest.http.request import build_request
from option_a.ingest.load.services import no_secrets
from option_a.ingest.task import Task
from tests.support.clock import FakeClock
from tests.support.pipeline import source


def test_a_request_of_a_mock_source_never_leaves_this_process() -> None:
    mock = mock_source("api-a")
    fetch = build_client({"api-a": mock, "s": source()}, FakeClock(), no_secrets)
    answer = fetch(build_request(mock, Task("api-a", dt.date(2026, 11, 23), "r"), 1, None))
    assert (answer.status, answer.body[:1]) == (200, b"{")
