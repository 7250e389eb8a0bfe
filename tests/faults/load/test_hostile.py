"""A worker against forty ways in which an API misbehaves: it ends in time, says the right thing, and loses nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from option_a.ingest.resilience.retry import ATTEMPTS
from tests.conftest import Proof
from tests.support.apis.hostile_api import HOSTILE_CASES, TIMEOUT, HostileApi
from tests.support.apis.http_server import Server

MEMORY = 256 * 2**20


@pytest.fixture(scope="module")
def outcome() -> dict[str, Any]:
    """What became of each, in one process after another fault's."""
    with Server(HostileApi()) as server:
        command = [sys.executable, "-m", "tests.support.apis.hostile_worker", server.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=170, cwd=Path(__file__).parents[3])
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.bar(9)
@pytest.mark.parametrize("name", HOSTILE_CASES)
def test_it_ends_as_it_should_and_nothing_is_lost(name: str, outcome: dict[str, Any], proof: Proof) -> None:
    fault, met = HOSTILE_CASES[name], outcome[name]
    if fault.error_kind:
        assert met["outcomes"][-1] == "failed"
        assert met["cause"]["kind"] == fault.error_kind
        assert fault.message_part in met["cause"]["message"]
        assert met["dead"] == [fault.error_kind]
        assert met["again"][-1] == "complete"
    else:
        assert (met["outcomes"][-1], met["cause"], met["dead"]) == ("complete", None, [])
    assert met["records"] == [1, 2, 3]
    assert met["differences"] == 0
    proof.figure("ways to fail", 1)


@pytest.mark.parametrize("name", HOSTILE_CASES)
def test_no_delivery_outlasts_its_requests_deadlines(name: str, outcome: dict[str, Any]) -> None:
    assert outcome[name]["slowest"] < ATTEMPTS * TIMEOUT + 5.0


@pytest.mark.parametrize("name", HOSTILE_CASES)
def test_all_of_it_within_256_mb(name: str, outcome: dict[str, Any]) -> None:
    """The process meets them one after the other: the first one that is named here took too much."""
    assert outcome[name]["memory"] < MEMORY
